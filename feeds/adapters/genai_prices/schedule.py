"""From a model's conditional prices to dated claims, and to the calendar that their slots follow.

The rules are the library's own (``ModelInfo.get_prices`` in github.com/pydantic/genai-prices): the last
entry that holds sets all standard prices, the first entry stands in when none holds, and of the
variants that fit a request the first that holds sets each price. Time is cut at every date, each day
of such a period at every window's edge; what is alike is then joined again.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import TypeVar

from feeds.adapters.genai_prices.calendars import DAY, Calendar, Segment, divide_day
from feeds.adapters.genai_prices.entries import Entry, Prices, Thresholds
from feeds.adapters.genai_prices.scopes import Context, Scope, scopes
from pricing.claims import Claim, Conditions, SlotRule

Sheet = dict[Conditions, Decimal]
Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Period:
    """UTC days [starts_on, ends_on) between which no entry begins; None is open."""

    starts_on: date | None
    ends_on: date | None

    @property
    def day(self) -> date:
        return self.starts_on or date.min


@dataclass(frozen=True, slots=True)
class Schedule:
    """All that a model's prices say over time."""

    claims: tuple[Claim, ...]
    slots: tuple[SlotRule, ...]


def schedule(entries: Sequence[Entry], variants: Sequence[Entry]) -> Schedule:
    """The claims of a model's entries and variants, none of which overlap on one line."""
    tariffs = _Tariffs(entries, variants, scopes(variant.context for variant in variants))
    periods = [(period, tariffs.period_sheet(period)) for period in _periods([*entries, *variants])]
    claims = _join((period, sheet) for period, (sheet, _) in periods)
    rules = _join((period, dict.fromkeys(calendar.rules)) for period, (_, calendar) in periods)
    return Schedule(
        tuple(_claim(line, amount, period) for line, amount, period in sorted(claims, key=_line_and_time)),
        tuple(_dated(rule, period) for rule, _, period in rules),
    )


def _line_and_time(held: tuple[Conditions, Decimal, Period]) -> tuple[Conditions, date]:
    line, _, period = held
    return line, period.day


def _periods(entries: Iterable[Entry]) -> list[Period]:
    dates = sorted({entry.constraint.starts_on for entry in entries if entry.constraint.starts_on})
    return [Period(start, end) for start, end in zip([None, *dates], [*dates, None], strict=True)]


@dataclass(frozen=True, slots=True)
class _Tariffs:
    entries: Sequence[Entry]
    variants: Sequence[Entry]
    scopes: Mapping[Context, Scope]

    def period_sheet(self, period: Period) -> tuple[Sheet, Calendar]:
        """The lines of a period with their slots, and the calendar of those slots."""
        windows = [
            entry.constraint.window
            for entry in (*self.entries, *self.variants)
            if entry.constraint.window and entry.constraint.dated_by(period.day)
        ]
        if not windows:
            return self.sheet(period.day, None), Calendar.without_slots()
        cuts = sorted({0, *(minute for window in windows for minute in window)})
        day = [
            Segment(start, end, self.sheet(period.day, start))
            for start, end in zip(cuts, [*cuts[1:], DAY], strict=True)
        ]
        return divide_day(day, self.sheet(period.day, None))

    def sheet(self, day: date, minute: int | None) -> Sheet:
        """Every line's amount at a minute of a day; without a minute, outside all windows."""
        standard = self._standard(day, minute)
        lines: Sheet = {}
        for context, scope in self.scopes.items():
            prices = self._overrides(context, standard, day, minute) if context else standard
            for meter, thresholds in prices.items():
                for above, amount in thresholds.items():
                    lines[scope.line(meter, above)] = amount
        return lines

    def _standard(self, day: date, minute: int | None) -> Prices:
        for entry in reversed(self.entries):
            if entry.constraint.holds(day, minute):
                return entry.prices
        first = self.entries[:1]
        return first[0].prices if first and first[0].constraint.dated_by(day) else {}

    def _overrides(self, context: Context, standard: Prices, day: date, minute: int | None) -> Prices:
        """What a request with this context pays otherwise than the standard prices.

        Outside a variant's window its meters go at the standard price; saying so keeps its lines
        whole over the day.
        """
        fitting = [entry for entry in self.variants if entry.context <= context and entry.constraint.dated_by(day)]
        prices: dict[str, Thresholds] = {}
        for entry in fitting:
            if entry.constraint.holds(day, minute):
                prices = {**entry.prices, **prices}
        for meter in (meter for entry in fitting for meter in entry.prices):
            if meter not in prices and meter in standard:
                prices[meter] = standard[meter]
        return prices


def _join(periods: Iterable[tuple[Period, Mapping[Key, Value]]]) -> Iterator[tuple[Key, Value, Period]]:
    """Each key's value with the longest period over which it stays the same, without a gap."""
    running: dict[Key, tuple[Value, Period]] = {}
    for period, values in periods:
        for key in [key for key in running if key not in values]:
            value, held = running.pop(key)
            yield key, value, held
        for key, value in values.items():
            if key in running:
                before, held = running[key]
                if before == value:
                    running[key] = (value, Period(held.starts_on, period.ends_on))
                    continue
                yield key, before, held
            running[key] = (value, period)
    for key, (value, held) in running.items():
        yield key, value, held


def _claim(line: Conditions, amount: Decimal, period: Period) -> Claim:
    return Claim(
        line,
        amount,
        effective_from=_midnight(period.starts_on),
        effective_until=_midnight(period.ends_on),
        precision="day" if period.starts_on else "observed",
    )


def _dated(rule: SlotRule, period: Period) -> SlotRule:
    return replace(rule, effective_from=_midnight(period.starts_on), effective_until=_midnight(period.ends_on))


def _midnight(day: date | None) -> datetime | None:
    return None if day is None else datetime.combine(day, time(), tzinfo=UTC)
