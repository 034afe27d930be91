"""What holds keep out of readings of a source, and leaving it out."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from feeds.identity import Identified
from pricing.models import Hold, Source

_KEPT_BACK = ("", Hold.Outcome.REFUSED, Hold.Outcome.LAPSED)


def kept_back(source: Source, observed_at: datetime) -> set[int]:
    """The references that holds, standing or refused, keep out of a reading that was taken."""
    moment = observed_at.isoformat()
    rows = Hold.objects.filter(source=source, statement__isnull=True, outcome__in=_KEPT_BACK)
    return {ref for hold in rows if moment in hold.details["readings"] for ref in held_in(hold.details, moment)}


def held_in(details: Mapping[str, Any], moment: str) -> set[int]:
    """The references that the details of a hold keep out of one of its readings.

    Those that came back before the rest are kept out of the readings until they did, and those that joined the rest
    out of the readings since.
    """
    joined, returned = details.get("joined", {}), details.get("returned", {})
    until = {int(reference) for reference, back in returned.items() if moment < back}
    held = {*details["references"], *until}
    return {reference for reference in held if joined.get(str(reference), moment) <= moment}


def take_out(identified: Identified, references: Collection[int]) -> None:
    """Leave references out of what is told of a document, as if their rows could not be read."""
    identified.told = [told for told in identified.told if told.reference not in references]
    identified.unreadable = identified.unreadable | set(references)


def without(identified: Identified, references: Collection[int]) -> Identified:
    """The document without what is kept back of it."""
    if not references:
        return identified
    left = replace(identified)
    take_out(left, references)
    return left
