"""What companies, models, events and metrics can be filtered by."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from companies.models import AIModel, BusinessMetric, Company, CompanyAlias, MonetizationEvent
from tracker.api.filters import (
    Choices,
    Currency,
    Day,
    Flag,
    Moment,
    Named,
    Recorded,
    Search,
    StrictFilterSet,
    Texts,
    words_in,
)


class CompanyFilters(StrictFilterSet):
    """Filters of ``companies/``."""

    kind = Choices("kind__in", choices=Company.Kind.values, description="What kind of company it is.")
    country = Recorded(
        "country__in", model=Company, column="country", description="ISO 3166 code of its seat, such as CN."
    )
    parent = Named(Company, "parent__in", description="Slug of the company that owns it.")
    needs_review = Flag("needs_review", description="Whether it was made from a feed's id and not yet looked at.")
    search = Search(method="by_words", description="Words in its slug, name, aliases or summary.")

    class Meta:
        model = Company
        fields: list[str] = []

    def by_words(self, queryset: QuerySet[Company], name: str, words: list[str]) -> QuerySet[Company]:
        """Every word occurs in the company or one of its aliases."""
        for word in words:
            called = CompanyAlias.objects.filter(company=OuterRef("pk"), name__icontains=word)
            queryset = queryset.filter(words_in([word], "slug", "name", "summary") | Q(Exists(called)))
        return queryset


class ModelFilters(StrictFilterSet):
    """Filters of ``models/``."""

    company = Named(Company, "developer__in", description="Slug of the company that made it.")
    family = Texts("family__in", description="The family as written in the record.")
    open_weights = Flag("open_weights", description="Whether its weights are published.")
    released_after = Day("released_on__gte", description="Released on that day or later.")
    released_before = Day("released_on__lt", description="Released before that day.")
    needs_review = Flag("needs_review", description="Whether it was made from a feed and not yet looked at.")
    search = Search(method="by_words", description="Words in its slug, name or family.")

    class Meta:
        model = AIModel
        fields: list[str] = []

    def by_words(self, queryset: QuerySet[AIModel], name: str, words: list[str]) -> QuerySet[AIModel]:
        """Every word occurs in the model's names."""
        return queryset.filter(words_in(words, "slug", "name", "family"))


def _first_day_from(moment: datetime) -> Any:
    """The first day that begins at the moment or later: a date stands for its 00:00 UTC."""
    day = moment.astimezone(UTC).date()
    at_midnight = moment.astimezone(UTC).time() == time.min
    return day if at_midnight else day.fromordinal(day.toordinal() + 1)


class EventFilters(StrictFilterSet):
    """Filters of ``events/``, over rows with a ``day``: when it took effect, else when it was announced."""

    company = Named(Company, "company__in", description="Slug of the company.")
    kind = Recorded(
        "kind__in",
        model=MonetizationEvent,
        column="kind",
        description="The kind as written in the record, such as price_cut.",
    )
    effective_after = Moment(method="from_moment", description="Effective at that moment or later.")
    effective_before = Moment(method="before_moment", description="Effective before that moment.")
    search = Search(method="by_words", description="Words in its title or summary.")

    class Meta:
        model = MonetizationEvent
        fields: list[str] = []

    def from_moment(
        self, queryset: QuerySet[MonetizationEvent], name: str, moment: datetime
    ) -> QuerySet[MonetizationEvent]:
        """By the exact moment where there is one, else by the day."""
        return queryset.filter(Q(effective_at__gte=moment) | Q(effective_at=None, day__gte=_first_day_from(moment)))

    def before_moment(
        self, queryset: QuerySet[MonetizationEvent], name: str, moment: datetime
    ) -> QuerySet[MonetizationEvent]:
        """By the exact moment where there is one, else by the day."""
        return queryset.filter(Q(effective_at__lt=moment) | Q(effective_at=None, day__lt=_first_day_from(moment)))

    def by_words(
        self, queryset: QuerySet[MonetizationEvent], name: str, words: list[str]
    ) -> QuerySet[MonetizationEvent]:
        """Every word occurs in the event's text."""
        return queryset.filter(words_in(words, "title", "summary"))


class MetricFilters(StrictFilterSet):
    """Filters of ``metrics/``."""

    company = Named(Company, "company__in", description="Slug of the company.")
    metric = Recorded(
        "metric__in", model=BusinessMetric, column="metric", description="What is measured, such as annual_revenue."
    )
    kind = Recorded(
        "kind__in",
        model=BusinessMetric,
        column="kind",
        description="How the figure came to be: reported, estimated, leaked, target.",
    )
    currency = Currency("currency__in", description="Currency of the figure, such as USD.")
    as_of_after = Day("as_of__gte", description="As of that day or later.")
    as_of_before = Day("as_of__lt", description="As of a day before that.")

    class Meta:
        model = BusinessMetric
        fields: list[str] = []
