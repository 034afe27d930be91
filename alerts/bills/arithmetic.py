"""From what list prices give to what a buyer pays: discounts line by line, then commitments.

- Of several discounts that cover a line the most specific counts: the offering's, else the seller's, else the bill's.
- A commitment is paid in any case, and what its lines cost counts against it: the offering's, then the seller's, then
  the bill's, each over what the narrower ones come to.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from functools import reduce

_WIDE = Context(prec=100)
_HUNDRED = Decimal(100)
_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Scope:
    """What a discount or commitment is for: an offering (with its seller), a seller, or neither: all of the bill."""

    seller: int | None = None
    offering: int | None = None

    def covers(self, seller: int, offering: int) -> bool:
        """Whether a line of that seller's offering belongs to it."""
        if self.offering is not None:
            return self.offering == offering
        return self.seller is None or self.seller == seller

    def is_within(self, other: Scope) -> bool:
        """Whether all that belongs to it belongs to the other too."""
        if other.offering is not None:
            return self.offering == other.offering
        return other.seller is None or self.seller == other.seller

    @property
    def breadth(self) -> int:
        """0 for an offering, 1 for a seller, 2 for all."""
        return 0 if self.offering is not None else 1 if self.seller is not None else 2


@dataclass(frozen=True, slots=True)
class Discount:
    """So many percent off."""

    scope: Scope
    percent: Decimal


@dataclass(frozen=True, slots=True)
class Commitment:
    """An amount a month that is paid in any case."""

    id: int
    scope: Scope
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Charge:
    """What one line comes to, in the bill's currency."""

    seller: int
    offering: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Settled:
    """A commitment and what its lines came to; ``shortfall`` is paid on top of them."""

    commitment: Commitment
    used: Decimal
    shortfall: Decimal


def exact_sum(amounts: Iterable[Decimal]) -> Decimal:
    """The sum, to the last digit."""
    return reduce(_WIDE.add, amounts, _ZERO)


def discount_of(discounts: Iterable[Discount], seller: int, offering: int) -> Decimal | None:
    """The percent that come off a line, by the most specific discount; None without one."""
    covering = [each for each in discounts if each.scope.covers(seller, offering)]
    return min(covering, key=lambda each: each.scope.breadth).percent if covering else None


def discounted(amount: Decimal, percent: Decimal | None) -> Decimal:
    """The amount less so many percent, exactly."""
    if percent is None:
        return amount
    return _WIDE.divide(_WIDE.multiply(amount, _HUNDRED - percent), _HUNDRED)


def settle(charges: Sequence[Charge], commitments: Iterable[Commitment]) -> tuple[Decimal, list[Settled]]:
    """What is paid in all, and how far each commitment was used; the narrowest first."""
    settled: list[Settled] = []
    for commitment in sorted(commitments, key=lambda each: (each.scope.breadth, each.id)):
        used = _within(commitment.scope, charges, settled)
        settled.append(Settled(commitment, used, max(_WIDE.subtract(commitment.amount, used), _ZERO)))
    return _within(Scope(), charges, settled), settled


def _within(scope: Scope, charges: Sequence[Charge], settled: Sequence[Settled]) -> Decimal:
    """What the lines in a scope come to, with the shortfalls of the commitments within it."""
    used = (each.amount for each in charges if scope.covers(each.seller, each.offering))
    return exact_sum((*used, *(each.shortfall for each in settled if each.commitment.scope.is_within(scope))))


def percent_moved(old: Decimal, new: Decimal) -> Decimal | None:
    """By how many percent a bill moved, two places; None from zero."""
    if not old:
        return None
    return _WIDE.divide(_WIDE.multiply(_WIDE.subtract(new, old), _HUNDRED), old).quantize(
        Decimal("0.01"), context=_WIDE
    )


def has_moved(old: Decimal, new: Decimal, percent: Decimal | None, amount: Decimal | None) -> bool:
    """Whether a bill moved by at least so many percent or so much, either way. From zero it moved by any percent."""
    by = _WIDE.subtract(new, old).copy_abs()
    if not by:
        return False
    if amount is not None and by >= amount:
        return True
    return percent is not None and (not old or _WIDE.multiply(by, _HUNDRED) >= _WIDE.multiply(percent, old))
