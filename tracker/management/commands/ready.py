"""`manage.py ready`: says what /readyz says, for processes that serve no pages."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tracker.health.checks import readiness


class Command(BaseCommand):
    """Prints each part and whether it is there; exit status 1 when one is missing."""

    help = "Check the database, the broker, and that a worker has seen a tick lately."

    def handle(self, *args: Any, **options: Any) -> None:
        parts = readiness()
        for name, part in parts.items():
            self.stdout.write(f"{name}: {'ok' if part['ok'] else part['detail']}")
        missing = [name for name, part in parts.items() if not part["ok"]]
        if missing:
            raise CommandError("Not ready: " + ", ".join(missing))
