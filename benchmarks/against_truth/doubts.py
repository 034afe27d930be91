"""What the ledger held back: which statements, and which readings of which references, and how each hold ended."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from feeds.kept_back import held_in
from pricing.belief import LINE_COLUMNS
from pricing.claims import Conditions
from pricing.models import Hold, Source

_KEEPING_BACK = ("", Hold.Outcome.REFUSED, Hold.Outcome.LAPSED)


@dataclass(frozen=True, slots=True)
class Doubt:
    """A hold: why, how it ended (empty while it is open), and what its source is read as saying instead."""

    reason: str
    outcome: str
    instead: Decimal | None

    @property
    def keeps_back(self) -> bool:
        """Whether what it held never counted."""
        return self.outcome in _KEEPING_BACK

    def __str__(self) -> str:
        ends = self.outcome if self.keeps_back else f"released by {self.outcome}"
        return f"{self.reason}, {ends or 'open'}"


@dataclass(frozen=True, slots=True)
class HeldRun:
    """A statement that was held: its amount, and from which reading to which."""

    amount: Decimal
    first: datetime
    ended: datetime | None
    doubt: Doubt


@dataclass(slots=True)
class Doubts:
    """The holds of one source, by what they held."""

    runs: dict[tuple[int, Conditions], list[HeldRun]] = field(default_factory=lambda: defaultdict(list))
    readings: dict[tuple[int, str], list[Doubt]] = field(default_factory=lambda: defaultdict(list))

    def of_statement(self, reference: int, line: Conditions, amount: Decimal, moment: datetime) -> Iterable[Doubt]:
        """The holds of what an id said of a line at a moment."""
        for run in self.runs.get((reference, line), ()):
            if run.amount == amount and run.first <= moment and (run.ended is None or moment < run.ended):
                yield run.doubt

    def of_reading(self, reference: int, date: str) -> Iterable[Doubt]:
        """The holds of a part of the document of a date in which an id belongs."""
        return self.readings.get((reference, date), ())


def read_doubts(source: Source) -> Doubts:
    """Every hold of a source, open and closed."""
    doubts = Doubts()
    holds = Hold.objects.filter(source=source)
    columns = [f"line__{name}" for name in LINE_COLUMNS]
    said = ("amount", "statement__first_observed_at", "statement__ended_at", "reason", "outcome", "instead")
    rows = holds.filter(statement__isnull=False).values_list("statement__reference_id", *said, *columns)
    for reference, amount, first, ended, reason, outcome, instead, *cell in rows.iterator():
        run = HeldRun(amount, first, ended, Doubt(reason, outcome, instead))
        doubts.runs[reference, Conditions(*cell)].append(run)
    for hold in holds.filter(statement__isnull=True):
        _read_document(hold, doubts)
    return doubts


def _read_document(hold: Hold, doubts: Doubts) -> None:
    doubt = Doubt(hold.reason, hold.outcome, None)
    for moment in hold.details["readings"]:
        for reference in held_in(hold.details, moment):
            doubts.readings[reference, moment[:10]].append(doubt)
