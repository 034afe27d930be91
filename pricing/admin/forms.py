"""The forms by which people speak to the ledger from the admin."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldAdminURLInputWidget,
    UnfoldBooleanSwitchWidget,
)

from accounts.models import User
from pricing.claims import LIST_LAYER, PROMO_LAYER, STANDARD_TIER, Claim, Conditions
from pricing.identity import identity_key
from pricing.meters import METERS
from pricing.models import Offering, PriceLine
from pricing.rulings import Ruling
from tracker.admin_fields import AmountFormField, UtcDateTimeFormField

CONDITION_FIELDS = (
    "meter",
    "service_tier",
    "region",
    "variant",
    "commitment",
    "above_input_tokens",
    "slot",
    "layer",
)
PRICE_FIELDS = ("amount", "currency", "zero_means")
TIME_FIELDS = ("effective_from", "effective_until", "precision")
EVIDENCE_FIELDS = ("citation_url", "citation_title", "note")


def meters_by_unit() -> list[tuple[str, list[tuple[str, str]]]]:
    """The meters as a select's groups, under the quantity that an amount is for."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for slug, meter in METERS.items():
        groups.setdefault(meter.unit, []).append((slug, slug.replace("_", " ")))
    return list(groups.items())


def _text(label: str, help_text: str, **options: Any) -> forms.CharField:
    widget = UnfoldAdminTextInputWidget()
    return forms.CharField(label=label, help_text=help_text, required=False, widget=widget, **options)


class NoteForm(forms.Form):
    """Why somebody rules something; kept for good with the decision."""

    note = forms.CharField(
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}), help_text="Why. It is kept with the decision."
    )
    citation_url = forms.URLField(
        label="Citation", required=False, assume_scheme="https", max_length=1000, widget=UnfoldAdminURLInputWidget()
    )

    def ruling(self, by: User) -> Ruling:
        """Who says it, and why."""
        said = self.cleaned_data
        return Ruling(by, said.get("note", ""), said.get("citation_url", ""), said.get("citation_title", ""))


class DatedNoteForm(NoteForm):
    """A ruling that holds from a moment on."""

    at = UtcDateTimeFormField(label="From", required=False, help_text="In UTC; empty means now.")
    field_order = ("at", "note", "citation_url")


class PriceForm(NoteForm):
    """One price of one line, from when to when, and where it can be read."""

    explanation = (
        "What an editor states stands before every feed until it is taken back. All times are in UTC. "
        "One source sets the sheet of a tariff whole: its thresholds, calendar slots and layers for one meter, "
        "service tier, region, variant and commitment. From the moment on at which you state one line of it, the "
        "lines that editors state are the whole tariff, and those that only feeds state end, unless the rest is kept."
    )
    meter = forms.ChoiceField(
        choices=meters_by_unit, widget=UnfoldAdminSelectWidget(), help_text="What is counted; the group is the unit."
    )
    service_tier = _text("Service tier", "standard, batch, flex, priority, or as the seller says.", max_length=40)
    region = _text("Region", "Empty: everywhere. For plans the country.", max_length=60)
    variant = _text("Variant", "Resolution, quality, size; for plans the billing period: month, year.", max_length=120)
    commitment = _text("Commitment", "Empty: none.", max_length=60)
    above_input_tokens = forms.IntegerField(
        label="Above input tokens",
        min_value=0,
        max_value=10**12,
        required=False,
        widget=UnfoldAdminIntegerFieldWidget(),
        help_text="0, or n: for requests whose input is above n tokens. For “at least n” give n-1.",
    )
    slot = _text("Calendar slot", "Empty, or the slot that this is the price of, such as peak.", max_length=40)
    layer = forms.ChoiceField(
        choices=[(LIST_LAYER, "list price"), (PROMO_LAYER, "promotion")], widget=UnfoldAdminSelectWidget()
    )
    tells = forms.ChoiceField(
        label="What it tells",
        required=False,
        choices=[("market", "the price moved then"), ("correction", "the record was wrong: a correction, no news")],
        widget=UnfoldAdminSelectWidget(),
    )
    keeps_rest = forms.BooleanField(
        label="Keep the rest of the tariff",
        required=False,
        initial=True,
        widget=UnfoldBooleanSwitchWidget(),
        help_text="Says the tariff's other lines again as they are believed, so that they do not end. "
        "A correction keeps them in any case.",
    )
    replaces_later = forms.BooleanField(
        label="Replace what editors stated for later",
        required=False,
        widget=UnfoldBooleanSwitchWidget(),
        help_text="Else a price that editors announced for a later moment takes over then.",
    )
    amount = AmountFormField(
        min_value=0, widget=UnfoldAdminDecimalFieldWidget(), help_text="For the meter's unit, as sold; exact."
    )
    currency = forms.CharField(
        max_length=3, widget=UnfoldAdminTextInputWidget(), help_text="ISO 4217 code, such as USD or CNY."
    )
    zero_means = forms.ChoiceField(
        label="If the amount is 0",
        choices=[("free", "it is free of charge"), ("included", "it is included in the plan")],
        widget=UnfoldAdminSelectWidget(),
    )
    effective_from = UtcDateTimeFormField(
        label="Effective from",
        required=False,
        help_text="In UTC; a day alone is its first moment. Empty: now. A moment ahead announces the price.",
    )
    effective_until = UtcDateTimeFormField(
        label="Until", required=False, help_text="In UTC; the first moment without it. Empty: open."
    )
    precision = forms.ChoiceField(
        required=False,
        choices=[
            ("", "as entered"),
            ("exact", "to the moment"),
            ("day", "the day is known"),
            ("month", "the month is known"),
            ("year", "the year is known"),
            ("unknown", "unknown, but in force by then"),
        ],
        widget=UnfoldAdminSelectWidget(),
        help_text="How exactly the beginning is known. As entered: the moment if a time is given, else the day.",
    )
    citation_title = _text("Citation title", "The name of the page.", max_length=500)
    citation_url = forms.URLField(
        label="Citation",
        assume_scheme="https",
        max_length=1000,
        widget=UnfoldAdminURLInputWidget(),
        help_text="Where anybody can read it.",
    )
    note = forms.CharField(required=False, widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}))

    fieldsets: tuple[tuple[str, tuple[str, ...]], ...] = (
        ("The price", (*CONDITION_FIELDS[:1], *PRICE_FIELDS)),
        ("When", (*TIME_FIELDS, "replaces_later")),
        ("Only under these conditions", (*CONDITION_FIELDS[1:], "keeps_rest")),
        ("Evidence", ("tells", *EVIDENCE_FIELDS)),
    )

    def __init__(self, *args: Any, line: PriceLine | None = None, **kwargs: Any) -> None:
        conditions = line.conditions if line else Conditions("input_tokens")
        initial = {name: getattr(conditions, name) for name in CONDITION_FIELDS}
        kwargs["initial"] = {"currency": "USD", **initial, **_price_now(line)}
        super().__init__(*args, **kwargs)

    def clean_currency(self) -> str:
        return str(self.cleaned_data["currency"]).strip().upper()

    def clean(self) -> dict[str, Any]:
        said = super().clean() or self.cleaned_data
        said["precision"] = said.get("precision") or self._precision_as_entered()
        begins = said.get("effective_from")
        if begins is not None:
            said["effective_from"] = _first_moment(begins, said["precision"])
        return said

    def _precision_as_entered(self) -> str:
        return "exact" if self.data.get(self.add_prefix("effective_from_1")) else "day"

    def claim(self) -> Claim:
        """What the form says, as the ledger takes it."""
        said = self.cleaned_data
        return Claim(
            line=self._conditions(),
            amount=said["amount"],
            currency=said["currency"],
            effective_from=said["effective_from"],
            effective_until=said["effective_until"],
            precision=said["precision"] if said["effective_from"] else "exact",
        )

    def _conditions(self) -> Conditions:
        said = self.cleaned_data
        return Conditions(
            meter=said["meter"],
            service_tier=said["service_tier"].strip() or STANDARD_TIER,
            region=said["region"].strip(),
            variant=said["variant"].strip(),
            commitment=said["commitment"].strip(),
            above_input_tokens=said["above_input_tokens"] or 0,
            slot=said["slot"].strip(),
            layer=said["layer"],
        )


