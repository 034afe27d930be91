"""Holding calendars against their own evidence and rules; what is wrong is told, never mended."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db.models import Exists, OuterRef

from pricing.belief import Readings
from pricing.calendar_bookkeeping import calendar_differences
from pricing.calendar_history import HeldRule
from pricing.calendar_rules import from_json, text_of
from pricing.calendar_text import hours
from pricing.models import EMPTIED, CalendarStatement, Price, SlotRule, Source

ROWS_AT_ONCE = 2000


class CalendarFault(NamedTuple):
    """One thing that is wrong: which rule it breaks, where, and how."""

    check: str
    where: str
    problem: str


def calendar_faults(offering_ids: Sequence[int], readings: Readings) -> Iterator[CalendarFault]:
    """What is wrong with the calendars of some offerings. The caller keeps writers out."""
    yield from _resolved_otherwise(offering_ids, readings)
    yield from _out_of_order(offering_ids)
    yield from _runs_astray(offering_ids, readings)
    yield from _uncovered(offering_ids)


def _resolved_otherwise(offering_ids: Sequence[int], readings: Readings) -> Iterator[CalendarFault]:
    for (offering, source), surplus, missing in calendar_differences(offering_ids, readings):
        where = f"offering {offering}, calendar of {readings.sources[source].slug}"
        problem = f"believes {_words(surplus)} but its evidence gives {_words(missing)}"
        yield CalendarFault("calendar", where, problem)


def _words(held: Iterable[HeldRule]) -> str:
    return "; ".join(_rule_words(each) for each in held) or "nothing"


def _rule_words(held: HeldRule) -> str:
    rule = held.rule
    begins = rule.effective_from.isoformat() if rule.effective_from else "ever"
    ends = rule.effective_until.isoformat() if rule.effective_until else "open"
    return f"{rule.slot} {hours(rule)} [{begins}, {ends}) {held.precision}"


def _out_of_order(offering_ids: Sequence[int]) -> Iterator[CalendarFault]:
    rows = SlotRule.objects.filter(offering__in=offering_ids).order_by("pk")
    columns = ("pk", "effective_from", "effective_until", "known_from", "known_until", "statement_id")
    for pk, begins, ends, known_from, known_until, statement in rows.values_list(*columns).iterator(ROWS_AT_ONCE):
        where = f"slot rule {pk}"
        if begins is not None and ends is not None and ends <= begins:
            yield CalendarFault("order", where, f"ends at {ends.isoformat()}, not after it begins")
        if known_until is not None and known_until <= known_from:
            yield CalendarFault(
                "order", where, f"is known until {known_until.isoformat()}, not after it was known from"
            )
        if statement is None:
            yield CalendarFault("evidence", where, "cites no statement")


def _runs_astray(offering_ids: Sequence[int], readings: Readings) -> Iterator[CalendarFault]:
    """Whether the runs of one calendar never overlap, and begin and end where their source was read."""
    ended: dict[tuple[object, ...], datetime | None] = {}
    rows = CalendarStatement.objects.filter(offering__in=offering_ids).exclude(source__kind=Source.Kind.EDITOR)
    rows = rows.exclude(EMPTIED)
    columns = ("pk", "source_id", "reference_id", "offering_id", "first_observed_at", "absent_before", "ended_at")
    for pk, *key, first, absent, end, rules in rows.order_by("first_observed_at", "pk").values_list(*columns, "rules"):
        where = f"calendar statement {pk}"
        observed = readings.moments(key[0])
        for moment in filter(None, (first, absent, end)):
            if moment not in observed:
                yield CalendarFault("runs", where, f"names {moment.isoformat()}, when its source was not read")
        if end is not None and end <= first:
            yield CalendarFault("runs", where, f"ended at {end.isoformat()}, not after it was first read")
        said = (*key, text_of(from_json(rules)))
        if said in ended and (ended[said] is None or first < (ended[said] or first)):
            yield CalendarFault("runs", where, f"says at {first.isoformat()} what another statement says already")
        ended[said] = end


def _uncovered(offering_ids: Sequence[int]) -> Iterator[CalendarFault]:
    """The slots with a price for which no source's calendar has a rule: their prices never apply."""
    rules = SlotRule.objects.filter(offering=OuterRef("line__offering"), slot=OuterRef("line__slot"), known_until=None)
    priced = Price.objects.filter(line__offering__in=offering_ids, known_until=None).exclude(line__slot="")
    bare = priced.exclude(Exists(rules)).order_by("line__offering_id", "line__slot")
    for offering, slot in bare.values_list("line__offering_id", "line__slot").distinct():
        yield CalendarFault(
            "hours", f"offering {offering}", f"has a price for the slot {slot!r}, which no calendar rules"
        )
