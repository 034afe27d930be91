"""What a call cost: usage priced by an offering's sheet at a moment, exactly, with the price rows cited.

``compile_sheet`` makes a sheet of an offering's prices; ``price`` prices one usage by it. Which line
applies to a meter is told in ``pricing.tariffs``, what is charged for which count in
``pricing.cost_plans``, and what counts inside what in ``pricing.usage``.

What has no price is listed as unpriced, and is no part of the total. A quantity of 0 makes no item;
without any item the total is 0 in the sheet's currency.

A plan serves all usages with the same keys on the same terms between two moments at which anything
changes. It is kept with the sheet; at most PLANS_KEPT at a time.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import reduce
from typing import Any, NamedTuple

from pricing.calendars import Slots
from pricing.claims import STANDARD_TIER, SlotRule
from pricing.cost_plans import EXACT, Assumed, Plan, make_plan, shared
from pricing.tariffs import CostError, SheetPrice, Situation, Tariffs, Terms
from pricing.usage import MOST, Quantity, apart, contradiction, read_usage

PLANS_KEPT = 64

_ZERO = Decimal(0)
_multiply = EXACT.multiply
_add = EXACT.add
_new = tuple.__new__


class NaiveMoment(CostError):
    """A moment without a time zone."""

    def __init__(self, moment: datetime) -> None:
        super().__init__(f"at: {moment.isoformat()} has no time zone; a time such as 2026-09-01T00:00:00Z was expected")


class MixedCurrencies(CostError):
    """A total was asked for of items in several currencies."""

    def __init__(self, currencies: Iterable[str]) -> None:
        listed = ", ".join(sorted(currencies))
        super().__init__(f"the prices are in {listed}; ask for the total in one currency")


class CostItem(NamedTuple):
    """What one price was charged for: the quantity of its meter, the amount, and the price itself."""

    meter: str
    quantity: Quantity
    amount: Decimal
    price: SheetPrice


class Unpriced(NamedTuple):
    """A count without a price, and when its first price after the moment begins, if one is known."""

    meter: str
    quantity: Quantity
    known_from: datetime | None


class Cost(NamedTuple):
    """The cost of one usage, in columns: a quantity and an amount for each of the plan's prices.

    ``items`` puts the columns together. ``assumed_at`` is the first moment of prices that were not
    known at the call's (see ``assume_earliest``). Notes say in words what a reader would not expect.
    """

    plan: Plan
    quantities: Sequence[Quantity]
    amounts: Sequence[Decimal]
    sum_of_amounts: Decimal
    unpriced: Sequence[Unpriced] = ()
    notes: Sequence[str] = ()
    assumed_at: datetime | None = None

    @property
    def items(self) -> list[CostItem]:
        """What was charged, in the order of the table of meters, each with the price row that it cites."""
        columns = zip(self.plan.meters, self.quantities, self.amounts, self.plan.prices, strict=True)
        return [CostItem(*item) for item in columns if item[1]]

    @property
    def totals(self) -> dict[str, Decimal]:
        """The exact sums of the items by currency; without items 0 in the sheet's."""
        if self.plan.currency:
            return {self.plan.currency: self.sum_of_amounts}
        totals: dict[str, Decimal] = {}
        for item in self.items:
            totals[item.price.currency] = _add(totals.get(item.price.currency, _ZERO), item.amount)
        return totals or {self.plan.prices[0].currency: _ZERO}

    @property
    def currency(self) -> str:
        """The currency of all items. Raises MixedCurrencies."""
        totals = self.totals
        if len(totals) != 1:
            raise MixedCurrencies(totals)
        return next(iter(totals))

    @property
    def total(self) -> Decimal:
        """The exact sum of all items, in ``currency``. Raises MixedCurrencies."""
        return self.sum_of_amounts if self.plan.currency else self.totals[self.currency]


