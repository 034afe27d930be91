"""Taking what documents say: runs of statements grow, end and open, and what they touch is settled."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from pricing.belief import FEED_GRACE, FEED_PATIENCE, TariffKey
from pricing.bookkeeping import Cause, settle
from pricing.bulk import Row, insert
from pricing.calendar_bookkeeping import settle_calendars
from pricing.calendar_statements import GivenCalendar, Place, take_calendars
from pricing.claims import Claim, SlotRule
from pricing.doubts import open_holds_of
from pricing.locks import lock_ledger
from pricing.models import Hold, Observation, Price, Source, Statement
from pricing.routes.readings import ToldRoute, observe_routes, observe_routes_again
from pricing.runs import Edits, Run, read_between, read_latest
from pricing.settlement import settle_crossed
from pricing.sheets import BATCH, Outcome, StaleObservation, ensure_lines, tariffs_of

StatementKey = tuple[int, int, Decimal, str, str, datetime | None, datetime | None, str, int | None, Decimal | None]
Citation = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Told:
    """What one reference says in one reading; ``zero_means`` belongs to the claims whose amount is 0.

    ``slots`` are all the rules that it gives for the calendar of its lines.
    """

    reference: int
    offering: int
    claims: Sequence[Claim]
    zero_means: str = "free"
    slots: Sequence[SlotRule] = ()

    @property
    def calendar(self) -> GivenCalendar:
        """Its calendar, which can be read where the first price of a slot can."""
        cited = next((claim for claim in self.claims if claim.line.slot and claim.citation_url), None)
        citation = (cited.citation_url, cited.citation_title) if cited else ("", "")
        return GivenCalendar(self.reference, self.offering, tuple(self.slots), *citation)


@dataclass(frozen=True, slots=True)
class Reading:
    """One successful reading of a source; ``backfilled`` ones may be older than the last."""

    source: Source
    observed_at: datetime
    digest: str
    refresh_id: int | None = None
    backfilled: bool = False


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
        keys, tariff_of = _keys(told)
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


def _keys(told: Sequence[Told]) -> tuple[dict[StatementKey, Citation], dict[int, TariffKey]]:
    """Every claim as a statement's key, and the tariff of every line that they name."""
    wanted = {(t.offering, claim.line) for t in told for claim in t.claims}
    wanted |= {(t.offering, claim.derived_from) for t in told for claim in t.claims if claim.derived_from is not None}
    line_ids = ensure_lines(wanted)
    keys: dict[StatementKey, Citation] = {}
    for t in told:
        for claim in t.claims:
            zero = "" if claim.amount else t.zero_means
            keys[
                (
                    t.reference,
                    line_ids[t.offering, claim.line],
                    claim.amount,
                    claim.currency,
                    zero,
                    claim.effective_from,
                    claim.effective_until,
                    claim.precision,
                    None if claim.derived_from is None else line_ids[t.offering, claim.derived_from],
                    claim.factor,
                )
            ] = (claim.citation_url, claim.citation_title)
    return keys, {pk: (offering, line.tariff) for (offering, line), pk in line_ids.items()}


_RUN_COLUMNS = (
    "pk",
    "first_observed_at",
    "ended_at",
    "reference_id",
    "line_id",
    "amount",
    "currency",
    "zero_means",
    "effective_from",
    "effective_until",
    "precision",
    "derived_from_id",
    "factor",
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
    rows = near.values_list(*_RUN_COLUMNS).iterator()
    runs = (run for run in map(_run, rows) if run.key[0] not in unreadable)
    if following is None:
        return read_latest(runs, keys, reading.observed_at, previous)
    return read_between(runs, keys, reading.observed_at, previous, following)


def _run(row: tuple[object, ...]) -> Run[StatementKey]:
    pk, first, ended, *key = row
    return Run(pk, tuple(key), first, ended)  # type: ignore[arg-type]


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
        Statement.objects.bulk_create(_continued(edits.split, at, neighbour), batch_size=BATCH)
    ended_by = neighbour.refresh_id if neighbour is not None else None
    rows = (_statement(reading, *opened, keys[opened[0]], ended_by) for opened in edits.opened)
    insert(Statement, STATEMENT_COLUMNS, rows)
    _update([*edits.ended, *edits.split], ended_at=at, ended_by_refresh_id=reading.refresh_id)
    _update(edits.grown, first_observed_at=at, absent_before=previous, refresh_id=reading.refresh_id)
    _update(edits.narrowed, absent_before=at)
    runs = [*edits.ended, *edits.split, *edits.grown, *edits.narrowed]
    return {run.key[1] for run in runs} | {key[1] for key, *_ in edits.opened}


def _continued(split: Sequence[Run[StatementKey]], absent_at: datetime, neighbour: Observation) -> list[Statement]:
    """The second halves of runs that a reading splits: the same words, from the next reading on."""
    halves = list(Statement.objects.filter(pk__in=[run.statement for run in split]))
    for half in halves:
        half.pk = None
        half._state.adding = True
        half.first_observed_at = neighbour.observed_at
        half.absent_before = absent_at
        half.refresh_id = neighbour.refresh_id
    return halves


def _update(runs: Sequence[Run[StatementKey]], **values: object) -> None:
    for start in range(0, len(runs), BATCH):
        ids = [run.statement for run in runs[start : start + BATCH]]
        Statement.objects.filter(pk__in=ids).update(**values)


STATEMENT_COLUMNS = (
    "source_id",
    "reference_id",
    "line_id",
    "amount",
    "currency",
    "zero_means",
    "effective_from",
    "effective_until",
    "precision",
    "derived_from_id",
    "factor",
    "first_observed_at",
    "absent_before",
    "ended_at",
    "refresh_id",
    "ended_by_refresh_id",
    "citation_url",
    "citation_title",
    "note",
    "recorded_at",
)


def _statement(
    reading: Reading,
    key: StatementKey,
    first: datetime,
    absent_before: datetime | None,
    ended: datetime | None,
    citation: Citation,
    ended_by: int | None,
) -> Row:
    run = (first, absent_before, ended, reading.refresh_id, ended_by)
    return (reading.source.pk, *key, *run, *citation, "", timezone.now())


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
