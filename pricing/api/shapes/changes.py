"""Pricing changes as the API writes them, with what was learnt of them later.

A change row is never written again: who confirmed it, what superseded it and its better time are derived on
reading.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pricing.api.shapes.confirmed import Witnesses, witnesses_of
from pricing.api.shapes.offerings import references_of
from pricing.api.shapes.prices import line_shape
from pricing.api.shapes.rerouted import ROUTE_COLUMNS, change_routes, route_witnesses, routes_superseded_by
from pricing.models import PricingChange, PricingChangeLine
from pricing.refinement import Time, refined_times
from tracker.api.fields import percent_text
from tracker.api.moments import moment_text
from tracker.fields import plain


def change_shapes(changes: Sequence[PricingChange]) -> list[dict[str, Any]]:
    """The changes with everything derived, by six queries. Offering, seller, model and source come joined."""
    lines = lines_of(changes)
    references = references_of({change.offering_id for change in changes})
    witnesses = change_witnesses(changes)
    superseded = superseded_by(changes, lines)
    refined = refined_times([change for change in changes if not change.is_route])
    routes = change_routes(changes)
    return [
        {
            "id": change.pk,
            "sequence": change.sequence,
            "initial": change.initial,
            "backfilled": change.backfilled,
            "offering": change.offering_id,
            "seller": change.offering.seller.slug,
            "external_id": change.offering.external_id,
            "model": change.offering.model.slug if change.offering.model else None,
            "references": references.get(change.offering_id, []),
            "kind": change.kind,
            "nature": change.nature,
            "headline": change.headline,
            "source": change.source.slug if change.source else None,
            **_time_shape(refined.get(change.pk) or _time_of(change)),
            "detected_at": moment_text(change.detected_at),
            "announced_for": moment_text(change.announced_for),
            "confirmed_by": witnesses[change.pk].confirmed_by,
            "witnesses": {"seen_by": witnesses[change.pk].seen_by, "of": witnesses[change.pk].of},
            "superseded_by": superseded.get(change.pk),
            "calendar": change.calendar,
            "route": routes.get(change.pk),
            "lines": [_line_shape(line) for line in lines.get(change.pk, [])],
        }
        for change in changes
    ]


def change_witnesses(changes: Sequence[PricingChange]) -> dict[int, Witnesses]:
    """Who has seen each change, of prices or of a route, of those who could have."""
    return {**witnesses_of([change for change in changes if not change.is_route]), **route_witnesses(changes)}


def _time_of(change: PricingChange) -> Time:
    return change.effective_at, change.precision, change.observed_after


def _time_shape(time: Time) -> dict[str, Any]:
    effective_at, precision, observed_after = time
    return {
        "effective_at": moment_text(effective_at),
        "precision": precision,
        "observed_after": moment_text(observed_after),
    }


def lines_of(changes: Sequence[PricingChange]) -> dict[int, list[PricingChangeLine]]:
    """The lines of each change, each with its price line."""
    rows = PricingChangeLine.objects.filter(change__in=[change.pk for change in changes])
    grouped: dict[int, list[PricingChangeLine]] = {}
    for row in rows.select_related("line").order_by("id"):
        grouped.setdefault(row.change_id, []).append(row)
    return grouped


def _line_shape(row: PricingChangeLine) -> dict[str, Any]:
    return {
        **line_shape(row.line),
        "currency": row.currency,
        "old_currency": row.old_currency or row.currency,
        "old": None if row.old is None else plain(row.old),
        "new": None if row.new is None else plain(row.new),
        "percent": percent_text(row.percent),
    }


def confirmed_by(changes: Sequence[PricingChange]) -> dict[int, list[str]]:
    """The other sources that speak for each change, at its moment or within the window after it."""
    return {pk: seen.confirmed_by for pk, seen in change_witnesses(changes).items()}


def superseded_by(changes: Sequence[PricingChange], lines: Mapping[int, Sequence[PricingChangeLine]]) -> dict[int, int]:
    """For each change the first later correction that takes back what it brought, whether a price or a route."""
    return {**_prices_superseded_by(changes, lines), **routes_superseded_by(changes)}


def _prices_superseded_by(
    changes: Sequence[PricingChange], lines: Mapping[int, Sequence[PricingChangeLine]]
) -> dict[int, int]:
    """For each change the first later correction that takes back what it brought.

    It does so when, from the change's own moment or an earlier one, it replaces the very price that the change gave
    one of its lines. A later move of that price, and a correction of a later time, leave the change as it was.
    """
    corrections = (
        PricingChangeLine.objects.filter(
            change__nature=PricingChange.Nature.CORRECTION,
            **{f"change__{column}": None for column in ROUTE_COLUMNS},
            change__offering__in={change.offering_id for change in changes},
            change__sequence__gt=min((change.sequence for change in changes), default=0),
        )
        .order_by("-change__sequence")
        .values_list("change_id", "change__sequence", "change__effective_at", "line_id", "old")
    )
    brought: dict[tuple[int, Any], list[PricingChange]] = {}
    for change in (each for each in changes if not each.is_route):
        for line in lines.get(change.pk, []):
            brought.setdefault((line.line_id, line.new), []).append(change)
    found: dict[int, int] = {}
    for correction_id, sequence, effective_at, line_id, replaced in corrections:
        for change in brought.get((line_id, replaced), []):
            if change.sequence < sequence and effective_at <= change.effective_at:
                found[change.pk] = correction_id
    return found
