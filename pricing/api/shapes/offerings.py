"""Offerings as the API writes them: with their references, calendar and the prices now in force."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from pricing.api.shapes.aliases import aliases_of
from pricing.api.shapes.calendars import calendar_shapes
from pricing.api.shapes.prices import in_force, shapes_by_offering
from pricing.clock import lapsed
from pricing.models import Offering, PriceLine, Reference

OFFERING_FIELDS = (
    "id",
    "kind",
    "name",
    "seller",
    "external_id",
    "listing",
    "model",
    "status",
    "mode",
    "context_tokens",
    "deprecated_on",
    "retired_on",
    "references",
    "calendar",
    "slots",
    "prices",
    "aliases",
    "stale",
    "merged_into",
)
PLAN_FIELDS = (
    "id",
    "kind",
    "name",
    "seller",
    "external_id",
    "status",
    "audience",
    "allowances",
    "references",
    "prices",
    "stale",
)

LineChoice = Callable[[QuerySet[PriceLine]], QuerySet[PriceLine]]


def offering_shapes(
    offerings: Sequence[Offering],
    as_of: datetime,
    known_at: datetime | None = None,
    choose: LineChoice = lambda lines: lines,
) -> list[dict[str, Any]]:
    """The offerings with everything they embed, by a fixed number of queries. ``choose`` may leave out lines."""
    ids = [offering.pk for offering in offerings]
    references = references_of(ids)
    ended = _lapsed_among(ids)
    calendars = calendar_shapes(ids, as_of, known_at)
    lines = choose(PriceLine.objects.filter(offering__in=ids))
    prices = shapes_by_offering(in_force(lines, as_of, known_at))
    aliases = aliases_of(ids, as_of, known_at)
    return [
        {
            "id": offering.pk,
            "kind": offering.kind,
            "name": offering.name,
            "seller": offering.seller.slug,
            "external_id": offering.external_id,
            "listing": offering.listing,
            "model": offering.model.slug if offering.model else None,
            "status": Offering.Status.WITHDRAWN.value if offering.pk in ended else offering.status,
            "mode": offering.mode,
            "audience": offering.audience,
            "allowances": offering.allowances,
            "context_tokens": offering.context_tokens,
            "deprecated_on": _day(offering.deprecated_on),
            "retired_on": _day(offering.retired_on),
            "references": references.get(offering.pk, []),
            "calendar": calendars.get(offering.pk, []),
            "slots": calendars.get(offering.pk, []),
            "prices": prices.get(offering.pk, []),
            "aliases": aliases.get(offering.pk, []),
            "stale": any(price["stale"] for price in prices.get(offering.pk, [])),
            "merged_into": offering.merged_into_id,
        }
        for offering in offerings
    ]


def _lapsed_among(offering_ids: Collection[int]) -> set[int]:
    """The offerings that are withdrawn by now though the tick has not marked them yet.

    The tag of an answer turns with the moment at which a price ends, not with the mark: so must the status.
    """
    marked = Offering.objects.filter(lapsed(timezone.now()), pk__in=offering_ids)
    return set(marked.order_by().values_list("pk", flat=True))


def references_of(offering_ids: Collection[int]) -> dict[int, list[dict[str, Any]]]:
    """The references of each offering, past and present."""
    rows = (
        Reference.objects.filter(offering__in=offering_ids)
        .order_by("source__precedence", "source__slug", "provider", "external_id")
        .values_list("offering_id", "source__slug", "provider", "external_id", "absent_since")
    )
    grouped: dict[int, list[dict[str, Any]]] = {}
    for offering, source, provider, external_id, absent_since in rows:
        shape = {"source": source, "provider": provider, "id": external_id, "current": absent_since is None}
        grouped.setdefault(offering, []).append(shape)
    return grouped


def _day(day: Any) -> str | None:
    return None if day is None else day.isoformat()
