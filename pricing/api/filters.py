"""What offerings, prices and changes can be filtered by."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from companies.models import AIModel, Company
from pricing.api.unmatched import refuse_unknown
from pricing.clock import lapsed
from pricing.currencies.recorded import current_rates, is_currency
from pricing.meters import METERS
from pricing.models import Offering, PriceLine, PricingChange, PricingChangeLine, Reference, Source
from pricing.upcoming.things import KINDS as UPCOMING_KINDS
from tracker.api.filters import (
    Choice,
    Choices,
    Currency,
    Day,
    Moment,
    Named,
    Number,
    Recorded,
    Search,
    StrictFilterSet,
    Texts,
    Whole,
    Wholes,
    WrongValue,
    words_in,
)

CHANGE_KINDS = (
    "retracted",
    "rescheduled",
    "announced",
    "rerouted",
    "withdrawn",
    "relisted",
    "listed",
    "became_paid",
    "became_free",
    "currency_changed",
    "promo_started",
    "promo_extended",
    "promo_ended",
    "restructured",
    "increase",
    "decrease",
    "mixed",
    "price_added",
    "price_removed",
    "corrected",
)
_TIERS = "standard, batch, flex, priority, or another that the seller has."


class ConvertedTo(Currency):
    """One currency that amounts are converted to."""

    several = False
    hint = "; sold_in={currency} finds what is sold in it"

    def value_of(self, text: str) -> str:
        currency, known = super().value_of(text), current_rates().currencies
        if currency not in known:
            raise WrongValue(f"no exchange rate of {currency} is known{self.hint.format(currency=currency)}", known)
        return currency


class Quoted(ConvertedTo):
    """Any of some currencies that have rates."""

    several = True
    hint = ""


class SoldIn(Currency):
    """Any of some currencies: those that have rates, whether or not anything is sold in them, and all sold in."""

    def value_of(self, text: str) -> str:
        currency = super().value_of(text)
        if not is_currency(currency):
            reason = f"nothing is sold in {currency}, and no exchange rate of it is known"
            raise WrongValue(reason, current_rates().currencies)
        return currency


class SoldFilters(StrictFilterSet):
    """Filters that every row of an offering shares; ``offering_path`` leads from the row to the offering."""

    offering_path = ""
    # Taken together: one reference has to match all of them.
    reference_filters = {"source": "source__in", "provider": "provider__in", "external_id": "external_id__in"}

    seller = Named(Company, method="of_offering", description="Slug of the company that sells it.")
    model = Named(AIModel, method="of_offering", description="Slug of the AI model behind it.")
    company = Named(
        Company, method="around_company", description="Slug of the company that sells it or made its model."
    )
    source = Named(Source, method="by_reference", description="A source that knows it by a reference, past or present.")
    provider = Texts(method="by_reference", description="A source's provider id of it, past or present.")
    external_id = Texts(method="by_reference", description="A seller's or a source's model id of it, past or present.")
    search = Search(method="by_words", description="Words in its name, ids, model or seller.")

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Take source, provider and external_id together: one reference has to match all of them."""
        asked = self.form.cleaned_data
        reference = {lookup: asked[name] for name, lookup in self.reference_filters.items() if name in asked}
        queryset = super().filter_queryset(queryset)
        if not reference:
            return queryset
        matched = Q(pk__in=Reference.objects.filter(**reference).values("offering"))
        if set(reference) == {"external_id__in"}:
            matched |= Q(**reference)
        if not Offering.objects.filter(matched).exists():
            refuse_unknown(asked)
        return self.on_offerings(queryset, matched)

    def on_offerings(self, queryset: QuerySet[Any], condition: Q) -> QuerySet[Any]:
        """The rows whose offering meets a condition."""
        if not self.offering_path:
            return queryset.filter(condition)
        return queryset.filter(offering__in=Subquery(Offering.objects.filter(condition).order_by().values("pk")))

    def of_offering(self, queryset: QuerySet[Any], name: str, ids: Sequence[int]) -> QuerySet[Any]:
        """By a foreign key of the offering."""
        return queryset.filter(**{f"{self.offering_path}{name}__in": ids})

    def by_status(self, queryset: QuerySet[Any], name: str, statuses: Sequence[str]) -> QuerySet[Any]:
        """By the status as ``offering_shapes`` shows it: withdrawn from the moment at which the last price ended."""
        listed, withdrawn = (status in statuses for status in (Offering.Status.LISTED, Offering.Status.WITHDRAWN))
        marked = Q(status__in=statuses)
        if listed == withdrawn:
            return queryset.filter(marked)
        ended = lapsed(timezone.now())
        return queryset.filter(marked | ended if withdrawn else marked & ~ended)

    def around_company(self, queryset: QuerySet[Any], name: str, ids: Sequence[int]) -> QuerySet[Any]:
        """As seller, or as the model's developer."""
        return self.on_offerings(queryset, Q(seller__in=ids) | Q(model__developer__in=ids))

    def by_reference(self, queryset: QuerySet[Any], name: str, values: Sequence[Any]) -> QuerySet[Any]:
        """Done in ``filter_queryset``, for all three at once."""
        return queryset

    def by_words(self, queryset: QuerySet[Any], name: str, words: list[str]) -> QuerySet[Any]:
        """Every word occurs in the offering or one of its references."""
        condition = Q()
        for word in words:
            known_as = Reference.objects.filter(external_id__icontains=word).values("offering")
            named = words_in(
                [word], "name", "external_id", "model__name", "model__slug", "seller__name", "seller__slug"
            )
            condition &= named | Q(pk__in=known_as)
        return self.on_offerings(queryset, condition)


