"""Price rows as the history of an offering writes them: with the evidence that each rests on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pricing.api.shapes.prices import price_shapes
from pricing.models import Price
from tracker.api.moments import moment_text

_COLUMNS = (
    "id",
    "recorded_at",
    "source__slug",
    "statement_id",
    "dated_by_id",
    "decision_id",
    "statement__citation_url",
    "decision__citation_url",
    "statement__citation_title",
)


def history_shapes(price_ids: Sequence[int]) -> list[dict[str, Any]]:
    """The prices of these ids with when they were recorded and why they are believed, by four queries."""
    rows = {row[0]: row for row in Price.objects.filter(pk__in=price_ids).order_by().values_list(*_COLUMNS)}
    return [{**shape, **_origin(rows[shape["id"]])} for shape in price_shapes(price_ids)]


def _origin(row: tuple[Any, ...]) -> dict[str, Any]:
    _, recorded_at, source, statement, dated_by, decision, stated_at, decided_at, title = row
    return {
        "recorded_at": moment_text(recorded_at),
        "evidence": {
            "source": source,
            "statement": statement,
            "dated_by": dated_by,
            "decision": decision,
            "citation_url": decided_at or stated_at or "",
            "citation_title": title or "",
        },
    }
