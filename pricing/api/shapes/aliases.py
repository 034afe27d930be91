"""Where an offering's id leads, as the API writes it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db.models import Q

from pricing.api.shapes.costs import alias_shape
from pricing.costing.names import Route, alias_routes
from tracker.api.moments import moment_text


def aliases_of(
    offering_ids: Collection[int], as_of: datetime, known_at: datetime | None = None
) -> dict[int, list[dict[str, Any]]]:
    """The routes of each offering's id that are in force at a moment or to come then, the first before the others."""
    known = Q(known_until=None) if known_at is None else _holds("known", known_at)
    lasting = Q(effective_until=None) | Q(effective_until__gt=as_of)
    found: dict[int, list[dict[str, Any]]] = {}
    for route in reversed(alias_routes(known & lasting & Q(offering__in=offering_ids))):
        found.setdefault(route.offering, []).append(_shape(route))
    return found


def alias_history(
    offering_ids: Collection[int], as_of: datetime | None = None, known_at: datetime | None = None
) -> list[dict[str, Any]]:
    """Every row of these offerings' routes, superseded ones included; only those that held at the moments given."""
    condition = Q(offering__in=offering_ids)
    for axis, moment in (("effective", as_of), ("known", known_at)):
        if moment is not None:
            condition &= _holds(axis, moment)
    routes = sorted(alias_routes(condition), key=lambda route: (_begins(route), route.known_from, route.id))
    return [_shape(route) for route in routes]


def _holds(axis: str, moment: datetime) -> Q:
    begun = Q(**{f"{axis}_from__lte": moment})
    if axis == "effective":
        begun |= Q(effective_from=None)
    return begun & (Q(**{f"{axis}_until": None}) | Q(**{f"{axis}_until__gt": moment}))


def _begins(route: Route) -> tuple[bool, datetime]:
    return route.effective_from is not None, route.effective_from or route.known_from


def _shape(route: Route) -> dict[str, Any]:
    return {
        **alias_shape(route),
        "observed_after": moment_text(route.observed_after),
        "known_from": moment_text(route.known_from),
        "known_until": moment_text(route.known_until),
        "recorded_at": moment_text(route.recorded_at),
    }
