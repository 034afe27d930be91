"""The refresh as a Celery task, and the tick's look at which feeds are due.

A message only says "look now": the feed's lease in the database decides who works.
"""

from __future__ import annotations

import logging

from celery import shared_task
from django.db.models import Q
from django.utils import timezone
from kombu.exceptions import OperationalError

from feeds.enrolment import feed_named
from feeds.leases import FeedIsTaken
from feeds.models import Feed
from feeds.reading import can_be_read
from feeds.refreshing import CouldNotFetch, RefreshRefused, refresh

logger = logging.getLogger(__name__)


@shared_task(name="feeds.refresh")
def refresh_feed(slug: str, trigger: str = "schedule") -> None:
    """Refresh one feed if it is due and nobody else is at it."""
    feed = feed_named(slug)
    if feed.next_due_at > timezone.now():
        return
    try:
        refresh(feed, trigger=trigger)
    except FeedIsTaken as taken:
        logger.info("%s", taken)
    except (CouldNotFetch, RefreshRefused):
        pass  # noted on the feed, which backs off


def refresh_due_feeds() -> None:
    """A step of the tick: ask for every feed that is due, can be read and is not being read."""
    now = timezone.now()
    free = Q(locked_until__isnull=True) | Q(locked_until__lt=now)
    for feed in Feed.objects.filter(free, enabled=True, next_due_at__lte=now).select_related("source"):
        if can_be_read(feed):
            look_now(feed.slug)


def enqueue_refresh(slug: str) -> bool:
    """Make a feed due at once and tell a worker; whether a worker could be told (the next tick will do it else)."""
    feed = feed_named(slug)
    Feed.objects.filter(pk=feed.pk).update(next_due_at=timezone.now())
    return look_now(slug, trigger="admin")


def look_now(slug: str, trigger: str = "schedule") -> bool:
    """Send the message; a broker that is down costs at most one tick."""
    try:
        refresh_feed.apply_async(args=[slug], kwargs={"trigger": trigger}, retry=False, expires=300)
    except (OperationalError, OSError) as error:
        logger.warning("The broker cannot be reached (%s); the next tick will refresh %s", error, slug)
        return False
    return True
