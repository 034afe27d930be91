"""What a month's usage costs at the prices of one moment: many calls told as one sum, spread over the calendar.

``pricing.cost`` prices one call. A month differs in two ways:

- A threshold looks at the input of one call: the month's input by the number of calls. Where that number is not known
  no threshold counts as reached, and a fee for each call cannot be told; notes say so.
- A price that depends on the time of day takes its share of the month. Unless the usage is said to fall into one slot,
  it is spread evenly over the hours of a year from the moment's week on (52 weeks, by half hours, holidays as they
  fall), by the rules in force at the moment. So the shares do not move from one month to the next.

Shares are exact until the end, where an amount is rounded to 12 places if it cannot be written.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from pricing.calendars import Slots
from pricing.cost import PriceSheet
from pricing.cost_plans import Plan, make_plan
from pricing.tariffs import CostError, SheetPrice, Terms
from pricing.usage import Quantity, apart, read_usage
from tracker.amounts import EXACT

PLACES = 12
_WEEKS = 52
_HALF_HOUR = timedelta(minutes=30)
# In the middle of each half hour, so that windows of whole half hours are hit exactly.
_FIRST_SAMPLE = timedelta(minutes=15)
_REQUESTS = "requests"


class UnknownSlot(CostError):
    """Usage is said to fall into a slot that never holds; ``choices`` are those that do."""

    def __init__(self, slot: str, choices: Sequence[str]) -> None:
        super().__init__(f"slot: there is no {slot!r} here; choices are {', '.join(choices) or 'none'}")
        self.choices = tuple(choices)


@dataclass(frozen=True, slots=True)
class MonthItem:
    """What one price is charged for in a month: the quantity of its meter, and the amount."""

    meter: str
    quantity: Decimal
    amount: Decimal
    price: SheetPrice


@dataclass(frozen=True, slots=True)
class MonthGap:
    """A count without a price, and when its first price after the moment begins, if one is known."""

    meter: str
    quantity: Decimal
    known_from: datetime | None


@dataclass(slots=True)
class MonthCost:
    """The cost of a month's usage; ``totals`` are the sums of the items by currency."""

    items: list[MonthItem] = field(default_factory=list)
    unpriced: list[MonthGap] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def totals(self) -> dict[str, Decimal]:
        """The sums by currency, empty without items."""
        sums: dict[str, Decimal] = {}
        for item in self.items:
            sums[item.price.currency] = EXACT.add(sums.get(item.price.currency, Decimal(0)), item.amount)
        return sums


@dataclass(slots=True)
class _Sums:
    """What has been charged so far, price by price, over the shares of the month."""

    charged: dict[tuple[str, SheetPrice], list[Fraction]] = field(default_factory=dict)
    gaps: dict[str, tuple[Fraction, datetime | None]] = field(default_factory=dict)
    notes: dict[str, None] = field(default_factory=dict)

    def charge(self, meter: str, price: SheetPrice, quantity: Fraction, unit_amount: Decimal) -> None:
        sums = self.charged.setdefault((meter, price), [Fraction(0), Fraction(0)])
        sums[0] += quantity
        sums[1] += quantity * Fraction(unit_amount)

    def miss(self, meter: str, quantity: Fraction, known_from: datetime | None) -> None:
        before, _ = self.gaps.get(meter, (Fraction(0), None))
        self.gaps[meter] = before + quantity, known_from


def price_month(
    sheet: PriceSheet,
    usage: Mapping[str, object],
    at: datetime,
    *,
    calls: int | None = None,
    slot: str = "",
    terms: Terms | None = None,
) -> MonthCost:
    """Price a month's usage at the prices in force at a moment. ``calls`` is in how many calls it was made.

    Raises UsageError for usage that cannot be, UnknownTerm, UnknownSlot, and CostError.
    """
    counted = read_usage(usage)
    held = apart(counted)
    reached = bisect_left(sheet.thresholds, _input_of_one(counted, calls))
    sums = _Sums()
    for slots, share in _shares(sheet, at, slot):
        situation = sheet.tariffs.situation(at, reached, slots)
        plan = make_plan(sheet.tariffs, tuple(counted), terms or Terms(), situation, sheet.currency)
        _charge(plan, held, calls, share, sums)
    if calls is None and sheet.thresholds and counted.get("input_tokens"):
        sums.notes["how many calls were made is not given: prices for long inputs are left out"] = None
    return _summed(sums)


