"""Events as an iCalendar file (RFC 5545)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from pricing.syndication.texts import legible

MEDIA_TYPE = "text/calendar; charset=utf-8"
_PRODUCT = "-//AI monetization tracker//upcoming//EN"
_LONGEST_LINE = 75
# A calendar has at least one component (section 3.6); where nothing is coming, it is the zone that times are in.
_NOTHING = (
    "BEGIN:VTIMEZONE",
    "TZID:UTC",
    "BEGIN:STANDARD",
    "DTSTART:19700101T000000",
    "TZOFFSETFROM:+0000",
    "TZOFFSETTO:+0000",
    "END:STANDARD",
    "END:VTIMEZONE",
)


@dataclass(frozen=True, slots=True)
class Event:
    """One thing in a calendar: at a moment, or on whole days from ``begins`` until before ``ends``."""

    uid: str
    stamp: datetime
    sequence: int
    begins: date
    ends: date | None
    summary: str
    description: str
    address: str
    categories: Sequence[str]
    is_cancelled: bool = False


def calendar_file(name: str, address: str, events: Sequence[Event]) -> bytes:
    """The whole file, in UTF-8 with lines folded at 75 octets."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:{_PRODUCT}", "CALSCALE:GREGORIAN"]
    lines += [f"NAME:{escaped(name)}", f"X-WR-CALNAME:{escaped(name)}", f"SOURCE;VALUE=URI:{address}"]
    lines += ["REFRESH-INTERVAL;VALUE=DURATION:PT6H", "X-PUBLISHED-TTL:PT6H"]
    for event in events:
        lines += _event_lines(event)
    lines += [*(() if events else _NOTHING), "END:VCALENDAR"]
    return b"".join(folded(line) for line in lines)


def _event_lines(event: Event) -> list[str]:
    return [
        "BEGIN:VEVENT",
        f"UID:{event.uid}",
        f"DTSTAMP:{_moment(event.stamp)}",
        f"LAST-MODIFIED:{_moment(event.stamp)}",
        f"SEQUENCE:{event.sequence}",
        f"STATUS:{'CANCELLED' if event.is_cancelled else 'CONFIRMED'}",
        *_time_lines(event),
        f"SUMMARY:{escaped(event.summary)}",
        f"DESCRIPTION:{escaped(event.description)}",
        f"URL:{event.address}",
        f"CATEGORIES:{','.join(map(escaped, event.categories))}",
        "TRANSP:TRANSPARENT",
        "END:VEVENT",
    ]


def _time_lines(event: Event) -> Iterator[str]:
    if isinstance(event.begins, datetime):
        yield f"DTSTART:{_moment(event.begins)}"
        return
    yield f"DTSTART;VALUE=DATE:{event.begins:%Y%m%d}"
    if event.ends is not None:
        yield f"DTEND;VALUE=DATE:{event.ends:%Y%m%d}"


def _moment(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def escaped(text: str) -> str:
    """Text as a property holds it (section 3.3.11): no character of it ends the property or begins another."""
    lines = "\n".join(legible(text).replace("\u2028", "\n").replace("\u2029", "\n").splitlines())
    for mark, written in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\n", "\\n")):
        lines = lines.replace(mark, written)
    return lines


def folded(line: str) -> bytes:
    """The line with its end, continued on further ones so that none has more than 75 octets (section 3.1)."""
    return b"\r\n ".join(_pieces(line)) + b"\r\n"


def _pieces(line: str) -> Iterable[bytes]:
    piece, room = b"", _LONGEST_LINE
    for character in line:
        octets = character.encode()
        if len(piece) + len(octets) > room:
            yield piece
            # The space that continues a line counts.
            piece, room = b"", _LONGEST_LINE - 1
        piece += octets
    yield piece
