"""The hours of an ``off_peak_pricing`` block, in each of the shapes that LiteLLM writes them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

Window = tuple[int, int]
Weekdays = tuple[int, ...]

_DAY = 1440
_HOURS = re.compile(r"\s*(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})\s*")
_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SHORTEST_NAME = 3


class UnknownSchedule(ValueError):
    """A part of a schedule that cannot be read; ``field`` is its name."""

    def __init__(self, field: str) -> None:
        super().__init__(f"{field} cannot be read")
        self.field = field


def read_schedule(block: Mapping[str, object]) -> dict[Weekdays, tuple[Window, ...]]:
    """The block's windows in minutes of the UTC day, by ISO weekdays; no weekdays means every day.

    Windows at the top and in ``windows`` add up. Each shape of one schedule gives the same
    result. Raises UnknownSchedule.
    """
    found: dict[Weekdays, set[Window]] = {}
    zone_shift = _weekday_shift(block.get("weekday_timezone"))
    for rule in _rules(block):
        weekdays = _weekdays(rule.get("weekdays"))
        for window in _hours(rule.get("hours_utc")):
            for days, part in _by_utc_day(window, weekdays, zone_shift):
                found.setdefault(days, set()).add(part)
    if not found:
        raise UnknownSchedule("windows")
    return {days: tuple(sorted(windows)) for days, windows in found.items()}


def _rules(block: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    windows = block.get("windows")
    if "hours_utc" in block or windows is None:
        yield block
    if windows is None:
        return
    if not isinstance(windows, list) or not all(isinstance(rule, dict) for rule in windows):
        raise UnknownSchedule("windows")
    yield from windows


def _hours(value: object) -> list[Window]:
    texts = value if isinstance(value, list) else [value]
    if not texts:
        raise UnknownSchedule("hours_utc")
    return [_window(text) for text in texts]


def _window(text: object) -> Window:
    """Minutes from midnight; an end at midnight is the day's end, and equal ends are the whole day."""
    hours = _HOURS.fullmatch(text) if isinstance(text, str) else None
    if hours is None:
        raise UnknownSchedule("hours_utc")
    first_hour, first_minute, last_hour, last_minute = map(int, hours.groups())
    start, end = first_hour * 60 + first_minute, last_hour * 60 + last_minute
    if max(first_minute, last_minute) > 59 or start >= _DAY or end > _DAY:
        raise UnknownSchedule("hours_utc")
    return (0, _DAY) if start == end else (start, end or _DAY)


def _weekdays(value: object) -> Weekdays:
    if value is None:
        return ()
    if not isinstance(value, list) or not value:
        raise UnknownSchedule("weekdays")
    return _unless_all({_weekday(day) for day in value})


def _weekday(day: object) -> int:
    """ISO: Monday is 1. 0 is refused, for it may be a Monday or a Sunday."""
    if type(day) is int and 1 <= day <= 7:
        return day
    if isinstance(day, str) and len(day) >= _SHORTEST_NAME:
        for number, name in enumerate(_NAMES, start=1):
            if name.startswith(day.lower()):
                return number
    raise UnknownSchedule("weekdays")


def _unless_all(weekdays: set[int]) -> Weekdays:
    return () if len(weekdays) == len(_NAMES) else tuple(sorted(weekdays))


def _weekday_shift(zone: object) -> int:
    """How many minutes the zone of the weekdays is ahead of UTC.

    Only zones without summer time are read, since the hours themselves are in UTC.
    """
    if zone is None:
        return 0
    try:
        found = ZoneInfo(zone) if isinstance(zone, str) else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        found = None
    offsets = {datetime(2026, month, 1, tzinfo=UTC).astimezone(found).utcoffset() for month in range(1, 13)}
    offset = offsets.pop()
    if found is None or offsets or offset is None:
        raise UnknownSchedule("weekday_timezone")
    return int(offset / timedelta(minutes=1))


def _by_utc_day(window: Window, weekdays: Weekdays, zone_shift: int) -> Iterator[tuple[Weekdays, Window]]:
    """The parts of a window whose weekday, which LiteLLM takes at each moment, is one UTC weekday.

    A window for every day stays whole.
    """
    if not weekdays:
        yield (), window
        return
    start, end = window
    parts = [(start, end)] if start < end else [(start, _DAY), (0, end)]
    for day_shift in (-1, 0, 1):
        for first, last in parts:
            # The part of the UTC day that is `day_shift` days later in the weekdays' zone.
            low, high = day_shift * _DAY - zone_shift, (day_shift + 1) * _DAY - zone_shift
            within = max(first, low), min(last, high)
            if within[0] < within[1]:
                yield _unless_all({(day - day_shift - 1) % 7 + 1 for day in weekdays}), within
