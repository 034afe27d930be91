"""Forgets messages that are long done, with their attempts and notices."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from alerts.models import Attempt, Delivery, Notice

# In one transaction, and in one tick: what is left is the next tick's.
AT_ONCE = 1_000
BATCHES = 10


def forget_old() -> int:
    """A step of the tick: delete what was finished longer ago than ALERTS_KEEP_DAYS; returns how many messages."""
    before = timezone.now() - timedelta(days=settings.ALERTS_KEEP_DAYS)
    forgotten = 0
    for _ in range(BATCHES):
        old = list(Delivery.objects.filter(finished_at__lt=before).order_by().values_list("pk", flat=True)[:AT_ONCE])
        if not old:
            break
        forgotten += _forget(old)
    dropped = Notice.objects.filter(dropped=True, created_at__lt=before).values_list("pk", flat=True)[:AT_ONCE]
    Notice.objects.filter(pk__in=list(dropped)).delete()
    return forgotten


@transaction.atomic
def _forget(ids: list[int]) -> int:
    Notice.objects.filter(delivery__in=ids).delete()
    Attempt.objects.filter(delivery__in=ids).delete()
    return Delivery.objects.filter(pk__in=ids).exclude(status=Delivery.Status.WAITING).delete()[0]
