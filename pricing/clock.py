"""What time alone changes: a price that reaches its dated end or beginning with nobody writing anything."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from pricing.bookkeeping import update_statuses
from pricing.models import Price

# Longer than any outage that a site comes back from without being looked at.
LOOK_BACK = timedelta(days=30)


def follow_the_clock() -> int:
    """A step of the tick: bring the status of offerings up to date whose prices began or ended lately.

    Returns how many offerings were looked at.
    """
    now = timezone.now()
    began = Q(effective_from__gt=now - LOOK_BACK, effective_from__lte=now)
    ended = Q(effective_until__gt=now - LOOK_BACK, effective_until__lte=now)
    passed: set[int] = set()
    for boundary in (began & ~Q(precision="observed"), ended):
        rows = Price.objects.filter(boundary, known_until__isnull=True)
        passed.update(rows.values_list("line__offering_id", flat=True).distinct())
    update_statuses(passed, now)
    return len(passed)
