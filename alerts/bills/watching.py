"""Watches on a bill: they fire when a month at the prices of now has moved from the bill that was told last.

Bills are looked at after changes of what they rest on, and when a price begins or ends that was written before.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.db.models import Max, Q
from django.utils import timezone

from alerts import leases
from alerts.bills.arithmetic import has_moved
from alerts.bills.billing import Bill, Biller
from alerts.bills.money import BECAUSE_NAMED, cheaper_shapes, money_shape
from alerts.cadence import due_at
from alerts.loading import rhythm_of, usable_channels
from alerts.models import Notice, Watch
from alerts.notices import taken_back
from pricing.models import Price, PricingChange


@dataclass(frozen=True, slots=True)
class _Told:
    """A bill to be remembered as told, and the notices that tell it; without any it is remembered in silence."""

    watch: Watch
    bill: Decimal
    notices: Sequence[Notice]


def look_at_bills() -> int:
    """Look at the bills whose prices have moved since the last look; returns how many notices were written."""
    before, now = leases.state(), timezone.now()
    newest = PricingChange.objects.aggregate(last=Max("sequence"))["last"] or 0
    watches = list(watches_on_bills())
    touched = _touched(before.bills_sequence, newest, before.bills_until, now) if watches else set()
    told = list(_looked_at(watches, touched, now)) if touched else []
    notices = [notice for each in told for notice in each.notices]
    with transaction.atomic():
        leases.move_on(before, bills_sequence=newest, bills_until=now)
        Notice.objects.bulk_create(notices, ignore_conflicts=True)
        for each in told:
            same = Watch.objects.filter(pk=each.watch.pk, told_bill=each.watch.told_bill, profile=each.watch.profile)
            same.update(told_bill=each.bill, told_bill_at=now)
    return len(notices)


def begin_watching(watches: Iterable[Watch]) -> None:
    """Take the bill of now as told: when such a watch is made, or its profile is edited by its owner."""
    now = timezone.now()
    for watch in watches:
        if watch.is_on_bill and watch.profile is not None:
            total = Biller(watch.profile).bill(now).total
            Watch.objects.filter(pk=watch.pk).update(told_bill=total, told_bill_at=now)


def watches_on_bills() -> Iterable[Watch]:
    """The watches that look at a bill and not at single changes."""
    on_bill = Q(bill_percent__isnull=False) | Q(bill_amount__isnull=False)
    rows = Watch.objects.filter(on_bill, profile__isnull=False, owner__is_active=True)
    return rows.select_related("owner", "profile").order_by("pk")


def _touched(after: int, up_to: int, since: datetime, now: datetime) -> set[int]:
    """The offerings of changes that were written, and of prices that began or ended by themselves."""
    changed = PricingChange.objects.filter(sequence__gt=after, sequence__lte=up_to)
    return {*changed.values_list("offering_id", flat=True).distinct(), *turned_between(since, now)}


def turned_between(since: datetime, until: datetime) -> set[int]:
    """The offerings of which a price that is believed began or ended after one moment and by another."""
    found: set[int] = set()
    for column in ("effective_from", "effective_until"):
        rows = Price.objects.filter(
            known_until__isnull=True, **{f"{column}__gt": since, f"{column}__lte": until}
        ).order_by()
        found.update(rows.values_list("line__offering_id", flat=True).distinct())
    return found


def _looked_at(watches: Sequence[Watch], touched: set[int], now: datetime) -> Iterable[_Told]:
    channels = usable_channels([watch.pk for watch in watches])
    billers: dict[int, Biller] = {}
    hold = leases.Hold()
    for watch in watches:
        hold.keep()
        assert watch.profile is not None
        biller = billers.setdefault(watch.profile.pk, Biller(watch.profile))
        if watch.pk in channels and not biller.offerings.isdisjoint(touched):
            told = _look_at(watch, biller, channels[watch.pk], now)
            if told is not None:
                yield told


def _look_at(watch: Watch, biller: Biller, channels: Collection[int], now: datetime) -> _Told | None:
    bill = biller.bill(now)
    if watch.paused_until is not None and now < watch.paused_until:
        return _Told(watch, bill.total, ())
    old = watch.told_bill
    if old is None:
        old = biller.bill(watch.created_at, watch.created_at).total
    moved = has_moved(old, bill.total, watch.bill_percent, watch.bill_amount)
    if not moved and not (old != bill.total and _told_wrongly(watch, biller)):
        return _Told(watch, old, ()) if watch.told_bill is None else None
    return _Told(watch, bill.total, _notices(watch, channels, old, bill, biller, now))


def _told_wrongly(watch: Watch, biller: Biller) -> bool:
    """Whether the change that was told last has been taken back since: that is told however little it comes to."""
    last = Notice.objects.filter(watch=watch, bill_at__isnull=False).order_by("-id").first()
    if last is None or last.bill_at is None:
        return False
    corrections = PricingChange.objects.filter(
        offering__in=biller.offerings, nature=PricingChange.Nature.CORRECTION, recorded_at__gt=last.bill_at
    )
    return any(notice.pk == last.pk for notice, _ in taken_back(list(corrections)))


def _notices(
    watch: Watch, channels: Collection[int], old: Decimal, bill: Bill, biller: Biller, now: datetime
) -> list[Notice]:
    causes = _causes(biller.offerings, watch.told_bill_at or watch.created_at, now)
    if not causes:
        return []
    money = money_shape(biller.profile.currency, old, bill, [change.headline for change in causes])
    money["changes"] = [change.pk for change in causes]
    if cheaper := cheaper_shapes(biller.bill(now, cheaper=True)):
        money["cheaper"] = cheaper
    due = due_at(rhythm_of(watch), now)
    return [
        Notice(watch=watch, channel_id=channel, change=causes[-1], due_at=due, money=money, bill_at=now)
        for channel in channels
    ]


def _causes(offerings: set[int], since: datetime, now: datetime) -> list[PricingChange]:
    """What moved the bill after one moment and by another, the latest last; at least the offerings' last change."""
    of_profile = PricingChange.objects.filter(offering__in=offerings).order_by("-sequence")
    written = Q(recorded_at__gt=since) & (Q(announced_for__isnull=True) | Q(announced_for__lte=now))
    came_about = Q(announced_for__gt=since, announced_for__lte=now)
    found = of_profile.filter(written | came_about, initial=False, backfilled=False)[:BECAUSE_NAMED]
    return list(found)[::-1] or list(of_profile[:1])