def _input_of_one(counted: Mapping[str, Quantity], calls: int | None) -> Fraction:
    return Fraction(counted.get("input_tokens", 0)) / calls if calls else Fraction(0)


def _shares(sheet: PriceSheet, at: datetime, slot: str) -> Iterator[tuple[tuple[Slots, ...], Fraction]]:
    """What holds by the calendars, each with its share of the time (or of the slot's)."""
    if not sheet.has_slots:
        if slot:
            raise UnknownSlot(slot, ())
        yield (), Fraction(1)
        return
    held = Counter(sheet.tariffs.slots(instant, at) for instant in _half_hours(at))
    if slot:
        within = {slots: count for slots, count in held.items() if any(each[:1] == (slot,) for each in slots)}
        if not within:
            raise UnknownSlot(slot, sorted({name for slots in held for each in slots for name in each}))
        held = Counter(within)
    whole = held.total()
    for slots, count in sorted(held.items()):
        yield slots, Fraction(count, whole)


def _half_hours(at: datetime) -> Iterator[datetime]:
    day = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    first = day - timedelta(days=day.weekday()) + _FIRST_SAMPLE
    return (first + number * _HALF_HOUR for number in range(_WEEKS * 7 * 48))


def _charge(plan: Plan, held: Mapping[str, Quantity], calls: int | None, share: Fraction, sums: _Sums) -> None:
    quantities = [Fraction(held[meter]) for meter, _ in plan.shape]
    quantities.append(Fraction(calls or 0))
    for place, others in plan.merges:
        for other in others:
            quantities[place] += quantities[other]
    # The plan picks by place, whatever the values are.
    chosen: Sequence[Fraction] = plan.pick(quantities)  # type: ignore[arg-type, assignment]
    for meter, quantity, unit_amount, price in zip(plan.meters, chosen, plan.unit_amounts, plan.prices, strict=True):
        if quantity:
            sums.charge(meter, price, quantity * share, unit_amount)
    for gap in plan.gaps:
        if quantities[gap.place]:
            sums.miss(gap.meter, quantities[gap.place] * share, gap.known_from)
            sums.notes.update(dict.fromkeys(gap.notes))
    for place, notes in plan.notes:
        if quantities[place]:
            sums.notes.update(dict.fromkeys(notes))
    if calls is None and _REQUESTS in plan.meters and _REQUESTS not in held:
        sums.notes["each call has a fee, and how many were made is not given: the fees are left out"] = None


def _summed(sums: _Sums) -> MonthCost:
    return MonthCost(
        [
            MonthItem(meter, decimal(quantity), decimal(amount), price)
            for (meter, price), (quantity, amount) in sums.charged.items()
        ],
        [MonthGap(meter, decimal(quantity), known_from) for meter, (quantity, known_from) in sums.gaps.items()],
        list(sums.notes),
    )


def decimal(value: Fraction) -> Decimal:
    """The exact decimal of a fraction, or where it goes on for ever the nearest of 12 places."""
    denominator = value.denominator
    twos = fives = 0
    while denominator % 2 == 0:
        denominator, twos = denominator // 2, twos + 1
    while denominator % 5 == 0:
        denominator, fives = denominator // 5, fives + 1
    places = max(twos, fives)
    if denominator != 1 or places > 18:
        places = PLACES
    return Decimal(round(value * 10**places)).scaleb(-places, EXACT) if places else Decimal(int(value))
