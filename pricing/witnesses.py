"""Who speaks for a price: derived on reading from what the sources said, since it may be learnt later.

A source confirms a price when it states the same amount and currency on the same line over an interval that meets
the price's own. A dated statement speaks for the interval that it claims, an undated one for its run of observations.

A price that was announced is unconfirmed until a reading at its beginning or later states it. Editors read nothing:
what they announce, a source confirms.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import F, OuterRef, Q, QuerySet, Subquery

from pricing.models import Observation, Price, Source

# A source confirms a move when it states what came of it at the move, or within so long after.
CONFIRMATION_WINDOW = timedelta(days=30)
_LAST = datetime.max.replace(tzinfo=UTC)


def confirmed_until(moment: datetime) -> datetime:
    """Until when a source may confirm a move of a moment, which may lie at the very end of the calendar."""
    return moment + CONFIRMATION_WINDOW if moment < _LAST - CONFIRMATION_WINDOW else _LAST


_INSTANT = timedelta(microseconds=1)
_FOREVER = datetime.max.replace(tzinfo=UTC)
_SAID = "line__statements__"
_BEGINNING = ("id", "effective_from", "known_from")


@dataclass(slots=True)
class Confirmation:
    """The slugs of the sources that state a price, by precedence, and when one of them was last seen to.

    ``last_read_at`` leaves out what editors state. ``is_dated_ahead`` where a source dated the price's beginning
    before it came.
    """

    sources: list[str] = field(default_factory=list)
    last_confirmed_at: datetime | None = None
    last_read_at: datetime | None = None
    is_dated_ahead: bool = False

    def is_missing(self, effective_from: datetime, known_from: datetime) -> bool:
        """Whether the price was announced, and no source has been seen to state it since its beginning."""
        is_read = self.last_read_at is not None and self.last_read_at >= effective_from
        return not is_read and (known_from < effective_from or self.is_dated_ahead)


def sources_with_newest() -> QuerySet[Any]:
    """The sources, in their order of precedence, each with the moment of its ``newest`` observation."""
    observed = Observation.objects.filter(source=OuterRef("pk")).order_by("-observed_at")
    return Source.objects.annotate(newest=Subquery(observed.values("observed_at")[:1])).order_by("precedence", "slug")


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
    editors = {pk for pk, source in sources.items() if source.kind == Source.Kind.EDITOR}
    last_seen = _last_seen_by_source(found)
    for price_id, confirmation in found.items():
        seen = last_seen.get(price_id, {})
        confirmation.sources = [source.slug for pk, source in sources.items() if pk in seen]
        moments = {pk: at if ended else sources[pk].newest or at for pk, (at, ended) in seen.items()}
        confirmation.last_confirmed_at = max(moments.values(), default=None)
        confirmation.last_read_at = confirmation.last_confirmed_at
        if not editors.isdisjoint(moments):
            confirmation.last_read_at = max((at for pk, at in moments.items() if pk not in editors), default=None)
    return found


def unconfirmed_among(prices: QuerySet[Price]) -> list[tuple[int, datetime]]:
    """Which of some prices were announced and are confirmed by no source, each with its beginning; by three queries.

    Whoever states a price that has begun has read it: only what was said or ruled before the beginning is looked at.
    """
    told_ahead = Q(statement__first_observed_at__lt=F("effective_from"))
    ruled_ahead = Q(statement=None, known_from__lt=F("effective_from"))
    ahead = {row[0]: row[1:] for row in prices.filter(told_ahead | ruled_ahead).values_list(*_BEGINNING)}
    found = confirmations(ahead) if ahead else {}
    return [(price_id, ahead[price_id][0]) for price_id, said in found.items() if said.is_missing(*ahead[price_id])]


def _last_seen_by_source(
    found: Mapping[int, Confirmation],
) -> Mapping[int, dict[int, tuple[datetime, bool]]]:
    """For each price and source: when the source was last seen to state it, and whether it has stopped since.

    Marks those that are dated ahead on the way.
    """
    before_end = Observation.objects.filter(
        source=OuterRef(f"{_SAID}source"), observed_at__lt=OuterRef(f"{_SAID}ended_at")
    ).order_by("-observed_at")
    rows = (
        Price.objects.filter(
            pk__in=list(found),
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
            dated_from, _, first_observed_at, ended_at = said
            if dated_from == begins and first_observed_at < begins:
                found[price_id].is_dated_ahead = True
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
