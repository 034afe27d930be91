"""Writing the difference between what is believed and what resolves: prices, and the changes they make.

The only module that writes ``Price`` rows; called by ``pricing.ledger`` alone. The changes that calendars make are
written by ``pricing.calendar_bookkeeping``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice

from django.db import transaction
from django.db.models import Max

from pricing.belief import Readings, Sheet, TariffKey, load_sheets
from pricing.bulk import Row, among, insert
from pricing.claims import Conditions, Tariff
from pricing.doubts import keep_doubts
from pricing.headlines import headline
from pricing.models import Offering, Price, PriceLine, PricingChange, PricingChangeLine, SettledTime
from pricing.moves import Happening, happenings
from pricing.signals import news_written
from pricing.timeline import Segment
from pricing.told_before import told_once

CHUNK = 1200
_MICROSECOND = timedelta(microseconds=1)
# So long a document may be on its way, from when it was read until what it says is written.
ON_ITS_WAY = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Cause:
    """Why the ledger resolves again: a refresh or a decision, when it was seen and when written.

    ``ruled`` makes every difference a correction; ``takes_back`` says that a person speaks in
    another source's name: what it had announced or promised is moved, ended or taken back.
    ``emptied`` are the statements that no reading holds any more: prices that cite them are written
    anew, citing what holds.
    ``is_told`` is False where a change of another offering tells of the same thing.
    """

    moment: datetime
    recorded_at: datetime
    source_id: int | None = None
    refresh_id: int | None = None
    decision_id: int | None = None
    initial: bool = False
    backfilled: bool = False
    ruled: bool = False
    takes_back: bool = False
    emptied: frozenset[int] = frozenset()
    is_told: bool = True


@dataclass(slots=True)
class Settled:
    """What settling wrote."""

    opened: int = 0
    closed: int = 0
    changes: int = 0
    kinds: dict[str, int] = field(default_factory=dict)

    def add(self, other: Settled) -> None:
        """Count in what another settling wrote."""
        self.opened += other.opened
        self.closed += other.closed
        self.changes += other.changes
        for kind, count in other.kinds.items():
            self.kinds[kind] = self.kinds.get(kind, 0) + count


Draft = tuple[Sheet, Happening, Cause]


@dataclass(slots=True)
class _Difference:
    line_id: int
    close: list[int]
    open: list[Segment]


def settle(tariffs: Iterable[TariffKey], cause: Cause, readings: Readings | None = None) -> Settled:
    """Resolve tariffs afresh and write what differs from the rows believed, with the changes.

    Must run inside a transaction that holds the ledger's lock.
    """
    readings = readings or Readings.load()
    wanted: dict[int, set[Tariff]] = {}
    for offering_id, tariff in tariffs:
        wanted.setdefault(offering_id, set()).add(tariff)
    settled = Settled()
    for chunk in _chunks(sorted(wanted), CHUNK):
        _settle_chunk({pk: wanted[pk] for pk in chunk}, cause, readings, settled)
    return settled


def _chunks(items: Iterable[int], size: int) -> Iterator[list[int]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk


def _settle_chunk(wanted: Mapping[int, set[Tariff]], cause: Cause, readings: Readings, settled: Settled) -> None:
    sheets, specificity = load_sheets(wanted.keys())
    differences: list[_Difference] = []
    drafts: list[Draft] = []
    reached: datetime | None = None
    for offering_id, sheet in sheets.items():
        after = sheet.resolved(wanted[offering_id], readings, specificity)
        found = list(_differences(sheet, after, cause.emptied))
        if found:
            differences += found
            reached = reached or _settled_meanwhile(cause)
            horizon = max(sheet.read_until(readings, cause.moment), reached)
            speaker = None if cause.takes_back else cause.source_id
            happened = happenings(sheet.believed, after, horizon, cause.ruled, speaker, in_their_name=cause.takes_back)
            if cause.is_told:
                drafts += [(sheet, h, cause) for h in told_once(happened, sheet.lines, cause.moment)]
    _write_prices(differences, cause, settled)
    tell(drafts, settled)
    keep_doubts(sheets, wanted, readings, cause.recorded_at, cause.refresh_id)
    update_statuses(wanted.keys(), cause.recorded_at)


def _settled_meanwhile(cause: Cause) -> datetime:
    """Up to when time was settled while a document was on its way: nothing before that lies ahead of it."""
    last = None if cause.backfilled else SettledTime.objects.first()
    is_close = last is not None and cause.moment < last.until <= cause.moment + ON_ITS_WAY
    return last.until if last is not None and is_close else cause.moment


def _effective(segment: Segment) -> tuple[object, ...]:
    return (segment.start, segment.end, segment.value, segment.precision, segment.observed_after)


def _differences(
    sheet: Sheet, after: Mapping[Conditions, Sequence[Segment]], emptied: Collection[int]
) -> Iterator[_Difference]:
    for line in {*sheet.believed, *after}:
        before, now = sheet.believed.get(line, []), after.get(line, [])
        if now is before:
            continue
        if not before:
            yield _Difference(sheet.lines[line], [], list(now))
            continue
        sound = [s for s in before if s.statement not in emptied and s.dated_by not in emptied]
        kept = {_effective(s) for s in sound} & {_effective(s) for s in now}
        row_ids = sheet.rows.get(line, [])
        close = [pk for pk, s in zip(row_ids, before, strict=True) if _effective(s) not in kept]
        opens = [s for s in now if _effective(s) not in kept]
        if close or opens:
            yield _Difference(sheet.lines[line], close, opens)


def _write_prices(differences: Sequence[_Difference], cause: Cause, settled: Settled) -> None:
    known = _known_moments([d.line_id for d in differences], cause)
    closing: dict[datetime, list[int]] = {}
    rows = []
    for difference in differences:
        moment = known[difference.line_id]
        closing.setdefault(moment, []).extend(difference.close)
        rows += [_price(difference.line_id, segment, moment, cause) for segment in difference.open]
    for moment, ids in closing.items():
        for chunk in _chunks(ids, CHUNK):
            believed = Price.objects.filter(pk__in=among(chunk), known_until__isnull=True)
            settled.closed += believed.update(known_until=moment)
    insert(Price, PRICE_COLUMNS, rows)
    settled.opened += len(rows)


def _known_moments(line_ids: Collection[int], cause: Cause) -> dict[int, datetime]:
    """When each line's new rows begin to be known: the observation, or the clock where that would go back."""
    moments = dict.fromkeys(line_ids, cause.moment)
    for chunk in _chunks(line_ids, CHUNK):
        rows = Price.objects.filter(line_id__in=among(chunk)).order_by().values_list("line_id")
        for line_id, opened, closed in rows.annotate(opened=Max("known_from"), closed=Max("known_until")):
            boundary = max(filter(None, [opened, closed]))
            if cause.moment <= boundary:
                moments[line_id] = max(cause.recorded_at, boundary + _MICROSECOND)
    return moments


