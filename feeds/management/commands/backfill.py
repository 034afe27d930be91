"""``manage.py backfill``: take a folder of dated documents as history, oldest first."""

from __future__ import annotations

import re
import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from feeds.enrolment import feed_named
from feeds.leases import FeedIsTaken
from feeds.management.commands.refresh import BAD_INPUT, COULD_NOT_FETCH, parse_moment, report_lines
from feeds.models import Feed
from feeds.reading import Document, from_file
from feeds.refreshing import RefreshRefused, check_moment, refresh
from feeds.registry import UnknownFeed
from pricing.claims import UnreadableDocument

_DATED = re.compile(r"^(\d{4}-\d{2}-\d{2})")
_KINDS = (".json", ".json.gz", ".yaml", ".yaml.gz", ".xml", ".xml.gz")


@dataclass(frozen=True, slots=True)
class DatedFile:
    """A document and the moment that its name says it was read."""

    path: Path
    observed_at: datetime


def dated_files(folder: Path, since: datetime | None = None) -> list[DatedFile]:
    """The folder's documents in order of date. Raises RefreshRefused on a folder without any."""
    if not folder.is_dir():
        raise RefreshRefused(f"{folder} is not a folder; give one with files named like 2026-02-22.json.gz")
    found = []
    for path in sorted(folder.iterdir(), key=lambda path: path.name.split(".", 1)):
        dated = _DATED.match(path.name)
        if dated and path.name.endswith(_KINDS):
            found.append(DatedFile(path, _moment(path, dated.group(1))))
    if not found:
        raise RefreshRefused(f"{folder} holds no file whose name begins with a date, such as 2026-02-22.json.gz")
    return [file for file in _apart(found) if since is None or file.observed_at >= since]


def _apart(files: list[DatedFile]) -> Iterator[DatedFile]:
    """Several documents of one day are taken in the order of their names, a microsecond apart."""
    last: datetime | None = None
    for file in files:
        moment = file.observed_at if last is None else max(file.observed_at, last + timedelta(microseconds=1))
        yield DatedFile(file.path, moment)
        last = moment


def _moment(path: Path, day: str) -> datetime:
    try:
        moment = datetime.fromisoformat(day).replace(tzinfo=UTC)
    except ValueError:
        raise RefreshRefused(f"{path.name}: {day} is not a day of the calendar") from None
    check_moment(moment)
    return moment


class Command(BaseCommand):
    """Exit status 0 done, 1 another worker holds the feed, 2 bad input."""

    requires_system_checks = ()
    help = "Take dated documents of a feed as history, oldest first; interrupted, it goes on where it stopped."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("feed", metavar="FEED")
        parser.add_argument("--dir", type=Path, required=True, metavar="D", help="files named YYYY-MM-DD….json[.gz]")
        parser.add_argument(
            "--since", metavar="T", help="leave out what was observed before, such as 2026-01-01T00:00:00Z"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            since = parse_moment(options["since"]) if options["since"] is not None else None
            feed = feed_named(options["feed"])
            self._backfill(feed, dated_files(options["dir"], since))
        except (UnknownFeed, RefreshRefused, UnreadableDocument) as error:
            raise CommandError(str(error), returncode=BAD_INPUT) from error
        except FeedIsTaken as error:
            raise CommandError(str(error), returncode=COULD_NOT_FETCH) from error

    def _backfill(self, feed: Feed, files: list[DatedFile]) -> None:
        started = time.monotonic()
        for place, file in enumerate(files, start=1):
            before = time.monotonic()
            document: Document = from_file(file.path, file.observed_at)
            report = refresh(feed, document=document, trigger="backfill", backfilled=True)
            took = time.monotonic() - before
            self.stdout.write(f"[{place}/{len(files)}] {took:.2f} s  " + "\n".join(report_lines(report)))
            self._show_progress(place, len(files), started)
        self.stdout.write(f"{len(files)} documents in {time.monotonic() - started:.1f} s")

    def _show_progress(self, done: int, total: int, started: float) -> None:
        if sys.stderr.isatty():
            left = (time.monotonic() - started) / done * (total - done)
            bar = "#" * (40 * done // total)
            self.stderr.write(f"[{bar:<40}] {done}/{total}, {left:.0f} s left", ending="\r" if done < total else "\n")
