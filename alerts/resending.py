"""Sends again what was sent or given up, under the same message id, so that receivers can tell."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from alerts.models import Channel, Delivery
from alerts.tasks import send_now

_AGAIN = {"attempts_made": 0, "finished_at": None, "last_error": "", "owner": "", "locked_until": None}
_GIVEN_UP = (Delivery.Status.DEAD, Delivery.Status.CANCELLED)


class ChannelIsOff(ValueError):
    """Nothing can be sent to the channel as it is; the message says what has to be done first."""


class IsBeingSent(ValueError):
    """A worker has the message in hand just now."""


def retry(delivery: Delivery, now: datetime | None = None) -> None:
    """Make one message due now, whatever became of it. Raises ChannelIsOff and IsBeingSent."""
    now = now or timezone.now()
    _ensure_usable(delivery.channel, is_test=delivery.kind == Delivery.Kind.PING)
    transaction.on_commit(send_now)
    free = Delivery.objects.filter(Q(locked_until__isnull=True) | Q(locked_until__lt=now), pk=delivery.pk)
    if not free.update(status=Delivery.Status.WAITING, next_attempt_at=now, **_AGAIN):
        raise IsBeingSent("the message is being sent just now; see what comes of it")


def resend_since(channel: Channel, since: datetime, *, also_delivered: bool = False) -> int:
    """Make due what was composed since a moment and given up, or all of it; returns how many. Raises ChannelIsOff."""
    _ensure_usable(channel)
    transaction.on_commit(send_now)
    statuses = [*_GIVEN_UP, *([Delivery.Status.DELIVERED] if also_delivered else [])]
    rows: QuerySet[Delivery] = Delivery.objects.filter(channel=channel, created_at__gte=since, status__in=statuses)
    return rows.exclude(kind=Delivery.Kind.PING).update(
        status=Delivery.Status.WAITING, next_attempt_at=timezone.now(), **_AGAIN
    )


def _ensure_usable(channel: Channel, *, is_test: bool = False) -> None:
    if channel.disabled_at is not None:
        raise ChannelIsOff(f"the channel is disabled ({channel.disabled_reason}): enable it first")
    if channel.verified_at is None and not is_test:
        raise ChannelIsOff("the channel is not verified; test it first")
