"""Reading an archived document again: what it was thought to say gives way to what it says."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from pricing.bookkeeping import Cause, Settled, settle
from pricing.bulk import insert
from pricing.calendar_bookkeeping import settle_calendars
from pricing.calendar_retelling import retake_calendars
from pricing.calendar_statements import Place
from pricing.locks import lock_ledger
from pricing.models import CalendarStatement, Observation, Source, Statement
from pricing.runs import Amendments, Run, holds, read_again
from pricing.sheets import LedgerError, tariffs_of
from pricing.statements import (
    RUN_COLUMNS,
    STATEMENT_COLUMNS,
    Citation,
    Reading,
    StatementKey,
    Told,
    claims_by_key,
    continued,
    statement_row,
    stored_run,
    update_runs,
)


@dataclass(frozen=True, slots=True)
class Retelling:
    """A reading that was taken before, and all that it says by today's understanding.

    ``unreadable`` are the references that it names without saying anything that could be taken: they go on as the
    reading before left them.
    """

    reading: Reading
    told: Sequence[Told]
    unreadable: Collection[int] = ()


@dataclass(slots=True)
class Retold:
    """What telling readings anew wrote: for each the claims put in and taken out, and what was settled at the end."""

    put_in: list[int] = field(default_factory=list)
    taken_out: list[int] = field(default_factory=list)
    settled: Settled = field(default_factory=Settled)


@dataclass(frozen=True, slots=True)
class _Place:
    """A reading among the readings of its source."""

    reading: Reading
    previous: Observation | None
    following: Observation | None

    @property
    def at(self) -> datetime:
        return self.reading.observed_at

    @property
    def among_calendars(self) -> Place:
        """The same place, as calendars have it."""
        return Place(self.reading.source, self.at, self.reading.refresh_id, *self.moments)

    @property
    def moments(self) -> tuple[datetime | None, datetime | None]:
        before = self.previous.observed_at if self.previous is not None else None
        return before, self.following.observed_at if self.following is not None else None


def observe_anew(
    retellings: Iterable[Retelling], *, as_correction: bool = True, seen_by: Reading | None = None
) -> Retold:
    """Let readings that were taken say what they say by today's understanding, and settle what that touches.

    All differences that it makes are corrections of the record, known from now on: the market did not move. Without
    ``as_correction`` they have the nature that they would have had, as when only a hold kept the readings back;
    ``seen_by`` is then the reading that let them go, unless a person did.
    Statements stay: one whose every reading says otherwise now ends where it began, by the refresh that told the
    reading anew. What says the same again writes nothing. Raises LedgerError for a moment that was never read.
    """
    with transaction.atomic():
        lock_ledger()
        retold, lines, emptied, offerings = Retold(), set[int](), set[int](), set[int]()
        last: Reading | None = None
        for retelling in retellings:
            place = _place(retelling.reading)
            keys, _ = claims_by_key(retelling.told)
            edits = _amendments(place, keys, frozenset(retelling.unreadable))
            lines |= _write(place, edits, keys)
            emptied |= {run.statement for run in [*edits.emptied, *(second for _, second in edits.joined)]}
            given = [told.calendar for told in retelling.told if told.slots]
            calendars = retake_calendars(place.among_calendars, given, retelling.unreadable)
            offerings |= calendars.offerings
            put_in = len(edits.opened) + len(edits.grown) + len(edits.lengthened) + len(edits.joined)
            taken_out = len(edits.ended) + len(edits.split) + len(edits.delayed) + len(edits.emptied)
            retold.put_in.append(put_in + calendars.put_in)
            retold.taken_out.append(taken_out + calendars.taken_out)
            last = retelling.reading if edits or calendars.offerings else last
        if last is not None:
            cause = _cause(last, frozenset(emptied), as_correction, seen_by)
            retold.settled = settle(tariffs_of(lines), cause)
            settle_calendars(offerings | _with_calendars(last.source, lines), cause, retold.settled)
    return retold


def _with_calendars(source: Source, lines: Collection[int]) -> set[int]:
    """The offerings of lines that a source gave a calendar for: whether it shows them decides how long that holds."""
    given = set(CalendarStatement.objects.filter(source=source).values_list("offering_id", flat=True))
    return {offering for offering, _ in tariffs_of(lines)} & given if given else set()


def _cause(reading: Reading, emptied: frozenset[int], as_correction: bool, seen_by: Reading | None) -> Cause:
    now = timezone.now()
    return Cause(
        moment=seen_by.observed_at if seen_by is not None else now,
        recorded_at=now,
        backfilled=seen_by is not None and seen_by.backfilled,
        source_id=reading.source.pk,
        refresh_id=reading.refresh_id,
        ruled=as_correction,
        emptied=emptied,
    )


def _place(reading: Reading) -> _Place:
    if reading.refresh_id is None:
        raise LedgerError("a reading is told anew by a refresh, which is the evidence of it; name its id")
    readings = Observation.objects.filter(source=reading.source)
    if not readings.filter(observed_at=reading.observed_at).exists():
        raise LedgerError(
            f"{reading.source.slug} was not read at {reading.observed_at.isoformat()}; only a reading can be told anew"
        )
    return _Place(
        reading,
        readings.filter(observed_at__lt=reading.observed_at).order_by("-observed_at").first(),
        readings.filter(observed_at__gt=reading.observed_at).order_by("observed_at").first(),
    )


def _amendments(
    place: _Place, keys: dict[StatementKey, Citation], unreadable: frozenset[int]
) -> Amendments[StatementKey]:
    previous, following = place.moments
    near = Statement.objects.filter(source=place.reading.source, first_observed_at__lte=following or place.at)
    near = near.filter(Q(ended_at__isnull=True) | Q(ended_at__gt=previous or place.at))
    runs = [stored_run(row) for row in near.values_list(*RUN_COLUMNS).iterator()]
    carried = {run.key for run in runs if run.key[0] in unreadable and previous is not None and holds(run, previous)}
    return read_again(runs, keys.keys() | carried, place.at, previous, following)


def _write(place: _Place, edits: Amendments[StatementKey], keys: dict[StatementKey, Citation]) -> set[int]:
    """Write the edits; the lines they touch."""
    _write_openings(place, edits, keys)
    _write_ends(place, edits)
    _write_beginnings(place, edits)
    for first, second in edits.joined:
        _join(place, first, second)
    single = [*edits.ended, *edits.split, *edits.grown, *edits.delayed, *edits.lengthened, *edits.emptied]
    runs = [*single, *(first for first, _ in edits.joined)]
    return {run.key[1] for run in runs} | {key[1] for key, *_ in edits.opened}


def _write_openings(place: _Place, edits: Amendments[StatementKey], keys: dict[StatementKey, Citation]) -> None:
    following = place.following
    ended_by = following.refresh_id if following is not None else None
    now = timezone.now()
    rows = (statement_row(place.reading, *opened, keys[opened[0]], ended_by, now) for opened in edits.opened)
    insert(Statement, STATEMENT_COLUMNS, rows)
    if following is not None:
        Statement.objects.bulk_create(continued(edits.split, place.at, following), batch_size=500)


def _write_ends(place: _Place, edits: Amendments[StatementKey]) -> None:
    following = place.following
    ended = [*edits.ended, *edits.split, *edits.emptied]
    update_runs(ended, ended_at=place.at, ended_by_refresh_id=place.reading.refresh_id)
    ended_by = following.refresh_id if following is not None else None
    update_runs(edits.lengthened, ended_at=place.moments[1], ended_by_refresh_id=ended_by)


def _write_beginnings(place: _Place, edits: Amendments[StatementKey]) -> None:
    previous, _ = place.moments
    refresh_id = place.reading.refresh_id
    update_runs(edits.grown, first_observed_at=place.at, absent_before=previous, refresh_id=refresh_id)
    if place.following is not None:
        begins, read_by = place.following.observed_at, place.following.refresh_id
        update_runs(edits.delayed, first_observed_at=begins, absent_before=place.at, refresh_id=read_by)


def _join(place: _Place, first: Run[StatementKey], second: Run[StatementKey]) -> None:
    """Let the first of two runs go on as far as the second, which no reading holds any more."""
    end = Statement.objects.values("ended_at", "ended_by_refresh_id").get(pk=second.statement)
    Statement.objects.filter(pk=first.statement).update(**end)
    update_runs([second], ended_at=second.first_observed_at, ended_by_refresh_id=place.reading.refresh_id)
