"""Turning a price as a document writes it, for a quantity of its own, into the ledger's exact amount."""

from __future__ import annotations

from decimal import Context, Decimal, Inexact, InvalidOperation, Overflow
from functools import lru_cache

from feeds.adapters.amounts import BadRow, is_plausible, kept, shown
from feeds.adapters.document import as_amount

# Wide enough that no product of two plausible numbers is rounded; were one, Inexact would tell.
_EXACT = Context(prec=200, traps=[Inexact, InvalidOperation, Overflow])
_ONE = Decimal(1)


def canonical_amount(field: str, value: object, times: Decimal) -> Decimal:
    """A price of the document multiplied by ``times``, exactly, without trailing zeros.

    Raises BadRow, naming ``field``, for what is no JSON number, is negative, or does not fit the
    ledger once multiplied. Only a float's noise beyond the ledger's last decimal is dropped.
    """
    try:
        return _multiplied(as_amount(value), times)
    except _NoPrice as no_price:
        raise BadRow(f"{field} is {shown(value)}, {no_price}") from None
    except ValueError:
        raise BadRow(f"{field} is {shown(value)}, but a price is a JSON number") from None


class _NoPrice(ValueError):
    """What is wrong with a number, to stand after it."""


# A document repeats about a thousand amounts some twenty thousand times.
@lru_cache(maxsize=16_384)
def _multiplied(number: Decimal, times: Decimal) -> Decimal:
    if number < 0:
        raise _NoPrice("but a price is 0 or more")
    if not number:
        return Decimal(0)
    if not is_plausible(number):
        raise _NoPrice("which no price can be")
    amount = _EXACT.multiply(number, times).normalize(_EXACT)
    stored = kept(amount)
    if stored is None:
        raise _NoPrice("which is more digits than the ledger keeps")
    return _without_exponent(stored)


def _without_exponent(amount: Decimal) -> Decimal:
    """3E+1 as 30, so that equal amounts also look alike."""
    return amount.quantize(_ONE, context=_EXACT) if amount == amount.to_integral_value(context=_EXACT) else amount
