"""Whether a document is too strange as a whole: much of it is gone, or moved by one common factor. Plain values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Set
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

    ``count`` of ``total`` offerings are concerned. ``factor`` is by what their prices moved. ``is_rest`` says that the
    part as such is strange no more.
    """

    reason: str
    seller: int | None
    references: frozenset[int]
    count: int
    total: int
    factor: Decimal | None = None
    is_rest: bool = False


@dataclass(frozen=True, slots=True)
class Presence:
    """What a document has of that which its source said before.

    ``named`` are the references that it names, ``offered`` the offerings that it offers under any id, and
    ``succeeded`` those that it offers under one that its source did not use before: their other ids were given up.
    """

    named: Set[int]
    offered: Set[int]
    succeeded: Set[int]

    def missing(self, before: Collection[Listed]) -> list[Listed]:
        """What the document no longer says: also of offerings that it still has, under another of their ids."""
        return [each for each in before if each.reference not in self.named and each.offering not in self.succeeded]

    def gone(self, before: Collection[Listed]) -> list[Listed]:
        """What is missing of offerings that the document has under no id."""
        there = self.offered | {listed.offering for listed in before if listed.reference in self.named}
        return [listed for listed in self.missing(before) if listed.offering not in there]


def still_vanished(suspicion: Suspicion, before: Collection[Listed], presence: Presence) -> Suspicion | None:
    """What a newer document still lacks of what had vanished; None where all is back.

    While the part of the document is as strange as it was, all that is missing of it is: which half of a document
    comes is chance. Once it is not, only what had vanished already is, however little that is by now.
    """
    missing = [listed for listed in presence.missing(before) if suspicion.seller in (None, listed.seller)]
    left = [listed for listed in missing if listed.reference in suspicion.references]
    part = [listed for listed in before if suspicion.seller in (None, listed.seller)]
    is_strange = _is_too_many(len(_offerings(presence.gone(part))), len(_offerings(part)))
    return _left(replace(suspicion, is_rest=not is_strange), missing if left and is_strange else left)


def still_rescaled(suspicion: Suspicion, before: Collection[Listed], now: Mapping[int, Prices]) -> Suspicion | None:
    """What a newer document leaves of a move by one factor, however small a part it is by now; None for nothing."""
    concerned = [listed for listed in before if listed.reference in suspicion.references]
    left = [each for each in concerned if _factor(each.prices, now.get(each.reference, {})) == suspicion.factor]
    return _left(suspicion, left)


def _left(suspicion: Suspicion, left: Collection[Listed]) -> Suspicion | None:
    references = frozenset(listed.reference for listed in left)
    return replace(suspicion, references=references, count=len(_offerings(left))) if left else None


def vanished(before: Collection[Listed], presence: Presence) -> list[Suspicion]:
    """Where too much of a document is gone to believe it at once.

    That is more than a fifth of all offerings, or of a seller's where it has five or more. Then nothing that is
    missing there is believed to be gone, an offering's second ids and regions included.
    """
    missing = presence.missing(before)
    found = _too_many(before, [(listed, None) for listed in presence.gone(before)], VANISHED)
    return [_with_all(suspicion, missing) for suspicion in found]


def _with_all(suspicion: Suspicion, missing: Collection[Listed]) -> Suspicion:
    widened = _left(suspicion, [listed for listed in missing if suspicion.seller in (None, listed.seller)])
    assert widened is not None
    return widened


def rescaled(before: Collection[Listed], now: Mapping[int, Prices]) -> list[Suspicion]:
    """Where more moved by one common factor than can be believed at once: a slip of the unit, it may be.

    ``now`` are the prices of each reference that could be read. The share is that of what vanishes.
    """
    factors = [(each, factor) for each in before if (factor := _factor(each.prices, now.get(each.reference, {})))]
    return [
        suspicion
        for common in sorted({factor for _, factor in factors})
        for suspicion in _too_many(before, [(each, factor) for each, factor in factors if factor == common], UNIT)
    ]


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
    total = len(_offerings(before))
    if _is_too_many(_count(strange), total):
        yield _suspicion(reason, None, strange, total)
        return
    totals = Counter(seller for seller, _ in {(listed.seller, listed.offering) for listed in before})
    for seller in sorted({listed.seller for listed, _ in strange}):
        its = [(listed, factor) for listed, factor in strange if listed.seller == seller]
        if _is_too_many(_count(its), totals[seller]):
            yield _suspicion(reason, seller, its, totals[seller])


def _offerings(listed: Iterable[Listed]) -> set[int]:
    return {each.offering for each in listed}


def _count(strange: Iterable[tuple[Listed, Decimal | None]]) -> int:
    return len(_offerings(listed for listed, _ in strange))


def _is_too_many(count: int, total: int) -> bool:
    return total >= FEWEST and count * SHARE > total


def _suspicion(
    reason: str, seller: int | None, strange: Collection[tuple[Listed, Decimal | None]], total: int
) -> Suspicion:
    references = frozenset(listed.reference for listed, _ in strange)
    factor = next(factor for _, factor in strange)
    return Suspicion(reason, seller, references, _count(strange), total, factor)
