"""What time alone changes: a price that reaches its dated end or beginning with nobody writing anything."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from pricing.bookkeeping import update_statuses
from pricing.locks import lock_ledger
from pricing.models import Offering, Price
from pricing.settlement import LOOK_BACK, settle_until


def follow_the_clock() -> int:
    """A step of the tick: tell what took effect, and bring the status of offerings up to date.

    Returns how many offerings, whose prices began or ended lately, were looked at.
    """
    with transaction.atomic():
        lock_ledger()
        now = timezone.now()
        settle_until(now)
        return _bring_up_to_date(now)


def lapsed(now: datetime) -> Q:
    """The offerings still marked as listed although the last price believed of them has ended by ``now``.

    That is all that time alone does to a status, and what readers ask for until the next tick has marked it.
    """
    believed = Price.objects.filter(line__offering=OuterRef("pk"), known_until__isnull=True)
    goes_on = believed.filter(Q(effective_until__isnull=True) | Q(effective_until__gt=now))
    return Q(status=Offering.Status.LISTED) & Q(Exists(believed)) & ~Q(Exists(goes_on))


def _bring_up_to_date(now: datetime) -> int:
    began = Q(effective_from__gt=now - LOOK_BACK, effective_from__lte=now)
    ended = Q(effective_until__gt=now - LOOK_BACK, effective_until__lte=now)
    passed: set[int] = set()
    for boundary in (began & ~Q(precision="observed"), ended):
        rows = Price.objects.filter(boundary, known_until__isnull=True)
        passed.update(rows.values_list("line__offering_id", flat=True).distinct())
    update_statuses(passed, now)
    return len(passed)
