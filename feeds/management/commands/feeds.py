"""``manage.py feeds``: how each feed is doing, and freeing a lease whose worker is gone."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from feeds.budgets import Budget, budgets
from feeds.enrolment import enrol_feeds, feed_named
from feeds.leases import force_release, lease_in_words
from feeds.management.commands.refresh import BAD_INPUT
from feeds.models import Feed
from feeds.reading import can_be_read
from feeds.registry import UnknownFeed

HEADINGS = ("feed", "due (UTC)", "last success (UTC)", "failed in a row", "of the window", "lease")


class Command(BaseCommand):
    """Exit status 0 done, 2 for a feed that is not known."""

    requires_system_checks = ()
    help = "List the feeds: when due, last success, failures and lease; --release frees a lease whose worker is gone."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--release", metavar="FEED", help="free this feed's lease, whoever holds it")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["release"] is not None:
            self._release(options["release"])
            return
        enrol_feeds()
        feeds = list(Feed.objects.select_related("source"))
        counted = budgets(feeds)
        for line in _aligned([HEADINGS, *(_row(feed, counted[feed.pk]) for feed in feeds)]):
            self.stdout.write(line)

    def _release(self, slug: str) -> None:
        try:
            feed = feed_named(slug)
        except UnknownFeed as error:
            raise CommandError(str(error), returncode=BAD_INPUT) from error
        was = lease_in_words(feed)
        freed = force_release(feed)
        self.stdout.write(f"{slug}: the lease is free; it was {was}" if freed else f"{slug}: no lease was held")


def _row(feed: Feed, budget: Budget) -> tuple[str, ...]:
    spent = " (beyond its budget)" if feed.failing_since is not None else ""
    window = f"{budget.failed}/{budget.refreshes}, {budget.allowed_percent}% may{spent}"
    return feed.slug, _due(feed), _minute(feed.last_success_at), str(feed.failures), window, lease_in_words(feed)


def _due(feed: Feed) -> str:
    if not feed.enabled:
        return "not enabled"
    if not can_be_read(feed):
        return "not fetched"
    return "now" if feed.next_due_at <= timezone.now() else _minute(feed.next_due_at)


def _minute(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M}" if moment is not None else "never"


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
