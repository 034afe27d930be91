"""What of the ledger makes an answer old: new rows, and the moments at which a price or a calendar begins or ends."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from rest_framework.request import Request

from pricing.models import (
    Alias,
    CalendarStatement,
    Decision,
    Disagreement,
    ExchangeRate,
    Hold,
    Observation,
    Offering,
    Price,
    PricingChange,
    Reference,
    RouteStatement,
    SlotRule,
    Source,
    SourcePrecedence,
    Statement,
)
from pricing.witnesses import sources_with_newest
from tracker.api import record

_BELIEVED = "known_until IS NULL"


def watch_ledger() -> None:
    """Tell the API which tables hold the ledger."""
    record.watch(Source, SourcePrecedence, Offering, Reference, Alias, SlotRule)
    record.watch(*(model.history.model for model in (Source, Offering, Reference)))
    record.watch(Observation, Statement, CalendarStatement, RouteStatement)
    record.watch(Decision, Price, PricingChange, ExchangeRate)
    record.watch_moments(Price, "effective_from", _BELIEVED)
    record.watch_moments(Price, "effective_until", f"{_BELIEVED} AND effective_until IS NOT NULL")
    record.watch_moments(SlotRule, "effective_from", f"{_BELIEVED} AND effective_from IS NOT NULL")
    record.watch_moments(SlotRule, "effective_until", f"{_BELIEVED} AND effective_until IS NOT NULL")
    record.watch_moments(Alias, "effective_from", f"{_BELIEVED} AND effective_from IS NOT NULL")
    record.watch_moments(Alias, "effective_until", f"{_BELIEVED} AND effective_until IS NOT NULL")
    # A doubt that is closed keeps its row.
    for doubt in (Hold, Disagreement):
        record.watch(doubt)
        record.watch_moments(doubt, "closed_at", "closed_at IS NOT NULL")
    record.tell_freshness(newest_observation)


def is_past_belief_now(request: Request) -> bool:
    """Whether the present is asked for as it was once believed.

    Such an answer also turns where a price that is no longer believed would have begun or ended, which the record's
    version does not follow.
    """
    return "known_at" in request.query_params and "as_of" not in request.query_params


def newest_observation(source_ids: Collection[int] | None = None) -> datetime | None:
    """The newest reading among the sources of these ids, or among all that state prices."""
    sources = sources_with_newest()
    sources = sources.exclude(kind=Source.Kind.RATES) if source_ids is None else sources.filter(pk__in=source_ids)
    return max((at for at in sources.values_list("newest", flat=True) if at is not None), default=None)
