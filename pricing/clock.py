"""What time alone changes: a price that reaches its dated end or beginning with nobody writing anything."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from pricing.bookkeeping import update_statuses
from pricing.doubts import doubt_again
from pricing.locks import lock_ledger
from pricing.models import Offering, Price, Statement
from pricing.settlement import settle_until, settled_since


def follow_the_clock() -> int:
    """A step of the tick: tell what took effect, and bring doubts and the status of offerings up to date.

    Returns how many offerings, whose prices began or ended lately, were looked at.
    """
    with transaction.atomic():
        lock_ledger()
        now = timezone.now()
        since = settled_since(now)
        settle_until(now)
        _doubt_anew(since, now)
        return _bring_up_to_date(since, now)


def lapsed(now: datetime) -> Q:
    """The offerings still marked as listed although the last price believed of them has ended by ``now``.

    That is all that time alone does to a status, and what readers ask for until the next tick has marked it.
    """
    believed = Price.objects.filter(line__offering=OuterRef("pk"), known_until__isnull=True)
    goes_on = believed.filter(Q(effective_until__isnull=True) | Q(effective_until__gt=now))
    return Q(status=Offering.Status.LISTED) & Q(Exists(believed)) & ~Q(Exists(goes_on))


def _doubt_anew(since: datetime, now: datetime) -> None:
    """Look again who disagrees where a source dates a beginning or an end that has come."""
    passed: set[int] = set()
    for boundary in ("effective_from", "effective_until"):
        dated = Statement.objects.filter(ended_at=None, **{f"{boundary}__gt": since, f"{boundary}__lte": now})
        passed.update(dated.values_list("line__offering_id", flat=True).distinct())
    if passed:
        doubt_again(passed, now)


def _bring_up_to_date(since: datetime, now: datetime) -> int:
    began = Q(effective_from__gt=since, effective_from__lte=now)
    ended = Q(effective_until__gt=since, effective_until__lte=now)
    passed: set[int] = set()
    for boundary in (began & ~Q(precision="observed"), ended):
        rows = Price.objects.filter(boundary, known_until__isnull=True)
        passed.update(rows.values_list("line__offering_id", flat=True).distinct())
    update_statuses(passed, now)
    return len(passed)
