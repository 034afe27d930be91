"""Taking what documents say of calendars: runs of calendar statements grow, end and open as those of prices do."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from pricing.calendar_rules import Rules, as_json, from_json, normalised, text_of
from pricing.models import CalendarStatement, Observation, Source
from pricing.runs import Edits, Run, read_between, read_latest

CalendarKey = tuple[int | None, int, str]


@dataclass(frozen=True, slots=True)
class GivenCalendar:
    """The calendar that a reference gives for an offering, and where it can be read."""

    reference: int
    offering: int
    rules: Rules
    citation_url: str = ""
    citation_title: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """A reading's place among those of its source."""

    source: Source
    at: datetime
    refresh_id: int | None
    previous: datetime | None
    following: datetime | None


def take_calendars(place: Place, given: Sequence[GivenCalendar], unreadable: Collection[int]) -> set[int]:
    """Write what a complete reading says anew of calendars, and no longer says.

    Returns the offerings that the source ever gave a calendar for: a reading can matter for them although it says
    nothing of theirs, since it may show them without one.
    """
    keys = calendars_by_key(given)
    runs = stored_calendars(place.source)
    touched = {run.key[1] for run in runs} | {each.offering for each in keys.values()}
    edits = _edits(place, [run for run in runs if run.key[0] not in unreadable], keys)
    _write(place, edits, keys)
    return touched


def calendars_by_key(given: Sequence[GivenCalendar]) -> dict[CalendarKey, GivenCalendar]:
    """The calendars that hold any rules, each under its key as a statement."""
    return {(each.reference, each.offering, text_of(normalised(each.rules))): each for each in given if each.rules}


def stored_calendars(source: Source) -> list[Run[CalendarKey]]:
    """Every run of calendars that a source has given: there are few."""
    statements = CalendarStatement.objects.filter(source=source)
    rows = statements.values_list("pk", "first_observed_at", "ended_at", "reference_id", "offering_id", "rules")
    return [_run(*row) for row in rows]


def _run(
    pk: int,
    first: datetime,
    ended: datetime | None,
    reference: int | None,
    offering: int,
    rules: list[dict[str, object]],
) -> Run[CalendarKey]:
    return Run(pk, (reference, offering, text_of(from_json(rules))), first, ended)


def _edits(place: Place, runs: Sequence[Run[CalendarKey]], keys: Collection[CalendarKey]) -> Edits[CalendarKey]:
    if place.following is None:
        running = [run for run in runs if run.ended_at is None]
        return read_latest(running, keys, place.at, place.previous)
    return read_between(runs, keys, place.at, place.previous, place.following)


def _write(place: Place, edits: Edits[CalendarKey], keys: dict[CalendarKey, GivenCalendar]) -> None:
    neighbour = None
    if place.following is not None:
        neighbour = Observation.objects.get(source=place.source, observed_at=place.following)
        CalendarStatement.objects.bulk_create(continued_calendars(edits.split, place.at, neighbour))
    ended_by = neighbour.refresh_id if neighbour else None
    CalendarStatement.objects.bulk_create(
        [
            calendar_statement(place, keys[key], first, absent, ended, ended_by)
            for key, first, absent, ended in edits.opened
        ]
    )
    update_calendars([*edits.ended, *edits.split], ended_at=place.at, ended_by_refresh_id=place.refresh_id)
    update_calendars(edits.grown, first_observed_at=place.at, absent_before=place.previous, refresh_id=place.refresh_id)
    update_calendars(edits.narrowed, absent_before=place.at)


def continued_calendars(
    split: Sequence[Run[CalendarKey]], absent_at: datetime, neighbour: Observation
) -> list[CalendarStatement]:
    """The second halves of runs that a reading splits: the same calendar, from the next reading on."""
    halves = list(CalendarStatement.objects.filter(pk__in=[run.statement for run in split]).order_by("pk"))
    for half in halves:
        half.pk = None
        half._state.adding = True
        half.first_observed_at, half.absent_before = neighbour.observed_at, absent_at
        half.refresh_id = neighbour.refresh_id
    return halves


def calendar_statement(
    place: Place,
    given: GivenCalendar,
    first: datetime,
    absent_before: datetime | None,
    ended: datetime | None,
    ended_by: int | None,
) -> CalendarStatement:
    """A calendar that opens, as a statement not yet saved."""
    return CalendarStatement(
        source=place.source,
        reference_id=given.reference,
        offering_id=given.offering,
        rules=as_json(normalised(given.rules)),
        first_observed_at=first,
        absent_before=absent_before,
        ended_at=ended,
        refresh_id=place.refresh_id,
        ended_by_refresh_id=ended_by if ended else None,
        citation_url=given.citation_url,
        citation_title=given.citation_title,
    )


def update_calendars(runs: Sequence[Run[CalendarKey]], **values: object) -> None:
    """Write the same values to the statements of many runs."""
    if runs:
        CalendarStatement.objects.filter(pk__in=[run.statement for run in runs]).update(**values)