class PriceSheet:
    """An offering's prices over time, and the plans made of them so far."""

    __slots__ = ("currency", "edges", "has_slots", "plans", "rows", "tariffs", "thresholds")

    def __init__(self, tariffs: Tariffs) -> None:
        self.tariffs = tariffs
        self.edges, self.thresholds, self.has_slots = tuple(tariffs.edges), tuple(tariffs.thresholds), tariffs.has_slots
        self.plans: dict[object, Plan] = {}
        currencies = Counter(sorted(price.currency for price in tariffs))
        self.rows = currencies.total()
        self.currency = currencies.most_common(1)[0][0] if currencies else "USD"


def compile_sheet(
    prices: Iterable[SheetPrice], calendars: Mapping[int, Iterable[SlotRule]] | None = None
) -> PriceSheet:
    """Make an offering's sheet of its prices (as known at one moment) and the slot rules of each calendar.

    Raises OverlappingPrices where a line has two prices at once, and UnknownCalendar.
    """
    return PriceSheet(Tariffs(prices, calendars or {}))


def price(
    sheet: PriceSheet,
    usage: Mapping[str, Any],
    at: datetime | None = None,
    *,
    service_tier: str = STANDARD_TIER,
    region: str = "",
    variant: str = "",
    commitment: str = "",
    assume_earliest: bool = False,
) -> Cost:
    """What a usage cost at an aware moment, by default now.

    With ``assume_earliest`` what has no price up to the moment is charged at its earliest price after
    it, in the slot of the call's own hour. Raises UsageError, UnknownTerm and NaiveMoment.
    """
    # One function, since in what follows a call of another costs as much as a step of this one.
    at = datetime.now(UTC) if at is None else at if at.tzinfo is UTC else _in_utc(at)
    terms = (service_tier, region, variant, commitment)
    key = (
        tuple(usage),
        bisect_right(sheet.edges, at) if sheet.edges else 0,
        bisect_left(sheet.thresholds, _input_tokens(usage)) if sheet.thresholds else 0,
        sheet.tariffs.slots(at, at) if sheet.has_slots else (),
        terms,
    )
    plan = sheet.plans.get(key) or _keep_plan(sheet, key, at)
    if assume_earliest and (plan.gaps or not plan.prices):
        plan = _plan_assuming(sheet, key, at)
    held: list[Quantity] = []
    for meter, inside in plan.shape:
        quantity = usage.get(meter, 0)
        if type(quantity) is not int or quantity > MOST:
            held = _hold(plan, read_usage(usage))
            break
        if inside:
            for place in inside:
                quantity -= held[place]
        if quantity < 0:
            raise contradiction(read_usage(usage), meter)
        held.append(quantity)
    held.append(1)
    for place, others in plan.merges:
        for other in others:
            held[place] += held[other]
    quantities = plan.pick(held)
    amounts = list(map(_multiply, plan.unit_amounts, quantities))
    total = reduce(_add, amounts) if amounts else _ZERO
    if plan.gaps or plan.notes or assume_earliest:
        return _explained(plan, quantities, amounts, total, held)
    return _new(Cost, (plan, quantities, amounts, total, (), (), None))


def _input_tokens(usage: Mapping[str, Any]) -> int:
    tokens = usage.get("input_tokens", 0)
    return tokens if type(tokens) is int else int(read_usage({"input_tokens": tokens})["input_tokens"])


def _hold(plan: Plan, usage: Mapping[str, Quantity]) -> list[Quantity]:
    """What each count holds apart from those inside it, of a usage that is not all plain integers."""
    held = apart(usage)
    return [held[meter] for meter, _ in plan.shape]


def _explained(
    plan: Plan,
    quantities: Sequence[Quantity],
    amounts: Sequence[Decimal],
    total: Decimal,
    held: Sequence[Quantity],
) -> Cost:
    """The cost with what has no price, and with all that is to be said of it."""
    unpriced, notes = remarks_of(plan, held)
    assumed = [each for each in plan.assumed if held[each.place]]
    notes += _assumptions(plan, assumed)
    return Cost(plan, quantities, amounts, total, unpriced, notes, min((each.moment for each in assumed), default=None))