def _price_now(line: PriceLine | None) -> dict[str, Any]:
    """The currency in which the line is sold, so that nobody has to think of it."""
    last = line.prices.filter(known_until__isnull=True).order_by("effective_from").last() if line else None
    return {"currency": last.currency} if last else {}


def _first_moment(moment: datetime, precision: str) -> datetime:
    """The first moment of the day, month or year that is known."""
    moment = moment.astimezone(UTC)
    if precision not in ("day", "month", "year"):
        return moment
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    if precision == "month":
        return day.replace(day=1)
    return day.replace(month=1, day=1) if precision == "year" else day


class PinForm(PriceForm):
    """A price that holds whatever any source says; the reason is required, the citation is not."""

    explanation = "A pin holds whatever any source says, editors' statements included, until it is undone."
    citation_url = forms.URLField(
        label="Citation", required=False, assume_scheme="https", max_length=1000, widget=UnfoldAdminURLInputWidget()
    )
    citation_title = None  # type: ignore[assignment]
    zero_means = None  # type: ignore[assignment]
    tells = None  # type: ignore[assignment]
    keeps_rest = None  # type: ignore[assignment]
    replaces_later = None  # type: ignore[assignment]
    note = forms.CharField(
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}), help_text="Why. It is kept with the decision."
    )

    fieldsets = (
        ("The price", ("meter", "amount", "currency")),
        ("When", TIME_FIELDS),
        ("Only under these conditions", CONDITION_FIELDS[1:]),
        ("Why", ("note", "citation_url")),
    )


class OfferingForm(forms.ModelForm):
    """What is sold, by whom, under which id; prices are stated on the offering's page."""

    class Meta:
        model = Offering
        fields = (
            "kind",
            "seller",
            "listing",
            "external_id",
            "name",
            "model",
            "mode",
            "audience",
            "allowances",
            "context_tokens",
            "deprecated_on",
            "retired_on",
        )
        help_texts = {
            "listing": "Empty, unless the seller sells the same id twice: a coding plan, a site for another country.",
            "name": "As the seller calls it.",
        }

    def clean(self) -> dict[str, Any]:
        said = super().clean() or self.cleaned_data
        if self.instance.pk is None and said.get("external_id"):
            self.instance.identity_key = identity_key(said["external_id"])
            self._refuse_twin(said)
        return said

    def _refuse_twin(self, said: dict[str, Any]) -> None:
        twin = Offering.objects.filter(
            seller=said.get("seller"),
            kind=said.get("kind"),
            listing=said.get("listing") or "",
            identity_key=self.instance.identity_key,
        ).first()
        if twin is not None:
            raise ValidationError(
                {"external_id": f"{twin.seller} already sells this: {twin.name} (offering {twin.pk})"}
            )
