"""When a calendar slot applies: windows in a time zone, on weekdays, without holidays, while the rule is in force.

A window is read off the clock on the wall of its zone. So in the hour that the clock shows twice (a
fold) it holds both times, and in the hour that the clock leaves out (a gap) it never holds. The
weekday and the holiday are those of the local day on which the window starts, also after midnight.
A rule counts from ``effective_from`` until before ``effective_until``, which may cut a window short.

At an instant the slots stand in one order, the most specific first:

1. slots whose windows hold, the one with the fewest minutes in a week first, then by name;
2. slots of the rest, by name.

The first of them that a tariff has a line for is the one that applies to that tariff, and a line
without a slot comes after them all. So the slots with the rest are a partition of time.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pricing.claims import SlotRule

_MINUTE = 60
_DAY = 86_400
_WEEK = 7 * _DAY
_DAY_MINUTES = 1_440
_WEEK_MINUTES = 7 * _DAY_MINUTES
# A Monday at 00:00 UTC, from which weeks are numbered.
_MONDAY = datetime(1970, 1, 5, tzinfo=UTC)
_MONDAY_DATE = _MONDAY.date()
_KEPT_WEEKS = 512

Slots = tuple[str, ...]


class UnknownCalendar(ValueError):
    """A rule names a time zone or a holiday calendar that does not exist."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time in which one slot applies; the empty slot where none does."""

    start: datetime
    end: datetime
    slot: str


def applies(rules: Iterable[SlotRule], slot: str, instant: datetime) -> bool:
    """Whether the slot is the one of these rules that applies at an aware instant. Raises UnknownCalendar."""
    return slot_at(rules, instant) == slot


def slot_at(rules: Iterable[SlotRule], instant: datetime) -> str:
    """The one slot that applies at an aware instant, or nothing. Raises UnknownCalendar."""
    return next(iter(Calendar(rules).slots_at(instant)), "")


def partition(rules: Iterable[SlotRule], instant: datetime) -> tuple[Span, ...]:
    """The week from Monday 00:00 UTC that holds the instant, cut into spans of one slot each.

    Two calendars that are written differently but mean the same have the same spans. Rules are those
    in force at the instant. Raises UnknownCalendar.
    """
    return Calendar(rules).week_of(instant)


class Calendar:
    """The rules of some slots, ready to be asked often. Raises UnknownCalendar when made."""

    __slots__ = ("_edges", "_phases")

    def __init__(self, rules: Iterable[SlotRule]) -> None:
        rules = tuple(rules)
        edges = {moment for rule in rules for moment in (rule.effective_from, rule.effective_until) if moment}
        self._edges = sorted(edges)
        starts = [None, *self._edges]
        self._phases = tuple(_Phase([rule for rule in rules if _counts_from(rule, start)]) for start in starts)

    def slots_at(self, instant: datetime, in_force_at: datetime | None = None) -> Slots:
        """The slots that hold at an aware instant, the most specific first, those of the rest last.

        The rules are those in force at ``in_force_at``, by default at the instant itself.
        """
        return self._phase(in_force_at or instant).slots_at(instant)

    def week_of(self, instant: datetime, among: Collection[str] | None = None) -> tuple[Span, ...]:
        """The spans of the instant's UTC week, by the rules in force at it; ``among`` are the slots that count."""
        return self._phase(instant).spans(_week_and_second(instant)[0], among)

    def contested(self, instant: datetime) -> tuple[datetime, Slots] | None:
        """The first moment of the instant's UTC week at which the windows of several slots hold, and these slots."""
        return self._phase(instant).contested(_week_and_second(instant)[0])

    def _phase(self, moment: datetime) -> _Phase:
        return self._phases[bisect_right(self._edges, moment)]


def _counts_from(rule: SlotRule, start: datetime | None) -> bool:
    """Whether a rule is in force from an edge on; None is before every edge."""
    if start is None:
        return rule.effective_from is None
    began = rule.effective_from is None or rule.effective_from <= start
    return began and (rule.effective_until is None or start < rule.effective_until)


def _week_and_second(instant: datetime) -> tuple[int, int]:
    since = instant - _MONDAY
    week, day = divmod(since.days, 7)
    return week, day * _DAY + since.seconds


