"""Resolving the whole record afresh: what an update of the rules, or a database of an older version, left behind."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from pricing.bookkeeping import Cause, Settled, settle
from pricing.calendar_bookkeeping import settle_calendars
from pricing.findings import Progress, no_progress
from pricing.locks import lock_ledger
from pricing.models import Offering, PriceLine
from pricing.routes.settling import add_to, settle_routes_of
from pricing.sheets import tariffs_of

AT_ONCE = 200


def settle_everything(progress: Progress = no_progress) -> Settled:
    """Settle each offering's prices, routes and calendars anew; whatever differs is a correction, and no news.

    Each piece of the record has a transaction of its own, so that an interrupted run keeps what it did and the next
    one goes on; a second run writes nothing.
    """
    settled, done, total = Settled(), 0, Offering.objects.count()
    ordered = Offering.objects.order_by("pk").values_list("pk", flat=True)
    ids = list(ordered[:AT_ONCE])
    while ids:
        settled.add(_settle(ids))
        done += len(ids)
        progress("offerings settled anew", done, total)
        ids = list(ordered.filter(pk__gt=ids[-1])[:AT_ONCE])
    return settled


def _settle(offering_ids: list[int]) -> Settled:
    with transaction.atomic():
        lock_ledger()
        now = timezone.now()
        cause = Cause(now, now, ruled=True)
        lines = PriceLine.objects.filter(offering__in=offering_ids).values_list("pk", flat=True)
        settled = settle(tariffs_of(set(lines)), cause)
        add_to(settled, settle_routes_of(offering_ids, cause))
        settle_calendars(offering_ids, cause, settled)
        return settled