class OfferingFilters(SoldFilters):
    """Filters of ``offerings/``. Absorbed offerings are left out unless their status is asked for."""

    kind = Choices("kind__in", choices=Offering.Kind.values, description="A model over an API, or a plan.")
    status = Choices(
        method="by_status", choices=Offering.Status.values, description="Its status; without it, all but `merged`."
    )

    class Meta:
        model = Offering
        fields: list[str] = []

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        filtered = super().filter_queryset(queryset)
        return filtered if "status" in self.data else filtered.exclude(status=Offering.Status.MERGED)


class PlanFilters(SoldFilters):
    """Filters of ``plans/``."""

    status = Choices(method="by_status", choices=Offering.Status.values, description="Its status.")
    audience = Recorded(
        "audience__in",
        model=Offering,
        column="audience",
        description="For whom it is: consumer, team, developer, enterprise.",
    )

    class Meta:
        model = Offering
        fields: list[str] = []


class PriceFilters(SoldFilters):
    """Filters of ``prices/``."""

    offering_path = "offering__"

    as_of = Moment(description="The moment at which the prices are in force; now if left out.")
    known_at = Moment(description="The moment at which that was believed; now if left out.")
    kind = Choices("offering__kind__in", choices=Offering.Kind.values, description="A model over an API, or a plan.")
    meter = Choices("meter__in", choices=METERS, description="What is counted.")
    service_tier = Recorded("service_tier__in", model=PriceLine, column="service_tier", description=_TIERS)
    region = Recorded(
        "region__in", model=PriceLine, column="region", description="The seller's region or, for plans, the country."
    )
    sold_in = SoldIn(description="The currency as sold, such as USD.")
    currency = ConvertedTo(
        description="The currency that all amounts are to be in, at the rates of `as_of`; as sold if left out."
    )

    class Meta:
        model = PriceLine
        fields: list[str] = []


class RateFilters(StrictFilterSet):
    """Filters of ``rates/``; the view uses their values."""

    currency = Quoted(description="The currency whose rate is shown; all if left out.")
    date = Day(description="The day on which the rates apply; today if left out.")
    known_at = Moment(description="Only rates that were known then; now if left out.")


class ComparisonFilters(StrictFilterSet):
    """What is shown of each seller in a comparison; it filters the prices, not the sellers."""

    as_of = Moment(description="The moment at which the prices are in force; now if left out.")
    known_at = Moment(description="The moment at which that was believed; now if left out.")
    meter = Choices(choices=METERS, description="What is counted.")
    service_tier = Recorded(model=PriceLine, column="service_tier", description=_TIERS)


class HistoryFilters(StrictFilterSet):
    """Filters of an offering's history: without ``as_of`` and ``known_at`` it is whole on both axes."""

    meter = Choices("line__meter__in", choices=METERS, description="What is counted.")
    service_tier = Recorded("line__service_tier__in", model=PriceLine, column="service_tier", description=_TIERS)
    as_of = Moment(method="in_force_at", description="Only rows that were in force then.")
    known_at = Moment(method="believed_at", description="Only rows that were believed then.")

    def in_force_at(self, queryset: QuerySet[Any], name: str, moment: datetime) -> QuerySet[Any]:
        """Rows whose effective interval holds the moment."""
        return queryset.filter(Q(effective_until=None) | Q(effective_until__gt=moment), effective_from__lte=moment)

    def believed_at(self, queryset: QuerySet[Any], name: str, moment: datetime) -> QuerySet[Any]:
        """Rows whose known interval holds the moment."""
        return queryset.filter(Q(known_until=None) | Q(known_until__gt=moment), known_from__lte=moment)


