"""Whether a document is too strange as a whole: much of it is gone, or moved by one common factor. Plain values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Context, Decimal
from typing import NamedTuple

from pricing.claims import Conditions

VANISHED, UNIT = "vanished", "unit"
FEWEST = 5
SHARE = 5
_DIGITS = Context(prec=6)
Prices = Mapping[Conditions, tuple[Decimal, str]]


class Listed(NamedTuple):
    """What a source says under one of its ids: of which offering and seller, and its prices without dates."""

    reference: int
    offering: int
    seller: int
    prices: Prices


@dataclass(frozen=True, slots=True)
class Suspicion:
    """A part of a document that is not taken: a seller's, or where ``seller`` is None any's.

    ``count`` of ``total`` offerings are concerned. ``factor`` is by what their prices moved.
    """

    reason: str
    seller: int | None
    references: frozenset[int]
    count: int
    total: int
    factor: Decimal | None = None


def still_strange(
    suspicion: Suspicion, before: Collection[Listed], now: Mapping[int, Prices], present: Collection[int]
) -> Suspicion | None:
    """What a newer document leaves of a suspicion, however small a part it is by now; None where all is well again."""
    concerned = [listed for listed in before if listed.reference in suspicion.references]
    if suspicion.reason == VANISHED:
        named = set(present)
        there = {listed.offering for listed in before if listed.reference in named}
        left = [listed for listed in concerned if listed.offering not in there]
    else:
        left = [each for each in concerned if _factor(each.prices, now.get(each.reference, {})) == suspicion.factor]
    offerings = len({listed.offering for listed in left})
    references = frozenset(listed.reference for listed in left)
    return replace(suspicion, references=references, count=offerings) if left else None


def suspicions(before: Collection[Listed], now: Mapping[int, Prices], present: Collection[int]) -> list[Suspicion]:
    """What is strange about a document beside what its source said before.

    ``now`` are the prices of each reference that could be read, ``present`` all references that the document names.
    More than a fifth of all offerings, or of a seller's where it has five or more, that vanish or move by one factor
    are too many to believe at once.
    """
    return [*_gone(before, present), *_rescaled(before, now)]


def _gone(before: Collection[Listed], present: Collection[int]) -> Iterator[Suspicion]:
    named = set(present)
    there = {listed.offering for listed in before if listed.reference in named}
    vanished = [listed for listed in before if listed.offering not in there]
    yield from _too_many(before, [(listed, None) for listed in vanished], VANISHED)


def _rescaled(before: Collection[Listed], now: Mapping[int, Prices]) -> Iterator[Suspicion]:
    factors = [(each, factor) for each in before if (factor := _factor(each.prices, now.get(each.reference, {})))]
    for common in sorted({factor for _, factor in factors}):
        yield from _too_many(before, [(each, factor) for each, factor in factors if factor == common], UNIT)


def _factor(old: Prices, new: Prices) -> Decimal | None:
    """The one factor by which every price above zero moved, to six digits; None where there is none."""
    shared = [line for line, (amount, _) in old.items() if amount and line in new and new[line][0]]
    if not shared or any(old[line][1] != new[line][1] for line in shared):
        return None
    factors = {_DIGITS.divide(new[line][0], old[line][0]) for line in shared}
    return next(iter(factors)) if len(factors) == 1 and factors != {Decimal(1)} else None


def _too_many(
    before: Collection[Listed], strange: Collection[tuple[Listed, Decimal | None]], reason: str
) -> Iterator[Suspicion]:
    """All of the document where it is a fifth of that, else each seller of whom it is."""
    if not strange:
        return
    total = len({listed.offering for listed in before})
    if _is_too_many(_offerings(strange), total):
        yield _suspicion(reason, None, strange, total)
        return
    totals = Counter(seller for seller, _ in {(listed.seller, listed.offering) for listed in before})
    for seller in sorted({listed.seller for listed, _ in strange}):
        its = [(listed, factor) for listed, factor in strange if listed.seller == seller]
        if _is_too_many(_offerings(its), totals[seller]):
            yield _suspicion(reason, seller, its, totals[seller])


def _offerings(strange: Iterable[tuple[Listed, Decimal | None]]) -> int:
    return len({listed.offering for listed, _ in strange})


def _is_too_many(count: int, total: int) -> bool:
    return total >= FEWEST and count * SHARE > total


def _suspicion(
    reason: str, seller: int | None, strange: Collection[tuple[Listed, Decimal | None]], total: int
) -> Suspicion:
    references = frozenset(listed.reference for listed, _ in strange)
    factor = next(factor for _, factor in strange)
    return Suspicion(reason, seller, references, _offerings(strange), total, factor)
