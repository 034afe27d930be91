"""Claiming a feed: one conditional update decides who works on it, alike on every database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from feeds.models import Feed
from tracker.workers import owner_name

LEASE = timedelta(minutes=15)


class FeedIsTaken(RuntimeError):
    """Another worker holds the feed's lease; the message says who and until when."""


def claim(feed: Feed, now: datetime | None = None) -> bool:
    """Take the lease if it is free or ran out; whether that succeeded."""
    now = now or timezone.now()
    free = Q(locked_until__isnull=True) | Q(locked_until__lt=now) | Q(owner=owner_name())
    taken = Feed.objects.filter(free, pk=feed.pk).update(owner=owner_name(), locked_until=now + LEASE)
    return taken == 1


def release(feed: Feed) -> None:
    """Give the lease back, if it is still ours."""
    Feed.objects.filter(pk=feed.pk, owner=owner_name()).update(owner="", locked_until=None)


def force_release(feed: Feed) -> bool:
    """Free a stuck lease, whoever holds it; whether there was one."""
    return bool(Feed.objects.filter(pk=feed.pk, locked_until__isnull=False).update(owner="", locked_until=None))


def held_since(feed: Feed) -> datetime | None:
    """When the lease that is on a feed was taken; None where there is none."""
    return feed.locked_until - LEASE if feed.locked_until is not None else None


def lease_in_words(feed: Feed) -> str:
    """Who holds a feed, since when and until when."""
    since = held_since(feed)
    if feed.locked_until is None or since is None:
        return "free"
    if feed.locked_until < timezone.now():
        return f"ran out {_utc(feed.locked_until)}, free again; {feed.owner} took it {_utc(since)}"
    return f"held by {feed.owner} since {_utc(since)}, until {_utc(feed.locked_until)}"


def _utc(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


@contextmanager
def lease(feed: Feed) -> Iterator[None]:
    """Hold a feed for a while. Raises FeedIsTaken."""
    if not claim(feed):
        feed.refresh_from_db()
        until = f"{feed.locked_until:%Y-%m-%d %H:%M:%S} UTC" if feed.locked_until else "now"
        raise FeedIsTaken(f"{feed.slug} is being refreshed by {feed.owner} (lease until {until}); try again later")
    try:
        yield
    finally:
        release(feed)
