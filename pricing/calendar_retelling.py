"""Telling a reading anew as far as calendars go: what it was thought to give gives way to what it gives."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from pricing.calendar_statements import (
    CalendarKey,
    GivenCalendar,
    Place,
    calendar_statement,
    calendars_by_key,
    continued_calendars,
    stored_calendars,
    update_calendars,
)
from pricing.models import CalendarStatement, Observation
from pricing.runs import Amendments, Run, holds, read_again


@dataclass(slots=True)
class RetakenCalendars:
    """The offerings whose calendars may be others now, and how many calendars were put in and taken out."""

    offerings: set[int] = field(default_factory=set)
    put_in: int = 0
    taken_out: int = 0


def retake_calendars(place: Place, given: Sequence[GivenCalendar], unreadable: Collection[int]) -> RetakenCalendars:
    """Let a reading that was taken give exactly these calendars; those of unreadable references go on as before it."""
    keys = calendars_by_key(given)
    runs = stored_calendars(place.source)
    carried = {
        run.key
        for run in runs
        if run.key[0] in unreadable and place.previous is not None and holds(run, place.previous)
    }
    edits = read_again(runs, keys.keys() | carried, place.at, place.previous, place.following)
    if not edits:
        return RetakenCalendars()
    _write(place, edits, keys)
    return RetakenCalendars(
        {run.key[1] for run in runs} | {each.offering for each in keys.values()},
        len(edits.opened) + len(edits.grown) + len(edits.lengthened) + len(edits.joined),
        len(edits.ended) + len(edits.split) + len(edits.delayed) + len(edits.emptied),
    )


def _write(place: Place, edits: Amendments[CalendarKey], keys: dict[CalendarKey, GivenCalendar]) -> None:
    neighbour = None
    if place.following is not None:
        neighbour = Observation.objects.get(source=place.source, observed_at=place.following)
        CalendarStatement.objects.bulk_create(continued_calendars(edits.split, place.at, neighbour))
        begins = {"first_observed_at": place.following, "absent_before": place.at}
        update_calendars(edits.delayed, **begins, refresh_id=neighbour.refresh_id)
    read_next_by = neighbour.refresh_id if neighbour is not None else None
    CalendarStatement.objects.bulk_create(
        calendar_statement(place, keys[key], first, absent, ended, read_next_by)
        for key, first, absent, ended in edits.opened
    )
    ended = [*edits.ended, *edits.split, *edits.emptied]
    update_calendars(ended, ended_at=place.at, ended_by_refresh_id=place.refresh_id)
    update_calendars(edits.lengthened, ended_at=place.following, ended_by_refresh_id=read_next_by)
    update_calendars(edits.grown, first_observed_at=place.at, absent_before=place.previous, refresh_id=place.refresh_id)
    for first, second in edits.joined:
        _join(place, first, second)


def _join(place: Place, first: Run[CalendarKey], second: Run[CalendarKey]) -> None:
    """Let the first of two runs go on as far as the second, which no reading holds any more."""
    end = CalendarStatement.objects.values("ended_at", "ended_by_refresh_id").get(pk=second.statement)
    update_calendars([first], **end)
    update_calendars([second], ended_at=second.first_observed_at, ended_by_refresh_id=place.refresh_id)
