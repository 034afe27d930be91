"""Telling what takes effect by time alone: announced prices and hours whose moment came, promotions that ended.

A price that is stated for later makes one change when it is announced. Nobody writes anything when its moment comes,
so the ledger tells the second change then: from the tick, or from the reading that first sees a later time. Each move
is told once, whoever comes first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import F

from pricing.belief import Sheet, load_believed_sheets
from pricing.bookkeeping import Cause, Draft, Settled, tell
from pricing.bulk import among
from pricing.calendar_settlement import tell_hours_due
from pricing.effects import taking_effect
from pricing.models import Price, PricingChange, PricingChangeLine, SettledTime, Source
from pricing.moves import value_at
from pricing.routes.clock import settle_crossed_routes, settle_routes
from pricing.statements import stated_by
from pricing.timeline import INSTANT, Segment
from pricing.told_before import OF_THE_FUTURE

# Longer than any outage that a site comes back from without being looked at; for a record that was never settled.
LOOK_BACK = timedelta(days=30)
# What an old document announced for a moment that has passed is told when no newer document has denied it for so long.
PATIENCE = timedelta(days=1)
AT_ONCE = 400
Due = dict[int, set[datetime]]
# From what to what a change tells that a line moved.
ToldMove = tuple[Decimal | None, str, Decimal | None, str]


def settled_since(now: datetime) -> datetime:
    """Up to when time was settled."""
    last = SettledTime.objects.first()
    return last.until if last is not None else now - LOOK_BACK


def settle_until(now: datetime) -> Settled:
    """Tell every believed move that came due since the last time. Must run under the ledger's lock."""
    settled = Settled()
    since = settled_since(now)
    if since < now:
        _tell_due(foreseen(since, now), Cause(now, now), settled)
        tell_hours_due(since, now, Cause(now, now), settled)
        for initial in (False, True):
            overdue = _announced_too_late(since - PATIENCE, now - PATIENCE, initial)
            _tell_due(overdue, Cause(now, now, initial=initial, backfilled=True), settled)
        settled.changes += settle_routes(since, now)
        SettledTime.objects.update_or_create(pk=1, defaults={"until": now})
    return settled


def settle_crossed(source: Source, previous: datetime, cause: Cause, settled: Settled) -> None:
    """Tell the believed moves between two readings of a source, of the offerings that it states.

    Documents read in the order of their dates so tell the moves in that order, whatever the clock says now.
    """
    by_time = replace(cause, refresh_id=None)
    _tell_due(foreseen(previous, cause.moment, source), by_time, settled)
    tell_hours_due(previous, cause.moment, by_time, settled, source)
    settle_crossed_routes(source, previous, cause, settled)


def foreseen(after: datetime, until: datetime, source: Source | None = None) -> Due:
    """By offering, the moments in (after, until] at which prices begin or end that were believed before them."""
    due: Due = {}
    for boundary in ("effective_from", "effective_until"):
        for offering, moment in _foreseen_at(boundary, after, until):
            due.setdefault(offering, set()).add(moment)
    if source is not None and due:
        stated = stated_by(source, due)
        due = {offering: moments for offering, moments in due.items() if offering in stated}
    return due


def _foreseen_at(boundary: str, after: datetime, until: datetime) -> Iterator[tuple[int, datetime]]:
    """The offerings and moments of one kind of boundary.

    What was foreseen may have been written anew since it came, by who learnt more of the same price.
    """
    passed = {f"{boundary}__gt": after, f"{boundary}__lte": until}
    believed = Price.objects.filter(known_until__isnull=True, **passed)
    if boundary == "effective_from":
        # Nobody foresaw what was only observed when it came.
        believed = believed.exclude(precision="observed", known_from__gte=F(boundary))
    anew: dict[tuple[int, datetime], int] = {}
    for offering, line, moment, known in believed.values_list("line__offering_id", "line_id", boundary, "known_from"):
        if known < moment:
            yield offering, moment
        else:
            anew[line, moment] = offering
    if anew:
        earlier = Price.objects.filter(known_from__lt=F(boundary), known_until__isnull=False, **passed)
        lines = among({line for line, _ in anew})
        for line, moment in earlier.filter(line__in=lines).values_list("line_id", boundary).distinct():
            if (line, moment) in anew:
                yield anew[line, moment], moment


