"""The pages on which a person rules on what is to come and on promotions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django import forms
from django.contrib.admin import ModelAdmin
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from unfold.widgets import UnfoldAdminSelectWidget

from pricing import ledger
from pricing.admin.forms import DatedNoteForm, NoteForm
from pricing.admin.rulings import rule
from pricing.claims import PROMO_LAYER
from pricing.models import Offering, Price
from tracker.admin_fields import UtcDateTimeFormField
from tracker.admin_pages import FormPage, posted
from tracker.amounts import plain
from tracker.moments import utc


def announced(offering: Offering) -> dict[datetime, list[Price]]:
    """The prices that are announced, by the moment at which they are to begin."""
    ahead = Price.objects.filter(
        line__offering=offering, known_until__isnull=True, effective_from__gt=timezone.now()
    ).exclude(precision__in=("observed", "unknown"))
    found: dict[datetime, list[Price]] = {}
    for price in ahead.select_related("line").order_by("effective_from", "line_id"):
        found.setdefault(price.effective_from, []).append(price)
    return found


def has_promotion(offering: Offering) -> bool:
    """Whether a promotion is in force now."""
    now = timezone.now()
    promos = Price.objects.filter(line__offering=offering, line__layer=PROMO_LAYER, known_until__isnull=True)
    return promos.filter(effective_from__lte=now).exclude(effective_until__lte=now).exists()


class AnnouncementForm(NoteForm):
    """Which announcement a ruling is about."""

    announcement = forms.ChoiceField(widget=UnfoldAdminSelectWidget())
    field_order: Sequence[str] = ("announcement", "note", "citation_url")

    def __init__(self, *args: Any, offering: Offering, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice = self.fields["announcement"]
        assert isinstance(choice, forms.ChoiceField)
        choice.choices = [(at.isoformat(), _in_words(at, prices)) for at, prices in announced(offering).items()]

    @property
    def at(self) -> datetime:
        """The announced moment."""
        return datetime.fromisoformat(self.cleaned_data["announcement"])


class RescheduleForm(AnnouncementForm):
    """Another moment for an announcement."""

    to = UtcDateTimeFormField(label="To", help_text="In UTC; a moment ahead.")
    field_order = ("announcement", "to", "note", "citation_url")


class UntilForm(NoteForm):
    """A later end."""

    until = UtcDateTimeFormField(label="Until", help_text="In UTC; the first moment without the promotion.")
    field_order = ("until", "note", "citation_url")


def _in_words(at: datetime, prices: Sequence[Price]) -> str:
    shown = ", ".join(f"{price.line} {plain(price.amount)} {price.currency}" for price in prices[:3])
    return f"{utc(at)} UTC: {shown}" + (f" and {len(prices) - 3} more" if len(prices) > 3 else "")


def reschedule(admin: ModelAdmin[Any], request: HttpRequest, offering: Offering) -> HttpResponse:
    """Move an announcement to another moment."""
    form = RescheduleForm(posted(request), offering=offering)
    page = FormPage(
        about=offering,
        title=f"Reschedule a price of {offering.name}",
        form=form,
        submit="Reschedule it",
        explanation="What is announced for one moment is announced for another; until then the prices before it go on.",
    )
    ruled = lambda: ledger.reschedule(offering, form.at, form.cleaned_data["to"], form.ruling(request.user))  # type: ignore[arg-type] # noqa: E731
    return rule(admin, request, page, offering, ruled)


def retract(admin: ModelAdmin[Any], request: HttpRequest, offering: Offering) -> HttpResponse:
    """Take an announcement back."""
    form = AnnouncementForm(posted(request), offering=offering)
    page = FormPage(
        about=offering,
        title=f"Retract a price of {offering.name}",
        form=form,
        submit="Retract it",
        explanation="The prices before it go on. That it was announced, and taken back, stays on record.",
        is_grave=True,
    )
    return rule(admin, request, page, offering, lambda: ledger.retract(offering, form.at, form.ruling(request.user)))  # type: ignore[arg-type]


def extend_promotion(admin: ModelAdmin[Any], request: HttpRequest, offering: Offering) -> HttpResponse:
    """Let the promotion in force go on for longer."""
    form = UntilForm(posted(request))
    page = FormPage(
        about=offering,
        title=f"Extend the promotion of {offering.name}",
        form=form,
        submit="Extend it",
        explanation="The promotion in force ends at a later moment.",
    )
    ruled = lambda: ledger.extend_promotion(offering, form.cleaned_data["until"], form.ruling(request.user))  # type: ignore[arg-type] # noqa: E731
    return rule(admin, request, page, offering, ruled)


def end_promotion(admin: ModelAdmin[Any], request: HttpRequest, offering: Offering) -> HttpResponse:
    """End the promotion in force."""
    form = DatedNoteForm(posted(request))
    page = FormPage(
        about=offering,
        title=f"End the promotion of {offering.name}",
        form=form,
        submit="End it",
        explanation="From that moment on the list prices hold.",
        is_grave=True,
    )
    ruled = lambda: ledger.end_promotion(offering, form.ruling(request.user), at=form.cleaned_data["at"])  # type: ignore[arg-type] # noqa: E731
    return rule(admin, request, page, offering, ruled)


def make_permanent(admin: ModelAdmin[Any], request: HttpRequest, offering: Offering) -> HttpResponse:
    """Make the promotion's amounts the list prices."""
    form = DatedNoteForm(posted(request))
    page = FormPage(
        about=offering,
        title=f"Make the promotion of {offering.name} permanent",
        form=form,
        submit="Make it permanent",
        explanation="From that moment on the promotion's amounts are the list prices, and the promotion has ended.",
    )
    ruled = lambda: ledger.make_permanent(offering, form.ruling(request.user), at=form.cleaned_data["at"])  # type: ignore[arg-type] # noqa: E731
    return rule(admin, request, page, offering, ruled)
