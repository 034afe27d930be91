"""Notices of changes: for whom and when, with what the change means in money, and which of them were taken back."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from alerts.bills.billing import Biller
from alerts.bills.money import money_of_change
from alerts.cadence import due_at
from alerts.loading import batches, rhythm_of
from alerts.matching import Caught
from alerts.models import Notice, Watch
from pricing.api.shapes.changes import lines_of, superseded_by
from pricing.models import PricingChange


class MoneyOfChanges:
    """What changes mean for the profiles of watches, each worked out once."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._billers: dict[int, Biller] = {}
        self._found: dict[tuple[int, int], dict[str, Any] | None] = {}

    def of(self, watch: Watch, change: PricingChange, caught: Caught) -> dict[str, Any] | None:
        """The money line of a notice; None without a profile, or where the change touches nothing of it."""
        if watch.profile is None:
            return None
        key = (watch.profile.pk, change.pk)
        if key not in self._found:
            biller = self._billers.setdefault(watch.profile.pk, Biller(watch.profile))
            self._found[key] = money_of_change(biller, change, set(caught.offerings), self._now)
        return self._found[key]


def notices_for(
    watch: Watch, channels: Iterable[int], change: PricingChange, now: datetime, money: dict[str, Any] | None
) -> list[Notice]:
    """A notice for each channel, due by the watch's cadence."""
    due = due_at(rhythm_of(watch), now)
    return [Notice(watch=watch, channel_id=channel, change=change, due_at=due, money=money) for channel in channels]


def taken_back(corrections: Collection[PricingChange], fresh: Sequence[Notice] = ()) -> list[tuple[Notice, int]]:
    """The notices whose changes some of these corrections supersede, each with that correction.

    ``fresh`` are notices that are not written yet, with their changes.
    """
    if not corrections:
        return []
    offerings = {correction.offering_id for correction in corrections}
    notices = [notice for notice in fresh if notice.change.offering_id in offerings]
    for ids in batches(offerings):
        notices += Notice.objects.filter(change__offering__in=ids, dropped=False).select_related("change")
    changes = list({notice.change_id: notice.change for notice in notices}.values())
    if not changes:
        return []
    wanted = {correction.pk for correction in corrections}
    superseded = superseded_by(changes, lines_of(changes))
    return [(notice, superseded[notice.change_id]) for notice in notices if superseded.get(notice.change_id) in wanted]
