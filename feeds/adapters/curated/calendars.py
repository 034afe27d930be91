"""Calendar slots as the curated record writes them: hours of the day in a time zone, on weekdays."""

from __future__ import annotations

import re
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from companies.record.fields import Fields
from pricing.claims import SlotRule

_WINDOW = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-(?:([01]\d|2[0-3]):([0-5]\d)|(24):(00))")
_WEEKDAYS = tuple("1234567")
_DAY = 24 * 60


def read_slot(fields: Fields) -> SlotRule:
    """One rule of a slot. Raises BadRecord."""
    rule = SlotRule(
        slot=fields.slug("slot"),
        windows=tuple(_window(fields, text) for text in fields.texts("windows")),
        weekdays=tuple(_weekday(fields, text) for text in fields.texts("weekdays")),
        time_zone=_time_zone(fields),
        holidays=fields.country("holidays"),
        is_rest=fields.flag("rest"),
        effective_from=fields.moment("effective_from"),
        effective_until=fields.moment("effective_until"),
    )
    if rule.is_rest == bool(rule.windows):
        fields.refuse("windows", "are the hours of a slot; only the slot of the rest has none")
    fields.close()
    return rule


def _window(fields: Fields, text: str) -> tuple[int, int]:
    found = _WINDOW.fullmatch(text)
    if not found:
        fields.refuse("windows", f"holds {text!r}, but hours such as 09:00-12:00 were expected")
    hours, minutes, *end = (int(part) for part in found.groups() if part is not None)
    return hours * 60 + minutes, end[0] * 60 + end[1]


def _weekday(fields: Fields, text: str) -> int:
    if text not in _WEEKDAYS:
        fields.refuse("weekdays", f"holds {text!r}, but numbers from 1 for Monday to 7 for Sunday were expected")
    return int(text)


def _time_zone(fields: Fields) -> str:
    name = fields.text("time_zone") or "UTC"
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        fields.refuse("time_zone", f"is {name!r}, but a zone such as Asia/Shanghai was expected")
    return name
