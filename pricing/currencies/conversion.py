"""Converting exact amounts by dated exchange rates: which day's rate applies, and how a result is rounded.

Rates are units of a currency for one euro, as the European Central Bank publishes them on its working days. One
currency becomes another through the euro: an amount times the rate of the one asked for, divided by that of the one
sold in. This is worked out exactly and rounded once, half to even, to 18 significant digits.

A moment takes the rate of its day in UTC, or where that day has none the last one before it. Nothing is ever worked
out between two days.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal, DivisionByZero, FloatOperation, Inexact, InvalidOperation
from operator import attrgetter
from sys import intern
from typing import NamedTuple, Protocol

BASE = "EUR"
SIGNIFICANT_DIGITS = 18
CONVERSIONS_KEPT = 10_000

_EXACT = Context(prec=400, traps=[Inexact, InvalidOperation, FloatOperation])
_ROUNDED = Context(
    prec=SIGNIFICANT_DIGITS, rounding=ROUND_HALF_EVEN, traps=[InvalidOperation, DivisionByZero, FloatOperation]
)
_ONE = Decimal(1)


class NoRate(ValueError):
    """No exchange rate serves a conversion; the message names the currency, the day and what there is.

    ``choices`` are the currencies that have rates, where the one asked for has none at all.
    """

    def __init__(self, message: str, choices: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.choices = list(choices)


class Quote(NamedTuple):
    """The rate of one day: units of the currency for one euro.

    ``source`` is the slug of who says so, and ``known_from`` since when that was known here. ``carried_by`` names the
    package whose data it was read from, and is empty for a rate that a feed read.
    """

    currency: str
    day: date
    rate: Decimal
    source: str
    known_from: datetime
    carried_by: str = ""


@dataclass(frozen=True, slots=True, eq=False)  # Rates makes one for each question, so that each is itself alone
class Conversion:
    """How amounts in one currency become amounts in another at a moment, with the quotes that it rests on.

    ``legs`` are the quotes of the currency sold in and of the one asked for; the euro needs none. ``for_day`` is the
    moment's day in UTC.
    """

    sold_in: str
    asked_in: str
    for_day: date
    legs: tuple[Quote, ...]
    numerator: Decimal
    denominator: Decimal

    @property
    def rate(self) -> Decimal:
        """Units of the currency asked for that one unit of the other is worth, to 18 significant digits."""
        return self.of(_ONE)

    @property
    def day(self) -> date:
        """The day of the rate; of two legs, the earlier."""
        return min(leg.day for leg in self.legs)

    @property
    def stands_in(self) -> bool:
        """Whether an earlier day's rate is used, since the moment's own day has none."""
        return self.day < self.for_day

    @property
    def source(self) -> str:
        """The slugs of all who state the quotes."""
        return ", ".join(dict.fromkeys(leg.source for leg in self.legs))

    def of(self, amount: Decimal) -> Decimal:
        """The amount in the currency asked for."""
        return _ROUNDED.divide(_EXACT.multiply(amount, self.numerator), self.denominator)

    @property
    def note(self) -> str:
        """In words, that an earlier day stands in."""
        return f"{self.sold_in} became {self.asked_in} at the rate of {self.day}, the last known before {self.for_day}"


class Converted(NamedTuple):
    """An amount in the currency asked for; ``conversion`` is None where it was sold in that."""

    amount: Decimal
    conversion: Conversion | None


class Book(Protocol):
    """Rates from one origin: what a feed read, or what the project carries."""

    def currencies(self) -> Iterable[str]:
        """The currencies that it has rates of."""

    def on(self, currency: str, day: date, known_at: datetime | None = None) -> Quote | None:
        """The quote of a day, or of the last before it, as known at a moment; None is now."""

    def first(self, currency: str, known_at: datetime | None = None) -> Quote | None:
        """The earliest day's quote, as known at a moment."""


