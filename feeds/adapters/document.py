"""Reading a JSON document exactly: numbers as Decimal, and a clear refusal of what is no document."""

from __future__ import annotations

import json
from decimal import Decimal, InvalidOperation
from typing import Any

from pricing.claims import UnreadableDocument


def _refuse_constant(name: str) -> Any:
    raise UnreadableDocument(f"the document holds {name}, which is not a JSON number")


def load_json(body: bytes) -> Any:
    """Parse a UTF-8 JSON document with exact decimals.

    Raises UnreadableDocument when it is empty, cut short, nested beyond reason or not JSON.
    """
    if not body.strip():
        raise UnreadableDocument("the document is empty; a JSON document was expected")
    try:
        return json.loads(body.decode("utf-8"), parse_float=Decimal, parse_constant=_refuse_constant)
    except UnicodeDecodeError as error:
        raise UnreadableDocument(f"the document is not UTF-8 text ({error})") from None
    except RecursionError:
        raise UnreadableDocument("the document is nested too deeply to be a price list") from None
    except json.JSONDecodeError as error:
        raise UnreadableDocument(
            f"the document is not complete JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        ) from None
    except (ValueError, InvalidOperation) as error:
        if isinstance(error, UnreadableDocument):
            raise
        raise UnreadableDocument(f"the document holds a number that cannot be read: {error}") from None


def as_amount(value: object) -> Decimal:
    """A JSON number as an exact Decimal. Raises ValueError for anything else, booleans included."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError(f"{value!r} is not a number")
    amount = Decimal(value)
    if not amount.is_finite():
        raise ValueError(f"{value!r} is not a finite number")
    return amount
