"""Recognising a rename: one id of a source is gone in the document in which another comes that may name the same."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from pricing.alike import Likeness, alike, name_of
from pricing.claims import Claim, Conditions
from pricing.models import PriceLine, Reference, Statement

BATCH = 500
Prices = Mapping[Conditions, tuple[Decimal, str]]
# Seller, kind and listing: only what one company sells in one place is renamed.
Place = tuple[int, str, str]


@dataclass(frozen=True, slots=True)
class Come:
    """A row whose id the source never used before; ``own_id`` is the seller's own id within it."""

    key: tuple[str, str]
    place: Place
    own_id: str
    claims: Sequence[Claim]

    @property
    def prices(self) -> Prices:
        """What the row states, line by line."""
        return {claim.line: (claim.amount, claim.currency) for claim in self.claims}


@dataclass(frozen=True, slots=True)
class Gone:
    """A reference that the document lacks, and the document before it had."""

    reference: Reference
    own_id: str

    @property
    def place(self) -> Place:
        """Where it was sold."""
        offering = self.reference.offering
        return (offering.seller_id, offering.kind, offering.listing)


def renames(come: Sequence[Come], gone: Sequence[Gone]) -> dict[tuple[str, str], Reference]:
    """Which of the references that are gone each new row continues, where that is plain.

    A pair counts if neither side is as much like another. Ids that are alike only loosely must have equal prices; a
    closer likeness bears that the price moved with the name. Either way they price a line in common, or none at all.
    """
    pairs = _alike(come, gone)
    prices = _last_prices({old.reference.pk for _, _, old in pairs})
    found: dict[tuple[str, str], Reference] = {}
    taken: set[int] = set()
    for likeness in Likeness:
        for is_equal in (True, False):
            level = [
                (new, old)
                for each, new, old in pairs
                if each is likeness
                and new.key not in found
                and old.reference.pk not in taken
                and _agree(new.prices, prices.get(old.reference.pk, {}), likeness, must_be_equal=is_equal)
            ]
            for new, old in _unambiguous(level):
                found[new.key] = old.reference
                taken.add(old.reference.pk)
    return found


def _alike(come: Sequence[Come], gone: Sequence[Gone]) -> list[tuple[Likeness, Come, Gone]]:
    by_key: dict[tuple[Place, tuple[str, ...]], list[Gone]] = defaultdict(list)
    for old in gone:
        for key in name_of(old.own_id).keys:
            by_key[old.place, key].append(old)
    found = []
    for new in come:
        near = {old.reference.pk: old for key in name_of(new.own_id).keys for old in by_key.get((new.place, key), ())}
        found += [(how, new, old) for old in near.values() if (how := alike(new.own_id, old.own_id)) is not None]
    return found


def _unambiguous(pairs: Sequence[tuple[Come, Gone]]) -> Iterable[tuple[Come, Gone]]:
    come, gone = [new.key for new, _ in pairs], [old.reference.pk for _, old in pairs]
    return [(new, old) for new, old in pairs if come.count(new.key) == 1 and gone.count(old.reference.pk) == 1]


def _agree(new: Prices, old: Prices, likeness: Likeness, *, must_be_equal: bool) -> bool:
    if not new and not old:
        return not likeness.needs_equal_prices
    shared = new.keys() & old.keys()
    equal = all(new[line] == old[line] for line in shared)
    return bool(shared) and (equal or not (must_be_equal or likeness.needs_equal_prices))


def _last_prices(references: Collection[int]) -> dict[int, Prices]:
    """What references that are gone stated until now: their statements still run."""
    found: dict[int, dict[Conditions, tuple[Decimal, str]]] = {}
    ids = sorted(references)
    for start in range(0, len(ids), BATCH):
        running = Statement.objects.filter(reference__in=ids[start : start + BATCH], ended_at=None)
        rows = list(running.values_list("reference_id", "line_id", "amount", "currency"))
        lines = PriceLine.objects.in_bulk({line for _, line, _, _ in rows})
        for reference, line, amount, currency in rows:
            found.setdefault(reference, {})[lines[line].conditions] = (amount, currency)
    return dict(found)