class Series:
    """All that one book knows of one currency. Of several quotes for a day, the one known last is believed.

    Kept in columns, and rates as text: a whole history of all currencies then takes some 20 MB.
    """

    __slots__ = ("_currency", "_days", "_known", "_known_first", "_rates", "_sources")

    def __init__(self, currency: str, quotes: Iterable[Quote]) -> None:
        ordered = sorted(quotes, key=lambda quote: (quote.day, quote.known_from))
        moments = {quote.known_from: quote.known_from for quote in ordered}
        self._currency = currency
        self._days = array("i", [quote.day.toordinal() for quote in ordered])
        self._rates = [str(quote.rate) for quote in ordered]
        self._sources = [intern(quote.source) for quote in ordered]
        self._known = [moments[quote.known_from] for quote in ordered]
        self._known_first = min(moments, default=None)

    def on(self, day: date, known_at: datetime | None = None) -> Quote | None:
        """The quote of a day, or of the last before it, as known at a moment; None is now."""
        if known_at is not None and not (self._known_first and self._known_first <= known_at):
            return None
        last = day if known_at is None else min(day, day_of(known_at))  # no rate is known before its day
        for place in range(bisect_right(self._days, last.toordinal()) - 1, -1, -1):
            if known_at is None or self._known[place] <= known_at:
                return self._quote(place)
        return None

    def first(self, known_at: datetime | None = None) -> Quote | None:
        """The earliest day's quote, as known at a moment."""
        known = (place for place, since in enumerate(self._known) if known_at is None or since <= known_at)
        place = next(known, None)
        return None if place is None else self._quote(place)

    def _quote(self, place: int) -> Quote:
        day, rate = date.fromordinal(self._days[place]), Decimal(self._rates[place])
        return Quote(self._currency, day, rate, self._sources[place], self._known[place])


def day_of(moment: datetime) -> date:
    """The day in UTC of an aware moment."""
    return moment.astimezone(UTC).date()


class Rates:
    """Exchange rates of all currencies. Of two books that have a day, the first one's rate applies."""

    def __init__(self, *books: Book) -> None:
        self._books = books
        self._conversions: dict[tuple[str, str, date, datetime | None], Conversion | NoRate] = {}

    @property
    def currencies(self) -> list[str]:
        """Every currency that amounts can be converted from and to, at some time."""
        return sorted({BASE, *(currency for book in self._books for currency in book.currencies())})

    def conversion(self, sold_in: str, asked_in: str, at: datetime, known_at: datetime | None = None) -> Conversion:
        """How one currency becomes another at an aware moment, by what was known at another; None is now.

        Raises NoRate for a currency without rates, and for a day before its first.
        """
        key = (sold_in, asked_in, day_of(at), known_at)
        found = self._conversions.get(key)
        if found is None:
            found = self._made_or_why_not(*key)
            if len(self._conversions) >= CONVERSIONS_KEPT:
                self._conversions.clear()
            self._conversions[key] = found
        if isinstance(found, NoRate):
            raise NoRate(str(found), found.choices)
        return found

    def convert(
        self, amount: Decimal, sold_in: str, asked_in: str, at: datetime, known_at: datetime | None = None
    ) -> Converted:
        """An amount in another currency, with the conversion that it rests on. Raises NoRate."""
        if sold_in == asked_in:
            return Converted(amount, None)
        conversion = self.conversion(sold_in, asked_in, at, known_at)
        return Converted(conversion.of(amount), conversion)

    def quote(self, currency: str, day: date, known_at: datetime | None = None) -> Quote:
        """The quote of a currency that applies on a day. Raises NoRate."""
        found = [quote for book in self._books if (quote := book.on(currency, day, known_at))]
        if not found:
            raise self._nothing(currency, day, known_at)
        return max(found, key=attrgetter("day"))

    def _made_or_why_not(
        self, sold_in: str, asked_in: str, day: date, known_at: datetime | None
    ) -> Conversion | NoRate:
        try:
            sold, asked = (None if each == BASE else self.quote(each, day, known_at) for each in (sold_in, asked_in))
        except NoRate as error:
            return error.with_traceback(None)  # it is kept, and its frames should not be
        legs = tuple(leg for leg in (sold, asked) if leg is not None)
        numerator, denominator = (leg.rate if leg is not None else _ONE for leg in (asked, sold))
        return Conversion(sold_in, asked_in, day, legs, numerator, denominator)

    def _nothing(self, currency: str, day: date, known_at: datetime | None) -> NoRate:
        currencies = self.currencies
        if currency not in currencies:
            return NoRate(
                f"no exchange rate of {currency} is known; there are rates of {', '.join(currencies)}", currencies
            )
        firsts = [quote for book in self._books if (quote := book.first(currency, known_at))]
        known = "" if known_at is None else f" that was known at {known_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        if not firsts:
            return NoRate(f"there is no exchange rate of {currency}{known}")
        first = min(quote.day for quote in firsts)
        return NoRate(f"there is no exchange rate of {currency} for {day}: the first{known} is of {first}")
