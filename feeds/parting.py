"""Recognising that a rename was none: both ids stand in one document again, and are sold at two prices."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from pricing.claims import Claim
from pricing.identity import identity_key
from pricing.models import Decision, Reference, Source

ReferenceKey = tuple[str, str]
Claims = Mapping[ReferenceKey, tuple[Claim, ...]]


@dataclass(frozen=True, slots=True)
class Parted:
    """An id that never was another one's new name: its row's key, and the references that it takes along."""

    key: ReferenceKey
    references: list[Reference]


def side_by_side(
    source: Source,
    stated: Claims,
    references: Mapping[ReferenceKey, Reference],
    own_id: Callable[[str, str], str],
) -> Iterator[Parted]:
    """The ids that are sold beside the one that they were taken to continue, at another price.

    ``stated`` is what each row of a document says. At one price they may be two ids of one offering, and are left. So
    is what a person linked, or put together again after it was parted.
    """
    came = [(key, row) for key, row in references.items() if row.continues_id and key in stated]
    if not came:
        return
    known = {row.pk: row for row in Reference.objects.filter(source=source, continued_by__isnull=False)}
    for key, new in came:
        line = [new, *_given_up(new, known)]
        present = [place for place, row in enumerate(line) if place and _key(row) in stated]
        if not present:
            continue
        moving, old = line[: present[0]], line[present[0]]
        is_one = identity_key(own_id(*key)) == identity_key(own_id(*_key(old)))
        if not is_one and _differ(stated[key], stated[_key(old)]) and not _is_confirmed([*moving, old]):
            yield Parted(key, moving)


def _key(row: Reference) -> ReferenceKey:
    return row.provider, row.external_id


def _given_up(row: Reference, known: Mapping[int, Reference]) -> Iterator[Reference]:
    """The references that one continues, the last first, as long as all are one offering's."""
    seen = {row.pk}
    while (old := known.get(row.continues_id or 0)) is not None and old.pk not in seen:
        if old.offering_id != row.offering_id:
            return
        seen.add(old.pk)
        yield old
        row = old


def _differ(one: tuple[Claim, ...], other: tuple[Claim, ...]) -> bool:
    prices = {claim.line: (claim.amount, claim.currency) for claim in one}
    shared = [claim for claim in other if claim.line in prices]
    return any(prices[claim.line] != (claim.amount, claim.currency) for claim in shared)


def _is_confirmed(references: list[Reference]) -> bool:
    """Whether a person said that they are one: linked them, or undid what parted them."""
    if any(row.linked_by_person for row in references):
        return True
    ids = {row.pk for row in references}
    undone = Decision.objects.filter(kind=Decision.Kind.SPLIT, undone_by__isnull=False)
    return any(ids & {pk for pk, _ in details["references"]} for details in undone.values_list("details", flat=True))
