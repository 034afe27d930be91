"""Where an id leads, as a value that the ledger's core resolves as it resolves prices.

The core asks of a value only whether it is the same as another. A route is therefore a pseudo
price line with one cell, and announcements, postponements, retractions, dated and observed moves,
precedence and withdrawals follow the very rules of prices, in any order of arrival.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from pricing.claims import Conditions
from pricing.moves import Happening, happenings
from pricing.timeline import Segment, Value

ROUTE = Conditions("route")
OFFERING, MODEL = "offering", "model"
REROUTED = "rerouted"
_SAID_OF_THE_FUTURE = ("announced", "rescheduled", "retracted")


@dataclass(frozen=True, slots=True, order=True)
class Target:
    """An offering of the same seller, or an AI model, by its row's id."""

    kind: str
    id: int

    @property
    def value(self) -> Value:
        """The target as a value of the core."""
        return (Decimal(0), f"{self.kind}:{self.id}", "")

    @property
    def offering(self) -> int | None:
        """The offering's id, where it is one."""
        return self.id if self.kind == OFFERING else None

    @property
    def model(self) -> int | None:
        """The AI model's id, where it is one."""
        return self.id if self.kind == MODEL else None


@dataclass(frozen=True, slots=True)
class RouteMove:
    """One thing that happened to an id's route: where it led before, and where from then on."""

    kind: str
    nature: str
    effective_at: datetime
    precision: str
    observed_after: datetime | None
    announced_for: datetime | None
    old: Target | None
    new: Target | None


def target_of(offering: int | None, model: int | None) -> Target:
    """The target that a row's two columns name, of which one is filled."""
    if offering is not None:
        return Target(OFFERING, offering)
    assert model is not None
    return Target(MODEL, model)


def target_in(value: Value | None) -> Target | None:
    """The target that a value of the core stands for."""
    if value is None:
        return None
    kind, _, number = value[1].partition(":")
    return Target(kind, int(number))


def route_moves(
    before: Sequence[Segment], after: Sequence[Segment], moment: datetime, ruled: bool, source: int | None = None
) -> list[RouteMove]:
    """What happened to an id's route between two beliefs, oldest first; the cause is told as for prices."""
    found = happenings({ROUTE: before}, {ROUTE: after}, moment, ruled, source)
    return [_route_move(happening) for happening in found]


def _route_move(happening: Happening) -> RouteMove:
    (changed,) = happening.lines
    return RouteMove(
        kind=_kind(happening),
        nature=happening.nature,
        effective_at=happening.effective_at,
        precision=happening.precision,
        observed_after=happening.observed_after,
        announced_for=happening.announced_for,
        old=target_in(changed.old),
        new=target_in(changed.new),
    )


def _kind(happening: Happening) -> str:
    """Corrections and what is said of the future are named as for prices; a move of the market is a reroute.

    An id that a person rules to be sold no more is withdrawn, and with it its route.
    """
    if happening.nature == "correction" or happening.kind in _SAID_OF_THE_FUTURE:
        return happening.kind
    is_ruled_end = happening.lines[0].new is None and happening.precision == "exact"
    return "withdrawn" if is_ruled_end else REROUTED
