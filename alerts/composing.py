"""Turns notices that are due into messages, each notice into exactly one, in one transaction with it."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import accumulate
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Count, QuerySet
from django.utils import timezone

from alerts import bodies, planning
from alerts.bodies import Letter, Watching
from alerts.corrections import earlier_alerts
from alerts.models import Channel, Delivery, Notice, Watch
from alerts.planning import DueNotice, PlannedMessage, plan
from pricing.api.shapes.changes import change_shapes
from pricing.models import PricingChange
from tracker.api.moments import moment_text

logger = logging.getLogger(__name__)
# Channels composed in one transaction, the changes they tell being read once for all; fewer where they have more to
# tell than so many notices, since all of their messages are in memory at once.
CHANNELS_AT_ONCE = 100
NOTICES_AT_ONCE = 2_000
_ROWS_AT_ONCE = 500
_COLUMNS = (
    "id",
    "channel_id",
    "change_id",
    "change__sequence",
    "change__refresh_id",
    "change__decision_id",
    "change__offering_id",
    "change__offering__seller__name",
    "watch_id",
    "watch__name",
    "watch__cadence",
    "watch__bill_percent",
    "watch__bill_amount",
    "money",
)
_Facts = Mapping[str, Any]


@dataclass(frozen=True)
class _Batch:
    """What is read once for several channels: the notices' facts by id, and the changes' shapes by change."""

    facts: Mapping[int, _Facts]
    shapes: Mapping[int, dict[str, Any]]
    corrected: Mapping[tuple[int, int], dict[str, Any]]
    now: datetime


def compose_due(now: datetime | None = None) -> int:
    """A step of the tick: compose what is due for every channel; returns how many messages were made."""
    now = now or timezone.now()
    made, after = 0, 0
    while channel_ids := _channels_with_due(now, after):
        made += _composed(channel_ids, now)
        after = channel_ids[-1]
    return made


def due_notices(now: datetime) -> QuerySet[Notice]:
    """Notices that are to be told by now and are in no message yet."""
    return Notice.objects.filter(delivery__isnull=True, dropped=False, due_at__lte=now)


def _channels_with_due(now: datetime, after: int) -> list[int]:
    due = due_notices(now).filter(channel_id__gt=after).order_by("channel_id")
    counted = list(due.values_list("channel_id").annotate(count=Count("pk"))[:CHANNELS_AT_ONCE])
    sums = accumulate(count for _, count in counted)
    fitting = [channel for (channel, _), notices in zip(counted, sums, strict=True) if notices <= NOTICES_AT_ONCE]
    return fitting or [channel for channel, _ in counted[:1]]


def _composed(channel_ids: Sequence[int], now: datetime) -> int:
    """Compose for some channels; where that fails, for each alone, so that one strange row costs itself only."""
    try:
        return compose(channel_ids, now)
    except Exception:
        logger.exception("Messages for channels %s could not be composed together", list(channel_ids))
    made = 0
    for channel_id in channel_ids:
        try:
            made += compose([channel_id], now)
        except Exception:
            logger.exception("Messages for channel %s could not be composed", channel_id)
    return made


@transaction.atomic
def compose(channel_ids: Iterable[int], now: datetime) -> int:
    """Make the messages of some channels, and note in their notices which message tells them.

    Holding the channels' rows keeps a second composer off the same notices, and lets the ids of a
    channel's messages follow the order of their changes.
    """
    channels = list(Channel.objects.select_for_update().filter(pk__in=channel_ids).order_by("pk"))
    _drop_untellable([channel for channel in channels if not channel.is_usable], now)
    usable = [channel.pk for channel in channels if channel.is_usable]
    facts = {row["id"]: row for row in due_notices(now).filter(channel_id__in=usable).values(*_COLUMNS)}
    planned = [(channel, message) for channel in usable for message in _planned(channel, facts.values())]
    batch = _read_batch(planned, facts, now)
    deliveries = [_delivery(channel, message, batch) for channel, message in planned]
    Delivery.objects.bulk_create(deliveries, batch_size=_ROWS_AT_ONCE)
    for delivery, (_channel, message) in zip(deliveries, planned, strict=True):
        Notice.objects.filter(pk__in=[notice.id for notice in message.notices]).update(delivery=delivery)
    return len(deliveries)


def _drop_untellable(channels: Iterable[Channel], now: datetime) -> None:
    for channel in channels:
        why = (
            f"The channel was disabled: {channel.disabled_reason}"
            if channel.disabled_at
            else "The channel was not verified."
        )
        due_notices(now).filter(channel=channel).update(dropped=True, dropped_reason=why[:200])


def _planned(channel_id: int, facts: Iterable[_Facts]) -> list[PlannedMessage]:
    notices = [_due_notice(row) for row in facts if row["channel_id"] == channel_id]
    return plan(notices, settings.ALERTS_BULK_THRESHOLD)


def _due_notice(row: _Facts) -> DueNotice:
    causes = {"refresh": row["change__refresh_id"], "decision": row["change__decision_id"]}
    return DueNotice(
        id=row["id"],
        change_id=row["change_id"],
        sequence=row["change__sequence"],
        watch_id=row["watch_id"],
        cause=next(((kind, pk) for kind, pk in causes.items() if pk is not None), None),
        in_digest=row["watch__cadence"] != Watch.Cadence.INSTANT,
        on_bill=row["watch__bill_percent"] is not None or row["watch__bill_amount"] is not None,
    )


def _read_batch(planned: Sequence[tuple[int, PlannedMessage]], facts: Mapping[int, _Facts], now: datetime) -> _Batch:
    shown = {change for _, message in planned for change in _changes_of(message, facts)[: bodies.MOST_CHANGES]}
    changes = PricingChange.objects.select_related("offering__seller", "offering__model", "source")
    shapes = {shape["id"]: shape for shape in change_shapes(list(changes.filter(pk__in=shown)))}
    corrections = [
        (channel, shapes[message.change_ids[0]])
        for channel, message in planned
        if message.kind == planning.CHANGE and shapes[message.change_ids[0]]["nature"] == "correction"
    ]
    return _Batch(facts, shapes, earlier_alerts(corrections), now)


def _delivery(channel_id: int, message: PlannedMessage, batch: _Batch) -> Delivery:
    letter = _letter(channel_id, message, batch)
    return Delivery(
        channel_id=channel_id,
        kind=message.kind,
        subject=letter.subject,
        body=letter.body,
        next_attempt_at=batch.now,
        created_at=batch.now,
    )


def _letter(channel_id: int, message: PlannedMessage, batch: _Batch) -> Letter:
    rows = [batch.facts[notice.id] for notice in message.notices]
    change_ids = _changes_of(message, batch.facts)
    changes = [batch.shapes[change] for change in change_ids[: bodies.MOST_CHANGES]]
    watches = _watches(rows)
    if message.kind == planning.CHANGE:
        return bodies.change_letter(changes[0], watches, batch.corrected.get((channel_id, message.change_ids[0])))
    gathered = bodies.Gathered(changes, len(change_ids), str(moment_text(batch.now)))
    if message.kind == planning.BULK:
        sellers = sorted({row["change__offering__seller__name"] for row in rows})
        return bodies.bulk_letter(gathered, watches, len({row["change__offering_id"] for row in rows}), sellers)
    if message.kind == planning.BILL:
        return bodies.bill_letter(gathered, watches[0])
    return bodies.digest_letter(gathered, watches[0], rows[0]["watch__cadence"])


def _changes_of(message: PlannedMessage, facts: Mapping[int, _Facts]) -> list[int]:
    """The changes that a message tells: of a bill all that moved it, where its notice hangs on the last of them."""
    if message.kind != planning.BILL:
        return list(message.change_ids)
    named = (
        change
        for notice in message.notices
        for change in [*(facts[notice.id]["money"] or {}).get("changes", ()), notice.change_id]
    )
    return list(dict.fromkeys(named))


def _watches(rows: Sequence[_Facts]) -> list[Watching]:
    """The watches behind some notices, each with what all of them together mean for its bill."""
    found: dict[int, Watching] = {}
    for row in rows:
        watch = found.setdefault(row["watch_id"], Watching(row["watch_id"], row["watch__name"]))
        found[watch.id] = replace(watch, money=bodies.money_together(watch.money, row["money"]))
    return list(found.values())
