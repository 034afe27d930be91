"""Taking what documents say: runs of statements grow, end and open, and what they touch is settled."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from pricing.belief import FEED_GRACE, FEED_PATIENCE, TariffKey
from pricing.bookkeeping import Cause, settle
from pricing.bulk import among, insert, read
from pricing.calendar_bookkeeping import settle_calendars
from pricing.calendar_statements import Place, take_calendars
from pricing.doubts import open_holds_of
from pricing.locks import lock_ledger
from pricing.models import Hold, Observation, Price, Reference, Source, Statement
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
    stated_by,
    statement_row,
    stored_run,
    update_runs,
)


def observe(
    reading: Reading,
    told: Iterable[Told],
    *,
    routes: Iterable[ToldRoute] = (),
    unreadable: Collection[int] = (),
    going_on: Collection[int] = (),
) -> Outcome:
    """Take a whole reading: write what it says anew and no longer says, and settle what it touches.

    The reading must be complete: what it leaves out counts as gone, but for the references in
    ``unreadable``, which it names without saying anything that could be taken, and those ``going_on``,
    of which it says what the source's last reading said. ``routes`` are the ids that it routes elsewhere.
    Raises StaleObservation when it is not newer than the source's last and not backfilled, or when it was
    taken before.
    """
    with transaction.atomic():
        lock_ledger()
        previous, following = _neighbours(reading)
        is_first = previous is None and following is None
        told = list(told)
        keys, tariff_of = claims_by_key(told)
        silent = frozenset(unreadable) | frozenset(going_on)
        edits = _edits(reading, keys, (previous, following), silent)
        _record_observation(reading)
        place = Place(reading.source, reading.observed_at, reading.refresh_id, previous, following)
        calendars = take_calendars(place, [each.calendar for each in told if each.slots], silent)
        lines = _write_edits(reading, edits, (previous, following), keys)
        touched = {tariff_of[pk] for pk in lines if pk in tariff_of} | tariffs_of(lines - tariff_of.keys())
        touched |= _waiting(reading, previous, following)
        outcome = Outcome(len(edits.opened), len(edits.ended))
        cause = _reading_cause(reading, is_first)
        outcome.settled = settle(touched, cause)
        settle_calendars(calendars, cause, outcome.settled)
        observe_routes(reading.source, routes, cause, silent, outcome)
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
    silent: frozenset[int],
) -> Edits[StatementKey]:
    previous, following = neighbours
    statements = Statement.objects.filter(source=reading.source)
    if following is None:
        near = running_statements(reading.source, silent)
    elif previous is None:
        near = statements.filter(first_observed_at__lte=following)
    else:
        near = statements.filter(first_observed_at__lte=following).exclude(ended_at__lte=previous)
    rows = read(near.values_list(*RUN_COLUMNS))
    runs = (run for run in map(stored_run, rows) if run.key[0] not in silent)
    if following is None:
        return read_latest(runs, keys, reading.observed_at, previous)
    return read_between(runs, keys, reading.observed_at, previous, following)


def running_statements(source: Source, silent: Collection[int]) -> QuerySet[Statement]:
    """What a source says until now, but for what it says under some references; where these are most, by the others."""
    running = Statement.objects.filter(source=source, ended_at__isnull=True)
    if len(silent) < BATCH:
        return running.exclude(reference__in=silent)
    rest = Reference.objects.filter(source=source).order_by().values_list("pk", flat=True)
    return running.filter(reference__in=among(set(rest) - set(silent)))


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
    now = timezone.now()
    rows = (statement_row(reading, *opened, keys[opened[0]], ended_by, now) for opened in edits.opened)
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
    others = Observation.objects.filter(source=reading.source).exclude(observed_at=reading.observed_at)
    moments = others.order_by("-observed_at").values_list("observed_at", flat=True)
    recent = list(moments[:FEED_PATIENCE])
    if previous is not None:
        before = recent if following is None else moments.filter(observed_at__lt=reading.observed_at)
        lines |= _missing(reading, min([*before[: FEED_PATIENCE - 1], previous - FEED_GRACE]))
    if recent:
        lines |= _crossed(reading, _not_yet_denied(recent, previous if following is None else None))
    if following is not None:
        # The last reading before a price was gone is the earliest moment of the next move.
        ended = Statement.objects.filter(source=reading.source, ended_at=following)
        lines |= set(ended.values_list("line_id", flat=True))
    if following is not None and previous is None:
        lines |= _dated_before(reading.source, following)
    return tariffs_of(lines)


def _missing(reading: Reading, since: datetime) -> set[int]:
    """The lines missing before the reading, which may have been missing for long enough now."""
    missing = Statement.objects.filter(source=reading.source, ended_at__gte=since, ended_at__lt=reading.observed_at)
    return set(missing.values_list("line_id", flat=True))


def _crossed(reading: Reading, since: datetime | None) -> set[int]:
    """The lines of a move that its source, which states the offering, may deny with this reading and not before.

    Beyond the last reading of one source another's announcement may stand; so many readings over so long a time deny
    it, whichever of the sources before the announcer makes them. Moves before ``since`` were open to denial before.
    """
    believed = Price.objects.filter(known_until__isnull=True)
    begun = Q(effective_from__lte=reading.observed_at) & ~Q(precision="observed")
    ended = Q(effective_until__lte=reading.observed_at)
    if since is not None:
        begun &= Q(effective_from__gte=since)
        ended &= Q(effective_until__gte=since)
    of_offerings = believed.values_list("line_id", "line__offering_id")
    offering_of = {line: offering for when in (begun, ended) for line, offering in of_offerings.filter(when)}
    stated = stated_by(reading.source, set(offering_of.values())) if offering_of else set()
    return {line for line, offering in offering_of.items() if offering in stated}


def _not_yet_denied(recent: Sequence[datetime], newest: datetime | None) -> datetime | None:
    """The moment from which on a source had not been read often or long enough to deny a move; None from ever.

    ``recent`` are its other readings, the newest first; ``newest`` is the last of them where this one is newer.
    """
    if len(recent) < FEED_PATIENCE:
        return None
    return recent[-1] if newest is None else min(recent[-1], newest - FEED_GRACE)


def _dated_before(source: Source, first: datetime) -> set[int]:
    """The lines of which a source says something for moments before what was its first reading."""
    dated = Q(effective_from__lt=first) | Q(effective_from__isnull=True, effective_until__lte=first)
    return set(Statement.objects.filter(dated, source=source).values_list("line_id", flat=True))
