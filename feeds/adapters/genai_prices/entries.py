"""Reading the price objects of genai-prices: conditional entries, variants, tiers and time windows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from feeds.adapters.amounts import BadRow, check_fields, fits_ledger, price_amount, shape_name, shown
from feeds.adapters.genai_prices.scopes import Context
from feeds.adapters.genai_prices.units import UNITS, Unit

# Amounts by the input size above which they hold: the key 0 is the base price.
Thresholds = Mapping[int, Decimal]
# Thresholds by meter: what a price object says.
Prices = Mapping[str, Thresholds]

_CONSTRAINT_FIELDS = frozenset({"start_date", "start_time", "end_time"})


@dataclass(frozen=True, slots=True)
class Constraint:
    """When an entry holds: from a UTC date on, and in a daily window of UTC minutes [start, end)."""

    starts_on: date | None = None
    window: tuple[int, int] | None = None

    def dated_by(self, day: date) -> bool:
        """Whether it has begun by that day; ``date.min`` is before every date."""
        return self.starts_on is None or day >= self.starts_on

    def holds(self, day: date, minute: int | None) -> bool:
        """Whether a request of that day and minute is meant; no minute lies outside all windows."""
        return self.dated_by(day) and self._within_window(minute)

    def _within_window(self, minute: int | None) -> bool:
        if self.window is None or minute is None:
            return self.window is None
        start, end = self.window
        if end < start:
            return minute >= start or minute < end
        return start <= minute < end


@dataclass(frozen=True, slots=True)
class Entry:
    """A price object, and when and for which requests it is meant."""

    prices: Prices
    constraint: Constraint = Constraint()
    context: Context = frozenset()


def read_entries(prices: object, unrecognised: Counter[str]) -> list[Entry]:
    """A model's ``prices``: one price object, or a list of conditional ones in their order.

    An undated window counts from the nearest dated entry before it. Raises BadRow.
    """
    if prices is None:
        return []
    if isinstance(prices, dict):
        return [Entry(read_prices("prices", prices, unrecognised))]
    if not isinstance(prices, list):
        raise BadRow(f"prices is {shape_name(prices)}; an object or a list was expected")
    entries = [_conditional(entry, unrecognised) for entry in prices]
    return _anchored(entries)


def _conditional(entry: object, unrecognised: Counter[str]) -> Entry:
    fields = _object("prices[]", entry, {"constraint", "prices"})
    prices = read_prices("prices[].prices", fields.get("prices"), unrecognised)
    return Entry(prices, _constraint("prices[].constraint", fields.get("constraint")))


def _anchored(entries: list[Entry]) -> list[Entry]:
    anchored = []
    last_date: date | None = None
    for entry in entries:
        constraint = entry.constraint
        last_date = constraint.starts_on or last_date
        if constraint.window and constraint.starts_on is None:
            constraint = Constraint(last_date, constraint.window)
        anchored.append(Entry(entry.prices, constraint))
    return anchored


def read_variants(variants: object, unrecognised: Counter[str]) -> list[Entry]:
    """A model's ``price_variants``: partial prices for requests with a context. Raises BadRow."""
    if variants is None:
        return []
    if not isinstance(variants, list):
        raise BadRow(f"price_variants is {shape_name(variants)}; a list was expected")
    return [_variant(variant, unrecognised) for variant in variants]


def _variant(variant: object, unrecognised: Counter[str]) -> Entry:
    fields = _object("price_variants[]", variant, {"when", "prices", "constraint"})
    when = fields.get("when")
    if not isinstance(when, dict) or not when or not all(isinstance(value, str) for value in when.values()):
        raise BadRow(f"price_variants[].when is {shown(when)}; an object of strings was expected")
    return Entry(
        read_prices("price_variants[].prices", fields.get("prices"), unrecognised),
        _constraint("price_variants[].constraint", fields.get("constraint")),
        frozenset(when.items()),
    )


def _object(path: str, value: object, known: set[str]) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise BadRow(f"{path} is {shape_name(value)}; an object was expected")
    unknown = sorted(value.keys() - known)
    if unknown:
        raise BadRow(f"{path} has {unknown[0]!r}, whose meaning is not known; known are {', '.join(sorted(known))}")
    return value


def read_prices(path: str, prices: object, unrecognised: Counter[str]) -> Prices:
    """One price object by meter; keys that no rule knows are counted. Raises BadRow."""
    if not isinstance(prices, dict):
        raise BadRow(f"{path} is {shape_name(prices)}; an object was expected")
    check_fields(prices, path)
    by_meter: dict[str, Thresholds] = {}
    for key, value in prices.items():
        if value is None:
            continue
        unit = UNITS.get(key)
        if unit is None:
            unrecognised[key] += 1
        else:
            by_meter[unit.meter] = _thresholds(f"{path}.{key}", value, unit)
    return by_meter


def _thresholds(field: str, value: object, unit: Unit) -> Thresholds:
    """A price, or a base price with tiers that hold for the whole request above their start."""
    if not isinstance(value, dict):
        return {0: _amount(field, value, unit)}
    fields = _object(field, value, {"base", "tiers"})
    tiers = fields.get("tiers", [])
    if not isinstance(tiers, list):
        raise BadRow(f"{field}.tiers is {shape_name(tiers)}; a list was expected")
    amounts = {0: _amount(f"{field}.base", fields.get("base"), unit)}
    for tier in tiers:
        steps = _object(f"{field}.tiers[]", tier, {"start", "price"})
        amounts[_tier_start(field, steps.get("start"))] = _amount(f"{field}.tiers[].price", steps.get("price"), unit)
    return amounts


def _tier_start(field: str, start: object) -> int:
    if not isinstance(start, int) or isinstance(start, bool) or start < 0:
        raise BadRow(f"{field}.tiers[].start is {shown(start)}; a whole number of tokens was expected")
    return start


def _amount(field: str, value: object, unit: Unit) -> Decimal:
    amount = unit.canonical(price_amount(value, field))
    if not fits_ledger(amount):
        raise BadRow(f"{field} is {shown(value)}, which per unit of {unit.meter} has more digits than the ledger keeps")
    return amount


def _constraint(path: str, constraint: object) -> Constraint:
    if constraint is None:
        return Constraint()
    fields = _object(path, constraint, set(_CONSTRAINT_FIELDS))
    start_date = fields.get("start_date")
    starts_on = None if start_date is None else _date(f"{path}.start_date", start_date)
    if "start_time" not in fields and "end_time" not in fields:
        return Constraint(starts_on)
    window = (
        _minute(f"{path}.start_time", fields.get("start_time")),
        _minute(f"{path}.end_time", fields.get("end_time")),
    )
    return Constraint(starts_on, window)


def _date(field: str, value: object) -> date:
    try:
        return date.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        raise BadRow(f"{field} is {shown(value)}; a date such as 2026-09-01 was expected") from None


def _minute(field: str, value: object) -> int:
    """A time of day as UTC minutes from midnight; without an offset it is UTC."""
    try:
        clock = time.fromisoformat(value if isinstance(value, str) else "")
    except ValueError:
        raise BadRow(f"{field} is {shown(value)}; a time such as 16:30:00Z was expected") from None
    if clock.second or clock.microsecond:
        raise BadRow(f"{field} is {shown(value)}; a time on a whole minute was expected")
    moment = datetime.combine(date(2000, 1, 2), clock, tzinfo=clock.tzinfo or UTC).astimezone(UTC)
    return moment.hour * 60 + moment.minute
