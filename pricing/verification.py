"""Holding the ledger against its own evidence and its own rules; what is wrong is told, never mended."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby, pairwise
from operator import attrgetter
from typing import NamedTuple

from django.db import transaction
from django.db.models import Count, Q
from django.utils import timezone

from pricing.belief import Readings, Sheet, load_sheets, taken_back
from pricing.calendar_verification import calendar_faults
from pricing.claims import Conditions
from pricing.findings import Finding, Progress, no_progress
from pricing.locks import lock_ledger
from pricing.models import Hold, Observation, Offering, Price, PricingChange, Source, Statement
from pricing.routes.checks import routes_hold
from pricing.timeline import Segment
from tracker.amounts import plain

OFFERINGS_AT_ONCE = 200
ROWS_AT_ONCE = 2000
_ROUTE_COLUMNS = ("routed_from_offering", "routed_from_model", "routed_to_offering", "routed_to_model")


def findings(progress: Progress = no_progress) -> Iterator[Finding]:
    """Everything that is wrong, as it is found. Memory is bounded: offerings and rows are read in pieces."""
    yield from resolved_afresh(progress)
    yield from calendars_agree(progress)
    yield from prices_keep_order(progress)
    yield from runs_keep_apart(progress)
    yield from routes_hold(progress)
    yield from changes_follow(progress)
    yield from statuses_agree(progress)


def _offering_ids() -> Iterator[list[int]]:
    """The offerings in pieces, by their ids."""
    ordered = Offering.objects.order_by("pk").values_list("pk", flat=True)
    ids = list(ordered[:OFFERINGS_AT_ONCE])
    while ids:
        yield ids
        ids = list(ordered.filter(pk__gt=ids[-1])[:OFFERINGS_AT_ONCE])


def resolved_afresh(progress: Progress = no_progress) -> Iterator[Finding]:
    """Whether the evidence, resolved anew, gives the rows believed."""
    done, total = 0, Offering.objects.count()
    for ids in _offering_ids():
        # Nobody may write between the reading of the evidence and that of the rows.
        with transaction.atomic():
            lock_ledger()
            readings = Readings.load()
            sheets, specificity = load_sheets(ids)
            found = [f for sheet in sheets.values() for f in _differences(sheet, readings, specificity)]
            found += _doubts_kept(sheets)
        yield from found
        done += len(ids)
        progress("offerings resolved afresh", done, total)


def calendars_agree(progress: Progress = no_progress) -> Iterator[Finding]:
    """Whether the rules believed of calendars follow from their evidence, and no slot with a price lacks its hours."""
    done, total = 0, Offering.objects.count()
    for ids in _offering_ids():
        with transaction.atomic():
            lock_ledger()
            found = [Finding(*fault) for fault in calendar_faults(ids, Readings.load())]
        yield from found
        done += len(ids)
        progress("calendars resolved afresh", done, total)


def _differences(sheet: Sheet, readings: Readings, specificity: dict[int, tuple[int, int, str]]) -> Iterator[Finding]:
    resolved = sheet.resolved({line.tariff for line in sheet.lines}, readings, specificity)
    for line in sorted({*sheet.believed, *resolved}):
        believed, afresh = _told(sheet.believed.get(line, ())), _told(resolved.get(line, ()))
        if believed != afresh:
            yield Finding(
                "resolution",
                f"offering {sheet.offering} line {sheet.lines.get(line)} ({_words(line)})",
                f"believes {_shown(believed - afresh)} but its evidence gives {_shown(afresh - believed)}",
            )


def _doubts_kept(sheets: Mapping[int, Sheet]) -> Iterator[Finding]:
    """Whether exactly what resolution holds back is held."""
    rows = Hold.objects.filter(offering__in=sheets, statement__isnull=False, closed_at__isnull=True)
    kept = {(statement, reason): offering for statement, reason, offering in rows.values_list(*_HOLD_COLUMNS)}
    held = {
        (each.statement, each.reason): offering
        for offering, sheet in sheets.items()
        for resolution in sheet.resolutions.values()
        for each in resolution.held
        if each.is_open and not sheet.has_refused(each)
    }
    for key in kept.keys() ^ held.keys():
        offering, (statement, reason) = kept.get(key) or held.get(key), key
        problem = "is held without need" if key in kept else "is not held"
        yield Finding("holds", f"offering {offering}", f"statement {statement} {problem} ({reason})")


_HOLD_COLUMNS = ("statement_id", "reason", "offering_id")


class _Told(NamedTuple):
    """What of a price is settled by its evidence."""

    start: datetime
    end: datetime | None
    value: tuple[object, ...]
    precision: str
    observed_after: datetime | None


def _told(segments: Iterable[Segment]) -> set[_Told]:
    return {_Told(s.start, s.end, s.value, s.precision, s.observed_after) for s in segments}


def _words(line: Conditions) -> str:
    threshold = str(line.above_input_tokens or "")
    return " ".join(filter(None, [*line.tariff, threshold, line.slot, line.layer]))


def _shown(told: set[_Told]) -> str:
    """Prices in words, oldest first."""
    rows = sorted(told, key=lambda t: (t.start, str(t)))
    return "; ".join(_price_words(row) for row in rows) or "nothing"


def _price_words(told: _Told) -> str:
    amount, currency, *_ = told.value
    end = told.end.isoformat() if told.end else "open"
    window = f", observed after {told.observed_after.isoformat()}" if told.observed_after else ""
    return f"{plain(amount)} {currency} [{told.start.isoformat()}, {end}) {told.precision}{window}"  # type: ignore[arg-type]


class _Row(NamedTuple):
    """A price row as far as the two axes go."""

    pk: int
    line: int
    effective_from: datetime
    effective_until: datetime | None
    known_from: datetime
    known_until: datetime | None
    statement: int | None
    decision: int | None


def prices_keep_order(progress: Progress = no_progress) -> Iterator[Finding]:
    """Whether rows run forward on both axes, cite evidence, and no two of a line hold at one point of both."""
    done, total = 0, Price.objects.count()
    columns = ("pk", "line_id", "effective_from", "effective_until", "known_from", "known_until")
    ordered = Price.objects.order_by("line_id", "effective_from", "known_from", "pk")
    rows = map(_Row._make, ordered.values_list(*columns, "statement_id", "decision_id").iterator(ROWS_AT_ONCE))
    for _, group in groupby(rows, key=attrgetter("line")):
        of_line = list(group)
        for row in of_line:
            yield from _row_findings(row)
        yield from _overlaps(of_line)
        done += len(of_line)
        progress("prices on two axes", done, total)


def _row_findings(row: _Row) -> Iterator[Finding]:
    where = f"price {row.pk} on line {row.line}"
    if row.effective_until is not None and row.effective_until <= row.effective_from:
        yield Finding("order", where, f"ends at {row.effective_until.isoformat()}, not after it begins")
    if row.known_until is not None and row.known_until <= row.known_from:
        yield Finding("order", where, f"is known until {row.known_until.isoformat()}, not after it was known from")
    if row.statement is None and row.decision is None:
        yield Finding("evidence", where, "cites neither a statement nor a decision")


def _overlaps(rows: Sequence[_Row]) -> Iterator[Finding]:
    """Pairs of rows of one line, ordered by their beginning, that share a point of both axes."""
    going_on: list[_Row] = []
    for row in rows:
        going_on = [r for r in going_on if r.effective_until is None or r.effective_until > row.effective_from]
        for earlier in going_on:
            if _meet(earlier.known_from, earlier.known_until, row.known_from, row.known_until):
                problem = f"overlaps price {earlier.pk} in effect from {row.effective_from.isoformat()}"
                yield Finding("overlap", f"price {row.pk} on line {row.line}", problem)
        going_on.append(row)


def _meet(one_from: datetime, one_until: datetime | None, other_from: datetime, other_until: datetime | None) -> bool:
    begins_in_time = one_until is None or other_from < one_until
    return begins_in_time and (other_until is None or one_from < other_until)


class _Run(NamedTuple):
    """A statement: what makes it the same claim, and from which reading to which it holds."""

    line: int
    pk: int
    claim: tuple[object, ...]
    first: datetime
    absent_before: datetime | None
    ended: datetime | None
    ended_by: int | None

    @property
    def is_emptied(self) -> bool:
        """Whether the one reading that held it was told anew, by a refresh, and says otherwise now."""
        return self.ended == self.first and self.ended_by is not None


_CLAIM = ("source_id", "reference_id", "amount", "currency", "zero_means")
_DATES = ("effective_from", "effective_until", "precision")


def runs_keep_apart(progress: Progress = no_progress) -> Iterator[Finding]:
    """Whether the runs of one claim never overlap, and begin and end where their source was read."""
    done, total = 0, Statement.objects.count()
    columns = (
        "line_id",
        "pk",
        "first_observed_at",
        "absent_before",
        "ended_at",
        "ended_by_refresh_id",
        *_CLAIM,
        *_DATES,
    )
    rows = Statement.objects.order_by("line_id").values_list(*columns).iterator(ROWS_AT_ONCE)
    runs = (
        _Run(line, pk, tuple(claim), first, absent, ended, by) for line, pk, first, absent, ended, by, *claim in rows
    )
    readings, unsaid = _FeedReadings(), taken_back()
    for _, group in groupby(runs, key=attrgetter("line")):
        of_line = list(group)
        for run in of_line:
            yield from _run_findings(run, readings)
        # What was taken back says nothing, so that the same may be said again for the same time.
        yield from _repeats([run for run in of_line if run.pk not in unsaid and not run.is_emptied])
        done += len(of_line)
        progress("statements as runs", done, total)


class _FeedReadings:
    """When each feed was read; people are not read, so their words may begin and end at any moment."""

    def __init__(self) -> None:
        self.feeds = set(Source.objects.filter(kind=Source.Kind.FEED).values_list("pk", flat=True))
        self.moments: dict[int, set[datetime]] = {}

    def has(self, source: int, moment: datetime | None) -> bool:
        """Whether the source was read at a moment; no moment at all is none that could be wrong."""
        if moment is None or source not in self.feeds:
            return True
        if source not in self.moments or moment not in self.moments[source]:
            rows = Observation.objects.filter(source_id=source)
            self.moments[source] = set(rows.values_list("observed_at", flat=True))
        return moment in self.moments[source]


def _run_findings(run: _Run, readings: _FeedReadings) -> Iterator[Finding]:
    where = f"statement {run.pk} on line {run.line}"
    source = run.claim[0]
    assert isinstance(source, int)
    if run.ended is not None and run.ended <= run.first and not run.is_emptied:
        yield Finding("runs", where, f"ended at {run.ended.isoformat()}, not after it was first read")
    if run.absent_before is not None and run.absent_before >= run.first:
        yield Finding("runs", where, f"was absent at {run.absent_before.isoformat()}, not before it was first read")
    for moment in (run.first, run.absent_before, run.ended):
        if moment is not None and not readings.has(source, moment):
            yield Finding("runs", where, f"names {moment.isoformat()}, when its source was not read")


def _repeats(runs: Sequence[_Run]) -> Iterator[Finding]:
    by_claim: dict[tuple[object, ...], list[_Run]] = {}
    for run in runs:
        by_claim.setdefault(run.claim, []).append(run)
    for same in by_claim.values():
        for earlier, later in pairwise(sorted(same, key=lambda run: (run.first, run.pk))):
            if earlier.ended is None or later.first < earlier.ended:
                problem = f"says what statement {earlier.pk} says already at {later.first.isoformat()}"
                yield Finding("runs", f"statement {later.pk} on line {later.line}", problem)


def changes_follow(progress: Progress = no_progress) -> Iterator[Finding]:
    """Whether changes are numbered 1, 2, 3 … in the order of recording, each with its lines or its calendar."""
    total = PricingChange.objects.count()
    changes = PricingChange.objects.order_by("sequence", "pk").annotate(parts=Count("lines"))
    columns = ("pk", "sequence", "recorded_at", "calendar", "parts", *_ROUTE_COLUMNS)
    rows = changes.values_list(*columns).iterator(ROWS_AT_ONCE)
    expected, last = 1, None
    for done, (pk, sequence, recorded_at, calendar, parts, *routed_by) in enumerate(rows, start=1):
        # A route need not mean anything in money.
        routed = any(routed_by)
        where = f"change {pk} (sequence {sequence})"
        if sequence != expected:
            yield Finding("changes", where, f"follows {expected - 1}: {expected} is missing or given twice")
        if last is not None and recorded_at < last:
            yield Finding("changes", where, "was recorded before the one that it follows")
        if not parts and calendar is None and not routed:
            yield Finding("changes", where, "has no lines")
        expected, last = sequence + 1, recorded_at
        progress("changes in sequence", done, total)


def statuses_agree(progress: Progress = no_progress) -> Iterator[Finding]:
    """Whether each offering is called listed, withdrawn, unpriced or merged as its prices say."""
    done, total = 0, Offering.objects.count()
    for ids in _offering_ids():
        with transaction.atomic():
            lock_ledger()
            found = list(_status_findings(ids, timezone.now()))
        yield from found
        done += len(ids)
        progress("statuses", done, total)


def _status_findings(ids: Sequence[int], now: datetime) -> Iterator[Finding]:
    believed = Q(lines__prices__known_until__isnull=True, lines__prices__isnull=False)
    sold = believed & (Q(lines__prices__effective_until__isnull=True) | Q(lines__prices__effective_until__gt=now))
    counted = Offering.objects.filter(pk__in=ids).annotate(
        prices=Count("lines__prices", filter=believed), sold=Count("lines__prices", filter=sold)
    )
    rows = counted.order_by("pk").values_list("pk", "status", "merged_into_id", "prices", "sold")
    lapsed = _lapsed(ids, now)
    for pk, status, merged_into, prices, in_sale in rows:
        expected = _expected_status(merged_into is not None, prices, in_sale)
        # A price that came to its dated end leaves the status to the next settlement.
        overdue = status == Offering.Status.LISTED and expected == Offering.Status.WITHDRAWN and pk in lapsed
        if status != expected and not overdue:
            yield Finding("status", f"offering {pk}", f"is called {status!r}; its prices make it {expected.value!r}")


def _lapsed(ids: Sequence[int], now: datetime) -> set[int]:
    """The offerings with a price that ended by its own date, after it was recorded."""
    rows = Price.objects.filter(line__offering_id__in=ids, known_until__isnull=True, effective_until__lte=now)
    ends = rows.values_list("line__offering_id", "effective_until", "recorded_at")
    return {offering for offering, end, recorded in ends if end is not None and end > recorded}


def _expected_status(is_merged: bool, prices: int, in_sale: int) -> Offering.Status:
    if is_merged:
        return Offering.Status.MERGED
    if not prices:
        return Offering.Status.UNPRICED
    return Offering.Status.LISTED if in_sale else Offering.Status.WITHDRAWN
