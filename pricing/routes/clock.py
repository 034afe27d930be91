"""Announced routes that take effect as time passes, with nobody writing anything."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from pricing.bookkeeping import Cause, Settled
from pricing.locks import lock_ledger
from pricing.models import Alias, PricingChange, RouteStatement, Source
from pricing.moves import Move, moves
from pricing.routes.beliefs import RouteSheet, load_route_sheets
from pricing.routes.changes import Draft, write_changes
from pricing.routes.targets import REROUTED, RouteMove, Target, target_in

_SAID_OF_THE_FUTURE = ("announced", "rescheduled", "retracted")


@dataclass(frozen=True, slots=True)
class TakingEffect:
    """An announced route whose moment has come: where the id led until then, and where from then on."""

    offering: int
    at: datetime
    old: Target | None
    new: Target | None
    precision: str


def routes_taking_effect(after: datetime, until: datetime) -> list[TakingEffect]:
    """The believed moves of routes in (after, until] that were known before their moment, oldest first.

    An end that a person's withdrawal makes is not among them: it is told with the prices that end.
    """
    return [effect for _, effect in _taking_effect(after, until)]


def settle_routes(after: datetime, until: datetime) -> int:
    """Write a market change, by neither refresh nor decision, for each route that takes effect in (after, until].

    What was told before of the same move, by a reading or an earlier settlement, is not told again. Returns how many
    were written.
    """
    settled = Settled()
    with transaction.atomic():
        lock_ledger()
        _tell(_taking_effect(after, until), Cause(until, timezone.now()), settled)
    return settled.changes


def settle_crossed_routes(source: Source, previous: datetime, cause: Cause, settled: Settled) -> None:
    """Tell the routes that took effect between two readings of a source, of the offerings of whose routes it speaks.

    Must run under the ledger's lock. Documents read in the order of their dates so tell the moves in that order.
    """
    spoken_of = RouteStatement.objects.filter(source=source).order_by().values_list("offering_id", flat=True)
    if offerings := set(spoken_of.distinct()):
        cause = replace(cause, source_id=None, refresh_id=None)
        _tell(_taking_effect(previous, cause.moment, offerings), cause, settled)


def _tell(effects: Iterable[tuple[RouteSheet, TakingEffect]], cause: Cause, settled: Settled) -> None:
    for sheet, effect in effects:
        if not _is_told(effect):
            draft = Draft(sheet.offering, sheet.seller, sheet.name, _move(effect))
            write_changes([draft], replace(cause, moment=effect.at), settled)


def _taking_effect(
    after: datetime, until: datetime, among: Collection[int] | None = None
) -> list[tuple[RouteSheet, TakingEffect]]:
    begins = Q(effective_from__gt=after, effective_from__lte=until)
    ends = Q(effective_until__gt=after, effective_until__lte=until)
    rows = Alias.objects.filter(begins | ends, known_until__isnull=True)
    if among is not None:
        rows = rows.filter(offering__in=among)
    touched = sorted(set(rows.order_by().values_list("offering_id", flat=True)))
    sheets, _ = load_route_sheets(touched)
    found = [(sheet, effect) for sheet in sheets.values() for effect in _effects(sheet, after, until)]
    return sorted(found, key=lambda pair: (pair[1].at, pair[1].offering))


def _effects(sheet: RouteSheet, after: datetime, until: datetime) -> Iterator[TakingEffect]:
    for move in moves(sheet.believed):
        if after < move.at <= until and not move.is_ruled_end and _was_announced(sheet.offering, move):
            precision = "exact" if move.new is None else move.precision
            yield TakingEffect(sheet.offering, move.at, target_in(move.old), target_in(move.new), precision)


def _was_announced(offering_id: int, move: Move) -> bool:
    """Whether the move was believed at some time before its moment, by a row that may have been written again since."""
    if move.new is not None and move.precision == "observed":
        return False
    target = target_in(move.new or move.old)
    assert target is not None
    rows = Alias.objects.filter(
        offering=offering_id,
        target_offering=target.offering,
        target_model=target.model,
        known_from__lt=move.at,
    )
    boundary = "effective_from" if move.new is not None else "effective_until"
    return rows.filter(**{boundary: move.at}).exists()


def _is_told(effect: TakingEffect) -> bool:
    changes: Iterable[PricingChange] = PricingChange.objects.filter(
        offering=effect.offering,
        nature=PricingChange.Nature.MARKET,
        effective_at=effect.at,
        routed_to_offering=effect.new.offering if effect.new else None,
        routed_to_model=effect.new.model if effect.new else None,
    ).exclude(kind__in=_SAID_OF_THE_FUTURE)
    return any(change.is_route for change in changes)


def _move(effect: TakingEffect) -> RouteMove:
    return RouteMove(REROUTED, "market", effect.at, effect.precision, None, None, effect.old, effect.new)
