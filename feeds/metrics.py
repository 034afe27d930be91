"""What operators watch of the feeds and the record, for ``/metrics``."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Count
from django.utils import timezone

from feeds.budgets import Budget, budgets
from feeds.models import Feed
from pricing.models import Disagreement, Hold, Offering, PricingChange
from pricing.staleness import stale_prices
from tracker.health.metrics import Gauge


def gauges() -> Iterator[Gauge]:
    """How fresh each feed is, how often it failed, how large the record is and how much of it is stale."""
    now = timezone.now()
    feeds = list(Feed.objects.filter(enabled=True).select_related("source"))
    counted = budgets(feeds, now)
    for feed in feeds:
        labels = {"feed": feed.slug}
        failed = counted[feed.pk].failed_percent
        yield Gauge(
            "feed_failed_percent", "Percent of the refreshes in the budget's window that failed", failed, labels
        )
        is_failing = float(feed.failing_since is not None)
        yield Gauge("feed_is_failing", "1 when more refreshes failed than the feed's budget allows", is_failing, labels)
        yield Gauge("feed_failures", "Failed refreshes in a row", feed.failures, labels)
        if feed.last_success_at is not None:
            age = (now - feed.last_success_at).total_seconds()
            yield Gauge("feed_age_seconds", "Seconds since the last refresh that succeeded", age, labels)
    stale = stale_prices(now).count()
    yield Gauge("stale_prices", "Prices in force that nobody has confirmed for 30 days", stale)
    yield Gauge("offerings", "Offerings that are sold now", Offering.objects.filter(status="listed").count())
    yield from _doubts()
    last = PricingChange.objects.order_by("-sequence").values_list("sequence", flat=True).first()
    yield Gauge("last_change_sequence", "Sequence of the newest pricing change", last or 0)


def _budget_gauges(feed: Feed, budget: Budget, labels: dict[str, str]) -> Iterator[Gauge]:
    is_failing = float(feed.failing_since is not None)
    yield Gauge("feed_failed_percent", "Percent of refreshes lately that failed", budget.failed_percent, labels)
    yield Gauge("feed_is_failing", "1 when more refreshes failed than the feed's budget allows", is_failing, labels)


def _doubts() -> Iterator[Gauge]:
    """What waits for somebody: every reason is told, those of which nothing is held as 0."""
    counted = Hold.objects.filter(closed_at=None).order_by().values_list("reason").annotate(count=Count("pk"))
    held = dict(counted)
    for reason in Hold.Reason.values:
        yield Gauge("holds_open", "Statements and documents held back", held.get(reason, 0), {"reason": reason})
    disagreements = Disagreement.objects.filter(closed_at=None).count()
    yield Gauge("disagreements_open", "Lines on which a source disagrees with what is believed", disagreements)
