"""Finds the alerts that corrections take back, so that they can be cited."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from alerts.models import Notice
from pricing.api.shapes.changes import change_shapes
from tracker.api.moments import moment_text

# How many earlier alerts about the same offerings are looked at.
_LOOKED_AT = 500


def earlier_alerts(corrections: Iterable[tuple[int, Mapping[str, Any]]]) -> dict[tuple[int, int], dict[str, Any]]:
    """For pairs of a channel and a correction (as the API shows it), the alert there that it takes back.

    Keyed by channel and the correction's change; what was never told there has no entry.
    """
    asked = list(corrections)
    if not asked:
        return {}
    told = list(
        Notice.objects.filter(
            channel__in={channel for channel, _ in asked},
            change__offering__in={shape["offering"] for _, shape in asked},
            change__sequence__lt=max(shape["sequence"] for _, shape in asked),
            delivery__isnull=False,
        )
        .select_related("delivery", "change__offering__seller", "change__offering__model", "change__source")
        .order_by("-id")[:_LOOKED_AT]
    )
    changes = {notice.change_id: notice.change for notice in told}
    taken_back = {shape["id"]: shape["superseded_by"] for shape in change_shapes(list(changes.values()))}
    found: dict[tuple[int, int], dict[str, Any]] = {}
    for notice in told:
        superseding = taken_back[notice.change_id]
        if superseding is not None:
            found.setdefault((notice.channel_id, superseding), _cited(notice))
    return found


def _cited(notice: Notice) -> dict[str, Any]:
    delivery = notice.delivery
    assert delivery is not None
    return {
        "change": notice.change_id,
        "headline": notice.change.headline,
        "message_id": delivery.message_id,
        "told_at": moment_text(delivery.created_at),
    }
