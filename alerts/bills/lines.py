"""Pricing the lines of usage profiles: each with its offering's own price sheet, in the profile's currency."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from alerts.bills.arithmetic import exact_sum
from alerts.models import ProfileLine
from pricing.claims import STANDARD_TIER
from pricing.cost import PriceSheet
from pricing.costing.memory import Memory
from pricing.costing.names import Pair, Route, routes
from pricing.costing.sheets import BrokenSheet, Sheet
from pricing.currencies.conversion import Conversion, NoRate
from pricing.currencies.recorded import current_rates
from pricing.identity import identity_key
from pricing.models import Offering
from pricing.month import MonthGap, MonthItem, UnknownSlot, price_month
from pricing.tariffs import CostError, SheetPrice, Terms, UnknownTerm
from pricing.usage import UsageError

_REQUESTS = "requests"


@dataclass(frozen=True, slots=True)
class LineError:
    """Why a line cannot be priced: which of its fields is wrong, what, and what would be right."""

    field: str
    detail: str
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BilledItem:
    """What one price is charged for, in the bill's currency.

    ``sold`` is the amount in the price's own currency and ``conversion`` the rate, where that is another.
    """

    meter: str
    quantity: Decimal
    amount: Decimal
    price: SheetPrice
    sold: Decimal
    conversion: Conversion | None = None


@dataclass(frozen=True, slots=True)
class PricedLine:
    """What a line of a profile comes to by list prices, in the bill's currency; with an error nothing is known."""

    line: ProfileLine
    amount: Decimal = Decimal(0)
    items: tuple[BilledItem, ...] = ()
    unpriced: tuple[MonthGap, ...] = ()
    notes: tuple[str, ...] = ()
    error: LineError | None = None

    @property
    def is_complete(self) -> bool:
        """Whether every part of its usage has a price."""
        return self.error is None and not self.unpriced

    @property
    def offering(self) -> Offering:
        """The offering that stands for the one that the line names, by now."""
        return self.line.offering.standing


class _Moments(NamedTuple):
    """The moment of the prices, the one at which they were known (None: now), and that of the exchange rates."""

    as_of: datetime
    known_at: datetime | None
    rates_of: datetime


