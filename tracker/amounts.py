"""Exact amounts as values: what fits in numeric(38,18), how they are reckoned with, and how one is written."""

from __future__ import annotations

from decimal import Context, Decimal, FloatOperation, Inexact, InvalidOperation
from functools import lru_cache

DIGITS = 38
PLACES = 18
# Amounts have up to 38 digits and quantities 37: wide enough that nothing is ever rounded.
EXACT = Context(prec=200, traps=[Inexact, InvalidOperation, FloatOperation])
_WHOLE = DIGITS - PLACES
_WIDTH = DIGITS + 1
_COMPLEMENT = str.maketrans("0123456789", "9876543210")


class AmountOutOfRange(ValueError):
    """An amount that numeric(38,18) cannot hold exactly."""


def fits(amount: Decimal) -> bool:
    """Whether an amount can be stored without losing a digit."""
    return amount.is_finite() and _finite_fits(amount)


@lru_cache(maxsize=65536)
def _finite_fits(amount: Decimal) -> bool:
    """Documents repeat their amounts; that two equal ones may be written otherwise makes no difference."""
    sign, digits, exponent = amount.as_tuple()
    del sign
    assert isinstance(exponent, int)
    stripped = "".join(map(str, digits)).rstrip("0")
    lowest = exponent + len(digits) - len(stripped)
    return not stripped or (lowest >= -PLACES and amount.adjusted() < _WHOLE)


def plain(amount: Decimal) -> str:
    """An amount as text without exponent or trailing zeros: ``3``, ``0.435``."""
    text = format(amount, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def to_sortable(amount: Decimal) -> str:
    """Fixed-width text that sorts as the amounts do; negatives are written in complement."""
    # abs() and a minus sign would round to the context's 28 digits.
    text = format(amount.copy_abs(), f".{PLACES}f").zfill(_WIDTH)
    return "-" + text.translate(_COMPLEMENT) if amount < 0 else text


@lru_cache(maxsize=65536)
def from_sortable(text: str) -> Decimal:
    """The amount behind ``to_sortable``."""
    if text.startswith("-"):
        return Decimal(text[1:].translate(_COMPLEMENT)).copy_negate()
    return Decimal(text)
