"""Changes that wait until a second source states them too, for the watches that hear of nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from alerts import leases
from alerts.loading import CHANGES, batches, caught_from, usable_channels
from alerts.models import Awaited, FanOut, Notice, Watch
from alerts.notices import MoneyOfChanges, notices_for
from pricing.api.shapes.changes import confirmed_by, lines_of, superseded_by
from pricing.models import PricingChange
from pricing.witnesses import confirmed_until
from tracker.api import record

_ROWS_AT_ONCE = 1000


def await_confirmation(caught: Mapping[Watch, Sequence[PricingChange]]) -> None:
    """Put aside what watches caught, for as long as a source may still confirm it."""
    rows = [
        Awaited(watch=watch, change=change, until=confirmed_until(max(change.effective_at, change.recorded_at)))
        for watch, changes in caught.items()
        for change in changes
    ]
    Awaited.objects.bulk_create(rows, batch_size=_ROWS_AT_ONCE, ignore_conflicts=True)


def tell_confirmed() -> int:
    """Write the notices of what has been confirmed, once each, and forget what waited too long.

    Looked at only when the record has moved since the last look; returns how many notices were written.
    """
    before, version, now = leases.state(), record.current().version, timezone.now()
    if before.record_version == version:
        return 0
    Awaited.objects.filter(until__lt=now).delete()
    waiting = Awaited.objects.order_by().values_list("change_id", flat=True).distinct()
    written = sum(_tell_confirmed_of(before, ids, now) for ids in batches(waiting))
    FanOut.objects.filter(pk=before.pk).update(record_version=version)
    return written


def _tell_confirmed_of(before: FanOut, change_ids: Sequence[int], now: datetime) -> int:
    changes = list(CHANGES.filter(pk__in=change_ids))
    confirmed = {pk for pk, sources in confirmed_by(changes).items() if sources}
    corrected = superseded_by(changes, lines_of(changes)).keys()
    decided = Awaited.objects.filter(change__in=confirmed | corrected)
    rows = list(decided.select_related("watch__owner", "watch__profile"))
    if not rows:
        return 0
    standing = [row for row in rows if row.change_id not in corrected]
    notices = _notices(standing, {change.pk: change for change in changes}, now)
    with transaction.atomic():
        leases.move_on(before)
        Notice.objects.bulk_create(notices, batch_size=_ROWS_AT_ONCE, ignore_conflicts=True)
        Awaited.objects.filter(pk__in=[row.pk for row in rows]).delete()
    return len(notices)


def _notices(rows: Sequence[Awaited], changes: Mapping[int, PricingChange], now: datetime) -> list[Notice]:
    channels = usable_channels({row.watch_id for row in rows})
    caught = {each.change: each for each in caught_from(list(changes.values()))}
    money = MoneyOfChanges(now)
    notices: list[Notice] = []
    for row in rows:
        watch, change = row.watch, changes[row.change_id]
        if watch.paused_until is None or watch.paused_until <= now:
            told = money.of(watch, change, caught[change.pk])
            notices += notices_for(watch, channels.get(watch.pk, ()), change, now, told)
    return notices