@dataclass(frozen=True, slots=True)
class _Table:
    """A UTC week: the seconds at which the holding slots change, and what holds from each on."""

    starts: tuple[int, ...]
    slots: tuple[Slots, ...]

    def at(self, second: int) -> Slots:
        return self.slots[bisect_right(self.starts, second) - 1]


class _Phase:
    """The rules in force between two edges.

    Weeks that look alike (the same offsets of the zones, no holidays) share one table; where no week
    can differ there is one table for all.
    """

    __slots__ = ("_always", "_order", "_rest", "_tables", "_weeks", "_windowed")

    def __init__(self, rules: Sequence[SlotRule]) -> None:
        self._windowed = [rule for rule in rules if not rule.is_rest]
        for rule in self._windowed:
            _refuse_unknown(rule)
        self._order = _narrowest_first(self._windowed)
        self._rest = tuple(sorted({rule.slot for rule in rules if rule.is_rest}))
        self._tables: dict[Hashable, _Table] = {}
        self._weeks: dict[int, _Table] = {}
        self._always = None if any(map(_varies, self._windowed)) else self._table(0)

    def slots_at(self, instant: datetime) -> Slots:
        week, second = _week_and_second(instant)
        return (self._always or self._table(week)).at(second)

    def spans(self, week: int, among: Collection[str] | None = None) -> tuple[Span, ...]:
        table = self._table(week)
        first = [next((slot for slot in slots if among is None or slot in among), "") for slots in table.slots]
        cuts = [place for place, slot in enumerate(first) if place == 0 or first[place - 1] != slot]
        monday = _MONDAY + timedelta(weeks=week)
        starts = [monday + timedelta(seconds=table.starts[place]) for place in cuts]
        ends = [*starts[1:], monday + timedelta(weeks=1)]
        return tuple(Span(start, end, first[place]) for start, end, place in zip(starts, ends, cuts, strict=True))

    def contested(self, week: int) -> tuple[datetime, Slots] | None:
        table = self._table(week)
        for start, slots in zip(table.starts, table.slots, strict=True):
            windowed = tuple(slot for slot in slots if slot in self._order)
            if len(windowed) > 1:
                return _MONDAY + timedelta(weeks=week, seconds=start), windowed
        return None

    def _table(self, week: int) -> _Table:
        table = self._weeks.get(week)
        if table is None:
            likeness = tuple(_circumstances(rule, week) for rule in self._windowed)
            table = self._tables.get(likeness) or self._read(week)
            if len(self._weeks) >= _KEPT_WEEKS:
                self._weeks.clear()
                self._tables.clear()
            self._weeks[week] = self._tables[likeness] = table
        return table

    def _read(self, week: int) -> _Table:
        held: dict[str, list[tuple[int, int]]] = {slot: [] for slot in self._order}
        for rule in self._windowed:
            held[rule.slot].extend(_intervals(rule, week))
        starts = sorted({0, *(edge for intervals in held.values() for pair in intervals for edge in pair)} - {_WEEK})
        return _Table(tuple(starts), tuple(self._slots_from(start, held) for start in starts))

    def _slots_from(self, second: int, held: dict[str, list[tuple[int, int]]]) -> Slots:
        windowed = [slot for slot in self._order if any(start <= second < end for start, end in held[slot])]
        return (*windowed, *(slot for slot in self._rest if slot not in windowed))


def _refuse_unknown(rule: SlotRule) -> None:
    _zone(rule.time_zone)
    _holidays(rule.holidays, _MONDAY.year)


def _varies(rule: SlotRule) -> bool:
    """Whether one week may differ from another."""
    return bool(rule.holidays) or _zone(rule.time_zone).utcoffset(None) is None


def _circumstances(rule: SlotRule, week: int) -> Hashable:
    """What a week's intervals of a rule depend on, besides the rule itself."""
    return _offsets(rule.time_zone, week), _days_off(rule.holidays, week) if rule.holidays else ()


