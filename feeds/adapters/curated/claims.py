"""What has to hold between the claims of one offering of the curated record."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import pairwise

from companies.record.files import BadRecord
from pricing.claims import Claim, Conditions

_ALWAYS = datetime.min.replace(tzinfo=UTC)
_FOR_EVER = datetime.max.replace(tzinfo=UTC)


def refuse_overlaps(place: str, claims: Iterable[Claim]) -> None:
    """Raise BadRecord where an interval is empty, or where one line has two prices at one moment."""
    lines: dict[Conditions, list[tuple[datetime, datetime]]] = {}
    for claim in claims:
        interval = claim.effective_from or _ALWAYS, claim.effective_until or _FOR_EVER
        if interval[0] >= interval[1]:
            raise BadRecord(
                f"{place}: effective_until is {interval[1]:%Y-%m-%d}, but it has to be after effective_from"
            )
        lines.setdefault(claim.line, []).append(interval)
    for line, intervals in lines.items():
        for (_, until), (start, _) in pairwise(sorted(intervals)):
            if start < until:
                raise BadRecord(
                    f"{place}: two prices of {line.meter} hold on {start:%Y-%m-%d}, "
                    "but the earlier one ends where the next begins"
                )
