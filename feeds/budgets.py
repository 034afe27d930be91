"""How much of a feed's refreshing may fail before operators are warned, and the one warning at the crossing."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.mail import mail_admins
from django.db.models import Count, Max, Q
from django.utils import timezone

from feeds.models import Feed, Refresh

logger = logging.getLogger(__name__)
# Fewer failures than these are no pattern, whatever share they are.
FEWEST_FAILURES = 3
TAKEN = (Refresh.Status.DONE, Refresh.Status.UNCHANGED)
FAILED = (Refresh.Status.FAILED, Refresh.Status.REFUSED)
# What is taken from files and archives is no fetch; where it is as fresh as one, failures before it count no more.
NOT_FETCHED = ("file", "backfill", "replay")
GIVEN = ("file", "backfill")


@dataclass(frozen=True, slots=True)
class Budget:
    """A feed's refreshes within its window: how many there were, how many failed, and the percent that may."""

    window: timedelta
    allowed_percent: int
    refreshes: int = 0
    failed: int = 0

    @property
    def failed_percent(self) -> int:
        """The share of refreshes that failed, in whole percent."""
        return round(100 * self.failed / self.refreshes) if self.refreshes else 0

    @property
    def is_spent(self) -> bool:
        """Whether more failed than may."""
        return self.failed >= FEWEST_FAILURES and 100 * self.failed > self.allowed_percent * self.refreshes

    def as_json(self) -> dict[str, int]:
        """The budget in plain JSON values."""
        return {
            "window_seconds": int(self.window.total_seconds()),
            "allowed_percent": self.allowed_percent,
            "refreshes": self.refreshes,
            "failed": self.failed,
            "failed_percent": self.failed_percent,
        }


def budgets(feeds: Collection[Feed], now: datetime | None = None) -> dict[int, Budget]:
    """The budgets of feeds, by one query."""
    moment = now or timezone.now()
    given = _given_since(min((moment - feed.budget_window for feed in feeds), default=moment))
    within = Q(pk__in=())
    for feed in feeds:
        begins = moment - feed.budget_window
        within |= Q(feed=feed.pk, started_at__gte=max(begins, given.get(feed.pk, begins)))
    runs = Refresh.objects.filter(within).exclude(trigger__in=NOT_FETCHED).order_by().values("feed")
    counted = runs.annotate(refreshes=Count("pk"), failed=Count("pk", filter=Q(status__in=FAILED)))
    found: dict[int, Any] = {row["feed"]: row for row in counted}
    return {feed.pk: _budget(feed, found.get(feed.pk, {})) for feed in feeds}


def _given_since(since: datetime) -> dict[int, datetime]:
    """By feed: when a document observed since a moment was last given by hand."""
    taken = Refresh.objects.filter(trigger__in=GIVEN, status__in=TAKEN, observed_at__gte=since, started_at__gte=since)
    return dict(taken.order_by().values("feed").annotate(last=Max("started_at")).values_list("feed", "last"))


def _budget(feed: Feed, counted: Mapping[str, int]) -> Budget:
    refreshes, failed = counted.get("refreshes", 0), counted.get("failed", 0)
    return Budget(feed.budget_window, feed.failure_budget, refreshes, failed)


def judge(feed: Feed) -> None:
    """Look at a feed's budget after a refresh: warn once when it is spent, and say once when it is kept again."""
    now = timezone.now()
    budget = budgets([feed], now)[feed.pk]
    rows = Feed.objects.filter(pk=feed.pk, failing_since__isnull=budget.is_spent)
    if rows.update(failing_since=now if budget.is_spent else None):
        _tell(feed, budget)


def failing() -> list[str]:
    """The slugs of the enabled feeds that fail beyond their budget."""
    rows = Feed.objects.filter(enabled=True, failing_since__isnull=False)
    return list(rows.order_by("source__slug").values_list("source__slug", flat=True))


def readiness() -> dict[str, Any]:
    """What ``/readyz`` shows of the feeds: a source that is down does not make the tracker unavailable."""
    return {"failing": failing()}


def _tell(feed: Feed, budget: Budget) -> None:
    counted = (
        f"{budget.failed} of {budget.refreshes} refreshes failed within {_words(budget.window)}; "
        f"{budget.allowed_percent}% may"
    )
    if not budget.is_spent:
        logger.info("%s is within its failure budget again: %s", feed.slug, counted)
        return
    last = Refresh.objects.filter(feed=feed, status__in=FAILED).order_by("-started_at", "-pk").first()
    reason = last.error if last is not None else ""
    logger.error("%s fails beyond its budget: %s. Last: %s", feed.slug, counted, reason)
    _mail(
        f"{feed.slug} fails beyond its budget",
        f"{feed}: {counted}.\n\nThe last failure: {reason}\n\n"
        "What it said before stays on record. It is tried again by itself, ever more rarely, within a day.\n",
    )


def _mail(subject: str, body: str) -> None:
    """Mail the operators; a mail server that is down keeps no feed from being refreshed."""
    try:
        mail_admins(subject, body)
    except Exception:
        logger.exception("The operators could not be told by mail: %s", subject)


def _words(window: timedelta) -> str:
    days, hours = window.days, window.seconds // 3600
    return " ".join(filter(None, [f"{days} d" if days else "", f"{hours} h" if hours else ""])) or f"{window}"
