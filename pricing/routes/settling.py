"""Writing the difference between the routes that are believed and those that resolve, with the changes they make.

The only module that writes ``Alias`` rows. Must run inside a transaction that holds the ledger's lock,
after the prices are settled, since a change of a route tells what it means in money.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from django.db.models import Max

from pricing.belief import Readings
from pricing.bookkeeping import CHUNK, Cause, Settled, settle
from pricing.bulk import save_new
from pricing.models import Alias, Offering, RouteStatement
from pricing.routes.beliefs import RouteSheet, load_route_sheets, routed_among
from pricing.routes.changes import Draft, write_changes
from pricing.routes.targets import route_moves, target_in
from pricing.sheets import all_tariffs
from pricing.timeline import Segment

_MICROSECOND = timedelta(microseconds=1)


def settle_routes_of(offering_ids: Collection[int], cause: Cause, readings: Readings | None = None) -> Settled:
    """Resolve the routes of offerings afresh and write what differs; the outcome counts changes and alias rows."""
    settled = Settled()
    routed = routed_among(offering_ids)
    if not routed:
        return settled
    readings = readings or Readings.load()
    drafts: list[Draft] = []
    for start in range(0, len(routed), CHUNK):
        sheets, specificity = load_route_sheets(routed[start : start + CHUNK])
        for sheet in sheets.values():
            after = sheet.resolved(readings, specificity)
            horizon = sheet.read_until(readings, cause.moment)
            if _write_rows(sheet, after, cause, settled):
                happened = route_moves(sheet.believed, after, horizon, cause.ruled, cause.source_id)
                drafts += [Draft(sheet.offering, sheet.seller, sheet.name, move) for move in happened]
    write_changes(drafts, cause, settled)
    return settled


def settle_whole(offering: Offering, cause: Cause) -> Settled:
    """Settle every tariff of an offering, and where its id is routed."""
    settled = settle(all_tariffs(offering), cause)
    add_to(settled, settle_routes_of([offering.pk], cause))
    return settled


def add_to(settled: Settled, routes: Settled) -> None:
    """Count the changes of routes with those of prices; rows are counted for prices alone."""
    settled.changes += routes.changes
    for kind, count in routes.kinds.items():
        settled.kinds[kind] = settled.kinds.get(kind, 0) + count


def _write_rows(sheet: RouteSheet, after: Sequence[Segment], cause: Cause, settled: Settled) -> bool:
    """Close the rows that no longer resolve and open those that do now; whether there were any."""
    kept = {_effective(s) for s in sheet.believed} & {_effective(s) for s in after}
    close = [pk for pk, s in zip(sheet.rows, sheet.believed, strict=True) if _effective(s) not in kept]
    opens = [s for s in after if _effective(s) not in kept]
    if not close and not opens:
        return False
    moment = _known_moment(sheet.offering, cause)
    settled.closed += Alias.objects.filter(pk__in=close, known_until__isnull=True).update(known_until=moment)
    citations = dict(
        RouteStatement.objects.filter(pk__in=[s.statement for s in opens]).values_list("pk", "citation_url")
    )
    save_new([_row(sheet, s, moment, citations.get(s.statement or 0, "")) for s in opens])
    settled.opened += len(opens)
    return True


def _effective(segment: Segment) -> tuple[object, ...]:
    return (segment.start, segment.end, segment.value, segment.precision, segment.observed_after)


def _row(sheet: RouteSheet, segment: Segment, known_from: datetime, citation_url: str) -> Alias:
    target = target_in(segment.value)
    assert target is not None and segment.source is not None
    return Alias(
        offering_id=sheet.offering,
        seller_id=sheet.seller,
        external_id=sheet.external_id,
        target_offering_id=target.offering,
        target_model_id=target.model,
        effective_from=segment.start,
        effective_until=segment.end,
        precision=segment.precision,
        observed_after=segment.observed_after,
        known_from=known_from,
        source_id=segment.source,
        statement_id=segment.statement,
        decision_id=segment.decision,
        citation_url=citation_url,
    )


def _known_moment(offering_id: int, cause: Cause) -> datetime:
    """When the new rows begin to be known: the observation, or the clock where known time would run backwards."""
    rows = Alias.objects.filter(offering=offering_id)
    latest = rows.aggregate(opened=Max("known_from"), closed=Max("known_until"))
    boundary = max(filter(None, latest.values()), default=None)
    if boundary is None or cause.moment > boundary:
        return cause.moment
    return max(cause.recorded_at, boundary + _MICROSECOND)
