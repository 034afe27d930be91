"""Offerings that people named, shown as what stands for them: rows are not rewritten, so a merge can be undone."""

from __future__ import annotations

from typing import Any

from pricing.models import Offering
from tracker.api.inputs import RowInput, RowsInput


class OfferingInput(RowInput):
    """One offering by its number; read as what it was merged into, if it was."""

    def to_representation(self, value: Offering) -> int:
        return value.standing.pk


class OfferingsInput(RowsInput):
    """Offerings by their numbers, each once; read as what they were merged into, if they were."""

    def to_representation(self, data: Any) -> list[int]:
        named = data.all() if hasattr(data, "all") else data
        return list(dict.fromkeys(offering.standing.pk for offering in named))
