"""From changes to notices: every change that was written is matched against the watches, once, in order.

The changes are the outbox. One worker at a time holds the lease; a batch of notices and the place that was reached are
written in one transaction, so a worker that dies leaves nothing half done, and the next goes on from there.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Max, Q
from django.utils import timezone

from alerts import leases
from alerts.bills.watching import look_at_bills
from alerts.confirmation import await_confirmation, tell_confirmed
from alerts.loading import CHANGES, caught_from, interests_of, usable_channels
from alerts.matching import Interests
from alerts.models import FanOut, Notice, Watch
from alerts.notices import MoneyOfChanges, notices_for, taken_back
from pricing.api.shapes.changes import confirmed_by
from pricing.models import PricingChange

logger = logging.getLogger(__name__)
BATCH = 500
_ROWS_AT_ONCE = 1000
_TRIES = 3
_IS_NEWS = Q(initial=False, backfilled=False)
# What is no news may still take back an alert that was given.
_IS_CORRECTION = Q(nature=PricingChange.Nature.CORRECTION)


def fan_out_changes() -> int:
    """A step of the tick, and what is done when changes were written: bring all notices up to date.

    Returns how many notices were written; none while another worker is at it.
    """
    if not leases.claim():
        return 0
    try:
        written = 0
        while (count := _again_if_watches_moved(_next_batch)) is not None:
            written += count
        return written + tell_confirmed() + look_at_bills()
    except leases.LeaseLost as lost:
        logger.warning("%s", lost)
        return 0
    finally:
        leases.release()


def _again_if_watches_moved(step: Callable[[], int | None]) -> int | None:
    """Do a step again where a watch or channel was deleted while it was at work."""
    for _ in range(_TRIES - 1):
        try:
            return step()
        except IntegrityError:
            continue
    return step()


def _next_batch() -> int | None:
    """Match the next changes and write the notices; how many, or None where there is nothing left."""
    before = leases.state()
    newest = PricingChange.objects.aggregate(last=Max("sequence"))["last"] or 0
    if newest <= before.last_sequence:
        return None
    found = CHANGES.filter(_IS_NEWS | _IS_CORRECTION, sequence__gt=before.last_sequence, sequence__lte=newest)
    changes = list(found.order_by("sequence")[:BATCH])
    reached = changes[-1].sequence if len(changes) == BATCH else newest
    if not changes:
        return _write(before, reached, [], {})
    batch = Batch(changes, timezone.now())
    return _write(before, reached, batch.notices(), batch.awaited)


def _write(
    before: FanOut, reached: int, notices: Sequence[Notice], awaited: Mapping[Watch, Sequence[PricingChange]]
) -> int:
    with transaction.atomic():
        leases.move_on(before, last_sequence=reached)
        Notice.objects.bulk_create(notices, batch_size=_ROWS_AT_ONCE, ignore_conflicts=True)
        await_confirmation(awaited)
    return len(notices)


class Batch:
    """Some changes in order, the watches that there are, and what follows for them.

    ``awaited`` is what waits for a second source, once the notices have been asked for.
    """

    def __init__(self, changes: Sequence[PricingChange], now: datetime) -> None:
        self.changes, self.now = changes, now
        self.awaited: dict[Watch, list[PricingChange]] = {}
        self._by_id = {change.pk: change for change in changes}
        self._caught = {caught.change: caught for caught in caught_from(changes)}
        self._watches = {watch.pk: watch for watch in watches_on_changes()}
        self._channels = usable_channels(self._watches)
        self._money = MoneyOfChanges(now)
        self._hold = leases.Hold()

    def notices(self) -> list[Notice]:
        """The notices of all watches on changes, corrections of what they were told included."""
        pairs = self._pairs_to_tell()
        notices = [notice for watch, change in pairs for notice in self._notices(watch, change)]
        return [*notices, *self._follow_ups(set(pairs), notices)]

    def _pairs_to_tell(self) -> list[tuple[int, int]]:
        """Watch and change, for all that is caught and to be told now; what waits for a source is put aside."""
        interests = Interests(interests_of([self._watches[pk] for pk in self._channels]))
        pairs = [
            (watch, change.pk)
            for change in self.changes
            for watch in sorted(interests.catching(self._caught[change.pk]))
            if self._may_hear(self._watches[watch], change)
        ]
        strict = {change for watch, change in pairs if self._watches[watch].confirmed_only}
        spoken_for = confirmed_by([self._by_id[pk] for pk in strict]) if strict else {}
        told = []
        for watch, change in pairs:
            if self._watches[watch].confirmed_only and not spoken_for.get(change):
                self.awaited.setdefault(self._watches[watch], []).append(self._by_id[change])
            else:
                told.append((watch, change))
        return told

    def _may_hear(self, watch: Watch, change: PricingChange) -> bool:
        paused = watch.paused_until is not None and change.recorded_at < watch.paused_until
        return change.sequence > watch.after_sequence and not paused

    def _notices(self, watch_id: int, change_id: int) -> Iterable[Notice]:
        self._hold.keep()
        watch, change = self._watches[watch_id], self._by_id[change_id]
        money = self._money.of(watch, change, self._caught[change_id])
        return notices_for(watch, self._channels[watch_id], change, self.now, money)

    def _follow_ups(self, told: set[tuple[int, int]], fresh: Sequence[Notice]) -> list[Notice]:
        """A correction of what a watch was told goes where that went, whatever else the watch asks for."""
        corrections = {pk for pk, change in self._by_id.items() if change.nature == PricingChange.Nature.CORRECTION}
        found: dict[tuple[int, int, int], Notice] = {}
        for notice, correction in taken_back([self._by_id[pk] for pk in corrections], fresh):
            watch = self._watches.get(notice.watch_id)
            change = self._by_id[correction]
            if (
                watch is None
                or (watch.pk, correction) in told
                or notice.channel_id not in self._channels.get(watch.pk, ())
            ):
                continue
            if self._may_hear(watch, change):
                money = self._money.of(watch, change, self._caught[correction])
                (follow_up,) = notices_for(watch, [notice.channel_id], change, self.now, money)
                found[watch.pk, notice.channel_id, correction] = follow_up
        return list(found.values())


def watches_on_changes() -> Iterable[Watch]:
    """The watches that single changes may reach; those on a bill are looked at apart."""
    rows = Watch.objects.filter(bill_percent__isnull=True, bill_amount__isnull=True, channels__isnull=False)
    return rows.select_related("owner", "profile").filter(owner__is_active=True).distinct()
