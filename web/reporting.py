"""Who reports prices to this installation, when each was last read, and whether that works.

The one place where a page looks at feeds: it tells how they are doing, never what they say.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import OuterRef, Subquery

from feeds.models import Feed
from feeds.reading import can_be_read
from feeds.registry import UnknownFeed
from pricing.models import Observation, Source
from tracker.moments import utc

# A tick comes every half minute; a feed that is due for longer than this has no worker.
OVERDUE_AFTER = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class SourceState:
    """One feed. ``state`` is one of fine, failing, overdue, waiting, reading, left out, off; ``note`` says more."""

    slug: str
    name: str
    homepage: str
    licence: str
    last_reading: datetime | None
    state: str
    note: str = ""


def source_states(now: datetime) -> list[SourceState]:
    """Every feed that states prices, in the order of precedence, by one query."""
    observed = Observation.objects.filter(source=OuterRef("source")).order_by("-observed_at")
    feeds = Feed.objects.exclude(source__kind=Source.Kind.RATES).select_related("source")
    feeds = feeds.order_by("source__precedence", "source__slug")
    with_newest = feeds.annotate(newest=Subquery(observed.values("observed_at")[:1]))
    return [_state(feed, feed.newest, now) for feed in with_newest]


def _state(feed: Feed, last_reading: datetime | None, now: datetime) -> SourceState:
    state, note = _how_it_goes(feed, last_reading, now)
    source = feed.source
    return SourceState(source.slug, source.name, source.homepage, source.licence, last_reading, state, note)


def _how_it_goes(feed: Feed, last_reading: datetime | None, now: datetime) -> tuple[str, str]:
    if not feed.enabled:
        return "off", "switched off in the admin"
    if not _is_read_here(feed):
        return "left out", "not fetched: NETWORK_FEEDS does not name it"
    if feed.locked_until is not None and feed.locked_until > now:
        return "reading", "being read now"
    return _how_its_readings_go(feed, last_reading, now)


def _how_its_readings_go(feed: Feed, last_reading: datetime | None, now: datetime) -> tuple[str, str]:
    if feed.failures:
        times = "once" if feed.failures == 1 else f"{feed.failures} times in a row"
        return "failing", f"failed {times}; next try {utc(feed.next_due_at)}"
    if feed.next_due_at < now - OVERDUE_AFTER:
        return "overdue", f"due since {utc(feed.next_due_at)}: is a worker running?"
    if last_reading is None:
        due = "now" if feed.next_due_at <= now else utc(feed.next_due_at)
        return "waiting", f"first reading due {due}"
    return "fine", f"next reading due {utc(feed.next_due_at)}"


def _is_read_here(feed: Feed) -> bool:
    try:
        return can_be_read(feed)
    except UnknownFeed:
        return False
