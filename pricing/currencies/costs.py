"""Costs in the currency that was asked for: each amount at the rate of its line's moment."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import reduce
from typing import TYPE_CHECKING

from pricing.costing.asked import AskedLine, LineFault
from pricing.currencies.conversion import Conversion, NoRate, Rates
from pricing.currencies.recorded import current_rates
from tracker.amounts import EXACT

if TYPE_CHECKING:  # which asks this module
    from pricing.costing.lines import Answer, Asked, CostedLine


def in_one_currency(currency: str, answers: Sequence[Answer], lines: Sequence[Asked], now: datetime) -> list[Answer]:
    """The answers to lines with every amount in one currency; a line without a rate for it errs alone."""
    rates = current_rates()
    return [_in_currency(currency, *pair, now, rates) for pair in zip(answers, lines, strict=True)]


def _in_currency(currency: str, answer: Answer, line: Asked, now: datetime, rates: Rates) -> Answer:
    if isinstance(answer, LineFault) or not isinstance(line, AskedLine):
        return answer
    return costed_in(currency, answer, line.at or now, line.known_at, rates)


def costed_in(currency: str, costed: CostedLine, at: datetime, known_at: datetime | None, rates: Rates) -> Answer:
    """What a line cost in a currency, at the rates of a moment as known at another.

    The total is the exact sum of the converted items.
    """
    cost = costed.cost
    if cost.plan.currency == currency:
        return costed
    columns = list(zip(cost.amounts, cost.quantities, cost.plan.prices, strict=True))
    sold_in = dict.fromkeys(price.currency for _, quantity, price in columns if quantity)
    try:
        by = {each: rates.conversion(each, currency, at, known_at) for each in sold_in if each != currency}
    except NoRate as error:
        return LineFault(("currency",), str(error), error.choices)
    amounts = [
        by[price.currency].of(amount) if quantity and price.currency in by else amount
        for amount, quantity, price in columns
    ]
    total = reduce(EXACT.add, amounts) if amounts else cost.sum_of_amounts
    converted = cost._replace(amounts=amounts, sum_of_amounts=total)
    return costed._replace(
        cost=converted, currency=currency, notes=(*costed.notes, *notes_on(by.values())), rates=list(by.values())
    )


def notes_on(conversions: Iterable[Conversion]) -> list[str]:
    """What a reader would not expect of the rates: that an earlier day stands in."""
    return [conversion.note for conversion in conversions if conversion.stands_in]
