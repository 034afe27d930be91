"""Reading the European Central Bank's reference rates: the XML of one day, of 90 days, and of all days since 1999.

The three files share one grammar: an envelope with a cube, in it one cube for each day (``time``), in that one for each
currency (``currency``, ``rate``: units for one euro). A document type, and so any entity, is refused before anything
of it is read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from xml.parsers import expat

from pricing.claims import Rejection, UnreadableDocument
from pricing.currencies.conversion import BASE
from pricing.currencies.published import PublishedRate, PublishedRates
from tracker.amounts import fits

ENVELOPE = "http://www.gesmes.org/xml/2002-08-01 Envelope"
CUBE = "http://www.ecb.int/vocabulary/2002-08-01/eurofxref Cube"
# The whole history has 10 MB.
LARGEST_DOCUMENT = 64 * 1024 * 1024
DEEPEST = 20
# The euro began on 1 January 1999.
FIRST_DAY = date(1999, 1, 1)
_GREETING = {f"http://www.gesmes.org/xml/2002-08-01 {name}" for name in ("subject", "Sender", "name")}
_CURRENCY = re.compile(r"[A-Z]{3}")
_RATE = re.compile(r"[0-9]{1,20}(\.[0-9]{1,18})?")
_SHOWN = 60


def parse(body: bytes) -> PublishedRates:
    """What a document says of rates. Raises UnreadableDocument."""
    if not body.strip():
        raise UnreadableDocument("the document is empty; the XML of the bank's reference rates was expected")
    if len(body) > LARGEST_DOCUMENT:
        raise UnreadableDocument(
            f"the document has more than {LARGEST_DOCUMENT // 1024**2} MiB; the whole history has 10"
        )
    reading = _Reading()
    try:
        _parser(reading).Parse(_text(body), True)
    except expat.ExpatError as error:
        reason = expat.ErrorString(error.code)
        raise UnreadableDocument(
            f"the document is not complete XML: {reason} at line {error.lineno}, column {error.offset + 1}"
        ) from None
    return reading.finished()


def _text(body: bytes) -> str:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableDocument(f"the document is not UTF-8 text ({error})") from None
    if "\0" in text:
        raise UnreadableDocument("the document is not UTF-8 text (it holds NUL characters)")
    return text


def _parser(reading: _Reading) -> expat.XMLParserType:
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = reading.start
    parser.EndElementHandler = reading.end
    parser.XmlDeclHandler = _check_encoding
    parser.StartDoctypeDeclHandler = _refuse_document_type
    return parser


def _check_encoding(_version: str, encoding: str | None, _standalone: int) -> None:
    if encoding is not None and encoding.lower() != "utf-8":
        raise UnreadableDocument(f"the document says that it is in {_short(encoding)}; the bank writes UTF-8")


def _refuse_document_type(name: str, *_rest: object) -> None:
    raise UnreadableDocument(
        f"the document declares a type ({_short(name)}), which rates have no need of; it is refused"
    )


class _Reading:
    """What was read of a document so far: where in it we are, and the rates."""

    def __init__(self) -> None:
        self._path: list[str] = []
        self._day: date | str | None = None
        self._cubes = 0
        self._rates: dict[tuple[str, date], PublishedRate] = {}
        self._contradicted: set[tuple[str, date]] = set()
        self._read = PublishedRates()
        self._readers: dict[tuple[str, ...], Callable[[Mapping[str, str]], None]] = {
            (ENVELOPE,): lambda _attributes: None,
            (ENVELOPE, CUBE): self._count,
            (ENVELOPE, CUBE, CUBE): self._enter_day,
            (ENVELOPE, CUBE, CUBE, CUBE): self._enter_rate,
        }

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """Enter an element."""
        if not self._path and name != ENVELOPE:
            raise UnreadableDocument(f"the document's root is {_short(name)}; {ENVELOPE} was expected")
        if len(self._path) == DEEPEST:
            raise UnreadableDocument(
                f"the document is nested deeper than {DEEPEST} elements; the bank's has four levels"
            )
        self._path.append(name)
        enter = self._readers.get(tuple(self._path))
        if enter is not None:
            enter(attributes)
        elif name not in _GREETING:
            self._read.unrecognised[name[:200]] += 1

    def end(self, _name: str) -> None:
        """Leave an element."""
        self._path.pop()
        if len(self._path) == 2:
            self._day = None

    def finished(self) -> PublishedRates:
        """What the whole document says. Raises UnreadableDocument where it holds no rate at all, not even a bad one."""
        if not self._cubes:
            raise UnreadableDocument("the document holds no rates; a Cube with a currency and a rate was expected")
        self._read.rates = [rate for key, rate in self._rates.items() if key not in self._contradicted]
        return self._read

    def _count(self, attributes: Mapping[str, str], known: tuple[str, ...] = ()) -> None:
        """Count the attributes that nobody knows."""
        self._read.unrecognised.update(f"Cube {name[:200]}" for name in attributes if name not in known)

    def _enter_day(self, attributes: Mapping[str, str]) -> None:
        self._count(attributes, ("time",))
        text = attributes.get("time", "")
        try:
            self._day = date.fromisoformat(text) if re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII) else text
        except ValueError:
            self._day = text

    def _enter_rate(self, attributes: Mapping[str, str]) -> None:
        self._cubes += 1
        self._count(attributes, ("currency", "rate"))
        currency, text = attributes.get("currency", ""), attributes.get("rate", "")
        reason = _fault(self._day, currency, text)
        if reason is None and isinstance(self._day, date):
            rate = PublishedRate(currency, self._day, Decimal(text))
            known = self._rates.setdefault((currency, self._day), rate)
            reason = None if known is rate else self._repeated(known, rate)
        if reason is not None:
            self._read.rejected.append(Rejection(_short(str(self._day)), _short(currency), reason))

    def _repeated(self, known: PublishedRate, again: PublishedRate) -> str:
        """Why a second rate of one day is not taken; where it differs, neither is."""
        if known.rate == again.rate:
            return "is given twice, with the same rate; it was taken once"
        self._contradicted.add((known.currency, known.day))
        return f"is given twice, as {known.rate} and as {again.rate}; neither was taken"


def _fault(day: date | str | None, currency: str, text: str) -> str | None:
    """What is wrong with a rate by itself, or None."""
    if not isinstance(day, date):
        return f"its day is {_short(str(day))!r}; a date such as 2026-10-30 was expected" if day else "it has no day"
    if day < FIRST_DAY:
        return f"its day is before {FIRST_DAY}, when there was no euro"
    if not _CURRENCY.fullmatch(currency):
        return f"its currency is {_short(currency)!r}; an ISO 4217 code such as USD was expected"
    if currency == BASE:
        return f"rates are for one {BASE}, which needs none itself"
    if not _RATE.fullmatch(text) or not fits(Decimal(text)) or not Decimal(text):
        return f"its rate is {_short(text)!r}; a number above 0 such as 7.4326 was expected"
    return None


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
