"""Reading a month's usage out of a CSV file: all of it, or one error for each row that cannot be.

Columns: ``seller`` and ``model``; the terms ``service_tier``, ``region``, ``variant``, ``commitment`` and ``slot``;
``requests``, the number of calls; and either a column for each usage key, or ``meter`` and ``quantity``. With a
``date`` column (a day or a month) the file's days, from the first to the last, are averaged to a month of a twelfth of
365.25 days.
"""

from __future__ import annotations

import csv
import io
from calendar import monthrange
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from typing import NamedTuple

from alerts.bills.writing import MOST_LINES, TERMS, Finder, WrongLine, checked_usage
from alerts.models import ProfileLine
from pricing.meters import METERS
from pricing.models import Offering
from pricing.usage import DIVISIBLE, MOST, UsageError
from tracker.amounts import plain
from tracker.api.nearest import nearest

MOST_BYTES = 2 * 1024 * 1024
MOST_ROWS = 50_000
DAYS_OF_A_MONTH = Decimal("30.4375")
_WIDE = Context(prec=60)
_NAMES = ("seller", "model")
_TERMS = (*TERMS, "slot")
_LONG = ("meter", "quantity")
_DATE, _CALLS = "date", "requests"
_PLAIN_COLUMNS = (*_NAMES, *_TERMS, *_LONG, _DATE)
_LONGEST_TERM = 120


class RowError(NamedTuple):
    """What is wrong with a line of the file, whose first line is 1."""

    line: int
    detail: str
    choices: tuple[str, ...] = ()


class UnreadableUsage(ValueError):
    """A file of which nothing is taken; ``errors`` say why, row by row."""

    def __init__(self, errors: Sequence[RowError]) -> None:
        super().__init__(f"{len(errors)} rows of the file cannot be taken")
        self.errors = list(errors)


@dataclass
class _Sums:
    """The usage of one offering on one set of terms so far, and the first line that speaks of it."""

    offering: Offering
    terms: dict[str, str]
    line: int
    usage: dict[str, Decimal] = field(default_factory=dict)

    def add(self, key: str, quantity: Decimal) -> None:
        self.usage[key] = self.usage.get(key, Decimal(0)) + quantity


class _Span:
    """The days that the rows are of."""

    def __init__(self) -> None:
        self.first: date | None = None
        self.last: date | None = None

    def take(self, first: date, last: date) -> None:
        self.first = min(self.first or first, first)
        self.last = max(self.last or last, last)

    @property
    def share(self) -> Decimal:
        """By what a sum over these days is multiplied to be that of a month."""
        if self.first is None or self.last is None:
            return Decimal(1)
        return _WIDE.divide(DAYS_OF_A_MONTH, Decimal((self.last - self.first).days + 1))


def read_usage_file(content: bytes) -> list[ProfileLine]:
    """The lines of a profile that a file tells, not yet saved. Raises UnreadableUsage."""
    rows = _rows(_text(content))
    header = _header(next(rows, (1, []))[1])
    reader, errors = _Reader(header), []
    for number, cells in rows:
        if number > MOST_ROWS:
            errors.append(RowError(number, f"a file may have at most {MOST_ROWS:,} rows"))
            break
        try:
            reader.take(number, cells)
        except WrongLine as wrong:
            errors.append(RowError(number, str(wrong), wrong.choices))
    lines = [] if errors else reader.lines(errors)
    if not errors and not lines:
        errors.append(RowError(1, "there is no row with usage"))
    if errors:
        raise UnreadableUsage(errors)
    return lines


