"""Changes of routes as the API writes them: from where to where, and what was learnt of them later."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Q

from companies.models import AIModel
from pricing.api.shapes.confirmed import Witnesses
from pricing.models import Offering, PricingChange, RouteStatement
from pricing.routes.beliefs import left_out
from pricing.witnesses import confirmed_until, meets, sources_with_newest

ROUTE_COLUMNS = ("routed_from_offering", "routed_from_model", "routed_to_offering", "routed_to_model")
_SAID = ("effective_from", "effective_until", "first_observed_at", "ended_at")
_Ends = tuple[int | None, int | None]


def change_routes(changes: Sequence[PricingChange]) -> dict[int, dict[str, Any]]:
    """Where the id of each change of a route led before, and where it leads from then on."""
    routed = [change for change in changes if change.is_route]
    ends = {end for change in routed for end in _ends(change)}
    offerings = {offering for offering, _ in ends if offering is not None}
    models = {model for _, model in ends if model is not None}
    told: dict[_Ends, dict[str, Any] | None] = {(None, None): None}
    for row in Offering.objects.filter(pk__in=offerings).select_related("model") if offerings else ():
        model = row.model.slug if row.model else None
        told[row.pk, None] = _target(row.pk, row.external_id, model, row.name)
    for known in AIModel.objects.filter(pk__in=models) if models else ():
        told[None, known.pk] = _target(None, None, known.slug, known.name)
    return {change.pk: dict(zip(("from", "to"), map(told.get, _ends(change)), strict=True)) for change in routed}


def route_witnesses(changes: Sequence[PricingChange]) -> dict[int, Witnesses]:
    """Who says the same target at the move or within the window after it, of those who say where the id leads then."""
    routed = [change for change in changes if change.is_route]
    if not routed:
        return {}
    offerings = {change.offering_id for change in routed}
    said = list(RouteStatement.objects.filter(offering__in=offerings).exclude(pk__in=left_out(offerings)))
    slugs = [(source.pk, source.slug) for source in sources_with_newest()]
    found: dict[int, Witnesses] = {}
    for change in routed:
        own = {change.source_id} - {None}
        speaking = [statement for statement in said if _speaks_of(statement, change)]
        same = {each.source_id for each in speaking if any(change.routed_to) and _target_of(each) == change.routed_to}
        found[change.pk] = Witnesses(
            confirmed_by=[slug for source, slug in slugs if source in same - own],
            seen_by=len(same | own),
            of=len({each.source_id for each in speaking} | own),
        )
    return found


def routes_superseded_by(changes: Sequence[PricingChange]) -> dict[int, int]:
    """For each change of a route the first later correction that leads elsewhere from its moment or an earlier one."""
    routed = [change for change in changes if change.is_route]
    if not routed:
        return {}
    corrections = PricingChange.objects.filter(
        ~Q(**dict.fromkeys(ROUTE_COLUMNS)),
        nature=PricingChange.Nature.CORRECTION,
        offering__in={change.offering_id for change in routed},
    ).order_by("-sequence")
    found: dict[int, int] = {}
    for correction in corrections:
        replaced, _ = _ends(correction)
        for change in routed:
            is_later = correction.offering_id == change.offering_id and correction.sequence > change.sequence
            if is_later and replaced == change.routed_to and correction.effective_at <= change.effective_at:
                found[change.pk] = correction.pk
    return found


def _ends(change: PricingChange) -> tuple[_Ends, _Ends]:
    return (change.routed_from_offering_id, change.routed_from_model_id), change.routed_to


def _target(offering: int | None, external_id: str | None, model: str | None, name: str) -> dict[str, Any]:
    return {"offering": offering, "external_id": external_id, "model": model, "name": name}


def _target_of(statement: RouteStatement) -> _Ends:
    return statement.target_offering_id, statement.target_model_id


def _speaks_of(statement: RouteStatement, change: PricingChange) -> bool:
    if statement.offering_id != change.offering_id:
        return False
    said = tuple(getattr(statement, column) for column in _SAID)
    return meets(said, change.effective_at, confirmed_until(change.effective_at))
