"""How usages with the same keys are charged on the same terms at the same time: the choice of lines, made once.

- A reported count whose meter has a price of its own is taken out of the counts that it is part of.
  One without is charged at the nearest of these that has a price (see ``usage.containers``).
- Audio of one direction goes at the price without direction, and an annotated page as a page, where
  they have no price of their own (STAND_INS). ``audio_seconds`` and ``pages`` do not include them.
- What has no price is a gap under its outermost meter, known from when any price begins that it could be charged at.
- A price on ``requests`` is charged once for each call, as sellers do: a usage is one call unless it
  says how many, or counts only what is billed outside calls (OUTSIDE_CALLS).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from operator import itemgetter
from typing import NamedTuple, TypeVar

from pricing.meters import METERS
from pricing.tariffs import SheetPrice, Situation, Tariffs, Terms
from pricing.usage import Count, Quantity, containers, shape
from tracker.amounts import EXACT as EXACT  # noqa: PLC0414 - others have it from here

# Prices that stand in for those of meters that they do not contain.
STAND_INS = {
    "input_audio_seconds": ("audio_seconds",),
    "output_audio_seconds": ("audio_seconds",),
    "annotated_pages": ("pages",),
}
OUTSIDE_CALLS = frozenset({"subscriptions", "seats", "credits", "storage_gb_days", "training_tokens"})

_REQUESTS = "requests"
_PLACE_IN_TABLE = {meter: place for place, meter in enumerate(METERS)}
Part = TypeVar("Part", bound=tuple[object, ...])
Places = tuple[int, ...]
Picker = Callable[[Sequence[Quantity]], Sequence[Quantity]]
# The situation of the same call at another moment's prices.
SituationAt = Callable[[datetime], Situation]


class Assumed(NamedTuple):
    """A meter charged at a price of a later moment, since none was known at that of the call, and its count's place."""

    meter: str
    place: int
    moment: datetime


class Gap(NamedTuple):
    """A meter without a price, the place of its count, and when its first price begins, if one is known."""

    meter: str
    place: int
    known_from: datetime | None
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is charged for the counts of a shape, after which comes one more place: the call itself.

    First the counts at the places of ``merges`` take in others. Then ``pick`` takes the quantities at
    the places ``charged``, and with them ``meters``, ``unit_amounts`` (for one of what the meter counts)
    and ``prices`` go side by side, in the order of the table of meters. ``notes`` belong to places.
    ``currency`` is empty where there are several, ``assumed`` where all prices are those of the call's moment.

    Columns, and parts that plans share, keep together what pricing a line reads: with thousands of
    sheets the time goes into fetching memory.
    """

    shape: tuple[Count, ...]
    merges: tuple[tuple[int, Places], ...]
    pick: Picker
    meters: tuple[str, ...]
    unit_amounts: tuple[Decimal, ...]
    prices: tuple[SheetPrice, ...]
    gaps: tuple[Gap, ...]
    notes: tuple[tuple[int, tuple[str, ...]], ...]
    currency: str
    charged: Places
    assumed: tuple[Assumed, ...] = ()


@lru_cache(maxsize=4096)
def shared(part: Part) -> Part:
    """One object for all tuples that are alike."""
    return part


def make_plan(
    tariffs: Tariffs,
    keys: tuple[str, ...],
    terms: Terms,
    situation: Situation,
    currency: str,
    later: SituationAt | None = None,
) -> Plan:
    """The plan for usages with these keys, in the sheet's currency where it charges nothing.

    With ``later``, what was never sold up to the moment is charged at the earliest price that it has later on.
    Raises UsageError for an unknown key, and UnknownTerm.
    """
    tariffs.refuse_unknown(terms)
    counts = shape(keys)
    counted = _counted(keys, counts)
    assigned = _Assignment(tariffs, terms, situation, later)
    for place, meter in enumerate(counted):
        assigned.charge(place, meter, is_call=place == len(counts))
    chosen, charged, missing = assigned.chosen, assigned.charged, assigned.missing
    meters = sorted(chosen, key=_PLACE_IN_TABLE.__getitem__)
    prices = tuple(chosen[meter] for meter in meters)
    remarks = ((charged[meter][0], tuple(_remarks(meter, chosen[meter], terms))) for meter in meters)
    currencies = {cited.currency for cited in prices} or {currency}
    places = shared(tuple(charged[meter][0] for meter in meters))
    return Plan(
        shape=counts,
        merges=shared(tuple((first, tuple(rest)) for first, *rest in (*charged.values(), *missing.values()) if rest)),
        pick=_picker(places),
        meters=shared(tuple(meters)),
        unit_amounts=_unit_amounts(tuple(cited.amount for cited in prices), shared(tuple(meters))),
        prices=prices,
        gaps=tuple(
            _gap(
                tariffs,
                meter,
                missing[meter][0],
                terms,
                _next_known(tariffs, counted, missing[meter], terms, situation),
            )
            for meter in sorted(missing, key=_PLACE_IN_TABLE.__getitem__)
        ),
        notes=tuple((place, notes) for place, notes in remarks if notes),
        currency="" if len(currencies) > 1 else currencies.pop(),
        charged=places,
        assumed=tuple(
            Assumed(meter, charged[meter][0], assigned.assumed[meter]) for meter in meters if meter in assigned.assumed
        ),
    )


class _Assignment:
    """By meter: the prices that apply, the places they are charged for, and the places without a price.

    ``assumed`` has the later moments of prices that were not known at the call's.
    """

    def __init__(self, tariffs: Tariffs, terms: Terms, situation: Situation, later: SituationAt | None) -> None:
        self._tariffs, self._terms, self._situation, self._later = tariffs, terms, situation, later
        self.chosen: dict[str, SheetPrice] = {}
        self.charged: dict[str, Places] = {}
        self.missing: dict[str, Places] = {}
        self.assumed: dict[str, datetime] = {}

    def charge(self, place: int, meter: str, *, is_call: bool) -> None:
        """Choose the price of what is counted at a place; a call without a price of its own costs nothing itself."""
        cited = self._tariffs.cite(_charged_as(meter), self._terms, self._situation)
        if cited is None and self._later is not None:
            cited = self._assume(meter, self._later, is_call)
        if cited is not None:
            self.chosen.setdefault(cited.line.meter, cited)
            self.charged[cited.line.meter] = (*self.charged.get(cited.line.meter, ()), place)
        elif not is_call:
            outermost = (meter, *containers(meter))[-1]
            self.missing[outermost] = (*self.missing.get(outermost, ()), place)

    def _assume(self, meter: str, later: SituationAt, is_call: bool) -> SheetPrice | None:
        """The earliest price of what was never sold up to the call's moment: a price that ended is not unknown."""
        meters = _charged_as(meter)
        beginnings = self._tariffs.beginnings(meters, self._terms)
        if not beginnings or beginnings[0] <= self._situation.moment:
            return None
        for moment in self._moments_of_the_call() if is_call and self.chosen else beginnings:
            if (cited := self._tariffs.cite(meters, self._terms, later(moment))) is not None:
                self.assumed.setdefault(cited.line.meter, moment)
                return cited
        return None

    def _moments_of_the_call(self) -> list[datetime]:
        """What is charged for the call itself goes with its counts: a fee that came later than their prices is new."""
        return [max(self.assumed.values())] if len(self.assumed) == len(self.chosen) else []


