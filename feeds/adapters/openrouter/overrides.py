"""Prices that hold under conditions: OpenRouter's ``overrides``, by length of the prompt and hour of the day.

An entry applies when all its conditions do; of those that apply the last one that names a price
key sets it, and a key that none names keeps the base price (openrouter.ai/docs, PricingOverride).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise

from feeds.adapters.amounts import BadRow, shown
from pricing.claims import SlotRule

OVERRIDES = "overrides"
_LENGTH = "min_prompt_tokens"
_START, _END = "utc_start", "utc_end"
_CONDITIONS = frozenset({_LENGTH, _START, _END})
_PEAK, _OFF_PEAK = "peak", "off-peak"
_REST = "rest"
_DAY = 1440

Prices = Mapping[str, Decimal]
Window = tuple[int, int]
ReadPrice = Callable[[str, object], Decimal]


@dataclass(frozen=True, slots=True)
class Override:
    """Prices by key that hold above so many input tokens, and inside a window of the UTC day if it has one."""

    prices: Prices
    above_input_tokens: int = 0
    window: Window | None = None

    def covers(self, minute: int) -> bool:
        """Whether a minute of the UTC day is inside the window; a window may cross midnight."""
        if self.window is None:
            return True
        start, end = self.window
        return start <= minute < end if start < end else minute >= start or minute < end


@dataclass(frozen=True, slots=True)
class Cell:
    """One price of the sheet, in USD for one unit."""

    key: str
    above_input_tokens: int
    slot: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the day in which the same entries with windows apply; ``minute`` is one in it."""

    minute: int
    windows: list[Window] = field(default_factory=list)


def read_overrides(value: object, known: Set[str], price: ReadPrice) -> tuple[list[Override], list[str]]:
    """The entries that can be read, and the names in them that no rule understands.

    An entry under a condition that is not known is left out whole, since it does not hold always.
    Raises BadRow for a bad price or condition.
    """
    if value is None:
        return [], []
    if not isinstance(value, list):
        return [], [OVERRIDES]
    found, unknown = [], []
    for entry in value:
        if not isinstance(entry, dict):
            unknown.append(OVERRIDES)
            continue
        strange = [name for name in entry if name not in known and name not in _CONDITIONS]
        unknown += [f"{OVERRIDES}.{name}" for name in strange]
        if all(_may_be_price(entry[name]) for name in strange):
            found.append(_override(entry, known, price))
    return found, unknown


def _may_be_price(value: object) -> bool:
    """Prices are strings here and conditions are not, so that an unknown string takes nothing from the rest."""
    return isinstance(value, str) and value.replace(".", "", 1).isdigit()


def _override(entry: Mapping[str, object], known: Set[str], price: ReadPrice) -> Override:
    prices = {key: price(f"{OVERRIDES}.{key}", entry[key]) for key in known if entry.get(key) is not None}
    return Override(prices, _above(entry.get(_LENGTH)), _window(entry))


def _above(value: object) -> int:
    """At least n tokens is more than n-1."""
    if value is None:
        return 0
    if type(value) is not int or value < 0:
        raise BadRow(f"{OVERRIDES}.{_LENGTH} is {shown(value)}, but it is a whole number of tokens")
    return max(value - 1, 0)


def _window(entry: Mapping[str, object]) -> Window | None:
    if entry.get(_START) is None and entry.get(_END) is None:
        return None
    return _minute(_START, entry.get(_START)) % _DAY, _minute(_END, entry.get(_END))


def _minute(name: str, value: object) -> int:
    """Minutes from midnight of a time written as a number, HHMM."""
    if type(value) is not int or not 0 <= value <= 2400 or value % 100 > 59:
        raise BadRow(f"{OVERRIDES}.{name} is {shown(value)}, but a time is a number HHMM from 0 to 2400")
    return value // 100 * 60 + value % 100


def cells(base: Prices, overrides: Sequence[Override]) -> tuple[list[Cell], tuple[SlotRule, ...]]:
    """All prices of the sheet, and the rules of the slots that they name."""
    parts = _parts([override for override in overrides if override.window])
    names = _names(parts, base, overrides)
    found = []
    for key in dict.fromkeys([*base, *(key for override in overrides for key in override.prices)]):
        setting = [override for override in overrides if key in override.prices]
        by_hour = any(override.window for override in setting)
        for above in sorted({0} | {override.above_input_tokens for override in setting}):
            for part, slot in zip(parts, names, strict=True) if by_hour else [(Part(0), "")]:
                amount = _in_force(key, base, setting, above, part.minute)
                if amount is not None:
                    found.append(Cell(key, above, slot, amount))
    return found, tuple(_rules(parts, names))


def _in_force(key: str, base: Prices, setting: Iterable[Override], above: int, minute: int) -> Decimal | None:
    amount = base.get(key)
    for override in setting:
        if override.above_input_tokens <= above and override.covers(minute):
            amount = override.prices[key]
    return amount


def _parts(windowed: Sequence[Override]) -> list[Part]:
    """The UTC day cut at every window's edges; what is alike is one part, the hours of no window last."""
    if not windowed:
        return []
    edges = {0, _DAY} | {edge for override in windowed if override.window for edge in override.window}
    found: dict[tuple[bool, ...], Part] = {}
    for start, end in pairwise(sorted(edges)):
        inside = tuple(override.covers(start) for override in windowed)
        windows = found.setdefault(inside, Part(start)).windows
        if windows and windows[-1][1] == start:
            windows[-1] = (windows[-1][0], end)
        else:
            windows.append((start, end))
    for part in found.values():
        _join_over_midnight(part.windows)
    return [part for _, part in sorted(found.items(), key=lambda item: not any(item[0]))]


def _join_over_midnight(windows: list[Window]) -> None:
    if len(windows) > 1 and windows[0][0] == 0 and windows[-1][1] == _DAY:
        windows[-1] = (windows[-1][0], windows.pop(0)[1])


def _names(parts: Sequence[Part], base: Prices, overrides: Sequence[Override]) -> list[str]:
    """No slot for a whole day, peak and off-peak for two parts of it; else each window's hours, and the rest."""
    if len(parts) == 1:
        return [""]
    if len(parts) == 2:
        return [_PEAK, _OFF_PEAK] if _is_dearer(parts, base, overrides) else [_OFF_PEAK, _PEAK]
    return [_hours(part) for part in parts[:-1]] + [_REST] * bool(parts)


def _is_dearer(parts: Sequence[Part], base: Prices, overrides: Sequence[Override]) -> bool:
    keys = {key for override in overrides if override.window for key in override.prices}
    pairs = []
    for key in keys:
        setting = [override for override in overrides if key in override.prices]
        inside, outside = (_in_force(key, base, setting, 0, part.minute) for part in parts)
        if inside is not None and outside is not None:
            pairs.append((inside, outside))
    return all(inside >= outside for inside, outside in pairs) and any(inside > outside for inside, outside in pairs)


def _hours(part: Part) -> str:
    start, end = part.windows[0]
    return f"{start // 60:02}:{start % 60:02}-{end // 60 % 24:02}:{end % 60:02}"


def _rules(parts: Sequence[Part], names: Sequence[str]) -> Iterable[SlotRule]:
    if len(parts) < 2:
        return
    for part, name in zip(parts[:-1], names, strict=False):
        yield SlotRule(name, tuple(part.windows))
    yield SlotRule(names[-1], is_rest=True)
