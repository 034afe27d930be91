"""``manage.py verify_ledger``: check that the record follows from its evidence and keeps its own rules."""

from __future__ import annotations

import json
import sys
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from pricing.bookkeeping import Settled
from pricing.ledger import settle_everything
from pricing.verification import Finding, findings

WRONG = 1
SECONDS_BETWEEN_LINES = 10.0
SECONDS_BETWEEN_DRAWINGS = 0.1


class Watch:
    """Progress on standard error: a bar on a terminal, now and then a plain line elsewhere."""

    def __init__(self) -> None:
        self.on_terminal = sys.stderr.isatty()
        self.counted: dict[str, int] = {}
        self._next = time.monotonic()

    def __call__(self, what: str, done: int, total: int) -> None:
        """Show how far one check has come."""
        self.counted[what] = done
        now = time.monotonic()
        if now < self._next and done < total:
            return
        self._next = now + (SECONDS_BETWEEN_DRAWINGS if self.on_terminal else SECONDS_BETWEEN_LINES)
        if self.on_terminal:
            bar = "#" * (40 * done // max(total, 1))
            sys.stderr.write(f"\r[{bar:<40}] {what}: {done:,}/{total:,}" + ("\n" if done >= total else ""))
        else:
            sys.stderr.write(f"{what}: {done:,}/{total:,}\n")


class Command(BaseCommand):
    """Exit status 0 clean, 1 when something is wrong; each finding is one line."""

    requires_system_checks = ()
    help = "Resolve every offering afresh, compare with the prices believed, and check the ledger's rules."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON object for the whole result")
        parser.add_argument(
            "--settle",
            action="store_true",
            help="first write, as corrections, what resolves otherwise than it is believed, such as after an update; "
            "then check",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        watch, found = Watch(), []
        settled = settle_everything(watch) if options["settle"] else None
        if settled is not None and not options["json"]:
            self.stdout.write(_as_words(settled))
        for finding in findings(watch):
            found.append(finding)
            if not options["json"]:
                self.stdout.write(str(finding))
        if options["json"]:
            self.stdout.write(_as_json(found, watch.counted, settled))
        else:
            self.stdout.write(f"{len(found)} findings" if found else "The ledger is clean.")
        if found:
            sys.exit(WRONG)


def _as_words(settled: Settled) -> str:
    if not (settled.opened or settled.closed or settled.changes):
        return "Everything was settled already."
    return (
        f"Settled anew: {settled.opened:,} prices opened, {settled.closed:,} closed, {settled.changes:,} changes, "
        "all of them corrections."
    )


def _as_json(found: list[Finding], counted: dict[str, int], settled: Settled | None) -> str:
    rows = [{"check": f.check, "where": f.where, "problem": f.problem} for f in found]
    result: dict[str, object] = {"clean": not found, "checked": counted, "findings": rows}
    if settled is not None:
        result["settled"] = {"opened": settled.opened, "closed": settled.closed, "changes": settled.changes}
    return json.dumps(result)
