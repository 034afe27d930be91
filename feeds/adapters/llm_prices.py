"""llm-prices' ``historical-v1.json``: one list of prices with the days on which they began and ended.

Prices are in USD per 1M tokens. A row holds from ``from_date`` until before ``to_date``; most have
neither. Where a long prompt costs more, the dearer row has an id of its own (``…-200k``, named
``… >200k``): together with its base id it is one sheet with a threshold.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from feeds.adapters.amounts import BadRow, check_fields, price_amount, shape_name, shown
from feeds.adapters.document import load_noting_repeats
from pricing.claims import Claim, Conditions, ModelFacts, ParsedDocument, ParsedOffering, Rejection, UnreadableDocument

_METERS = {"input": "input_tokens", "output": "output_tokens", "input_cached": "cache_read_tokens"}
_PLAIN_FIELDS = frozenset({"id", "vendor", "name", "from_date", "to_date"})
_PRICE_WORDS = ("input", "output", "price", "cost")
_LONG_ID = re.compile(r"(?P<base>.+?)-{1,2}(?P<thousands>\d{1,5})k")
_EXPECTED = "llm-prices' historical-v1.json, an object with a list 'prices', was expected"

Row = Mapping[str, Any]
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Priced:
    """One row that could be read: the id it belongs to, and its claims."""

    key: Key
    name: str
    claims: tuple[Claim, ...]


def parse(body: bytes) -> ParsedDocument:
    """All that one document says: each id's prices over time.

    Raises UnreadableDocument for what is no such document. A row that cannot be taken is rejected
    with its reason, and the rest goes on.
    """
    document = ParsedDocument()
    rows = _rows(load_noting_repeats(body, document))
    ids = {_key(row) for row in rows if isinstance(row, dict)}
    sheets: dict[Key, list[_Priced]] = {}
    for row in rows:
        priced = _read(row, ids, document)
        if priced is not None:
            sheets.setdefault(priced.key, []).append(priced)
    refused = {(rejection.provider, rejection.model) for rejection in document.rejected}
    document.offerings += [_offering(key, priced, document) for key, priced in sheets.items() if key not in refused]
    return document


def _rows(content: object) -> list[object]:
    rows = content.get("prices") if isinstance(content, dict) else None
    if not isinstance(rows, list):
        raise UnreadableDocument(f"the document is {shape_name(content)} without a list 'prices'; {_EXPECTED}")
    if not any(isinstance(row, dict) and row.keys() & _METERS.keys() for row in rows):
        raise UnreadableDocument(f"none of the {len(rows)} entries of 'prices' has a price; {_EXPECTED}")
    return rows


def _key(row: object) -> Key:
    fields = row if isinstance(row, dict) else {}
    vendor, model = fields.get("vendor"), fields.get("id")
    return vendor if isinstance(vendor, str) else "", model if isinstance(model, str) else ""


def _read(row: object, ids: set[Key], document: ParsedDocument) -> _Priced | None:
    """What a row says, or None after its rejection.

    A rejection takes the whole id with it: without one of its rows, the others would tell another
    history of prices.
    """
    try:
        return _priced(row, ids, document)
    except BadRow as bad:
        key = _key(row)
        document.rejected.append(Rejection(*_base(row, key, ids), str(bad)))
        return None


def _base(row: object, key: Key, ids: set[Key]) -> Key:
    name = row.get("name") if isinstance(row, dict) else None
    return key[0], _threshold(*key, name if isinstance(name, str) else "", ids)[0]


def _priced(row: object, ids: set[Key], document: ParsedDocument) -> _Priced:
    if not isinstance(row, dict):
        raise BadRow(f"the row is {shape_name(row)}, but a row is an object")
    check_fields(row)
    vendor, model = _key(row)
    if not vendor or not model:
        raise BadRow("the row has no vendor and id, so that nobody can tell what it prices")
    stated_name = row.get("name")
    name = stated_name if isinstance(stated_name, str) else ""
    base, above = _threshold(vendor, model, name, ids)
    claims = tuple(_claims(row, above))
    document.unrecognised.update(field for field, value in row.items() if _is_strange_price(field, value))
    return _Priced((vendor, base), name, claims)


def _is_strange_price(field: str, value: object) -> bool:
    """Whether a field that no rule understands is a price by its name, or by being a number."""
    if field in _PLAIN_FIELDS or field in _METERS:
        return False
    return type(value) in (int, Decimal) or any(word in field.lower() for word in _PRICE_WORDS)


def _threshold(vendor: str, model: str, name: str, ids: set[Key]) -> tuple[str, int]:
    """The id whose prices for long prompts these are, and above how many tokens they hold.

    Both the id and the name have to say so, and the base id must stand in the document: otherwise
    the size is part of the model's name (``moonshot-v1-128k``), and the row stands by itself.
    """
    long = _LONG_ID.fullmatch(model)
    if long is None or (vendor, long["base"]) not in ids:
        return model, 0
    if not re.search(rf">\s*{long['thousands']}k\b", name, re.IGNORECASE):
        return model, 0
    return long["base"], int(long["thousands"]) * 1000


def _claims(row: Row, above: int) -> Iterable[Claim]:
    starts, ends = _midnight("from_date", row.get("from_date")), _midnight("to_date", row.get("to_date"))
    if starts and ends and ends <= starts:
        raise BadRow(f"to_date {row['to_date']} is not after from_date {row['from_date']}, so that it never held")
    for field, meter in _METERS.items():
        if row.get(field) is not None:
            yield Claim(
                Conditions(meter, above_input_tokens=above),
                price_amount(row[field], field),
                effective_from=starts,
                effective_until=ends,
                precision="day" if starts else "observed",
            )


def _midnight(field: str, value: object) -> datetime | None:
    """The first moment of a day. Raises BadRow for what is none."""
    if value is None:
        return None
    try:
        return datetime.combine(date.fromisoformat(str(value)), time(), UTC)
    except ValueError:
        raise BadRow(f"{field} is {shown(value)}, but a day is written YYYY-MM-DD") from None


def _offering(key: Key, priced: list[_Priced], document: ParsedDocument) -> ParsedOffering:
    claims: list[Claim] = []
    for row in priced:
        contradicted = [claim for claim in row.claims if any(_contradict(claim, held) for held in claims)]
        if contradicted:
            reason = "the id stands twice for one time, with different prices; the first row is taken"
            document.set_aside.append(Rejection(*key, reason))
        else:
            claims += [claim for claim in row.claims if claim not in claims]
    return ParsedOffering(*key, tuple(claims), ModelFacts(name=_common_name(priced)))


def _contradict(claim: Claim, other: Claim) -> bool:
    """Whether two claims give one line two prices at one moment."""
    if claim.line != other.line or claim.amount == other.amount:
        return False
    return _begins_before_end(claim, other) and _begins_before_end(other, claim)


def _begins_before_end(claim: Claim, other: Claim) -> bool:
    return claim.effective_from is None or other.effective_until is None or claim.effective_from < other.effective_until


def _common_name(priced: list[_Priced]) -> str:
    """The model's name, without the size of prompt that a row adds to it."""
    return re.sub(r"\s*[<>≤≥]=?\s*\d+k\b.*$", "", priced[0].name)
