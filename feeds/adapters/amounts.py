"""What a JSON value must be to count as a price, and how to refuse one that is not."""

from __future__ import annotations

import json
from collections.abc import Sized
from decimal import Context, Decimal

# The ledger's column is numeric(38,18).
WHOLE_DIGITS = 20
DECIMALS = 18
KEPT_DIGITS = 12
_PLAUSIBLE_EXPONENT = 60
_PLAUSIBLE_DIGITS = 60
_SHOWN_CHARACTERS = 60
# A price sheet has some thirty fields.
MOST_FIELDS = 2_000
_LAST_DECIMAL = Decimal(1).scaleb(-DECIMALS)
_WIDE = Context(prec=60)


class BadRow(ValueError):
    """A row that cannot be taken; the message names the field, its value and what would be right."""


def check_fields(fields: Sized, path: str = "the row") -> None:
    """Refuse an object of more fields than any row of prices has. Raises BadRow."""
    if len(fields) > MOST_FIELDS:
        raise BadRow(f"{path} has {len(fields):,} fields; a row of prices has {MOST_FIELDS:,} at most")


def price_amount(value: object, field: str) -> Decimal:
    """A price as the source's JSON gives it: a number from 0 up that the ledger can keep.

    Raises BadRow, naming ``field``, for what is no number, is negative, or has more digits than
    the ledger keeps.
    """
    if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
        raise BadRow(f"{field} is {shown(value)}, but a price is a JSON number")
    amount = Decimal(value)
    if not amount >= 0:
        raise BadRow(f"{field} is {shown(value)}, but a price is 0 or more")
    if not amount:
        return Decimal(0)
    if not is_plausible(amount):
        raise BadRow(f"{field} is {shown(value)}, which no price can be")
    stored = kept(amount)
    if stored is None:
        raise BadRow(
            f"{field} is {shown(value)}, but the ledger keeps {WHOLE_DIGITS} digits before the point "
            f"and {DECIMALS} after it"
        )
    return stored


def is_plausible(amount: Decimal) -> bool:
    """Whether a finite number has the size and the digits of something that a person or a program priced."""
    return abs(amount.adjusted()) <= _PLAUSIBLE_EXPONENT and len(amount.as_tuple().digits) <= _PLAUSIBLE_DIGITS


def fits_ledger(amount: Decimal) -> bool:
    """Whether a finite amount is stored without loss; zeros at its end do not count."""
    if amount.adjusted() >= WHOLE_DIGITS:
        return False
    _, digits, exponent = amount.as_tuple()
    if not isinstance(exponent, int):
        return False
    surplus = -exponent - DECIMALS
    return surplus <= 0 or not any(digits[-surplus:])


def kept(amount: Decimal) -> Decimal | None:
    """The amount as the ledger keeps it: exact, or without a float's noise beyond its last decimal.

    A source that computes with floats writes a third of a cent as 0.0000033333333333333335. What is
    beyond the ledger's decimals is dropped when at least KEPT_DIGITS significant digits remain,
    a relative difference below one in a hundred billion. None for an amount that does not fit.
    """
    if fits_ledger(amount):
        return amount
    if amount.adjusted() >= WHOLE_DIGITS or amount.adjusted() + DECIMALS + 1 < KEPT_DIGITS:
        return None
    return amount.quantize(_LAST_DECIMAL, context=_WIDE)


def shown(value: object) -> str:
    """A value as its document wrote it, cut to a length that fits a report."""
    try:
        text = str(value) if isinstance(value, Decimal) else json.dumps(value, default=str)
    except RecursionError:
        return f"{shape_name(value)} that is nested too deeply to show"
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"


def shape_name(value: object) -> str:
    """What kind of JSON value this is, in words."""
    if value is None:
        return "null"
    kinds: tuple[tuple[type, str], ...] = (
        (dict, "an object"),
        (list, "a list"),
        (str, "a string"),
        (bool, "a boolean"),
    )
    return next((words for kind, words in kinds if isinstance(value, kind)), "a number")
