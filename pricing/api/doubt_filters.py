"""What holds and disagreements can be filtered by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Q, QuerySet

from companies.models import Company
from pricing.api.filters import SoldFilters
from pricing.api.shapes.doubts import CLOSED, OPEN
from pricing.models import Disagreement, Hold, Source
from tracker.api.filters import Choices, Moment, Named, Wholes, words_in


class DoubtFilters(SoldFilters):
    """Filters that holds and disagreements share. What is closed is left out unless it is asked for."""

    offering_path = "offering__"
    reference_filters = {name: path for name, path in SoldFilters.reference_filters.items() if name != "source"}

    source = Named(Source, "source__in", description="Slug of the source that says it.")
    offering = Wholes("offering__in", description="Number of the offering.")
    status = Choices(
        method="by_status", choices=[OPEN, CLOSED], description="Whether it still stands; without it, only `open`."
    )

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        filtered = super().filter_queryset(queryset)
        return filtered if "status" in self.data else filtered.filter(closed_at=None)

    def by_status(self, queryset: QuerySet[Any], name: str, statuses: Sequence[str]) -> QuerySet[Any]:
        """By whether it was closed."""
        return queryset if len(set(statuses)) == 2 else queryset.filter(closed_at__isnull=OPEN in statuses)


class HoldFilters(DoubtFilters):
    """Filters of ``holds/``: of a whole document the seller is known at most."""

    reason = Choices("reason__in", choices=Hold.Reason.values, description="Why it is held.")
    raised_after = Moment("raised_at__gte", description="Raised at that moment or later.")
    raised_before = Moment("raised_at__lt", description="Raised before that moment.")

    class Meta:
        model = Hold
        fields: list[str] = []

    def of_offering(self, queryset: QuerySet[Any], name: str, ids: Sequence[int]) -> QuerySet[Any]:
        """By the offering, or else by the seller of a document's part."""
        own = Q(offering=None, seller__in=ids) if name == "seller" else Q()
        return queryset.filter(Q(**{f"offering__{name}__in": ids}) | own)

    def around_company(self, queryset: QuerySet[Any], name: str, ids: Sequence[int]) -> QuerySet[Any]:
        """As seller, or as the model's developer."""
        developed = Q(offering__model__developer__in=ids)
        return queryset.filter(Q(offering__seller__in=ids) | developed | Q(offering=None, seller__in=ids))

    def by_words(self, queryset: QuerySet[Any], name: str, words: list[str]) -> QuerySet[Any]:
        """Every word occurs in the offering or one of its references, or in the seller of a document's part."""
        of_offerings = super().by_words(Hold.objects.all(), name, words).order_by().values("pk")
        sellers = Company.objects.filter(words_in(words, "name", "slug")).order_by().values("pk")
        return queryset.filter(Q(pk__in=of_offerings) | Q(offering=None, seller__in=sellers))


class DisagreementFilters(DoubtFilters):
    """Filters of ``disagreements/``."""

    kind = Choices("kind__in", choices=Disagreement.Kind.values, description="What they disagree about.")
    raised_after = Moment("opened_at__gte", description="Noticed at that moment or later.")
    raised_before = Moment("opened_at__lt", description="Noticed before that moment.")

    class Meta:
        model = Disagreement
        fields: list[str] = []
