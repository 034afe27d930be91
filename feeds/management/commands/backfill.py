"""``manage.py backfill``: take the old documents of a feed as history, oldest first."""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from feeds.enrolment import feed_named
from feeds.history.clone import clone_versions
from feeds.history.folder import folder_versions
from feeds.history.versions import Version
from feeds.leases import FeedIsTaken
from feeds.management.commands.refresh import BAD_INPUT, COULD_NOT_FETCH, parse_moment, report_lines
from feeds.models import Feed
from feeds.progress import Progress
from feeds.reading import Document
from feeds.refreshing import RefreshRefused, refresh
from feeds.registry import UnknownFeed, known_feed
from feeds.reports import Report
from pricing.claims import UnreadableDocument

# A scheduled refresh may hold the feed for a while between two documents.
PATIENCE = timedelta(minutes=5)


class Command(BaseCommand):
    """Exit status 0 done, 1 another worker holds the feed, 2 bad input, a file of a folder that cannot be read too."""

    requires_system_checks = ()
    help = "Take the old documents of a feed as history, oldest first; interrupted, it goes on where it stopped."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("feed", metavar="FEED")
        origin = parser.add_mutually_exclusive_group(required=True)
        origin.add_argument("--dir", type=Path, metavar="D", help="files named YYYY-MM-DD….json[.gz]")
        origin.add_argument(
            "--git", type=Path, metavar="REPO", help="a local clone: every version of the document in it"
        )
        parser.add_argument("--path", metavar="P", help="where the document lies in the clone; each feed has a default")
        parser.add_argument(
            "--since", metavar="T", help="leave out what was observed before, such as 2026-01-01T00:00:00Z"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            since = parse_moment(options["since"]) if options["since"] is not None else None
            feed = feed_named(options["feed"])
            with self._versions(feed, since, options) as versions:
                left_out = self._backfill(feed, versions)
        except (UnknownFeed, RefreshRefused, UnreadableDocument) as error:
            raise CommandError(str(error), returncode=BAD_INPUT) from error
        except FeedIsTaken as error:
            raise CommandError(str(error), returncode=COULD_NOT_FETCH) from error
        # The history of a clone is what it is; a file that was handed over can be mended.
        if left_out and options["dir"] is not None:
            raise CommandError(f"{left_out} of the documents could not be taken", returncode=BAD_INPUT)

    def _versions(
        self, feed: Feed, since: datetime | None, options: dict[str, Any]
    ) -> AbstractContextManager[list[Version]]:
        if options["git"] is not None:
            return clone_versions(known_feed(feed.slug), options["git"], options["path"], since, self.stdout.write)
        if options["path"] is not None:
            raise RefreshRefused("--path belongs to --git: it says where in the clone the document lies")
        return nullcontext(folder_versions(options["dir"], since))

    def _backfill(self, feed: Feed, versions: Sequence[Version]) -> int:
        """Take the versions one by one; how many could not be taken."""
        progress = Progress(len(versions), sys.stderr, self.stdout.write)
        counted: Counter[str] = Counter()
        taking = _Taking(feed)
        for version in versions:
            before = time.monotonic()
            lines, status = taking.take(version)
            counted[status] += 1
            took = time.monotonic() - before
            progress.step(f"{version.name} {took:.2f} s  " + "\n".join(lines), heard=status == "left out")
        self.stdout.write(_summary(len(versions), counted, progress.seconds))
        return counted["left out"]


@dataclass(slots=True)
class _Taking:
    """The taking of one version after another."""

    feed: Feed
    last_digest: str = ""

    def take(self, version: Version) -> tuple[list[str], str]:
        """Take one version; what to say of it, and in a word what became of it."""
        try:
            document = Document(version.read(), version.observed_at)
            if version.is_commit and document.digest == self.last_digest:
                return ["the same document as before"], "unchanged"
            report = _patiently(self.feed, document)
            self.last_digest = document.digest
        except (RefreshRefused, UnreadableDocument) as error:
            return [f"left out: {error}"], "left out"
        if report.status == "done":
            return report_lines(report), "taken"
        return report_lines(report), "taken before" if report.refresh_id is None else "unchanged"


def _patiently(feed: Feed, document: Document) -> Report:
    """Take a document, waiting for a refresh that is under way. Raises FeedIsTaken when that takes too long."""
    last_try = time.monotonic() + PATIENCE.total_seconds()
    while True:
        try:
            return refresh(feed, document=document, trigger="backfill", backfilled=True)
        except FeedIsTaken:
            if time.monotonic() > last_try:
                raise
            time.sleep(1)


def _summary(total: int, counted: Counter[str], seconds: float) -> str:
    told = ", ".join(f"{counted[status]} {status}" for status in ("taken", "unchanged", "taken before", "left out"))
    nothing = "" if counted["taken"] else "; nothing new"
    return f"{total} documents in {seconds:.1f} s: {told}{nothing}"
