"""Taking what documents say: runs of statements grow, end and open, and what they touch is settled."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from pricing.belief import FEED_GRACE, FEED_PATIENCE, TariffKey
from pricing.bookkeeping import Cause, settle
from pricing.bulk import insert
from pricing.calendar_bookkeeping import settle_calendars
from pricing.calendar_statements import Place, take_calendars
from pricing.doubts import open_holds_of
from pricing.locks import lock_ledger
from pricing.models import Hold, Observation, Price, Source, Statement
from pricing.routes.readings import ToldRoute, observe_routes, observe_routes_again
from pricing.runs import Edits, read_between, read_latest
from pricing.settlement import settle_crossed
from pricing.sheets import BATCH, Outcome, StaleObservation, tariffs_of
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


def observe(
    reading: Reading, told: Iterable[Told], *, routes: Iterable[ToldRoute] = (), unreadable: Collection[int] = ()
) -> Outcome:
    """Take a whole reading: write what it says anew and no longer says, and settle what it touches.

    The reading must be complete: what it leaves out counts as gone, but for the references in
    ``unreadable``, which it names without saying anything that could be taken. ``routes`` are the ids
    that it routes elsewhere. Raises StaleObservation when it is not newer than the source's last and not
    backfilled, or when it was taken before.
    """
    with transaction.atomic():
        lock_ledger()
        previous, following = _neighbours(reading)
        is_first = previous is None and following is None
        told = list(told)
        keys, tariff_of = claims_by_key(told)
        edits = _edits(reading, keys, (previous, following), frozenset(unreadable))
        _record_observation(reading)
        place = Place(reading.source, reading.observed_at, reading.refresh_id, previous, following)
        calendars = take_calendars(place, [each.calendar for each in told if each.slots], unreadable)
        lines = _write_edits(reading, edits, (previous, following), keys)
        touched = {tariff_of[pk] for pk in lines if pk in tariff_of} | tariffs_of(lines - tariff_of.keys())
        touched |= _waiting(reading, previous, following)
        outcome = Outcome(len(edits.opened), len(edits.ended))
        cause = _reading_cause(reading, is_first)
        outcome.settled = settle(touched, cause)
        settle_calendars(calendars, cause, outcome.settled)
        observe_routes(reading.source, routes, cause, frozenset(unreadable), outcome)
        _settle_time(reading, (previous, following), outcome)
    return outcome


def observe_again(reading: Reading) -> Outcome:
    """Take a reading whose document is the same as the last: only time has passed."""
    with transaction.atomic():
        lock_ledger()
        previous, following = _neighbours(reading)
        if following is not None:
            raise StaleObservation("an unchanged document can only be newer than the source's last reading")
        _record_observation(reading)
        outcome = Outcome()
        cause = _reading_cause(reading, False)
        waiting = _waiting(reading, previous, following)
        if waiting:
            outcome.settled = settle(waiting, cause)
        observe_routes_again(reading.source, cause, outcome)
        _settle_time(reading, (previous, following), outcome)
    return outcome


def _settle_time(reading: Reading, neighbours: tuple[datetime | None, datetime | None], outcome: Outcome) -> None:
    """Tell what took effect between the last reading and a newer one."""
    previous, following = neighbours
    if previous is not None and following is None:
        settle_crossed(reading.source, previous, _reading_cause(reading, False), outcome.settled)


def _reading_cause(reading: Reading, is_first: bool) -> Cause:
    return Cause(
        moment=reading.observed_at,
        recorded_at=timezone.now(),
        source_id=reading.source.pk,
        refresh_id=reading.refresh_id,
        initial=is_first,
        backfilled=reading.backfilled,
    )


def _neighbours(reading: Reading) -> tuple[datetime | None, datetime | None]:
    """The source's readings before and after this one."""
    moments = Observation.objects.filter(source=reading.source).values_list("observed_at", flat=True)
    if moments.filter(observed_at=reading.observed_at).exists():
        raise StaleObservation(f"{reading.source.slug} was already read at {reading.observed_at.isoformat()}")
    previous = moments.filter(observed_at__lt=reading.observed_at).order_by("-observed_at").first()
    following = moments.filter(observed_at__gt=reading.observed_at).order_by("observed_at").first()
    if following is not None and not reading.backfilled:
        last = moments.order_by("-observed_at").first()
        assert last is not None
        raise StaleObservation(
            f"{reading.source.slug} was last read at {last.isoformat()}, after {reading.observed_at.isoformat()}; "
            "load older documents with backfill"
        )
    return previous, following


