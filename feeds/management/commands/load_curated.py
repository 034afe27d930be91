"""``manage.py load_curated``: bring the record in line with the project's curated facts."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from companies.record.files import BadRecord
from feeds.curation import load_curated
from feeds.leases import FeedIsTaken
from feeds.management.commands.refresh import BAD_INPUT, COULD_NOT_FETCH, report_lines
from feeds.refreshing import RefreshRefused
from pricing.claims import UnreadableDocument


class Command(BaseCommand):
    """Exit status 0 done, 1 another worker is at it, 2 a file of the record has a mistake."""

    requires_system_checks = ()
    help = "Load companies, events, metrics, plans and dated prices from the curated record; again: nothing changes."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            done = load_curated()
        except (BadRecord, RefreshRefused, UnreadableDocument) as error:
            raise CommandError(str(error), returncode=BAD_INPUT) from error
        except FeedIsTaken as error:
            raise CommandError(str(error), returncode=COULD_NOT_FETCH) from error
        self.stdout.write(str(done.record))
        for line in report_lines(done.prices):
            self.stdout.write(line)
        if done.withdrawn:
            self.stdout.write(f"ruled withdrawn, whatever feeds still list: {done.withdrawn}")