def _charged_as(meter: str) -> tuple[str, ...]:
    """The meters whose prices a count may be charged at, the nearest first."""
    return meter, *containers(meter), *STAND_INS.get(meter, ())


def _next_known(
    tariffs: Tariffs, counted: Sequence[str], places: Places, terms: Terms, situation: Situation
) -> datetime | None:
    """When the first price begins at which any of the counts at some places could be charged."""
    meters = {other for place in places for other in _charged_as(counted[place])}
    return tariffs.next_known(meters, terms, situation.moment)


def _counted(keys: tuple[str, ...], counts: tuple[Count, ...]) -> list[str]:
    """The meters of the counts by place, with the call itself at the end if it is one."""
    meters = [meter for meter, _ in counts]
    is_call = _REQUESTS not in keys and (not keys or not OUTSIDE_CALLS.issuperset(keys))
    return [*meters, _REQUESTS] if is_call else meters


@lru_cache(maxsize=4096)
def _picker(places: Places) -> Picker:
    if len(places) > 1:
        return itemgetter(*places)
    return lambda held: tuple([held[place] for place in places])


@lru_cache(maxsize=4096)
def _unit_amounts(amounts: tuple[Decimal, ...], meters: tuple[str, ...]) -> tuple[Decimal, ...]:
    """The amounts for one of what each meter counts. Not ``shared``, for which 0 places and 0 dollars are alike."""
    return tuple(
        EXACT.divide(amount, Decimal(METERS[meter].per)) for amount, meter in zip(amounts, meters, strict=True)
    )


def _remarks(meter: str, cited: SheetPrice, terms: Terms) -> Iterable[str]:
    """What a reader of the item would not expect."""
    for field in Terms._fields:
        asked, found = getattr(terms, field), getattr(cited.line, field)
        if asked != found:
            name = field.replace("_", " ")
            other = f"for {name} {found}" if found else f"without a {name}"
            yield f"{meter} has no price for {name} {asked}: charged at the one {other}"
    if cited.zero_means == "included":
        yield f"{meter}: included in the plan, at no cost of its own"
    if cited.remark:
        yield f"{meter}: {cited.remark}"


def _gap(tariffs: Tariffs, meter: str, place: int, terms: Terms, known_from: datetime | None) -> Gap:
    others = [] if known_from else tariffs.other_terms(meter)
    notes = (f"{meter} has prices only on other terms or at other times: {', '.join(others)}",) if others else ()
    return Gap(meter, place, known_from, notes)
