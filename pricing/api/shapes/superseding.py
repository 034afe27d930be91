"""Which earlier changes a correction takes back: the other direction of a change's ``superseded_by``."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Q

from pricing.api.shapes.changes import lines_of, superseded_by
from pricing.api.shapes.rerouted import ROUTE_COLUMNS
from pricing.models import PricingChange, PricingChangeLine


def supersedes(changes: Sequence[PricingChange]) -> dict[int, list[int]]:
    """For each correction among the changes the ids of those that it is the first to take back, oldest first."""
    corrections = [change for change in changes if change.nature == PricingChange.Nature.CORRECTION]
    earlier = list(_replaced(corrections)) if corrections else []
    if not earlier:
        return {}
    taken_back = superseded_by(earlier, lines_of(earlier))
    asked = {correction.pk for correction in corrections}
    found: dict[int, list[int]] = {}
    for change in sorted(earlier, key=lambda change: change.sequence):
        correction = taken_back.get(change.pk)
        if correction in asked:
            found.setdefault(correction, []).append(change.pk)
    return found


def _replaced(corrections: Sequence[PricingChange]) -> Sequence[PricingChange]:
    """Changes that brought a price, or led to a target, which one of the corrections replaced."""
    replaced = PricingChangeLine.objects.filter(change__in=[c.pk for c in corrections]).order_by()
    values = set(replaced.values_list("line_id", "old"))
    newest = max(correction.sequence for correction in corrections)
    brought = PricingChangeLine.objects.filter(line__in=replaced.values("line"), change__sequence__lt=newest).order_by()
    ids = {change for change, *value in brought.values_list("change_id", "line_id", "new") if tuple(value) in values}
    routed = [correction.offering_id for correction in corrections if correction.is_route]
    led = ~Q(**dict.fromkeys(ROUTE_COLUMNS)) & Q(offering__in=routed, sequence__lt=newest)
    return list(PricingChange.objects.filter(Q(pk__in=ids) | led))
