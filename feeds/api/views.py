"""The endpoints that say where the record comes from: sources, feeds, refreshes."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from django.utils.functional import cached_property

from feeds.api.filters import FeedFilters, RefreshFilters, SourceFilters
from feeds.api.serializers import FeedSerializer, RefreshSerializer, SourceSerializer
from feeds.budgets import Budget, budgets
from feeds.models import Feed, Refresh
from pricing.models import Source
from pricing.witnesses import sources_with_newest
from tracker.api import record
from tracker.api.views import DetailView, ListView, NumberedView, ReadView


class SourceRows(ReadView):
    """Sources with what their rows say beyond their columns. They follow readings and edits alike: no version."""

    queryset = Source.objects.all()
    serializer_class = SourceSerializer
    follows_record = False

    def get_queryset(self) -> QuerySet[Any]:
        """Each with its newest observation, and whether a feed fetches it."""
        return sources_with_newest().annotate(is_fetched=Exists(Feed.objects.filter(source=OuterRef("pk"))))


class SourceListView(SourceRows, ListView):
    """Sources, by precedence."""

    filterset_class = SourceFilters


class SourceView(SourceRows, DetailView):
    """One source."""


class FeedRows(ReadView):
    """Feeds; their schedule and lease move without a trace in the record."""

    queryset = Feed.objects.select_related("source").order_by("source__precedence", "source__slug")
    serializer_class = FeedSerializer
    follows_record = False

    @property
    def moment(self) -> datetime:
        """The moment for which a lease is judged."""
        return timezone.now()

    @cached_property
    def budgets(self) -> dict[int, Budget]:
        """The failure budgets of all feeds: there are few."""
        return budgets(list(Feed.objects.all()))


class FeedListView(FeedRows, ListView):
    """Feeds, by the precedence of their sources."""

    filterset_class = FeedFilters


class FeedView(FeedRows, DetailView):
    """One feed, by the slug of its source."""

    lookup_column = "source__slug"


class RefreshListView(ListView):
    """Refreshes with their reports, the newest first."""

    queryset = (
        Refresh.objects.select_related("feed__source", "payload")
        .defer("payload__compressed")
        .order_by("-started_at", "-pk")
    )
    serializer_class = RefreshSerializer
    filterset_class = RefreshFilters
    follows_record = False

    def record_as_of(self) -> datetime | None:
        """The newest reading of the sources whose feeds are asked for."""
        feeds: Collection[Any] | None = self.asked.get("feed")
        if feeds is None:
            return record.record_as_of()
        return record.record_as_of(list(Feed.objects.filter(pk__in=feeds).values_list("source_id", flat=True)))


class RefreshView(NumberedView):
    """One refresh with its report."""

    queryset = RefreshListView.queryset
    serializer_class = RefreshSerializer
    follows_record = False
