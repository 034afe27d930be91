"""What every source says of a line now, whoever is believed: for those who weigh one source against the others."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import F, Q
from django.db.models.functions import Coalesce

from pricing.models import Statement

AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Opinion:
    """A source's amount for a line now, and the statement that says it. ``since`` is when it began to say so."""

    source: int
    slug: str
    name: str
    statement: int
    amount: Decimal
    currency: str
    since: datetime


def opinions_on(line_ids: Collection[int], now: datetime) -> dict[int, list[Opinion]]:
    """What the sources say of each line at this moment, in their general order: one query for a thousand lines.

    A source that knows an offering by several ids may say several things; what it says twice is given once.
    """
    found: dict[int, list[Opinion]] = {}
    ordered = sorted(set(line_ids))
    for start in range(0, len(ordered), AT_ONCE):
        latest: dict[tuple[int, int, int | None], Opinion] = {}
        for line_id, reference_id, *said in _statements(ordered[start : start + AT_ONCE], now):
            opinion = Opinion(*said)
            # In the order of their beginnings: what an id said to begin later stands for it.
            latest[line_id, opinion.source, reference_id] = opinion
        for (line_id, *_), opinion in latest.items():
            if not any(_is_repeated(opinion, other) for other in found.setdefault(line_id, [])):
                found[line_id].append(opinion)
    return found


def _statements(line_ids: Collection[int], now: datetime) -> Iterable[tuple[Any, ...]]:
    begun = Q(effective_from=None) | Q(effective_from__lte=now)
    going_on = Q(effective_until=None) | Q(effective_until__gt=now)
    rows = Statement.objects.filter(begun, going_on, line__in=line_ids, ended_at=None)
    rows = rows.annotate(since=Coalesce("effective_from", "first_observed_at"))
    rows = rows.order_by("source__precedence", "source__slug", "since", "pk")
    columns = ("line_id", "reference_id", "source_id", F("source__slug"), F("source__name"), "pk")
    return rows.values_list(*columns, "amount", "currency", "since")


def _is_repeated(one: Opinion, other: Opinion) -> bool:
    return (one.source, one.amount, one.currency) == (other.source, other.amount, other.currency)
