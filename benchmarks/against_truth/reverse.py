"""The other way round: which of our change lines no truth row tells, and the proven reason why."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.against_truth.accounts import (
    FOUND,
    INSTANT,
    NOT_FOUND,
    REJECTED,
    SLIP,
    TOLD_LATE,
    Account,
    Comparison,
)
from benchmarks.against_truth.evidence import Evidence, KnownId
from benchmarks.against_truth.fields import Documents
from benchmarks.against_truth.rows import COST, moment
from benchmarks.against_truth.stream import MovedLine, Stream

TOLD = "has its truth row"
OTHER_SCOPE = "has its truth row, in the scope"
TOLD_OTHERWISE = "the truth row tells it otherwise"
MOVED_ELSEWHERE = "the id went to another provider, which the truth does not look at"
DERIVED = "derived: no price field of the row states it alone"
NOT_CARRIED = "the truth does not carry the field"
TAKEOVER = "another id of the source speaks after than before"


@dataclass(frozen=True, slots=True)
class Told:
    """One of our lines and what the truth says of it."""

    line: MovedLine
    account: Account


def tell(documents: Documents, stream: Stream, evidence: Evidence, comparison: Comparison) -> list[Told]:
    """Account for every line that is not initial."""
    teller = _Teller(documents, evidence, comparison)
    return [Told(line, teller.account(line)) for line in stream.lines if not line.initial]


class _Teller:
    def __init__(self, documents: Documents, evidence: Evidence, comparison: Comparison) -> None:
        self._documents, self._evidence, self._comparison = documents, evidence, comparison
        self._dates = sorted(documents.files)
        self._carried = {row.field.partition("[")[0].partition(".")[0] for row, _ in comparison.accounts}

    def account(self, line: MovedLine) -> Account:
        """What the truth says of one line, or why it says nothing."""
        spoken = self._comparison.spoken_of.get(id(line))
        if spoken is None:
            return next(self._reasons(line), Account(NOT_FOUND, line.headline))
        row, account = spoken
        if account.label == NOT_FOUND:
            return Account(NOT_FOUND, f"{row}: {account.proof}")
        if account.label.startswith(TOLD_LATE):
            return Account(f"{TOLD}, {account.label.removeprefix('found, ')}")
        if account.label != FOUND:
            return Account(f"{TOLD_OTHERWISE}: {account.label}", account.proof)
        return Account(TOLD if row.scope == COST else f"{OTHER_SCOPE} {row.scope}")

    def _reasons(self, line: MovedLine) -> Iterator[Account]:
        dates = self._dates_around(line.date)
        for known in self._evidence.by_offering[line.offering]:
            yield from self._refusals(known, dates)
            yield from self._relays(known, line)
            yield from self._slips(known, line)
        stating = [(known, date) for known in self._evidence.by_offering[line.offering] for date in dates]
        for known, date in stating:
            yield from self._fields(known, date, line)
        yield from self._takeovers(line)

    def _dates_around(self, date: str) -> list[str]:
        """The documents before and at a move."""
        index = bisect_left(self._dates, date)
        return self._dates[max(index - 1, 0) : index + 1]

    def _refusals(self, known: KnownId, dates: list[str]) -> Iterator[Account]:
        for date in dates:
            reason = self._evidence.refusal(known.provider, known.external_id, date)
            if reason:
                yield Account(f"{REJECTED} in the document of before or after: {reason}", f"{known} on {date}")

    def _relays(self, known: KnownId, line: MovedLine) -> Iterator[Account]:
        other = self._evidence.moved_elsewhere(known, line.line, moment(line.date))
        if other is not None:
            yield Account(MOVED_ELSEWHERE, f"{known} and {other} at one price")

    def _slips(self, known: KnownId, line: MovedLine) -> Iterator[Account]:
        """The correction that takes back what was told when the slip was read."""
        slip = self._evidence.slip(known, line.line, moment(line.date))
        if line.nature == "correction" and slip is not None and (slip.amount, slip.instead) == (line.old, line.new):
            yield Account(f"{TOLD_OTHERWISE}: {SLIP}", f"{known} stated {line.new} before and after")

    def _fields(self, known: KnownId, date: str, line: MovedLine) -> Iterator[Account]:
        """Lines that follow from several fields, and lines of a field that no truth row has."""
        amount = self._documents.sheet(date, known.provider, known.external_id).get(line.line)
        if amount is None or amount not in (line.old, line.new):
            return
        fields = self._documents.fields_of(date, known.provider, known.external_id, line.line)
        if not fields:
            yield Account(DERIVED, f"the whole row of {known} on {date} gives {amount}")
        elif not any(field.partition("[")[0].partition(".")[0] in self._carried for field in fields):
            yield Account(f"{NOT_CARRIED} {next(iter(fields))}", f"{known} on {date}")

    def _takeovers(self, line: MovedLine) -> Iterator[Account]:
        at = moment(line.date)
        tariff = line.line.tariff
        before, after = (self._evidence.speaker(line.offering, tariff, when) for when in (at - INSTANT, at))
        if before is not None and after is not None and before != after:
            yield Account(TAKEOVER, f"{before} before, {after} after")
