"""The cost of a call once more, slowly: every token is looked at on its own.

Nothing of the engine is used. A token knows what it is (cached, audio, reasoning …); the counts of a
usage are made by counting tokens, and each token is charged by itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from fractions import Fraction

from pricing.claims import SlotRule
from pricing.meters import METERS
from pricing.tariffs import SheetPrice, Terms
from tests.pricing.test_calendars import slots_by_the_clock

Token = frozenset[str]

MARKS: dict[str, Token] = {
    "input_tokens": frozenset({"in"}),
    "cache_read_tokens": frozenset({"in", "read"}),
    "cache_write_tokens": frozenset({"in", "write"}),
    "cache_write_1h_tokens": frozenset({"in", "write", "hour"}),
    "input_audio_tokens": frozenset({"in", "audio"}),
    "cache_read_audio_tokens": frozenset({"in", "read", "audio"}),
    "cache_write_audio_tokens": frozenset({"in", "write", "audio"}),
    "cache_write_audio_1h_tokens": frozenset({"in", "write", "hour", "audio"}),
    "output_tokens": frozenset({"out"}),
    "reasoning_tokens": frozenset({"out", "reasoning"}),
    "output_audio_tokens": frozenset({"out", "audio"}),
    "reasoning_audio_tokens": frozenset({"out", "reasoning", "audio"}),
}
METER_OF = {marks: meter for meter, marks in MARKS.items()}


@dataclass
class Bill:
    """What was charged by price row, and what has no price by meter."""

    total: Fraction = Fraction(0)
    charged: Counter[int | None] = field(default_factory=Counter)
    unpriced: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Call:
    """Tokens, the meters under which they are reported, other counts, and the terms."""

    tokens: Sequence[Token]
    reported: frozenset[str]
    others: Mapping[str, int]
    terms: Terms
    at: datetime

    def usage(self) -> dict[str, int]:
        counts = {meter: sum(MARKS[meter] <= token for token in self.tokens) for meter in sorted(self.reported)}
        return {**counts, **self.others}


def closed(meters: Iterable[str]) -> frozenset[str]:
    """With the whole of each part, and with the common part of any two."""
    found = set(meters)
    for meter in meters:
        found.add("input_tokens" if "in" in MARKS[meter] else "output_tokens")
    while True:
        common = {MARKS[one] | MARKS[other] for one in found for other in found} & METER_OF.keys()
        more = {METER_OF[marks] for marks in common} - found
        if not more:
            return frozenset(found)
        found |= more


def bill(call: Call, prices: Sequence[SheetPrice], rules: Sequence[SlotRule]) -> Bill:
    made = Bill()
    input_tokens = call.usage().get("input_tokens", 0)
    for token in call.tokens:
        counted_as = innermost(token, call.reported)
        if counted_as:
            _charge(made, _containing(counted_as), 1, call, input_tokens, prices, rules)
    for meter, quantity in call.others.items():
        _charge(made, [meter], quantity, call, input_tokens, prices, rules)
    if "requests" not in call.others and line_for("requests", call, input_tokens, prices, rules):
        _charge(made, ["requests"], 1, call, input_tokens, prices, rules)
    return made


def innermost(token: Token, reported: frozenset[str]) -> str:
    fitting = [meter for meter in reported if MARKS[meter] <= token]
    return max(fitting, key=lambda meter: len(MARKS[meter]), default="")


def _containing(meter: str) -> list[str]:
    """The meter and those that include it, the nearest first; the table's parent before its like."""
    wider = [other for other in MARKS if MARKS[other] <= MARKS[meter]]
    chain = [meter]
    while parent := METERS[chain[-1]].parent:
        chain.append(parent)
    return sorted(wider, key=lambda other: (-_depth(other), other not in chain, other))


def _depth(meter: str) -> int:
    return sum(marks < MARKS[meter] for marks in MARKS.values())


def _charge(
    made: Bill,
    meters: Sequence[str],
    quantity: int,
    call: Call,
    input_tokens: int,
    prices: Sequence[SheetPrice],
    rules: Sequence[SlotRule],
) -> None:
    if not quantity:
        return
    for place, meter in enumerate(meters):
        price = line_for(meter, call, input_tokens, prices, rules)
        if price is not None and not _copies(price, meters[place + 1 :], call, input_tokens, prices, rules):
            made.total += Fraction(price.amount) * quantity / METERS[meter].per
            made.charged[price.row] += quantity
            return
    made.unpriced[meters[-1]] += quantity


def _copies(
    price: SheetPrice,
    wider: Sequence[str],
    call: Call,
    input_tokens: int,
    prices: Sequence[SheetPrice],
    rules: Sequence[SlotRule],
) -> bool:
    """On terms that were not asked for, a price that is the same as that of the next wider meter there."""
    line = price.line
    there = Terms(line.service_tier, line.region, line.variant, line.commitment)
    if there == call.terms:
        return False
    for meter in wider:
        other = line_for(meter, replace(call, terms=there), input_tokens, prices, rules)
        if other is not None:
            return other.amount == price.amount
    return False


def line_for(
    meter: str, call: Call, input_tokens: int, prices: Sequence[SheetPrice], rules: Sequence[SlotRule]
) -> SheetPrice | None:
    holding = slots_by_the_clock(rules, call.at)
    fitting = []
    for price in prices:
        line = price.line
        here = (
            line.meter == meter
            and line.variant in (call.terms.variant, "")
            and line.commitment in (call.terms.commitment, "")
            and line.service_tier in (call.terms.service_tier, "standard")
            and line.region in (call.terms.region, "")
        )
        begun = price.effective_from is None or price.effective_from <= call.at
        over = price.effective_until is not None and price.effective_until <= call.at
        long_enough = line.above_input_tokens == 0 or input_tokens > line.above_input_tokens
        if here and begun and not over and long_enough and (not line.slot or line.slot in holding):
            fitting.append(price)
    return min(fitting, key=lambda price: _order(price, call.terms, holding), default=None)


def _order(price: SheetPrice, terms: Terms, holding: Sequence[str]) -> tuple[object, ...]:
    line = price.line
    return (
        line.variant != terms.variant,
        line.commitment != terms.commitment,
        line.service_tier != terms.service_tier,
        line.region != terms.region,
        line.layer != "promo",
        holding.index(line.slot) if line.slot else len(holding),
        -line.above_input_tokens,
    )
