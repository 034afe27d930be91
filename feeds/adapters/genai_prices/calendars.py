"""Naming the parts of a day that prices tell apart: peak, off-peak and what lies between."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from pricing.claims import Conditions, SlotRule, Tariff

PEAK = "peak"
OFF_PEAK = "off-peak"
SHOULDER = "shoulder"
DAY = 1440


@dataclass(frozen=True, slots=True)
class Segment:
    """UTC minutes [start, end) of every day, and what is charged in them."""

    start: int
    end: int
    sheet: Mapping[Conditions, Decimal]


@dataclass(frozen=True, slots=True)
class Calendar:
    """The rules of a period's slots; without rules, prices do not depend on the time of day."""

    rules: tuple[SlotRule, ...]

    @classmethod
    def without_slots(cls) -> Calendar:
        return cls(())


@dataclass(frozen=True, slots=True)
class _Part:
    """All segments of a day that charge the same."""

    sheet: Mapping[Conditions, Decimal]
    windows: tuple[tuple[int, int], ...]

    @property
    def minutes(self) -> int:
        return sum((end - start) % DAY or DAY for start, end in self.windows)


def divide_day(
    day: Sequence[Segment], outside: Mapping[Conditions, Decimal]
) -> tuple[dict[Conditions, Decimal], Calendar]:
    """A day's lines with the slots that they hold in, and the calendar of those slots.

    ``outside`` is what is charged when no window counts: the part of the day that charges it is the
    rest slot. A part that is cheaper than the rest is off-peak, a dearer one peak; the rest takes the
    other name, or ``shoulder`` between the two. A tariff that is the same all day has no slot.
    """
    parts = _parts(day)
    if len(parts) == 1:
        return dict(parts[0].sheet), Calendar.without_slots()
    rest = next((part for part in parts if part.sheet == outside), None) or max(parts, key=lambda part: part.minutes)
    named = _named(parts, rest)
    rules = [SlotRule(slot, windows=part.windows) for slot, part in named.items() if part is not rest]
    rest_rule = next(SlotRule(slot, is_rest=True) for slot, part in named.items() if part is rest)
    return _lines({slot: part.sheet for slot, part in named.items()}), Calendar((*rules, rest_rule))


def _parts(day: Sequence[Segment]) -> list[_Part]:
    sheets: list[Mapping[Conditions, Decimal]] = []
    for segment in day:
        if segment.sheet not in sheets:
            sheets.append(segment.sheet)
    return [_Part(sheet, _windows([segment for segment in day if segment.sheet == sheet])) for sheet in sheets]


def _windows(segments: Sequence[Segment]) -> tuple[tuple[int, int], ...]:
    """Adjoining segments as one window, over midnight too."""
    windows: list[tuple[int, int]] = []
    for segment in segments:
        if windows and windows[-1][1] == segment.start:
            windows[-1] = (windows[-1][0], segment.end)
        else:
            windows.append((segment.start, segment.end))
    if len(windows) > 1 and windows[0][0] == 0 and windows[-1][1] == DAY:
        windows = [*windows[1:-1], (windows[-1][0], windows[0][1])]
    return tuple(windows)


def _named(parts: Sequence[_Part], rest: _Part) -> dict[str, _Part]:
    step = {id(part): _dearer_by(part.sheet, rest.sheet) for part in parts}
    special = [part for part in parts if part is not rest]
    cheaper = sorted((part for part in special if step[id(part)] < 0), key=lambda part: step[id(part)])
    dearer = sorted((part for part in special if step[id(part)] >= 0), key=lambda part: -step[id(part)])
    named = dict(zip(_numbered(OFF_PEAK, len(cheaper)), cheaper, strict=True))
    named.update(zip(_numbered(PEAK, len(dearer)), dearer, strict=True))
    named[_rest_name(bool(cheaper), bool(dearer))] = rest
    return named


def _numbered(slot: str, count: int) -> list[str]:
    """``peak``, ``peak-2``, …: the first is the furthest from the rest."""
    return [slot if number == 1 else f"{slot}-{number}" for number in range(1, count + 1)]


def _rest_name(has_cheaper: bool, has_dearer: bool) -> str:
    if has_cheaper and has_dearer:
        return SHOULDER
    return PEAK if has_cheaper else OFF_PEAK


def _dearer_by(sheet: Mapping[Conditions, Decimal], other: Mapping[Conditions, Decimal]) -> Decimal:
    return sum((sheet[line] - other[line] for line in sheet.keys() & other.keys()), Decimal(0))


def _lines(sheets: Mapping[str, Mapping[Conditions, Decimal]]) -> dict[Conditions, Decimal]:
    by_slot = {slot: _by_tariff(sheet) for slot, sheet in sheets.items()}
    lines: dict[Conditions, Decimal] = {}
    for tariff in dict.fromkeys(tariff for tariffs in by_slot.values() for tariff in tariffs):
        whole = [tariffs.get(tariff, {}) for tariffs in by_slot.values()]
        if all(prices == whole[0] for prices in whole):
            lines.update(whole[0])
        else:
            lines.update(_slotted((slot, tariffs.get(tariff, {})) for slot, tariffs in by_slot.items()))
    return lines


def _by_tariff(sheet: Mapping[Conditions, Decimal]) -> dict[Tariff, dict[Conditions, Decimal]]:
    tariffs: dict[Tariff, dict[Conditions, Decimal]] = {}
    for line, amount in sheet.items():
        tariffs.setdefault(line.tariff, {})[line] = amount
    return tariffs


def _slotted(
    prices_by_slot: Iterable[tuple[str, Mapping[Conditions, Decimal]]],
) -> Iterable[tuple[Conditions, Decimal]]:
    for slot, prices in prices_by_slot:
        for line, amount in prices.items():
            yield replace(line, slot=slot), amount
