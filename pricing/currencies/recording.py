"""Writing down what a publication says of exchange rates: rows are added where it says something else than before."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date
from decimal import Decimal

from django.db import transaction

from pricing.bulk import save_new
from pricing.claims import Rejection
from pricing.currencies.published import PublishedRate
from pricing.locks import lock_ledger
from pricing.models import ExchangeRate
from pricing.statements import Reading

RateKey = tuple[str, date]


@dataclass(slots=True)
class RecordedRates:
    """What a reading added: rates of days that had none, and rates that replace another."""

    new: int = 0
    changed: int = 0
    rejected: list[Rejection] = field(default_factory=list)


def record_rates(reading: Reading, published: list[PublishedRate]) -> RecordedRates:
    """Add what a reading says and was not believed before it. A rate of a day that lies ahead of it is rejected."""
    recorded = RecordedRates()
    today = reading.observed_at.astimezone(UTC).date()
    with transaction.atomic():
        lock_ledger()
        believed = _believed(reading, published)
        rows = []
        for rate in published:
            if rate.day > today:
                reason = f"the day lies ahead: the document was read on {today}"
                recorded.rejected.append(Rejection(str(rate.day), rate.currency, reason))
            elif (before := believed.get((rate.currency, rate.day))) != rate.rate:
                recorded.new += before is None
                recorded.changed += before is not None
                rows.append(_row(reading, rate))
        save_new(rows)
    return recorded


def _believed(reading: Reading, published: list[PublishedRate]) -> dict[RateKey, Decimal]:
    """What the source was known to say of these days when the reading was made."""
    if not published:
        return {}
    days = [rate.day for rate in published]
    rows = ExchangeRate.objects.filter(
        source=reading.source, day__gte=min(days), day__lte=max(days), known_from__lte=reading.observed_at
    )
    told = rows.order_by("known_from", "pk").values_list("currency", "day", "rate")
    return {(currency, day): rate for currency, day, rate in told.iterator()}


def _row(reading: Reading, rate: PublishedRate) -> ExchangeRate:
    return ExchangeRate(
        source=reading.source,
        currency=rate.currency,
        day=rate.day,
        rate=rate.rate,
        known_from=reading.observed_at,
        refresh_id=reading.refresh_id,
    )
