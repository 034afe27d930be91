"""What a change means for a month's bill, as notices carry it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from alerts.bills.arithmetic import percent_moved
from alerts.bills.billing import Bill, Biller, BillLine
from pricing.models import PricingChange
from tracker.amounts import plain
from tracker.api.fields import percent_text

_INSTANT = timedelta(microseconds=1)
_RETRACTED = "retracted"
BECAUSE_NAMED = 10
CHEAPER_NAMED = 5


def money_shape(currency: str, old: Decimal, new: Bill, because: Sequence[str]) -> dict[str, Any]:
    """The bill before and after, by how much it moved, and the headlines of the changes that moved it.

    ``unpriced`` is there where the bill leaves something out because it has no price.
    """
    shape: dict[str, Any] = {
        "currency": currency,
        "old": plain(old),
        "new": plain(new.total),
        "percent": percent_text(percent_moved(old, new.total)),
        "amount": plain(new.total - old),
        "because": list(because)[:BECAUSE_NAMED],
    }
    if not new.is_complete:
        shape["unpriced"] = new.without_price[:BECAUSE_NAMED]
    return shape


def cheaper_shapes(bill: Bill) -> list[dict[str, Any]]:
    """For each line of a bill that could be had for less the cheapest seller, where most can be saved first."""
    found = sorted((line for line in bill.lines if line.cheaper), key=lambda line: line.cheaper[0].amount - line.amount)
    return [_cheaper_shape(line) for line in found[:CHEAPER_NAMED]]


def _cheaper_shape(line: BillLine) -> dict[str, Any]:
    cheapest, own = line.cheaper[0], line.priced.offering
    return {
        "offering": cheapest.offering.pk,
        "name": str(cheapest.offering),
        "seller": cheapest.offering.seller.slug,
        "external_id": cheapest.offering.external_id,
        "amount": plain(cheapest.amount),
        "instead_of": {"offering": own.pk, "name": str(own), "amount": plain(line.amount)},
    }


def money_of_change(biller: Biller, change: PricingChange, offerings: set[int], now: datetime) -> dict[str, Any] | None:
    """What one change does to a bill, all else as it is when the change takes effect; None if nothing of it is used.

    A correction and a retraction are weighed by what was believed before them, all else by what was paid before.
    """
    if biller.offerings.isdisjoint(offerings):
        return None
    if change.nature == PricingChange.Nature.CORRECTION or change.kind == _RETRACTED:
        at = change.announced_for or now
        after = biller.bill(at)
        before = biller.bill_before(after, offerings, at, min(change.detected_at, change.recorded_at) - _INSTANT)
    else:
        at = change.announced_for or change.effective_at
        after = biller.bill(at)
        before = biller.bill_before(after, offerings, at - _INSTANT)
    return money_shape(biller.profile.currency, before.total, after, [change.headline])