@dataclass(slots=True)
class Pricing:
    """The prices by which lines are priced: at a moment, as known at another (None: now), in a currency.

    Merged offerings stand for what they were merged into; one without prices of its own follows its seller's alias.
    """

    memory: Memory
    currency: str
    _routes: dict[tuple[str, str], list[Route]] = field(default_factory=dict)
    _sellers: set[str] = field(default_factory=set)
    _standing: dict[int, Offering] = field(default_factory=dict)

    def priced(
        self,
        lines: Sequence[ProfileLine],
        as_of: datetime,
        known_at: datetime | None = None,
        *,
        rates_of: datetime | None = None,
    ) -> list[PricedLine]:
        """The lines in their order. Exchange rates are those of the same moment, unless another is named."""
        if not lines:
            return []
        offerings = self._followed([line.offering for line in lines])
        self._read_routes({offering.seller.slug for offering in offerings.values()})
        sheets = self._sheets({offering.pk for offering in offerings.values()}, as_of, known_at)
        moments = _Moments(as_of, known_at, rates_of or as_of)
        return [self._priced(line, offerings[line.offering_id], sheets, moments) for line in lines]

    def behind(self, line: ProfileLine) -> set[int]:
        """The offerings whose prices may be the line's: its own, and where its id is or was routed."""
        offering = self._followed([line.offering])[line.offering_id]
        self._read_routes({offering.seller.slug})
        return {line.offering_id, offering.pk, *self._routed_from((offering.seller.slug, offering.external_id))}

    def _routed_from(self, name: Pair) -> set[int]:
        """Every offering that an id leads to or has led to, by one alias or several in a row."""
        found: set[int] = set()
        waiting = [name]
        while waiting:
            seller, external_id = waiting.pop()
            for route in self._routes.get((seller, identity_key(external_id)), ()):
                if route.target is not None and route.target not in found:
                    found.add(route.target)
                    waiting.append(route.leads_to)
        return found

    def _followed(self, named: Iterable[Offering]) -> dict[int, Offering]:
        """For each offering the one that stands for it."""
        found: dict[int, Offering] = {}
        for offering in named:
            if offering.pk not in self._standing:
                self._standing[offering.pk] = offering.standing
            found[offering.pk] = self._standing[offering.pk]
        return found

    def _read_routes(self, sellers: set[str]) -> None:
        if new := sellers - self._sellers:
            self._sellers |= new
            self._routes.update(routes(new))

    def _sheets(self, offering_ids: Collection[int], as_of: datetime, known_at: datetime | None) -> dict[int, Sheet]:
        if known_at is None:
            return self.memory.sheets(offering_ids)
        return {pk: history.sheet(known_at) for pk, history in self.memory.histories(offering_ids).items()}

    def _priced(
        self, line: ProfileLine, offering: Offering, sheets: Mapping[int, Sheet], moments: _Moments
    ) -> PricedLine:
        as_of, known_at, rates_of = moments
        sheet, notes = self._sheet(offering, sheets[offering.pk], as_of, known_at)
        if isinstance(sheet, BrokenSheet):
            return PricedLine(line, error=LineError("offering", f"its prices contradict each other: {sheet.reason}"))
        try:
            cost = price_month(sheet, usage_of(line), as_of, calls=calls_of(line), slot=line.slot, terms=terms_of(line))
            items = [self._billed(item, rates_of, known_at) for item in cost.items]
        except (UsageError, CostError, NoRate) as error:
            return PricedLine(line, error=_line_error(error))
        rates = {item.conversion.note for item in items if item.conversion is not None and item.conversion.stands_in}
        amount = exact_sum(item.amount for item in items)
        return PricedLine(line, amount, tuple(items), tuple(cost.unpriced), (*notes, *cost.notes, *sorted(rates)))

    def _billed(self, item: MonthItem, at: datetime, known_at: datetime | None) -> BilledItem:
        """The item in the bill's currency. Raises NoRate."""
        sold_in = item.price.currency
        converted = current_rates().convert(item.amount, sold_in, self.currency, at, known_at)
        return BilledItem(item.meter, item.quantity, converted.amount, item.price, item.amount, converted.conversion)

    def _sheet(
        self, offering: Offering, own: Sheet, as_of: datetime, known_at: datetime | None
    ) -> tuple[Sheet, tuple[str, ...]]:
        """Its own sheet, or where that has no price in force the sheet of what its alias leads to in the end."""
        sheet, name, seen = own, (offering.seller.slug, offering.external_id), {offering.pk}
        notes: tuple[str, ...] = ()
        while isinstance(sheet, PriceSheet) and not _has_price(sheet, as_of):
            route = self._route(name, as_of, known_at)
            if route is None or route.target is None or route.target in seen:
                return own, ()
            seen.add(route.target)
            name = route.leads_to
            sheet = self._sheets([route.target], as_of, known_at)[route.target]
            notes = (f"{offering.external_id} is an alias: priced as {route.target_id}",)
        return sheet, notes

    def _route(self, name: Pair, as_of: datetime, known_at: datetime | None) -> Route | None:
        """The alias of an id in force at a moment."""
        leading = self._routes.get((name[0], identity_key(name[1])), ())
        return next((each for each in leading if each.target is not None and each.holds(as_of, known_at)), None)


def _line_error(error: UsageError | CostError | NoRate) -> LineError:
    if isinstance(error, UsageError):
        return LineError("usage", str(error), error.choices)
    if isinstance(error, NoRate):
        return LineError("currency", str(error), tuple(error.choices))
    if isinstance(error, UnknownTerm):
        return LineError(error.field, str(error), error.choices)
    if isinstance(error, UnknownSlot):
        return LineError("slot", str(error), error.choices)
    return LineError("as_of", str(error))


def usage_of(line: ProfileLine) -> dict[str, Any]:
    """The month's counts as numbers."""
    return {key: Decimal(str(quantity)) for key, quantity in line.usage.items()}


def calls_of(line: ProfileLine) -> int | None:
    """In how many calls the month's usage was made, where that is known."""
    if line.requests:
        return line.requests
    counted = line.usage.get(_REQUESTS)
    return int(Decimal(str(counted))) or None if counted is not None else None


def terms_of(line: ProfileLine) -> Terms:
    """On which terms the usage is billed."""
    return Terms(line.service_tier or STANDARD_TIER, line.region, line.variant, line.commitment)


def _has_price(sheet: PriceSheet, at: datetime) -> bool:
    return any(each.in_force(at) for each in sheet.tariffs)
