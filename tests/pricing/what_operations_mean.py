"""What each operation of people should make of a belief, said of moments: nothing of the ledger, nothing of statements.

Each function takes the belief before an operation and returns what a line's price should be at a moment after it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from pricing.claims import LIST_LAYER, PROMO_LAYER, Claim, Conditions
from tests.pricing.oracle import TICK, Row, Value

Belief = dict[Conditions, list[Row]]
Expected = Callable[[Conditions, datetime], Value | None]
NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Before:
    """What was believed and what editors were saying when an operation was made."""

    belief: Belief
    words: Sequence[Claim]
    now: datetime

    def price(self, line: Conditions, moment: datetime) -> Value | None:
        return price_at(self.belief, line, moment)

    def promotions(self) -> list[tuple[Conditions, Row]]:
        """The promotions in force."""
        return [(line, row) for line, rows in self.belief.items() for row in rows if _is_promo_at(line, row, self.now)]


def price_at(belief: Belief, line: Conditions, moment: datetime) -> Value | None:
    for row in belief.get(line, []):
        if row.start <= moment < (row.end or NEVER):
            return row.value
    return None


def _is_promo_at(line: Conditions, row: Row, moment: datetime) -> bool:
    return line.layer == PROMO_LAYER and row.start <= moment < (row.end or NEVER)


def moments_of(*beliefs: Belief, others: Collection[datetime] = ()) -> list[datetime]:
    """Every moment at which one of some beliefs may turn, and the instant before each."""
    found = set(others)
    for belief in beliefs:
        for rows in belief.values():
            found |= {row.start for row in rows} | {row.end for row in rows if row.end is not None}
    return sorted(found | {moment - TICK for moment in found})


def said(before: Before, claims: Sequence[Claim]) -> Expected:
    """Prices stated beside all others: of what editors say of a line, what begins last speaks, the newest first."""
    new = [replace(claim, effective_from=claim.effective_from or before.now) for claim in claims]
    begun = {(claim.line, claim.effective_from) for claim in new}
    old = [claim for claim in before.words if (claim.line, claim.effective_from) not in begun]

    def expected(line: Conditions, moment: datetime) -> Value | None:
        mine = [claim for claim in new if claim.line == line and _covers(claim, moment)]
        others = [claim for claim in old if claim.line == line and _covers(claim, moment)]
        if not mine:
            return before.price(line, moment)
        last = max([*mine, *others], key=lambda claim: claim.effective_from or NEVER)
        return (last.amount, last.currency, "" if last.amount else last.zero_means or "free")

    return expected


def _covers(claim: Claim, moment: datetime) -> bool:
    assert claim.effective_from is not None
    return claim.effective_from <= moment < (claim.effective_until or NEVER)


def moved(before: Before, at: datetime, to: datetime | None) -> Expected:
    """What turns at a moment turns at another instead, or (None) not at all; nothing else moves."""
    starting = {line.tariff for line, rows in before.belief.items() if any(row.start == at for row in rows)}

    def expected(line: Conditions, moment: datetime) -> Value | None:
        rows = before.belief.get(line, [])
        turns = any(at in (row.start, row.end) for row in rows) and line.tariff in starting
        if not turns:
            return before.price(line, moment)
        if to is None:
            next_turn = min((row.end or NEVER for row in rows if row.start == at), default=None)
            next_turn = next_turn or min((row.start for row in rows if row.start > at), default=NEVER)
            is_bridged = at <= moment < next_turn
            return before.price(line, at - TICK) if is_bridged else before.price(line, moment)
        if at <= moment < to:
            return before.price(line, at - TICK)
        return before.price(line, at) if to <= moment < at else before.price(line, moment)

    return expected


def extended(before: Before, until: datetime) -> Expected:
    promotions = dict(before.promotions())

    def expected(line: Conditions, moment: datetime) -> Value | None:
        row = promotions.get(line)
        if row is not None and row.start <= moment < until:
            return row.value
        return before.price(line, moment)

    return expected


def ended(before: Before, at: datetime) -> Expected:
    """The promotion ends, with every step of it that follows without a pause."""
    ends = {line: _unbroken(before.belief[line], row) for line, row in before.promotions()}

    def expected(line: Conditions, moment: datetime) -> Value | None:
        is_over = line in ends and at <= moment < ends[line]
        return None if is_over else before.price(line, moment)

    return expected


def _unbroken(rows: Sequence[Row], first: Row) -> datetime:
    reached = first.end or NEVER
    for row in sorted(rows, key=lambda row: row.start):
        if row.start == reached:
            reached = row.end or NEVER
    return reached


def permanent(before: Before, at: datetime) -> Expected:
    """The promotion's prices become list prices, in the place of those that it went before."""
    promotions = dict(before.promotions())
    over = ended(before, at)

    def expected(line: Conditions, moment: datetime) -> Value | None:
        if line.layer != LIST_LAYER or moment < at:
            return over(line, moment)
        promo = promotions.get(replace(line, layer=PROMO_LAYER))
        if promo is not None:
            return promo.value
        return None if any(_goes_before(each, line) for each in promotions) else over(line, moment)

    return expected


def _goes_before(promo: Conditions, line: Conditions) -> bool:
    covers = promo.slot in ("", line.slot) and promo.above_input_tokens <= line.above_input_tokens
    return promo.tariff == line.tariff and covers


def pinned(before: Before, claim: Claim) -> Expected:
    claim = replace(claim, effective_from=claim.effective_from or before.now)

    def expected(line: Conditions, moment: datetime) -> Value | None:
        if line == claim.line and _covers(claim, moment):
            return (claim.amount, claim.currency, "" if claim.amount else "free")
        return before.price(line, moment)

    return expected


def withdrawn(before: Before, at: datetime) -> Expected:
    return lambda line, moment: before.price(line, moment) if moment < at else None


def unchanged(before: Before) -> Expected:
    return before.price
