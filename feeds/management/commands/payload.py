"""``manage.py payload``: print the raw document that a feed said at a moment."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from feeds.archive import BodyNotKept, body_of, reading_at
from feeds.enrolment import feed_named
from feeds.management.commands.refresh import BAD_INPUT, parse_moment
from feeds.refreshing import RefreshRefused
from feeds.registry import UnknownFeed


class Command(BaseCommand):
    """Exit status 0 done, 2 bad input: an unknown feed, a moment before its first reading, a body that was dropped."""

    requires_system_checks = ()
    help = "Print the document that a feed said at a moment, byte for byte: payload litellm --at T > document.json"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("feed", metavar="FEED")
        parser.add_argument("--at", metavar="T", help="such as 2026-02-22T00:00:00Z; the newest reading without it")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._show(options["feed"], options["at"])
        except (UnknownFeed, RefreshRefused, BodyNotKept) as error:
            raise CommandError(str(error), returncode=BAD_INPUT) from error

    def _show(self, slug: str, at: str | None) -> None:
        feed = feed_named(slug)
        moment = parse_moment(at) if at is not None else None
        reading = reading_at(feed, moment)
        if reading is None:
            raise RefreshRefused(f"{slug} was not read{f' by {at}' if at else ' yet'}; it has said nothing to show")
        body = body_of(reading.digest)
        said = f"{slug} as read {reading.observed_at.isoformat()}: {len(body):,} bytes, SHA-256 {reading.digest}"
        self.stderr.write(said, self.style.NOTICE)
        # Text would be encoded anew; the bytes go out as they came in.
        sys.stdout.buffer.write(body)
        sys.stdout.buffer.flush()