def _announced_too_late(after: datetime, until: datetime, initial: bool) -> Due:
    """What was announced, by changes written in (after, until], for moments that had passed when it was written."""
    announced = PricingChange.objects.filter(
        kind__in=("announced", "rescheduled"),
        initial=initial,
        recorded_at__gt=after,
        recorded_at__lte=until,
        announced_for__lte=F("recorded_at"),
    )
    due: Due = {}
    for offering, moment in announced.values_list("offering_id", "announced_for"):
        assert moment is not None
        due.setdefault(offering, set()).add(moment)
    return due


def _tell_due(due: Due, cause: Cause, settled: Settled) -> None:
    offerings = sorted(due)
    for start in range(0, len(offerings), AT_ONCE):
        chunk = {offering: due[offering] for offering in offerings[start : start + AT_ONCE]}
        tell(list(_drafts(chunk, cause)), settled)


def _drafts(due: Mapping[int, Collection[datetime]], cause: Cause) -> Iterator[Draft]:
    told = _told(due)
    for offering, sheet in load_believed_sheets(due.keys()).items():
        for moment in sorted(due[offering]):
            here = told.get((offering, moment), {})
            known = {
                line for line, pk in sheet.lines.items() if _is_told(sheet.believed.get(line, ()), moment, here.get(pk))
            }
            for happening in taking_effect(sheet.believed, moment, known):
                yield sheet, happening, replace(cause, source_id=_speaker(sheet, moment))


def _told(due: Mapping[int, Collection[datetime]]) -> dict[tuple[int, datetime], dict[int, list[ToldMove | None]]]:
    """By line what changes say that happened to it at these moments: which move a ruling corrected, None any move.

    What was corrected before its moment came is not told by that.
    """
    moments = {moment for each in due.values() for moment in each}
    # The lines of a reroute are its target's: they tell nothing of the id's own prices.
    own = PricingChangeLine.objects.filter(line__offering=F("change__offering"))
    rows = own.filter(change__offering__in=due, change__effective_at__in=moments)
    rows = rows.exclude(change__kind__in=OF_THE_FUTURE)
    rows = rows.exclude(
        change__nature=PricingChange.Nature.CORRECTION, change__recorded_at__lt=F("change__effective_at")
    )
    told: dict[tuple[int, datetime], dict[int, list[ToldMove | None]]] = {}
    for offering, moment, line, nature, refresh, decision, *move in rows.values_list(
        "change__offering_id",
        "change__effective_at",
        "line_id",
        "change__nature",
        "change__refresh_id",
        "change__decision_id",
        *("old", "old_currency", "new", "currency"),
    ):
        is_ruled = nature == PricingChange.Nature.CORRECTION and (refresh or decision)
        told.setdefault((offering, moment), {}).setdefault(line, []).append(tuple(move) if is_ruled else None)
    return told


def _is_told(rows: Sequence[Segment], moment: datetime, told: Sequence[ToldMove | None] | None) -> bool:
    """Whether changes tell of a line's move at a moment; a correction does that tells the very move."""
    if not told or None in told:
        return bool(told)
    old, new = value_at(rows, moment - INSTANT), value_at(rows, moment)
    return any(_prices(each) == (old and old[:2], new and new[:2]) for each in told if each is not None)


def _prices(told: ToldMove) -> tuple[tuple[Decimal, str] | None, tuple[Decimal, str] | None]:
    old, old_currency, new, currency = told
    return (
        None if old is None else (old, old_currency or currency),
        None if new is None else (new, currency or old_currency),
    )


def _speaker(sheet: Sheet, moment: datetime) -> int | None:
    """The source of a price that begins at a moment, or else of one that ends then."""
    rows = [row for each in sheet.believed.values() for row in each]
    beginning = (row.source for row in rows if row.start == moment and row.source is not None)
    ending = (row.source for row in rows if row.end == moment and row.source is not None)
    return next(beginning, next(ending, None))
