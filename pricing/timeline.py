"""What one reference of one source says of one tariff over time, from its statements alone.

A document without dates shows a price only at the moments it was read: a run of equal readings
holds from its first observation to the first reading that differs. A dated claim also speaks of
the past and the future. The latest document speaks for the moments that it covers.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from pricing.claims import Conditions

INSTANT = timedelta(microseconds=1)
NOISE = Decimal("1e-6")
Value = tuple[Decimal, str, str]


@dataclass(frozen=True, slots=True)
class Said:
    """A statement: one run of one reference of one source saying one thing about one line."""

    statement: int
    source: int
    reference: int | None
    line: Conditions
    value: Value
    effective_from: datetime | None
    effective_until: datetime | None
    precision: str
    first_observed_at: datetime
    absent_before: datetime | None
    ended_at: datetime | None

    @property
    def order(self) -> tuple[datetime, datetime, Decimal, str, str, str]:
        """A total order that does not depend on the order of arrival."""
        latest = datetime.max.replace(tzinfo=self.first_observed_at.tzinfo)
        return (
            self.effective_from or self.first_observed_at,
            self.effective_until or latest,
            *self.value,
            self.precision,
        )


@dataclass(frozen=True, slots=True)
class Witness:
    """How a source is to be read: its rank (lower speaks first), its readings, its patience.

    A line is withdrawn when ``patience`` readings in a row, over at least ``grace``, lack it.
    With a patience of 0 the source means it at once, as people and the curated record do.
    ``is_person`` says that people speak, who know a list price from a promotion.
    """

    source: int
    rank: int
    observations: Sequence[datetime]
    patience: int = 3
    grace: timedelta = timedelta(hours=48)
    is_person: bool = False

    def last_before(self, moment: datetime) -> datetime | None:
        """The last reading before a moment."""
        index = bisect_left(self.observations, moment)
        return self.observations[index - 1] if index else None

    def first_from(self, moment: datetime, until: datetime | None) -> datetime | None:
        """The first reading from a moment on and before another (None: of all so far)."""
        index = bisect_left(self.observations, moment)
        reading = self.observations[index] if index < len(self.observations) else None
        return reading if reading is not None and (until is None or reading < until) else None

    def gave_up(self, first_miss: datetime, until: datetime | None) -> bool:
        """Whether the readings from the first miss until the return (or now) make a withdrawal."""
        if self.patience == 0:
            return True
        start = bisect_left(self.observations, first_miss)
        stop = len(self.observations) if until is None else bisect_left(self.observations, until)
        if stop - start < self.patience:
            return False
        return self.observations[stop - 1] - first_miss >= self.grace


@dataclass(frozen=True, slots=True)
class Segment:
    """A price over an effective interval, and where it comes from.

    ``dated`` means that the source itself gives the beginning. ``presumed`` means that the end is
    open, so that nothing but the last reading speaks for what comes after it. ``steps`` means that
    the beginning is a change of witness rather than a move that somebody reported; ``yields`` says
    the same of the end. ``ruled_out`` means that a person's withdrawal ends it.
    """

    start: datetime
    end: datetime | None
    value: Value
    precision: str
    observed_after: datetime | None
    source: int | None
    reference: int | None
    statement: int | None
    dated: bool = False
    presumed: bool = False
    steps: bool = False
    yields: bool = False
    ruled_out: bool = False
    dated_by: int | None = None
    decision: int | None = None

    def covers(self, moment: datetime) -> bool:
        """Whether the price is in force at a moment."""
        return self.start <= moment and (self.end is None or moment < self.end)


Timeline = dict[Conditions, list[Segment]]


def same(old: Value, new: Value) -> bool:
    """Whether two prices are one: equal, or apart by float noise below one in a million."""
    if old == new:
        return True
    if old[1:] != new[1:]:
        return False
    return abs(old[0] - new[0]) <= NOISE * max(abs(old[0]), abs(new[0]))


def reference_timeline(said: Sequence[Said], witness: Witness) -> Timeline:
    """The timeline of one reference for one tariff."""
    by_line: dict[Conditions, list[Said]] = {}
    for statement in said:
        by_line.setdefault(statement.line, []).append(statement)
    found = {line: shown for line, runs in by_line.items() if (shown := shown_from_the_first(runs)) is not None}
    if len(found) == len(by_line):
        return found
    arrivals = {line: min(s.first_observed_at for s in runs) for line, runs in by_line.items()}
    return {
        line: found[line]
        if line in found
        else _line_timeline(runs, witness, {at for other, at in arrivals.items() if other != line})
        for line, runs in by_line.items()
    }


def shown_from_the_first(runs: Sequence[Said]) -> list[Segment] | None:
    """The one segment of a line that was said once, without dates, and is said still: the case of nearly every line."""
    claim = runs[0]
    if len(runs) > 1 or claim.ended_at is not None or claim.effective_from or claim.effective_until:
        return None
    return [_observed(claim, claim.first_observed_at, claim.absent_before)]


def _line_timeline(runs: Sequence[Said], witness: Witness, restructures: set[datetime]) -> list[Segment]:
    if len(runs) == 1 and runs[0].ended_at is None and runs[0].effective_from is None:
        return _paint([], runs, runs[0].first_observed_at, None)
    points = sorted({s.first_observed_at for s in runs} | {s.ended_at for s in runs if s.ended_at is not None})
    painted: list[Segment] = []
    for index, point in enumerate(points):
        active = [s for s in runs if s.first_observed_at <= point and (s.ended_at is None or point < s.ended_at)]
        if active:
            painted = _without_what_never_came(painted, active, point, witness.last_before(point))
            painted = _paint(painted, active, point, _last_stated(runs, point, witness))
            continue
        following = points[index + 1] if index + 1 < len(points) else None
        if point in restructures or witness.gave_up(point, following):
            painted = _cut(painted, point)
    return painted


def _last_stated(runs: Sequence[Said], point: datetime, witness: Witness) -> datetime | None:
    """The last reading before ``point`` that stated the line at all."""
    stated_until = [min(s.ended_at or point, point) for s in runs if s.first_observed_at < point]
    return witness.last_before(max(stated_until)) if stated_until else None


def _paint(
    painted: list[Segment], active: Sequence[Said], point: datetime, last_seen: datetime | None
) -> list[Segment]:
    """Let a document read at ``point`` speak: it replaces the future, and the past that it dates.

    ``last_seen`` is the last reading that showed what was said before.
    """
    goes_on = any(s.covers(point) for s in painted)
    painted = _without_what_had_ended(_cut(painted, point), active, point)
    for claim in sorted(active, key=lambda s: s.order):
        if claim.effective_from is not None:
            painted = _overlay(painted, _dated(claim))
        elif claim.effective_until is None or claim.effective_until > point:
            painted = _overlay(painted, _observed(claim, point, last_seen if goes_on else claim.absent_before))
        else:
            painted = _settle_end(_join(painted), claim)
    return _join(painted)


def _without_what_never_came(
    painted: list[Segment], active: Sequence[Said], point: datetime, previous: datetime | None
) -> list[Segment]:
    """Drop each dated beginning since the previous reading that this one no longer states.

    What was believed before it goes on. A beginning that a reading has confirmed lies before that reading.
    """
    if previous is None:
        return painted
    kept: list[Segment] = []
    for segment in painted:
        announced = segment.dated and previous < segment.start <= point
        if not announced or any(_states(claim, segment.value, segment.start) for claim in active):
            kept.append(segment)
        elif kept and kept[-1].end == segment.start:
            kept[-1] = replace(kept[-1], end=segment.end, presumed=segment.presumed)
    return kept


def _states(claim: Said, value: Value, moment: datetime) -> bool:
    """Whether a claim lets a price be in force at a moment; one without a beginning may have begun at any."""
    begun = claim.effective_from is None or claim.effective_from <= moment
    return begun and _outlasts(claim, moment) and same(claim.value, value)


def _outlasts(claim: Said, moment: datetime) -> bool:
    return claim.effective_until is None or claim.effective_until > moment


def _without_what_had_ended(painted: list[Segment], active: Sequence[Said], point: datetime) -> list[Segment]:
    """Drop what earlier readings showed of a price after the moment at which, by this one, it had ended."""
    undated = [claim for claim in active if claim.effective_from is None]
    for claim in undated:
        end = claim.effective_until
        if end is not None and end <= point and not any(_states(other, claim.value, end) for other in undated):
            painted = [part for s in painted for part in (_cut([s], end) if same(s.value, claim.value) else [s])]
    return painted


def _cut(painted: Iterable[Segment], at: datetime) -> list[Segment]:
    """The segments before a moment, the last one ended there."""
    kept = []
    for segment in painted:
        if segment.start < at:
            ends_later = segment.end is None or segment.end > at
            kept.append(replace(segment, end=at, presumed=False) if ends_later else segment)
    return kept


def _overlay(painted: Iterable[Segment], new: Segment) -> list[Segment]:
    """Put one segment over the others, which keep what sticks out on either side.

    What goes on after it begins where it ends: the window of the first beginning is not that one's.
    """
    kept: list[Segment] = []
    for segment in painted:
        if segment.end is not None and segment.end <= new.start:
            kept.append(segment)
            continue
        if new.end is not None and segment.start >= new.end:
            kept.append(segment)
            continue
        if segment.start < new.start:
            kept.append(replace(segment, end=new.start, presumed=False))
        if new.end is not None and (segment.end is None or segment.end > new.end):
            began_later = segment.start >= new.end
            kept.append(segment if began_later else replace(segment, start=new.end, observed_after=None))
    return sorted([*kept, new], key=lambda s: s.start)


def _dated(claim: Said) -> Segment:
    assert claim.effective_from is not None
    return Segment(
        start=claim.effective_from,
        end=claim.effective_until,
        value=claim.value,
        precision=claim.precision,
        observed_after=None,
        source=claim.source,
        reference=claim.reference,
        statement=claim.statement,
        dated=True,
        presumed=claim.effective_until is None,
    )


def _observed(claim: Said, point: datetime, after: datetime | None) -> Segment:
    """A price that a document shows without a beginning: it holds from the reading on."""
    return Segment(
        start=point,
        end=claim.effective_until,
        value=claim.value,
        precision="observed",
        observed_after=after,
        source=claim.source,
        reference=claim.reference,
        statement=claim.statement,
        presumed=claim.effective_until is None,
    )


def _settle_end(painted: list[Segment], claim: Said) -> list[Segment]:
    """A past price without a beginning was in force immediately before its end, and says no more.

    Where the source had first dated the following move earlier, the move goes to the new date.
    """
    end = claim.effective_until
    assert end is not None
    index = next((i for i, s in enumerate(painted) if s.covers(end - INSTANT)), None)
    if index is None:
        return _overlay(painted, _witnessed_end(claim, end))
    covering = painted[index]
    if same(covering.value, claim.value):
        return painted
    previous = painted[index - 1] if index else None
    if previous is not None and previous.end == covering.start and same(previous.value, claim.value):
        return _overlay(painted, replace(previous, end=end))
    return _overlay(painted, _witnessed_end(claim, end))


def _witnessed_end(claim: Said, end: datetime) -> Segment:
    return Segment(
        start=end - INSTANT,
        end=end,
        value=claim.value,
        precision="unknown",
        observed_after=None,
        source=claim.source,
        reference=claim.reference,
        statement=claim.statement,
    )


def _join(painted: Iterable[Segment]) -> list[Segment]:
    """Neighbours with one price are one segment, which began as the first did."""
    joined: list[Segment] = []
    for segment in painted:
        last = joined[-1] if joined else None
        if last is not None and last.end == segment.start and same(last.value, segment.value):
            joined[-1] = replace(last, end=segment.end, presumed=segment.presumed)
        else:
            joined.append(segment)
    return joined
