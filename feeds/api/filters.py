"""What sources, feeds and refreshes can be filtered by."""

from __future__ import annotations

from feeds.models import Feed, Refresh
from pricing.models import Source
from tracker.api.filters import Choices, Flag, Moment, Named, StrictFilterSet


class SourceFilters(StrictFilterSet):
    """Filters of ``sources/``."""

    kind = Choices(
        "kind__in",
        choices=Source.Kind.values,
        description="A feed, the curated record, editors, or a feed of exchange rates.",
    )
    may_republish = Flag("may_republish", description="Whether its data may be passed on.")

    class Meta:
        model = Source
        fields: list[str] = []


class FeedFilters(StrictFilterSet):
    """Filters of ``feeds/``."""

    source = Named(Source, "source__in", description="Slug of the source that it fetches.")
    enabled = Flag("enabled", description="Whether it is refreshed by schedule.")

    class Meta:
        model = Feed
        fields: list[str] = []


class RefreshFilters(StrictFilterSet):
    """Filters of ``refreshes/``."""

    feed = Named(Feed, "feed__in", column="source__slug", description="Slug of the feed.")
    status = Choices("status__in", choices=Refresh.Status.values, description="How it ended, or that it runs.")
    started_after = Moment("started_at__gte", description="Started at that moment or later.")
    started_before = Moment("started_at__lt", description="Started before that moment.")

    class Meta:
        model = Refresh
        fields: list[str] = []
