"""One thing that is to come, how often what is known of it changed, and for whom it is looked up."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Protocol, TypeVar

from django.db.models import Q

from pricing.models import Offering

PRICE, PROMOTION_END, ROUTE, CALENDAR = "price", "promotion_end", "route", "calendar"
RETIREMENT, DEPRECATION = "retirement", "deprecation"
KINDS = (PRICE, PROMOTION_END, ROUTE, CALENDAR, RETIREMENT, DEPRECATION)
PRICES = (PRICE, PROMOTION_END)
# For how long a thing that was taken back is still told, so that calendars which took it up drop it.
TOLD_AFTER = timedelta(days=90)


class Turning(Protocol):
    """A row of an offering that begins and ends."""

    offering_id: int
    effective_from: datetime | None
    effective_until: datetime | None
    known_until: datetime | None


Row = TypeVar("Row", bound=Turning)


def by_what_turns(rows: Iterable[Row], now: datetime | None) -> dict[tuple[int, datetime], list[Row]]:
    """Rows by their offering and each moment to come at which they begin or end.

    ``now`` is None for rows that ceased to be believed: what lay ahead of them when they did.
    """
    found: dict[tuple[int, datetime], list[Row]] = {}
    for row in rows:
        moment = row.known_until if now is None else now
        for at in (row.effective_from, row.effective_until):
            if at is not None and moment is not None and at > moment:
                found.setdefault((row.offering_id, at), []).append(row)
    return found


@dataclass(frozen=True, slots=True)
class Coming:
    """One thing that happens at a moment, or on a day where ``at`` is a date.

    ``uid`` is the same as long as it is the same thing at the same moment; ``sequence`` rises whenever what is known
    of it changes, the last time at ``known_at``. ``is_cancelled`` says that it is not to come any more.
    ``offering`` or ``model`` is what it happens to.
    """

    kind: str
    uid: str
    at: date
    precision: str
    known_at: datetime
    sequence: int
    title: str
    seller: str
    lines: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    terms: tuple[str, ...] = ()
    offering: int | None = None
    model: str | None = None
    is_cancelled: bool = False


@dataclass(frozen=True, slots=True)
class Scope:
    """What is looked up: primary keys, meters and kinds; what is None or empty takes all."""

    sellers: Collection[int] = ()
    models: Collection[int] = ()
    companies: Collection[int] = ()
    offerings: Collection[int] = ()
    meters: Collection[str] = ()
    kinds: Collection[str] = ()

    def wants(self, *kinds: str) -> bool:
        """Whether any of these kinds is looked up."""
        return not self.kinds or any(kind in self.kinds for kind in kinds)

    def of_offerings(self, path: str = "") -> Q:
        """The condition on an offering, to which ``path`` leads."""
        condition = Q()
        for column, ids in (("seller", self.sellers), ("model", self.models), ("pk", self.offerings)):
            if ids:
                condition &= Q(**{f"{path}{column}__in": ids})
        if self.companies:
            sold = Q(**{f"{path}seller__in": self.companies})
            condition &= sold | Q(**{f"{path}model__developer__in": self.companies})
        return condition

    def of_models(self) -> Q:
        """The condition on an AI model, whose company is the one that makes it; no model is an offering."""
        if self.offerings:
            return Q(pk__in=[])
        condition = Q(pk__in=self.models) if self.models else Q()
        for companies in filter(None, (self.sellers, self.companies)):
            condition &= Q(developer__in=companies)
        return condition


@dataclass(frozen=True, slots=True)
class Versions:
    """The known axis of one thing: every moment at which a row of it became or ceased to be believed."""

    moments: frozenset[datetime]

    @classmethod
    def of(cls, rows: Iterable[Any]) -> Versions:
        """Those of rows with ``known_from`` and ``known_until``."""
        return cls(frozenset(at for row in rows for at in (row.known_from, row.known_until) if at is not None))

    @property
    def sequence(self) -> int:
        """How often it changed since it was first known."""
        return len(self.moments) - 1

    @property
    def last(self) -> datetime:
        """When it changed last."""
        return max(self.moments)


def told_since(now: datetime) -> datetime:
    """From when on what was taken back is still told: from a midnight, as answers turn with the day."""
    return datetime.combine((now - TOLD_AFTER).astimezone(UTC).date(), time.min, UTC)


def first_moment(at: date) -> datetime:
    """A moment itself, or the beginning of a day."""
    return at if isinstance(at, datetime) else datetime.combine(at, time.min, UTC)


def called(offering: Offering) -> str:
    """How titles call an offering."""
    return f"{offering.name} at {offering.seller.name}"


def identity(offering: Offering) -> tuple[object, ...]:
    """What tells an offering from one of the same number in another record."""
    return (offering.pk, offering.created_at.timestamp())
