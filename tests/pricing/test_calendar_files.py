"""Calendar files: folding, escaping, and that another reader understands them."""

from __future__ import annotations

from datetime import UTC, date, datetime

import icalendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing.syndication.calendar_files import Event, calendar_file, escaped, folded
from pricing.syndication.texts import lasting_id, legible, one_line

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def event(summary: str = "Input 1 -> 2", **values: object) -> Event:
    facts: dict[str, object] = {
        "uid": "one",
        "stamp": NOW,
        "sequence": 0,
        "begins": datetime(2026, 12, 1, 4, tzinfo=UTC),
        "ends": None,
        "summary": summary,
        "description": "first\nsecond",
        "address": "http://localhost/api/v1/offerings/1/",
        "categories": ["price", "Acme, Inc."],
    }
    return Event(**{**facts, **values})  # type: ignore[arg-type]


def read(*events: Event, name: str = "Upcoming") -> icalendar.Calendar:
    written = calendar_file(name, "http://localhost/upcoming.ics", events)
    assert all(len(line) <= 75 for line in written.split(b"\r\n"))
    assert b"\n" not in written.replace(b"\r\n", b"") and b"\r" not in written.replace(b"\r\n", b"")
    return icalendar.Calendar.from_ical(written)


def test_another_reader_finds_what_was_written() -> None:
    calendar = read(event(sequence=3, is_cancelled=True))
    (found,) = calendar.walk("VEVENT")
    assert (calendar["VERSION"], calendar["CALSCALE"], found["UID"], found["SEQUENCE"]) == (
        "2.0",
        "GREGORIAN",
        "one",
        3,
    )
    assert (found["SUMMARY"], found["DESCRIPTION"], found["STATUS"]) == ("Input 1 -> 2", "first\nsecond", "CANCELLED")
    assert (found.start, found["DTSTAMP"].dt) == (datetime(2026, 12, 1, 4, tzinfo=UTC), NOW)
    assert found.categories == ["price", "Acme, Inc."]


def test_whole_days_have_no_time() -> None:
    (found,) = read(event(begins=date(2026, 12, 1), ends=date(2027, 1, 1))).walk("VEVENT")
    assert (found.start, found.end) == (date(2026, 12, 1), date(2027, 1, 1))


def test_a_calendar_without_events_still_has_a_component() -> None:
    calendar = read()
    assert [part.name for part in calendar.subcomponents] == ["VTIMEZONE"]


@pytest.mark.parametrize(
    "break_", ["\n", "\r\n", "\r", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029", "\\n", "\r\n "]
)
def test_no_line_break_in_a_name_begins_another_property(break_: str) -> None:
    hostile = f"Acme{break_}END:VEVENT{break_}BEGIN:VEVENT{break_}ATTACH:http://evil.example"
    calendar = read(event(hostile, description=hostile, categories=[hostile]), name=hostile)
    (found,) = calendar.walk("VEVENT")
    assert "ATTACH" not in found
    assert len(calendar.subcomponents) == 1


@given(st.text(max_size=300))
def test_any_text_comes_back_but_for_what_is_illegible(text: str) -> None:
    (found,) = read(event(f"x{text}")).walk("VEVENT")
    expected = "\n".join(legible(f"x{text}").replace("\u2028", "\n").replace("\u2029", "\n").splitlines())
    assert str(found["SUMMARY"]) == expected


@given(st.text(alphabet="aü€😀,;\\", min_size=1, max_size=400))
def test_folding_cuts_no_character_and_unfolds_to_the_line(text: str) -> None:
    lines = folded(text)
    assert lines.endswith(b"\r\n")
    for line in lines[:-2].split(b"\r\n"):
        assert len(line) <= 75
        line.decode()
    assert lines.replace(b"\r\n ", b"").decode() == f"{text}\r\n"


def test_marks_are_escaped() -> None:
    assert escaped("a,b;c\\d\ne") == "a\\,b\\;c\\\\d\\ne"


@given(st.text())
def test_legible_text_can_stand_in_xml(text: str) -> None:
    from xml.etree.ElementTree import Element, fromstring, tostring

    element = Element("a", {"b": legible(text)})
    element.text = legible(text)
    read_back = fromstring(tostring(element, encoding="utf-8"))
    assert read_back.text is None or "\x00" not in read_back.text
    assert "\n" not in one_line(text)


def test_lasting_ids_are_the_same_for_the_same_parts() -> None:
    assert lasting_id("change", 1, NOW) == lasting_id("change", 1, NOW) != lasting_id("change", 11, NOW)
