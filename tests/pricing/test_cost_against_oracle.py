"""The cost engine against an oracle that looks at every token, on thousands of random sheets and calls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from random import Random

import pytest

from pricing.claims import Conditions, SlotRule
from pricing.cost import Cost, compile_sheet, price
from pricing.tariffs import SheetPrice, Terms
from tests.pricing.cost_oracle import MARKS, Bill, Call, bill, closed

MONDAY = datetime(2026, 10, 26, tzinfo=UTC)
MOMENTS = tuple(MONDAY + timedelta(hours=hours) for hours in (0, 7, 30, 100, 168))
TOKENS = (
    frozenset({"in"}),
    frozenset({"in"}),
    frozenset({"in", "read"}),
    frozenset({"in", "write"}),
    frozenset({"in", "write", "hour"}),
    frozenset({"in", "audio"}),
    frozenset({"in", "read", "audio"}),
    frozenset({"in", "write", "hour", "audio"}),
    frozenset({"out"}),
    frozenset({"out", "reasoning"}),
    frozenset({"out", "reasoning", "audio"}),
)
AMOUNTS = tuple(map(Decimal, ("0", "0.000000000000000001", "0.3", "1.25", "15", "99999999999999999999.5")))
RULES = (
    SlotRule("peak", ((540, 720), (840, 1080)), (1, 2, 3, 4, 5), "Asia/Shanghai"),
    SlotRule("rush", ((600, 660),), (), "Asia/Shanghai", effective_from=MOMENTS[1]),
    SlotRule("night", ((22 * 60, 6 * 60),), (), "America/New_York", effective_until=MOMENTS[3]),
    SlotRule("rest", is_rest=True),
)


def random_sheet(random: Random) -> list[SheetPrice]:
    meters = random.sample([*MARKS, "web_searches", "requests"], random.randrange(1, 9))
    lines = {random_line(random, random.choice(meters)) for _ in range(random.randrange(1, 40))}
    prices: list[SheetPrice] = []
    for line in sorted(lines):
        prices += random_history(random, line, len(prices))
    return prices


def random_line(random: Random, meter: str) -> Conditions:
    return Conditions(
        meter,
        random.choice(("standard", "standard", "batch")),
        random.choice(("", "", "eu")),
        random.choice(("", "", "", "hd")),
        random.choice(("", "", "", "yearly")),
        random.choice((0, 0, 5, 10)),
        random.choice(("", "", "peak", "rush", "night", "rest")),
        random.choice(("list", "list", "promo")),
    )


def random_history(random: Random, line: Conditions, row: int) -> list[SheetPrice]:
    ends = [None, *sorted(random.sample(MOMENTS, random.randrange(3))), None]
    spans = [span for span in pairwise(ends) if random.random() < 0.8]
    return [
        SheetPrice(line, random.choice(AMOUNTS), row=row + number, effective_from=start, effective_until=end)
        for number, (start, end) in enumerate(spans)
    ]


def random_call(random: Random, prices: Sequence[SheetPrice]) -> Call:
    known = [price.line for price in prices] or [Conditions("input_tokens")]
    others = {"web_searches": random.randrange(3), "requests": random.randrange(3)}
    return Call(
        tokens=random.choices(TOKENS, k=random.randrange(30)),
        reported=closed(random.sample(sorted(MARKS), random.randrange(1, 7))),
        others={meter: others[meter] for meter in random.sample(sorted(others), random.randrange(3))},
        terms=Terms(
            random.choice(("standard", random.choice(known).service_tier)),
            random.choice(("", "eu", "mars")),
            random.choice(("", random.choice(known).variant)),
            random.choice(("", random.choice(known).commitment)),
        ),
        at=MONDAY + timedelta(minutes=random.randrange(-600, 11_000)),
    )


def told(cost: Cost) -> Bill:
    """The engine's answer in the oracle's words."""
    charged: Counter[int | None] = Counter()
    for item in cost.items:
        assert item.meter == item.price.line.meter
        charged[item.price.row] += int(item.quantity)
    unpriced = Counter({gap.meter: int(gap.quantity) for gap in cost.unpriced})
    return Bill(Fraction(cost.total), charged, unpriced)


@pytest.mark.parametrize("seed", range(40))
def test_the_engine_charges_what_the_oracle_charges_token_by_token(seed: int) -> None:
    random = Random(seed)
    for _ in range(15):
        prices = random_sheet(random)
        sheet = compile_sheet(prices, {0: RULES})
        for _ in range(8):
            call = random_call(random, prices)
            cost = price(sheet, call.usage(), call.at, **call.terms._asdict())
            assert told(cost) == bill(call, prices, RULES), (call, prices)
            assert Fraction(cost.total) == sum(Fraction(item.amount) for item in cost.items)