PRICE_COLUMNS = (
    "line_id",
    "amount",
    "currency",
    "zero_means",
    "effective_from",
    "effective_until",
    "precision",
    "observed_after",
    "known_from",
    "recorded_at",
    "source_id",
    "statement_id",
    "dated_by_id",
    "decision_id",
)


def _price(line_id: int, segment: Segment, moment: datetime, cause: Cause) -> Row:
    effective = (segment.start, segment.end, segment.precision, segment.observed_after)
    evidence = (segment.source, segment.statement, segment.dated_by, segment.decision)
    return (line_id, *segment.value, *effective, moment, cause.recorded_at, *evidence)


def tell(drafts: Sequence[Draft], settled: Settled) -> None:
    """Write what happened as changes, next in the sequence. Must run under the ledger's lock."""
    if not drafts:
        return
    sequence = (PricingChange.objects.aggregate(last=Max("sequence"))["last"] or 0) + 1
    rows = (_change(*draft, sequence + place) for place, draft in enumerate(drafts))
    changes = insert(PricingChange, CHANGE_COLUMNS, rows)
    lines = (row for change, draft in zip(changes, drafts, strict=True) for row in _change_lines(change, *draft[:2]))
    insert(PricingChangeLine, CHANGE_LINE_COLUMNS, lines)
    settled.changes += len(changes)
    for _, happening, _ in drafts:
        settled.kinds[happening.kind] = settled.kinds.get(happening.kind, 0) + 1
    if not all(cause.initial or cause.backfilled for _, _, cause in drafts):
        transaction.on_commit(_tell_of_news, robust=True)