def _intervals(rule: SlotRule, week: int) -> Iterator[tuple[int, int]]:
    """The rule's windows as seconds [start, end) of a UTC week."""
    days_off = _days_off(rule.holidays, week)
    for first, last, offset in _offsets(rule.time_zone, week):
        # A window may have begun on the local day before.
        for day in range((first + offset) // _DAY - 1, (last + offset - 1) // _DAY + 1):
            if day in days_off or (rule.weekdays and day % 7 + 1 not in rule.weekdays):
                continue
            for start, end in map(_minutes, rule.windows):
                begins = max(day * _DAY + start * _MINUTE - offset, first)
                ends = min(day * _DAY + end * _MINUTE - offset, last)
                if begins < ends:
                    yield begins, ends


def _minutes(window: tuple[int, int]) -> tuple[int, int]:
    """A window with its end after its start, on the next day if need be."""
    start, end = window
    return (start, end) if start < end else (start, end + _DAY_MINUTES)


@lru_cache(maxsize=4096)
def _offsets(time_zone: str, week: int) -> tuple[tuple[int, int, int], ...]:
    """The stretches of a UTC week in which a zone keeps its offset: first and last second, and the offset."""
    zone, monday = _zone(time_zone), _MONDAY + timedelta(weeks=week)
    changes = [0]
    for day in range(7):
        changes += _change(zone, monday, day * _DAY, (day + 1) * _DAY)
    ends = [*changes[1:], _WEEK]
    return tuple((start, end, _offset(zone, monday, start)) for start, end in zip(changes, ends, strict=True))


def _change(zone: ZoneInfo, monday: datetime, low: int, high: int) -> list[int]:
    """The first second after ``low``, up to ``high``, at which the offset is another."""
    before = _offset(zone, monday, low)
    if _offset(zone, monday, high) == before:
        return []
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(zone, monday, middle) == before:
            low = middle
        else:
            high = middle
    return [high] if high < _WEEK else []


def _offset(zone: ZoneInfo, monday: datetime, second: int) -> int:
    offset = (monday + timedelta(seconds=second)).astimezone(zone).utcoffset()
    assert offset is not None
    return offset.days * _DAY + offset.seconds


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UnknownCalendar(f"unknown time zone {name!r}; a name such as Asia/Shanghai was expected") from None


@lru_cache(maxsize=1024)
def _days_off(calendar: str, week: int) -> frozenset[int]:
    """Which days around a week are holidays, numbered from its Monday as 0; a zone may be up to two days away."""
    monday = _MONDAY_DATE + timedelta(weeks=week)
    days = ((number, monday + timedelta(days=number)) for number in range(-2, 9))
    return frozenset(number for number, day in days if day in _holidays(calendar, day.year))


@lru_cache(maxsize=256)
def _holidays(calendar: str, year: int) -> frozenset[date]:
    """A year's public holidays by the holidays package: a country such as ``CN``, or ``US-CA`` for a part of one.

    Days on which a country works in exchange for a holiday are no part of it: the weekdays decide.
    """
    if not calendar:
        return frozenset()
    # A tenth of a second to import, which only calendars with holidays need.
    from holidays import country_holidays

    country, _, part = calendar.partition("-")
    try:
        return frozenset(country_holidays(country, subdiv=part or None, years=year, expand=False))
    except NotImplementedError:
        raise UnknownCalendar(f"unknown holiday calendar {calendar!r}; a country such as CN was expected") from None


def _narrowest_first(rules: Sequence[SlotRule]) -> Slots:
    by_slot: dict[str, list[SlotRule]] = {}
    for rule in rules:
        by_slot.setdefault(rule.slot, []).append(rule)
    return tuple(sorted(by_slot, key=lambda slot: (_weekly_minutes(by_slot[slot]), slot)))


def _weekly_minutes(rules: Iterable[SlotRule]) -> int:
    """How many minutes of a week, holidays aside, the rules' windows hold."""
    total = reached = 0
    for start, end in sorted(_nominal(rules)):
        total += max(end - max(start, reached), 0)
        reached = max(reached, end)
    return total


def _nominal(rules: Iterable[SlotRule]) -> Iterator[tuple[int, int]]:
    for rule in rules:
        for weekday in rule.weekdays or range(1, 8):
            for start, end in map(_minutes, rule.windows):
                begins, ends = (weekday - 1) * _DAY_MINUTES + start, (weekday - 1) * _DAY_MINUTES + end
                yield begins, min(ends, _WEEK_MINUTES)
                if ends > _WEEK_MINUTES:
                    yield 0, ends - _WEEK_MINUTES