def _record_observation(reading: Reading) -> None:
    Observation.objects.create(
        source=reading.source,
        observed_at=reading.observed_at,
        digest=reading.digest,
        refresh_id=reading.refresh_id,
    )


def _edits(
    reading: Reading,
    keys: dict[StatementKey, Citation],
    neighbours: tuple[datetime | None, datetime | None],
    unreadable: frozenset[int],
) -> Edits[StatementKey]:
    previous, following = neighbours
    statements = Statement.objects.filter(source=reading.source)
    if following is None:
        near = statements.filter(ended_at__isnull=True)
    elif previous is None:
        near = statements.filter(first_observed_at__lte=following)
    else:
        near = statements.filter(first_observed_at__lte=following).exclude(ended_at__lte=previous)
    rows = near.values_list(*RUN_COLUMNS).iterator()
    runs = (run for run in map(stored_run, rows) if run.key[0] not in unreadable)
    if following is None:
        return read_latest(runs, keys, reading.observed_at, previous)
    return read_between(runs, keys, reading.observed_at, previous, following)


def _write_edits(
    reading: Reading,
    edits: Edits[StatementKey],
    neighbours: tuple[datetime | None, datetime | None],
    keys: dict[StatementKey, Citation],
) -> set[int]:
    """Write the edits; the lines they touch."""
    at = reading.observed_at
    previous, following = neighbours
    neighbour = None
    if following is not None:
        neighbour = Observation.objects.get(source=reading.source, observed_at=following)
        Statement.objects.bulk_create(continued(edits.split, at, neighbour), batch_size=BATCH)
    ended_by = neighbour.refresh_id if neighbour is not None else None
    rows = (statement_row(reading, *opened, keys[opened[0]], ended_by) for opened in edits.opened)
    insert(Statement, STATEMENT_COLUMNS, rows)
    update_runs([*edits.ended, *edits.split], ended_at=at, ended_by_refresh_id=reading.refresh_id)
    update_runs(edits.grown, first_observed_at=at, absent_before=previous, refresh_id=reading.refresh_id)
    update_runs(edits.narrowed, absent_before=at)
    runs = [*edits.ended, *edits.split, *edits.grown, *edits.narrowed]
    return {run.key[1] for run in runs} | {key[1] for key, *_ in edits.opened}


def _waiting(reading: Reading, previous: datetime | None, following: datetime | None) -> set[TariffKey]:
    """The tariffs for which a reading matters although it says nothing new of them."""
    held = Hold.objects.filter(open_holds_of(reading.source.pk)).values_list("line_id", flat=True)
    lines = {line for line in held if line is not None}
    if previous is not None:
        lines |= _missing(reading, previous)
    if previous is not None and following is None:
        lines |= _crossed(reading.source, previous, reading.observed_at)
    if following is not None:
        # The last reading before a price was gone is the earliest moment of the next move.
        ended = Statement.objects.filter(source=reading.source, ended_at=following)
        lines |= set(ended.values_list("line_id", flat=True))
    if following is not None and previous is None:
        lines |= _dated_before(reading.source, following)
    return tariffs_of(lines)


def _missing(reading: Reading, previous: datetime) -> set[int]:
    """The lines missing before the reading, which may have been missing for long enough now."""
    earlier = Observation.objects.filter(source=reading.source, observed_at__lt=reading.observed_at)
    moments = earlier.order_by("-observed_at").values_list("observed_at", flat=True)
    since = min([*moments[: FEED_PATIENCE - 1], previous - FEED_GRACE])
    missing = Statement.objects.filter(source=reading.source, ended_at__gte=since, ended_at__lt=reading.observed_at)
    return set(missing.values_list("line_id", flat=True))


def _crossed(source: Source, previous: datetime, at: datetime) -> set[int]:
    """The lines where a dated move was believed between two readings of a source that states the offering.

    Beyond its last reading another source's announcement may stand; a newer one may deny it.
    """
    stated = Statement.objects.filter(source=source, line__offering=OuterRef("line__offering"))
    believed = Price.objects.filter(Exists(stated), known_until__isnull=True)
    begun = believed.filter(effective_from__gt=previous, effective_from__lte=at).exclude(precision="observed")
    ended = believed.filter(effective_until__gt=previous, effective_until__lte=at)
    return {line for rows in (begun, ended) for line in rows.values_list("line_id", flat=True)}


def _dated_before(source: Source, first: datetime) -> set[int]:
    """The lines of which a source says something for moments before what was its first reading."""
    dated = Q(effective_from__lt=first) | Q(effective_from__isnull=True, effective_until__lte=first)
    return set(Statement.objects.filter(dated, source=source).values_list("line_id", flat=True))
