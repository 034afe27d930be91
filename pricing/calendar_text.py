"""A calendar in words that people read and write: ``peak: Mon–Fri 01:00–04:00, 06:00–10:00 UTC; holidays CN``.

One line for each rule of a slot; several lines of one slot add up. Without weekdays it is every day, without a zone
UTC; a window whose end is not after its start crosses midnight; ``rest`` is whenever no other slot holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import groupby

from pricing.calendar_rules import Rules, normalised
from pricing.calendars import Calendar, UnknownCalendar
from pricing.claims import SlotRule

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_DAY_MINUTES = 1440
_SLOT = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_WINDOW = re.compile(r"(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})")
_WEEKDAYS = re.compile(r"([A-Za-z]{3})[a-z]*(?:-([A-Za-z]{3})[a-z]*)?")
_HOLIDAYS = re.compile(r"holidays\s+([A-Za-z]{2}(?:-[A-Za-z0-9]+)?)", re.IGNORECASE)
_EXAMPLE = "peak: Mon-Fri 01:00-04:00, 06:00-10:00 UTC; holidays CN"
_WEEKS_CHECKED = 53
LONGEST_SLOT = 40


class UnclearCalendar(ValueError):
    """A calendar that cannot be read, or by which two slots hold at once; the message says what would be right."""


def calendar_text(rules: Iterable[SlotRule]) -> str:
    """The calendar as text, one line for each rule; ``read_calendar`` reads it again. Dates are left out."""
    return "\n".join(f"{rule.slot}: {hours(rule)}" for rule in rules)


def slot_hours(rules: Iterable[SlotRule], slot: str) -> str:
    """When a slot holds, in words; ``never`` where no rule gives it hours."""
    return " and ".join(hours(rule) for rule in rules if rule.slot == slot) or "never"


def hours(rule: SlotRule) -> str:
    """When a rule holds, such as ``Mon–Fri 09:00–12:00, 14:00–18:00 Asia/Shanghai; holidays CN``."""
    if rule.is_rest:
        return "rest"
    windows = ", ".join(f"{_clock(start)}–{_clock(end)}" for start, end in rule.windows)
    holidays = f"; holidays {rule.holidays}" if rule.holidays else ""
    return f"{_days(rule.weekdays)} {windows} {rule.time_zone}{holidays}"


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _days(weekdays: Sequence[int]) -> str:
    if not weekdays:
        return "daily"
    runs = [list(run) for _, run in groupby(enumerate(weekdays), key=lambda pair: pair[1] - pair[0])]
    parts = [(DAYS[run[0][1] - 1], DAYS[run[-1][1] - 1]) for run in runs]
    return ", ".join(first if first == last else f"{first}–{last}" for first, last in parts)


def read_calendar(text: str) -> Rules:
    """The rules that a text gives, not yet held against one another. Raises UnclearCalendar."""
    lines = [line.strip() for line in text.replace("–", "-").splitlines() if line.strip()]
    return normalised(_read_line(line) for line in lines)


def _read_line(line: str) -> SlotRule:
    slot, colon, said = line.partition(":")
    slot, said = slot.strip(), said.strip()
    if not colon or not _SLOT.fullmatch(slot) or len(slot) > LONGEST_SLOT:
        raise UnclearCalendar(f"{line!r} does not begin with a slot's name; write it as in {_EXAMPLE!r}")
    if said.lower() == "rest":
        return SlotRule(slot, is_rest=True)
    said, _, rest = said.partition(";")
    windows, words = _split(said, line)
    return SlotRule(
        slot,
        windows,
        _weekdays(words, line),
        _zone(words),
        _holiday_calendar(rest.strip(), line) if rest.strip() else "",
    )


def _split(said: str, line: str) -> tuple[tuple[tuple[int, int], ...], list[str]]:
    """The windows of a line, and its other words."""
    words = said.replace(",", " ").split()
    windows = tuple(_window(word) for word in words if word[:1].isdigit())
    if not windows:
        raise UnclearCalendar(f"{line!r} gives no hours; write them as in {_EXAMPLE!r}, or 'rest'")
    return windows, [word for word in words if not word[:1].isdigit()]


def _window(word: str) -> tuple[int, int]:
    found = _WINDOW.fullmatch(word)
    if found:
        begin_hour, begin_minute, end_hour, end_minute = map(int, found.groups())
        start, end = begin_hour * 60 + begin_minute, end_hour * 60 + end_minute
        if max(begin_minute, end_minute) < 60 and start < _DAY_MINUTES and end <= _DAY_MINUTES:
            return start, end
    raise UnclearCalendar(f"{word!r} is no window of hours; write it as 09:00-12:00, up to 24:00")


def _weekdays(words: list[str], line: str) -> tuple[int, ...]:
    """Take the weekdays out of the words in front of the zone."""
    days: set[int] = set()
    while words:
        if words[0].lower() in ("daily", "every", "day"):
            words.pop(0)
            continue
        found = _WEEKDAYS.fullmatch(words[0])
        named = [part.capitalize() for part in found.groups() if part] if found else []
        if not named or any(name not in DAYS for name in named):
            break
        first, last = DAYS.index(named[0]) + 1, DAYS.index(named[-1]) + 1
        days.update(range(first, last + 1) if first <= last else [*range(first, 8), *range(1, last + 1)])
        words.pop(0)
    if len(words) > 1:
        raise UnclearCalendar(f"{line!r} has {' '.join(words)!r}, which is neither weekdays nor one time zone")
    return tuple(sorted(days))


def _zone(words: list[str]) -> str:
    return words[0] if words else "UTC"


def _holiday_calendar(said: str, line: str) -> str:
    found = _HOLIDAYS.fullmatch(said)
    if not found:
        raise UnclearCalendar(f"{line!r} ends in {said!r}; after the semicolon 'holidays CN' was expected")
    return found[1].upper()


def refuse_unclear(rules: Iterable[SlotRule], since: datetime) -> None:
    """Refuse rules by which it would not be clear which slot holds in the year from a moment on.

    Raises UnclearCalendar.
    """
    rules = tuple(rules)
    if not rules:
        raise UnclearCalendar(f"a calendar has at least one slot, such as {_EXAMPLE!r}")
    for rule in rules:
        _refuse_empty_windows(rule)
    rests = sorted({rule.slot for rule in rules if rule.is_rest})
    if len(rests) > 1:
        raise UnclearCalendar(f"{' and '.join(rests)} both are the rest; only one slot can be")
    _refuse_contested_hours(rules, since)


def _refuse_empty_windows(rule: SlotRule) -> None:
    if not rule.is_rest and not rule.windows:
        raise UnclearCalendar(f"{rule.slot} has no windows; give it hours such as 09:00-12:00, or make it the rest")
    for start, end in rule.windows:
        if start == end:
            clock = _clock(start)
            raise UnclearCalendar(f"{rule.slot}: {clock}-{clock} is a window of no length; a whole day is 00:00-24:00")


def _refuse_contested_hours(rules: Rules, since: datetime) -> None:
    """Look through a year of weeks, since holidays and clock changes come but once."""
    try:
        calendar = Calendar(rules)
    except UnknownCalendar as unknown:
        raise UnclearCalendar(str(unknown)) from None
    for week in range(_WEEKS_CHECKED):
        contested = calendar.contested(since + timedelta(weeks=week))
        if contested is not None:
            span, slots = contested
            raise UnclearCalendar(
                f"{' and '.join(slots)} both hold from {span:%a %H:%M} UTC on; the windows of two slots cannot overlap"
            )
