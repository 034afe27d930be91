"""`manage.py tick`: look for work once, in this process, without a broker."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from tracker.celery import app
from tracker.tick import run_steps


class Command(BaseCommand):
    """Runs every step of the tick and says how each went; exit status 1 when one failed."""

    help = "Run one tick in this process: every part of the project looks whether it has work."

    def handle(self, *args: Any, **options: Any) -> None:
        # What a step would send to a worker is done here, at once: no broker is needed.
        app.conf.task_always_eager = True
        failed = []
        for outcome in run_steps():
            verdict = "failed" if outcome.error else "done"
            self.stdout.write(f"{outcome.step}: {verdict} in {outcome.seconds:.2f} s")
            if outcome.error:
                failed.append(f"{outcome.step} ({outcome.error})")
        if failed:
            raise CommandError("These steps failed: " + "; ".join(failed))