class ChangeFilters(SoldFilters):
    """Filters of ``changes/``."""

    offering_path = "offering__"

    kind = Choices("kind__in", choices=CHANGE_KINDS, description="What happened.")
    nature = Choices(
        "nature__in", choices=PricingChange.Nature.values, description="The market moved, or the record was corrected."
    )
    meter = Choices(method="on_lines", choices=METERS, description="A moved line counts this.")
    service_tier = Recorded(
        method="on_lines", model=PriceLine, column="service_tier", description="A moved line has this service tier."
    )
    direction = Choices(method="by_direction", choices=["up", "down"], description="A line went up, or down.")
    min_percent = Number(method="by_percent", description="A line moved by at least so many percent, either way.")
    effective_after = Moment("effective_at__gte", description="Effective at that moment or later.")
    effective_before = Moment("effective_at__lt", description="Effective before that moment.")
    detected_after = Moment("detected_at__gte", description="Detected at that moment or later.")
    detected_before = Moment("detected_at__lt", description="Detected before that moment.")
    after_sequence = Whole("sequence__gt", description="Only later ones, the oldest first: for polling.")
    initial = Choice(
        method="with_initial",
        choices=["true", "any", "false", "only"],
        description="`true` or `any`: also what was already so when its source was first read. `only`: nothing else.",
    )

    class Meta:
        model = PricingChange
        fields: list[str] = []

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        filtered = super().filter_queryset(queryset)
        return filtered if "initial" in self.data else filtered.filter(initial=False)

    def with_initial(self, queryset: QuerySet[Any], name: str, asked: str) -> QuerySet[Any]:
        """Whether initial changes are among them."""
        if asked == "only":
            return queryset.filter(initial=True)
        return queryset.filter(initial=False) if asked == "false" else queryset

    def on_lines(self, queryset: QuerySet[Any], name: str, values: Sequence[str]) -> QuerySet[Any]:
        """By a coordinate of a moved line."""
        return _with_line(queryset, Q(**{f"line__{name}__in": values}))

    def by_direction(self, queryset: QuerySet[Any], name: str, directions: Sequence[str]) -> QuerySet[Any]:
        """By whether a line's amount rose or fell."""
        moved = Q()
        for direction in directions:
            moved |= Q(new__gt=F("old")) if direction == "up" else Q(new__lt=F("old"))
        return _with_line(queryset, moved)

    def by_percent(self, queryset: QuerySet[Any], name: str, least: Decimal) -> QuerySet[Any]:
        """By the size of a line's move."""
        return _with_line(queryset, Q(percent__gte=least) | Q(percent__lte=-least))


class Offerings(Wholes):
    """Any of some offerings by number; a number that none has is an error."""

    def read(self, texts: list[str]) -> list[int]:
        numbers: list[int] = super().read(texts)
        known = set(Offering.objects.filter(pk__in=numbers).values_list("pk", flat=True))
        for number in numbers:
            if number not in known:
                raise WrongValue(f"no offering {number}; `offerings/` lists them")
        return numbers


class UpcomingFilters(StrictFilterSet):
    """Filters of ``upcoming.ics``; the view uses their values."""

    seller = Named(Company, description="Slug of the company that sells it.")
    model = Named(AIModel, description="Slug of the AI model behind it.")
    company = Named(Company, description="Slug of the company that sells it or made its model.")
    offering = Offerings(description="Id of the offering.")
    meter = Choices(choices=METERS, description="A price on this meter begins or ends; leaves out all but prices.")
    kind = Choices(choices=UPCOMING_KINDS, description="What is coming.")


class TimelineFilters(StrictFilterSet):
    """Filters of a company's timeline."""

    type = Choices(choices=["event", "pricing_change"], description="Only events, or only pricing changes.")
    nature = Choices(choices=PricingChange.Nature.values, description="Only pricing changes of this nature.")
    effective_after = Moment(description="At that moment or later.")
    effective_before = Moment(description="Before that moment.")
    initial = Choice(
        choices=["true", "any", "false"],
        description="`true` or `any`: also the listings that were there when their source was first read.",
    )


def _with_line(queryset: QuerySet[Any], condition: Q) -> QuerySet[Any]:
    return queryset.filter(Exists(PricingChangeLine.objects.filter(condition, change=OuterRef("pk"))))
