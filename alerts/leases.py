"""Claiming the fan-out: one conditional update decides who works on it, alike on every database."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from alerts.models import FanOut
from tracker.workers import owner_name

# A worker that is killed costs the others so long: a tick, and no more. One that lives holds on while it works.
LEASE = timedelta(seconds=30)
_KEPT_EVERY = 8.0
_ONLY = 1


class LeaseLost(RuntimeError):
    """Another worker has taken the fan-out over meanwhile; what was about to be written is not."""


def claim(now: datetime | None = None) -> bool:
    """Take the lease if it is free or ran out; whether that succeeded."""
    now = now or timezone.now()
    FanOut.objects.get_or_create(pk=_ONLY)
    free = Q(locked_until__isnull=True) | Q(locked_until__lt=now)
    return FanOut.objects.filter(free, pk=_ONLY).update(owner=owner_name(), locked_until=now + LEASE) == 1


def release() -> None:
    """Give the lease back, if it is still ours."""
    FanOut.objects.filter(pk=_ONLY, owner=owner_name()).update(owner="", locked_until=None)


class Hold:
    """Keeps the lease while one piece of work lasts; asked at every small step, it writes seldom."""

    def __init__(self) -> None:
        self._kept_at = time.monotonic()

    def keep(self) -> None:
        """Hold the lease longer. Raises LeaseLost where somebody else has taken it."""
        if time.monotonic() - self._kept_at < _KEPT_EVERY:
            return
        ours = FanOut.objects.filter(pk=_ONLY, owner=owner_name())
        if ours.update(locked_until=timezone.now() + LEASE) != 1:
            raise LeaseLost("the fan-out was taken over by another worker")
        self._kept_at = time.monotonic()


def state() -> FanOut:
    """How far the fan-out has come."""
    return FanOut.objects.get(pk=_ONLY)


def move_on(before: FanOut, **values: object) -> None:
    """Write how far it has come, within the transaction of what was done for it, and hold the lease longer.

    Raises LeaseLost where somebody else has moved on since ``before`` was read, or holds the lease.
    """
    ours = FanOut.objects.filter(
        pk=_ONLY,
        owner=owner_name(),
        last_sequence=before.last_sequence,
        bills_sequence=before.bills_sequence,
        bills_until=before.bills_until,
    )
    if ours.update(**values, locked_until=timezone.now() + LEASE) != 1:
        raise LeaseLost("the fan-out was taken over by another worker")