def _tell_of_news() -> None:
    news_written.send_robust(sender=PricingChange)


CHANGE_COLUMNS = (
    "sequence",
    "offering_id",
    "kind",
    "nature",
    "headline",
    "initial",
    "backfilled",
    "source_id",
    "refresh_id",
    "decision_id",
    "effective_at",
    "observed_after",
    "precision",
    "announced_for",
    "detected_at",
    "recorded_at",
)


def _change(sheet: Sheet, happening: Happening, cause: Cause, sequence: int) -> Row:
    """A change as a row of ``CHANGE_COLUMNS``."""
    effective_at, announced_for = happening.effective_at, happening.announced_for
    told = (happening.kind, happening.nature, headline(sheet.name, happening), cause.initial, cause.backfilled)
    evidence = (cause.source_id, cause.refresh_id, cause.decision_id)
    when = (effective_at, happening.observed_after, happening.precision, announced_for)
    known = (detected_at(effective_at, announced_for, cause), cause.recorded_at)
    return (sequence, sheet.offering, *told, *evidence, *when, *known)


def detected_at(effective_at: datetime, announced_for: datetime | None, cause: Cause) -> datetime:
    """When it was noticed: at the reading, or now for what an old reading tells of a later moment."""
    return cause.moment if announced_for is not None or effective_at <= cause.moment else cause.recorded_at


CHANGE_LINE_COLUMNS = ("change_id", "line_id", "old", "new", "old_currency", "currency", "percent")


def _change_lines(change: int, sheet: Sheet, happening: Happening) -> Iterator[Row]:
    for changed in happening.lines:
        old, new = changed.old or (None, "", ""), changed.new or (None, "", "")
        currency = new[1] or old[1]
        yield (change, sheet.lines[changed.line], old[0], new[0], old[1], currency, changed.percent)


def update_statuses(offering_ids: Collection[int], now: datetime) -> None:
    """Say of offerings whether they are sold now or will be, were sold once, or have no known price."""
    for chunk in _chunks(offering_ids, CHUNK):
        priced, listed = _priced_and_listed(chunk, now)
        rows = Offering.objects.filter(pk__in=among(chunk)).exclude(status=Offering.Status.MERGED).order_by()
        due: dict[str, list[int]] = {}
        for pk, status in rows.values_list("pk", "status"):
            right = _status(pk in priced, pk in listed)
            if status != right:
                due.setdefault(right, []).append(pk)
        for right, ids in due.items():
            Offering.objects.filter(pk__in=among(ids)).update(status=right)


def _priced_and_listed(offering_ids: Collection[int], now: datetime) -> tuple[set[int], set[int]]:
    """The offerings of which prices are believed, and those with one that has not ended.

    One table after the other: a database that knows little yet of fresh tables joins them by comparing all with all.
    """
    offering_of = dict(PriceLine.objects.filter(offering__in=among(offering_ids)).values_list("pk", "offering_id"))
    believed = Price.objects.filter(line__in=among(offering_of), known_until__isnull=True).order_by()
    priced: set[int] = set()
    listed: set[int] = set()
    for line, ends in believed.values_list("line_id", "effective_until").distinct():
        priced.add(offering_of[line])
        if ends is None or ends > now:
            listed.add(offering_of[line])
    return priced, listed


def _status(is_priced: bool, is_listed: bool) -> str:
    if is_listed:
        return Offering.Status.LISTED
    return Offering.Status.WITHDRAWN if is_priced else Offering.Status.UNPRICED
