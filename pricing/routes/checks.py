"""Holding the routes against their evidence and the rules of the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import combinations, pairwise

from django.db import transaction

from pricing.belief import Readings
from pricing.findings import Finding, Progress, no_progress
from pricing.locks import lock_ledger
from pricing.models import Alias, Observation, Offering, RouteStatement, Source
from pricing.routes.beliefs import left_out, load_route_sheets
from pricing.timeline import Segment


def routes_hold(progress: Progress = no_progress) -> Iterator[Finding]:
    """Whether routes resolve to the rows believed, keep order on both axes, and rest on runs as their readings are."""
    routed = Offering.objects.filter(pk__in=RouteStatement.objects.values("offering"))
    routed |= Offering.objects.filter(pk__in=Alias.objects.values("offering"))
    ids = list(routed.order_by("pk").values_list("pk", flat=True))
    for done, offering in enumerate(ids, start=1):
        # Nobody may write between the reading of the evidence and that of the rows.
        with transaction.atomic():
            lock_ledger()
            found = [*_resolved_afresh(offering), *_order(offering), *_runs(offering)]
        yield from found
        progress("routes", done, len(ids))


def _resolved_afresh(offering: int) -> Iterator[Finding]:
    sheets, specificity = load_route_sheets([offering])
    sheet = sheets[offering]
    believed, afresh = _told(sheet.believed), _told(sheet.resolved(Readings.load(), specificity))
    if believed != afresh:
        problem = f"believes {_shown(believed - afresh)} but its evidence gives {_shown(afresh - believed)}"
        yield Finding("resolution", f"routes of offering {offering}", problem)


_Told = tuple[datetime, datetime | None, str, str, datetime | None]


def _told(segments: Iterable[Segment]) -> set[_Told]:
    return {(s.start, s.end, s.value[1], s.precision, s.observed_after) for s in segments}


def _shown(told: set[_Told]) -> str:
    rows = sorted(told, key=lambda row: (row[0], str(row)))
    return (
        "; ".join(f"{to} [{start.isoformat()}, {end or 'open'}) {how}" for start, end, to, how, _ in rows) or "nothing"
    )


def _order(offering: int) -> Iterator[Finding]:
    """Whether rows run forward, cite evidence, and no two hold at one point of both axes."""
    rows = list(Alias.objects.filter(offering=offering).order_by("effective_from", "known_from", "pk"))
    for row in rows:
        where = f"alias {row.pk} of offering {offering}"
        if not _runs_forward(row.effective_from, row.effective_until):
            yield Finding("order", where, "ends not after it begins")
        if not _runs_forward(row.known_from, row.known_until):
            yield Finding("order", where, "is known until a moment not after it was known from")
        if row.statement_id is None:
            yield Finding("evidence", where, "cites no statement")
    for one, other in combinations(rows, 2):
        effective = (one.effective_from, one.effective_until, other.effective_from, other.effective_until)
        if _meet(*effective) and _meet(one.known_from, one.known_until, other.known_from, other.known_until):
            yield Finding("overlap", f"alias {other.pk} of offering {offering}", f"overlaps alias {one.pk}")


def _runs_forward(start: datetime | None, end: datetime | None) -> bool:
    return start is None or end is None or start < end


def _meet(
    one_from: datetime | None, one_until: datetime | None, other_from: datetime | None, other_until: datetime | None
) -> bool:
    begins_in_time = one_until is None or other_from is None or other_from < one_until
    return begins_in_time and (other_until is None or one_from is None or one_from < other_until)


def _runs(offering: int) -> Iterator[Finding]:
    """Whether the runs of one claim never overlap, and begin and end where their source was read."""
    statements = list(RouteStatement.objects.filter(offering=offering).select_related("source").order_by("pk"))
    for said in statements:
        yield from _run_findings(said)
    unsaid = left_out([offering])
    by_claim: dict[tuple[object, ...], list[RouteStatement]] = {}
    for said in statements:
        if said.pk not in unsaid:
            by_claim.setdefault(_claim(said), []).append(said)
    for same in by_claim.values():
        yield from _repeats(same)


def _run_findings(said: RouteStatement) -> Iterator[Finding]:
    where = f"route statement {said.pk}"
    if said.ended_at is not None and said.ended_at <= said.first_observed_at:
        yield Finding("runs", where, f"ended at {said.ended_at.isoformat()}, not after it was first read")
    if said.source.kind != Source.Kind.FEED:
        return
    for moment in filter(None, (said.first_observed_at, said.absent_before, said.ended_at)):
        if not Observation.objects.filter(source=said.source_id, observed_at=moment).exists():
            yield Finding("runs", where, f"names {moment.isoformat()}, when its source was not read")


def _claim(said: RouteStatement) -> tuple[object, ...]:
    target = (said.target_offering_id, said.target_model_id)
    return (said.source_id, said.reference_id, *target, said.effective_from, said.effective_until, said.precision)


def _repeats(same: Sequence[RouteStatement]) -> Iterator[Finding]:
    ordered = sorted(same, key=lambda said: (said.first_observed_at, said.pk))
    for earlier, later in pairwise(ordered):
        if earlier.ended_at is None or later.first_observed_at < earlier.ended_at:
            problem = f"says what route statement {earlier.pk} says already"
            yield Finding("runs", f"route statement {later.pk}", problem)
