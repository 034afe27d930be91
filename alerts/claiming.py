"""Claims deliveries for one run of a worker: a conditional update decides, alike on every database."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

from django.db.models import Exists, F, Min, OuterRef, Q, QuerySet, Window
from django.db.models.functions import RowNumber

from alerts.models import Delivery
from alerts.retrying import FAILURES_THAT_KEEP_ORDER
from tracker.workers import owner_name

# Longer than any one attempt; a run that is alive renews it long before.
LEASE = timedelta(seconds=60)
# Messages of one channel in one conversation.
MESSAGES_OF_A_CHANNEL = 10


def new_owner() -> str:
    """A name for one run, which no other run has."""
    return f"{owner_name()}:{secrets.token_hex(6)}"[-200:]


def sendable(now: datetime) -> QuerySet[Delivery]:
    """Deliveries that are due, that nobody holds, to channels that may get them, whatever their order."""
    return Delivery.objects.filter(
        _is_free(now),
        Q(kind=Delivery.Kind.PING) | Q(channel__verified_at__isnull=False),
        status=Delivery.Status.WAITING,
        next_attempt_at__lte=now,
        channel__disabled_at__isnull=True,
    )


def claim(
    owner: str, now: datetime, *, channels: int, busy: Collection[int] = (), failing_channels: int | None = None
) -> list[Delivery]:
    """Take the first due messages of at most so many channels, in order; channel and its rows come joined.

    ``busy`` channels are passed over. Of channels whose last attempt failed at most ``failing_channels`` are taken, so
    that those that hang leave room for those that do not.
    """
    chosen = _chosen(now, channels, busy, failing_channels)
    taken = Delivery.objects.filter(_is_free(now), pk__in=chosen, status=Delivery.Status.WAITING)
    if not chosen or not taken.update(owner=owner, locked_until=now + LEASE):
        return []
    held = Delivery.objects.filter(pk__in=chosen, owner=owner).select_related("channel").order_by("channel_id", "pk")
    return _in_order(list(held), owner)


def renew(owner: str, now: datetime) -> None:
    """Hold on to what this run still has to do."""
    Delivery.objects.filter(owner=owner, status=Delivery.Status.WAITING).update(locked_until=now + LEASE)


def release(owner: str, delivery_ids: Collection[int]) -> None:
    """Give back what was not tried."""
    Delivery.objects.filter(pk__in=delivery_ids, owner=owner).update(owner="", locked_until=None)


def _is_free(now: datetime) -> Q:
    return Q(locked_until__isnull=True) | Q(locked_until__lt=now)


def _chosen(now: datetime, channels: int, busy: Collection[int], failing_channels: int | None) -> list[int]:
    places = Window(RowNumber(), partition_by=F("channel_id"), order_by=F("id").asc())
    rows = (
        sendable(now)
        .exclude(channel_id__in=busy)
        .exclude(_waits_for_an_earlier_one(now))
        .annotate(place=places)
        .filter(place__lte=MESSAGES_OF_A_CHANNEL)
        .order_by("id")
        .values_list("id", "channel_id", "channel__failing_since")
    )
    return _of_so_many_channels(rows, channels, channels if failing_channels is None else failing_channels)


def _waits_for_an_earlier_one(now: datetime) -> Q:
    """Whether an earlier message of the channel is to come first and cannot be sent now.

    One that has failed for longer than minutes holds nobody up, and tests neither wait nor hold up.
    """
    earlier = Delivery.objects.filter(
        Q(next_attempt_at__gt=now) | Q(locked_until__gte=now),
        channel=OuterRef("channel"),
        pk__lt=OuterRef("pk"),
        status=Delivery.Status.WAITING,
        attempts_made__lt=FAILURES_THAT_KEEP_ORDER,
    ).exclude(kind=Delivery.Kind.PING)
    return Q(Exists(earlier)) & ~Q(kind=Delivery.Kind.PING)


def _of_so_many_channels(rows: Iterable[tuple[int, int, datetime | None]], channels: int, failing: int) -> list[int]:
    taken: set[int] = set()
    ids = []
    for pk, channel, failing_since in rows:
        if channel not in taken:
            is_failing = failing_since is not None
            if len(taken) >= channels or (is_failing and failing <= 0):
                continue
            taken.add(channel)
            failing -= is_failing
        ids.append(pk)
    return ids


def _in_order(held: Sequence[Delivery], owner: str) -> list[Delivery]:
    """What may be sent of what was taken: another worker may have taken an earlier message at the same moment."""
    first_of_others = dict(
        Delivery.objects.filter(
            channel__in={delivery.channel_id for delivery in held},
            status=Delivery.Status.WAITING,
            attempts_made__lt=FAILURES_THAT_KEEP_ORDER,
        )
        .exclude(owner=owner)
        .exclude(kind=Delivery.Kind.PING)
        .order_by()
        .values_list("channel_id")
        .annotate(first=Min("pk"))
    )
    too_early = {
        delivery.pk
        for delivery in held
        if delivery.kind != Delivery.Kind.PING and delivery.pk > first_of_others.get(delivery.channel_id, delivery.pk)
    }
    if too_early:
        release(owner, too_early)
    return [delivery for delivery in held if delivery.pk not in too_early]
