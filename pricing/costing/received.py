"""Reading a request's body fast: straight to lines in memory, where nothing about its form is out of the ordinary.

What is read here is exactly what ``json`` would have read. Whatever does not fit (other fields, a line that is no
object, text that is not valid UTF-8, no JSON at all) is left to ``json``, and to the checks that say what is wrong.

Lines are first found and read later, some at a time: then they are still in a processor's cache when they are priced.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

import msgspec
from msgspec import UNSET, Raw

from pricing.costing.asked import LINE_FIELDS


class ReceivedLine(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A line whose fields are all known; their values are unchecked JSON. UNSET where a field is not there."""

    id: Any = UNSET
    seller: Any = UNSET
    model: Any = UNSET
    at: Any = UNSET
    service_tier: Any = UNSET
    region: Any = UNSET
    variant: Any = UNSET
    commitment: Any = UNSET
    known_at: Any = UNSET
    assume_earliest: Any = UNSET
    usage: Any = UNSET
    provider_usage: Any = UNSET

    def as_json(self) -> dict[str, Any]:
        """The object as it stood in the body, but for the order of its fields."""
        return {field: value for field in LINE_FIELDS if (value := getattr(self, field)) is not UNSET}


class FoundLines(msgspec.Struct, forbid_unknown_fields=True):
    """A body whose lines have been found but not read."""

    lines: list[Raw]
    currency: Any = None
    assume_earliest: Any = None


class NoJson(ValueError):
    """A body of which some line is no JSON."""


def _exact(text: str) -> Decimal:
    """A number of JSON. Infinite where its exponent is beyond all decimals, so that its line is refused, alone."""
    try:
        return Decimal(text)
    except InvalidOperation:
        return Decimal("-Infinity" if text.startswith("-") else "Infinity")


# Bytes at each end of a body that are looked at for its own fields, and that may stand between two of its lines.
_END = 4096
_BETWEEN = 4
_BODY = msgspec.json.Decoder(FoundLines, float_hook=_exact)
_LINES = msgspec.json.Decoder(list[ReceivedLine], float_hook=_exact)


def find_lines(received: bytes) -> FoundLines | None:
    """The lines of a body, or None where it has to be read with more care."""
    try:
        return _BODY.decode(received)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def read_lines(found: Sequence[Raw]) -> list[ReceivedLine] | list[Any]:
    """Some of the lines; all as JSON values where one of them is not of the usual form. Raises NoJson."""
    text = b"[%b]" % b",".join(found)
    try:
        return _LINES.decode(text)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        pass
    try:
        lines: list[Any] = read_json(text)
    except (ValueError, RecursionError) as error:
        raise NoJson(str(error)) from None
    return lines


def repeated_field(received: bytes, fields: Sequence[str], found: FoundLines | None) -> str:
    """Which of a body's own fields stands in it twice, of which a reader would take either; empty if none does.

    Fields of the lines are not looked at. Of a long body only the ends are, where its lines are all that is between.
    """
    outside = _outside_lines(received, found)
    if all(outside.count(b'"%b"' % field.encode()) < 2 for field in fields):
        return ""
    outermost: list[str] = []

    def note(pairs: list[tuple[str, Any]]) -> None:
        # The outermost object is complete last.
        outermost[:] = [name for name, _ in pairs]

    try:
        json.loads(received, object_pairs_hook=note)
    except (ValueError, RecursionError):
        return ""
    return next((field for field in fields if outermost.count(field) > 1), "")


def _outside_lines(received: bytes, found: FoundLines | None) -> bytes:
    """The ends of a body, if they and the lines that were found leave room for nothing but commas; else all of it."""
    if found is None or len(received) - sum(map(len, found.lines)) > 2 * _END + _BETWEEN * len(found.lines):
        return received
    return received if len(received) <= 2 * _END else received[:_END] + received[-_END:]


def read_json(text: bytes) -> Any:
    """Any JSON, its numbers exact where a decimal can be (see ``_exact``). Raises ValueError and RecursionError."""
    return json.loads(text, parse_float=_exact, parse_constant=_no_number)


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number in JSON")
