"""Letting go of archived bodies that are older than an operator keeps them; what was read in them stays."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from feeds.models import Feed, Payload, Refresh
from pricing.models import Observation
from tracker.models import Heartbeat

EVERY = timedelta(days=1)
HEARTBEAT = "payload retention"


def drop_old_bodies() -> int:
    """A step of the tick, which works once a day: drop the bodies that are past ``PAYLOAD_RETENTION_DAYS``.

    Returns how many were dropped. The rows keep digest and size, and say when their body went.
    """
    days = settings.PAYLOAD_RETENTION_DAYS
    now = timezone.now()
    last = Heartbeat.last_seen(HEARTBEAT)
    if not days or (last is not None and last > now - EVERY):
        return 0
    dropped = old_bodies(now - timedelta(days=days)).update(compressed=b"", dropped_at=now)
    Heartbeat.record(HEARTBEAT)
    return dropped


def old_bodies(before: datetime) -> QuerySet[Payload]:
    """The payloads whose bodies were archived, and last read, before a moment, but for the newest of each feed.

    It is the day of the archiving that counts, not that of the observation: what a backfill took is as old as the
    backfill.
    """
    read_since = Refresh.objects.filter(digest=OuterRef("digest"), started_at__gte=before)
    rows = Payload.objects.filter(~Exists(read_since), dropped_at__isnull=True, created_at__lt=before)
    return rows.exclude(digest__in=_held())


def _held() -> set[str]:
    """The digests of the documents that hold now: what each feed said last."""
    held = set(Feed.objects.exclude(current_digest="").values_list("current_digest", flat=True))
    for source in Feed.objects.values_list("source", flat=True):
        newest = Observation.objects.filter(source=source).order_by("-observed_at").values_list("digest", flat=True)
        held.update(newest[:1])
    return held
