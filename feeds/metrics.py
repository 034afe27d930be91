"""What operators watch of the feeds and the record, for ``/metrics``."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils import timezone

from feeds.models import Feed
from pricing.models import Offering, PricingChange
from tracker.health.metrics import Gauge


def gauges() -> Iterator[Gauge]:
    """How fresh each feed is, how often it failed in a row, and how large the record is."""
    now = timezone.now()
    for feed in Feed.objects.filter(enabled=True).select_related("source"):
        labels = {"feed": feed.slug}
        yield Gauge("feed_failures", "Failed refreshes in a row", feed.failures, labels)
        if feed.last_success_at is not None:
            age = (now - feed.last_success_at).total_seconds()
            yield Gauge("feed_age_seconds", "Seconds since the last refresh that succeeded", age, labels)
    yield Gauge("offerings", "Offerings that are sold now", Offering.objects.filter(status="listed").count())
    last = PricingChange.objects.order_by("-sequence").values_list("sequence", flat=True).first()
    yield Gauge("last_change_sequence", "Sequence of the newest pricing change", last or 0)
