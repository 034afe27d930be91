"""Who speaks for a price: derived on reading from what the sources said, since it may be learnt later.

A source confirms a price when it states the same amount and currency on the same line over an interval that meets
the price's own. A dated statement speaks for the interval that it claims, an undated one for its run of observations.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import F, OuterRef, Subquery

from pricing.api.freshness import sources_with_newest
from pricing.models import Observation, Price

# A source confirms a move when it states what came of it at the move, or within so long after.
CONFIRMATION_WINDOW = timedelta(days=30)
_INSTANT = timedelta(microseconds=1)
_FOREVER = datetime.max.replace(tzinfo=UTC)
_SAID = "line__statements__"


@dataclass(slots=True)
class Confirmation:
    """The slugs of the sources that state a price, by precedence, and when one of them was last seen to."""

    sources: list[str] = field(default_factory=list)
    last_confirmed_at: datetime | None = None


def reach(
    effective_from: datetime | None,
    effective_until: datetime | None,
    first_observed_at: datetime,
    ended_at: datetime | None,
) -> tuple[datetime, datetime]:
    """The half-open interval that a statement speaks for.

    An end claimed without a beginning says what held immediately before it, however late it was read.
    """
    if effective_from is not None:
        return effective_from, effective_until or ended_at or _FOREVER
    if effective_until is None:
        return first_observed_at, ended_at or _FOREVER
    return min(first_observed_at, effective_until - _INSTANT), effective_until


def confirmations(price_ids: Iterable[int]) -> dict[int, Confirmation]:
    """The confirmation of each price, by two queries."""
    found = {price_id: Confirmation() for price_id in price_ids}
    sources = {source.pk: source for source in sources_with_newest()}
    last_seen = _last_seen_by_source(found)
    for price_id, confirmation in found.items():
        seen = last_seen.get(price_id, {})
        confirmation.sources = [source.slug for pk, source in sources.items() if pk in seen]
        moments = [at if ended else sources[pk].newest or at for pk, (at, ended) in seen.items()]
        confirmation.last_confirmed_at = max(moments, default=None)
    return found


def _last_seen_by_source(price_ids: Iterable[int]) -> Mapping[int, dict[int, tuple[datetime, bool]]]:
    """For each price and source: when the source was last seen to state it, and whether it has stopped since."""
    before_end = Observation.objects.filter(
        source=OuterRef(f"{_SAID}source"), observed_at__lt=OuterRef(f"{_SAID}ended_at")
    ).order_by("-observed_at")
    rows = (
        Price.objects.filter(
            pk__in=list(price_ids),
            **{f"{_SAID}amount": F("amount"), f"{_SAID}currency": F("currency")},
        )
        .order_by()
        .values_list(
            "id",
            "effective_from",
            "effective_until",
            f"{_SAID}source_id",
            f"{_SAID}effective_from",
            f"{_SAID}effective_until",
            f"{_SAID}first_observed_at",
            f"{_SAID}ended_at",
            Subquery(before_end.values("observed_at")[:1]),
        )
    )
    seen: dict[int, dict[int, tuple[datetime, bool]]] = {}
    for price_id, begins, ends, source, *said, last_before_end in rows:
        start, end = reach(*said)
        if said[2] != said[3] and start < (ends or _FOREVER) and end > begins:
            _, _, first_observed_at, ended_at = said
            latest = (last_before_end or first_observed_at, True) if ended_at else (first_observed_at, False)
            of_price = seen.setdefault(price_id, {})
            of_price[source] = _later(of_price.get(source), latest)
    return seen


def _later(known: tuple[datetime, bool] | None, new: tuple[datetime, bool]) -> tuple[datetime, bool]:
    """A run that goes on is seen later than any that ended; of two that ended, the later counts."""
    if known is None or not new[1]:
        return new
    return known if not known[1] else max(known, new)


def meets(statement: tuple[Any, ...], start: datetime, until: datetime) -> bool:
    """Whether a statement speaks for a moment from ``start`` until ``until``, both included."""
    _, _, first_observed_at, ended_at = statement
    begins, ends = reach(*statement)
    # A run that ends where it begins was emptied when its reading was told anew: it says nothing.
    return first_observed_at != ended_at and begins <= until and ends > start