def _assumptions(plan: Plan, assumed: Sequence[Assumed]) -> list[str]:
    """Which prices are later than the call: said once where all are of one moment."""
    moments = {each.moment for each in assumed}
    if len(moments) == 1 and len(plan.assumed) == len(plan.prices):
        return [f"no price is known before {_in_words(moments.pop())}: the earliest known prices count"]
    return [
        f"{each.meter}: no price is known before {_in_words(each.moment)}: the earliest known price counts"
        for each in assumed
    ]


def remarks_of(plan: Plan, held: Sequence[Quantity]) -> tuple[list[Unpriced], list[str]]:
    """What has no price of what is held at each place, and what is to be said of the rest."""
    notes = [note for place, said in plan.notes if held[place] for note in said]
    gaps = [gap for gap in plan.gaps if held[gap.place]]
    notes += [note for gap in gaps for note in gap.notes]
    return [Unpriced(gap.meter, held[gap.place], gap.known_from) for gap in gaps], notes


def _in_words(moment: datetime) -> str:
    """A moment in UTC as RFC 3339 writes it."""
    return moment.isoformat().replace("+00:00", "Z")


def _in_utc(moment: datetime) -> datetime:
    if moment.utcoffset() is None:
        raise NaiveMoment(moment)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise CostError(f"at: {moment.isoformat()} has no moment in UTC that can be written") from None


PlanKey = tuple[tuple[str, ...], int, int, tuple[Slots, ...], tuple[str, str, str, str]]


def plan_key(sheet: PriceSheet, usage: Mapping[str, Any], at: datetime, terms: tuple[str, str, str, str]) -> PlanKey:
    """What ``price`` tells plans apart by, for a usage at a moment in UTC. Raises CostError and UsageError."""
    return (
        tuple(usage),
        bisect_right(sheet.edges, at) if sheet.edges else 0,
        bisect_left(sheet.thresholds, _input_tokens(usage)) if sheet.thresholds else 0,
        sheet.tariffs.slots(at, at) if sheet.has_slots else (),
        terms,
    )


def plan_of(sheet: PriceSheet, key: PlanKey, at: datetime) -> Plan:
    """The plan by which ``price`` prices usages of a key at a moment. Raises UsageError and UnknownTerm."""
    return sheet.plans.get(key) or _keep_plan(sheet, key, at)


def _keep_plan(sheet: PriceSheet, key: PlanKey, moment: datetime) -> Plan:
    keys, _, reached, slots, terms = key
    situation = sheet.tariffs.situation(moment, reached, slots)
    plan = make_plan(sheet.tariffs, keys, Terms(*terms), situation, sheet.currency)
    # One key for all sheets: small, and near at hand when the next sheet is asked.
    _keep(sheet, shared(key), plan)
    return plan


def _plan_assuming(sheet: PriceSheet, key: PlanKey, at: datetime) -> Plan:
    """The plan that charges what has no price yet at its earliest one."""
    kept_key = ("assuming", key)
    if (kept := sheet.plans.get(kept_key)) is not None:
        return kept
    keys, _, reached, slots, terms = key
    tariffs = sheet.tariffs

    def later(moment: datetime) -> Situation:
        return tariffs.situation(moment, reached, tariffs.slots(at, moment))

    situation = tariffs.situation(at, reached, slots)
    plan = make_plan(tariffs, keys, Terms(*terms), situation, sheet.currency, later)
    # The slots of the call's hour by later rules are no part of the key.
    if not sheet.has_slots:
        _keep(sheet, kept_key, plan)
    return plan


def _keep(sheet: PriceSheet, key: object, plan: Plan) -> None:
    if len(sheet.plans) >= PLANS_KEPT:
        sheet.plans.clear()
    sheet.plans[key] = plan
