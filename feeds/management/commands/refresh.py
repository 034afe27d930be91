"""``manage.py refresh``: read feeds now, one document from a file, or archived documents again."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.dateparse import parse_date, parse_datetime

from feeds.enrolment import enrol_feeds, feed_named
from feeds.leases import FeedIsTaken
from feeds.models import Feed
from feeds.reading import can_be_read, from_file
from feeds.refreshing import CouldNotFetch, RefreshRefused, check_moment, refresh
from feeds.registry import UnknownFeed
from feeds.replaying import readings_since, replay, stretch_at
from feeds.reports import Report
from pricing.claims import UnreadableDocument

COULD_NOT_FETCH = 1
BAD_INPUT = 2


def parse_moment(text: str) -> datetime:
    """An RFC 3339 moment with its zone. Raises RefreshRefused on anything else."""
    try:
        moment = parse_datetime(text)
        day = parse_date(text) if moment is None else None
    except ValueError as error:
        raise RefreshRefused(f"{text!r} is not a moment: {error}; write it as 2026-02-22T00:00:00Z") from None
    if day is not None:
        raise RefreshRefused(f"{text!r} is a day without time and zone; write {text}T00:00:00Z")
    if moment is None:
        raise RefreshRefused(f"{text!r} is not a moment; write it as 2026-02-22T00:00:00Z")
    check_moment(moment)
    return moment


class Command(BaseCommand):
    """Exit status 0 done (rejected rows included), 1 could not fetch, 2 bad input."""

    requires_system_checks = ()
    help = "Refresh feeds from where they are published, or one feed from a file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("feeds", nargs="*", metavar="FEED", help="slugs; without any, every enabled feed")
        parser.add_argument("--file", type=Path, metavar="F", help="read this document (may be .gz) as one FEED's")
        parser.add_argument(
            "--observed-at",
            metavar="T",
            help="when the file was read, such as 2026-02-22T00:00:00Z; of --replay, a moment whose document is meant",
        )
        parser.add_argument(
            "--replay",
            action="store_true",
            help="parse archived documents of one FEED again and correct what they were taken to say: the newest, or",
        )
        parser.add_argument("--since", metavar="T", help="of --replay: every document read since then")
        parser.add_argument("--all", action="store_true", help="of --replay: every document")
        parser.add_argument("--dry-run", action="store_true", help="do the work, say what it does, take it back")
        parser.add_argument("--json", action="store_true", help="print the reports as JSON, one line each")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            status = self._refresh(options)
        except (UnknownFeed, RefreshRefused, UnreadableDocument) as error:
            raise CommandError(str(error), returncode=BAD_INPUT) from error
        except (CouldNotFetch, FeedIsTaken) as error:
            raise CommandError(str(error), returncode=COULD_NOT_FETCH) from error
        if status:
            sys.exit(status)

    def _refresh(self, options: dict[str, Any]) -> int:
        slugs: list[str] = options["feeds"]
        for slug in slugs:
            feed_named(slug)
        if options["replay"]:
            return self._replay(slugs, options)
        if options["since"] is not None or options["all"]:
            raise RefreshRefused("--since and --all belong to --replay; older documents are taken by backfill")
        if options["file"] is not None or options["observed_at"] is not None:
            return self._refresh_file(slugs, options)
        if slugs:
            for slug in slugs:
                self._print(refresh(feed_named(slug), dry_run=options["dry_run"], say=self._say), options)
            return 0
        return self._refresh_all(options)

    def _refresh_file(self, slugs: list[str], options: dict[str, Any]) -> int:
        if options["file"] is None:
            raise RefreshRefused("--observed-at belongs to --file: what is read now is observed now")
        if len(slugs) != 1:
            raise RefreshRefused("--file needs one FEED, whose document it is: refresh models-dev --file api.json")
        observed_at = parse_moment(options["observed_at"]) if options["observed_at"] is not None else None
        document = from_file(options["file"], observed_at)
        report = refresh(
            feed_named(slugs[0]), document=document, trigger="file", dry_run=options["dry_run"], say=self._say
        )
        self._print(report, options)
        return 0

    def _replay(self, slugs: list[str], options: dict[str, Any]) -> int:
        if len(slugs) != 1 or options["file"] is not None:
            raise RefreshRefused("--replay needs one FEED and reads its archived documents: refresh litellm --replay")
        if sum(bool(options[name]) for name in ("observed_at", "since", "all")) > 1:
            raise RefreshRefused("--observed-at, --since and --all say different things; give one of them")
        feed = feed_named(slugs[0])
        if options["since"] is not None or options["all"]:
            readings = readings_since(feed, parse_moment(options["since"]) if options["since"] is not None else None)
        else:
            moment = options["observed_at"]
            readings = stretch_at(feed, parse_moment(moment) if moment is not None else None)
        for report in replay(feed, readings, dry_run=options["dry_run"], say=self._say):
            self._print(report, options)
        return 0

    def _refresh_all(self, options: dict[str, Any]) -> int:
        """Every enabled feed; one that fails does not keep the next from being read."""
        enrol_feeds()
        status = 0
        for feed in Feed.objects.filter(enabled=True).select_related("source"):
            if not can_be_read(feed):
                self._say(f"{feed.slug} is left out: NETWORK_FEEDS does not name it")
                continue
            try:
                self._print(refresh(feed, dry_run=options["dry_run"], say=self._say), options)
            except (CouldNotFetch, FeedIsTaken, RefreshRefused) as error:
                self.stderr.write(f"refresh: {error}")
                status = COULD_NOT_FETCH
        return status

    def _say(self, step: str) -> None:
        if sys.stderr.isatty():
            self.stderr.write(f"{step} …", self.style.NOTICE)

    def _print(self, report: Report, options: dict[str, Any]) -> None:
        if options["json"]:
            self.stdout.write(json.dumps(report.as_json(), ensure_ascii=False))
            return
        for line in report_lines(report):
            self.stdout.write(line)


def report_lines(report: Report) -> list[str]:
    """The report for a person: one line, then what was not understood or not taken."""
    words = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in report.counts.items() if count)
    observed = f"{report.observed_at:%Y-%m-%d %H:%M} UTC" if report.observed_at else "never"
    lines = [f"{report.feed} observed {observed}: {report.status}" + (f" ({words})" if words else "")]
    if report.note:
        lines.append(f"  {report.note}")
    lines += [f"  not understood: {name} x {count}" for name, count in report.unrecognised.items()]
    lines += [f"  rejected: {r['provider']} {r['model']}: {r['reason']}" for r in report.rejections[:20]]
    if len(report.rejections) > 20:
        lines.append(f"  … and {len(report.rejections) - 20} more rejected rows")
    return lines