def _text(content: bytes) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UnreadableUsage([RowError(line, "is not UTF-8; save the file as CSV UTF-8")]) from None
    if "\0" in text:
        raise UnreadableUsage([RowError(text.count("\n", 0, text.index("\0")) + 1, "holds a NUL: this is no CSV")])
    return text


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not empty, each with the line of the file on which it begins."""
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    begins = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield begins, [cell.strip() for cell in cells]
            begins = reader.line_num + 1
    except csv.Error as error:
        raise UnreadableUsage([RowError(reader.line_num, f"is no CSV: {error}")]) from None


def _header(cells: Sequence[str]) -> list[str]:
    header = [cell.lower().replace(" ", "_") for cell in cells]
    known = [*_PLAIN_COLUMNS, *METERS]
    wrong = [name for name in header if name not in known]
    if wrong:
        raise UnreadableUsage([RowError(1, f"unknown column {wrong[0][:60]!r}", tuple(nearest(wrong[0], known)))])
    repeated = sorted({name for name in header if header.count(name) > 1})
    missing = [name for name in _NAMES if name not in header]
    keys = [name for name in header if name in METERS]
    if repeated:
        missing_words = f"the column {repeated[0]} is there twice"
    elif missing:
        missing_words = f"the columns {' and '.join(missing)} are missing"
    elif _LONG[0] in header or _LONG[1] in header:
        missing_words = "" if set(_LONG) <= set(header) else "meter and quantity go together"
    else:
        missing_words = "" if keys else "no column is a usage key, such as input_tokens, nor meter and quantity"
    if missing_words:
        raise UnreadableUsage([RowError(1, missing_words)])
    return header


class _Reader:
    """Adds up the rows of a file."""

    def __init__(self, header: Sequence[str]) -> None:
        self._header = header
        self._finder = Finder()
        self._found: dict[tuple[str, str], tuple[Offering, Mapping[str, str]]] = {}
        self._sums: dict[tuple[object, ...], _Sums] = {}
        self._span = _Span()

    def take(self, number: int, cells: Sequence[str]) -> None:
        """Add a row. Raises WrongLine."""
        if len(cells) > len(self._header):
            raise WrongLine("row", f"has {len(cells)} cells, and the first line has {len(self._header)}")
        row = dict(zip(self._header, cells, strict=False))
        offering, fixed = self._offering(row)
        terms = {term: row.get(term, "") or fixed.get(term, "") for term in _TERMS}
        for term, value in terms.items():
            if len(value) > _LONGEST_TERM or not value.isprintable():
                raise WrongLine(term, f"is not text of up to {_LONGEST_TERM} characters")
        usage = dict(_usage(row))
        checked_dates = _days(row[_DATE]) if _DATE in self._header and row.get(_DATE) else None
        if _DATE in self._header and checked_dates is None:
            raise WrongLine(_DATE, "is empty; write it as 2026-11-03")
        if checked_dates:
            self._span.take(*checked_dates)
        key = (offering.pk, *terms.values())
        sums = self._sums.setdefault(key, _Sums(offering, terms, number))
        for meter, quantity in usage.items():
            sums.add(meter, quantity)

    def _offering(self, row: Mapping[str, str]) -> tuple[Offering, Mapping[str, str]]:
        name = (row.get("seller", ""), row.get("model", ""))
        for column, text in zip(_NAMES, name, strict=True):
            if not text:
                raise WrongLine(column, "is empty")
        if name not in self._found:
            self._found[name] = self._finder.find(*name)
        return self._found[name]

    def lines(self, errors: list[RowError]) -> list[ProfileLine]:
        """The lines of a month; what cannot be goes to ``errors``."""
        share, lines = self._span.share, []
        for sums in self._sums.values():
            try:
                lines.append(_line(sums, share))
            except UsageError as error:
                errors.append(RowError(sums.line, str(error), error.choices))
        if len(lines) > MOST_LINES:
            errors.append(RowError(1, f"the rows make {len(lines)} lines, and a profile has at most {MOST_LINES}"))
        return [line for line in lines if line.usage]


def _usage(row: Mapping[str, str]) -> Iterator[tuple[str, Decimal]]:
    """The counts of a row: its usage keys, and its meter with the quantity."""
    for column, text in row.items():
        if column in METERS and text:
            yield column, _quantity(column, text)
    meter = row.get("meter", "")
    if "meter" in row:
        if meter not in METERS:
            raise WrongLine("meter", f"there is no meter {meter[:60]!r}", nearest(meter, METERS))
        yield meter, _quantity("quantity", row.get("quantity", ""))


def _quantity(column: str, text: str) -> Decimal:
    try:
        quantity = Decimal(text.replace("_", "?"))
    except InvalidOperation:
        quantity = None
    if quantity is None or not quantity.is_finite() or not 0 <= quantity <= MOST or len(text) > 40:
        raise WrongLine(column, f"{text[:40]!r} is not a number from 0 to 10^18, such as 1250000")
    return quantity


def _days(text: str) -> tuple[date, date]:
    """The first and last day that a date names: a day, a moment, or a month such as 2026-11."""
    try:
        if len(text) == 7:
            first = date.fromisoformat(f"{text}-01")
            return first, first + timedelta(days=monthrange(first.year, first.month)[1] - 1)
        day = date.fromisoformat(text[:10])
    except ValueError:
        raise WrongLine(_DATE, f"{text[:40]!r} is not a day; write it as 2026-11-03, or a month as 2026-11") from None
    return day, day


def _line(sums: _Sums, share: Decimal) -> ProfileLine:
    usage = {key: _of_month(key, quantity, share) for key, quantity in sums.usage.items() if quantity}
    calls = usage.pop(_CALLS, None)
    return ProfileLine(
        offering=sums.offering,
        usage=checked_usage({key: plain(quantity) for key, quantity in usage.items()}),
        requests=max(int(calls), 1) if calls else None,
        **sums.terms,
    )


def _of_month(key: str, quantity: Decimal, share: Decimal) -> Decimal:
    places = Decimal("0.000001") if key in DIVISIBLE else Decimal(1)
    month = _WIDE.multiply(quantity, share)
    # A file without dates is taken as it is: what is counted whole has to be whole.
    return month if share == 1 else month.quantize(places, rounding=ROUND_HALF_UP, context=_WIDE)
