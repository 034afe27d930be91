"""What a document lacks of what its source named until now, as it is known before anything of the document is taken."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from feeds.intake import Listed, Presence, Suspicion
from feeds.taken_rows import GoesOn
from pricing.models import Reference

NOTHING: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Lacking:
    """The references that a document no longer names, and what it names.

    ``named`` has the offering of each reference that the document names, but for those that are ``going_on``.
    ``respelt`` are the offerings to which ids lead that the source did not use before; ``renamed`` those that go on
    under an id that is only alike, if the one that they had is believed to be gone.
    """

    references: Sequence[Reference]
    named: Mapping[int, int]
    going_on: Mapping[int, GoesOn]
    respelt: frozenset[int] = field(default_factory=frozenset)
    renamed: frozenset[int] = field(default_factory=frozenset)

    def presence(self, came: Collection[int] = (), but: Collection[int] = ()) -> Presence:
        """What there is in the document; ``came`` are references of a time in which others were given up for them.

        What is missing of ``but`` is accounted for.
        """
        successors = {self.named.get(pk) or self._on(pk) for pk in came}
        offered = {*self.named.values(), *(on.offering for on in self.going_on.values()), *self.respelt, *self.renamed}
        named = {*self.named, *self.going_on, *but}
        return Presence(named, offered, {*self.respelt, *(pk for pk in successors if pk is not None)})

    def _on(self, reference: int) -> int | None:
        return self.going_on[reference].offering if reference in self.going_on else None

    def with_unpriced(self, suspicion: Suspicion, before: Collection[Listed]) -> Suspicion:
        """The suspicion with what it covers of references that state no price: those of the same part.

        Only where all that is missing of the part is suspected; a rest of what had vanished is a rest of prices.
        """
        if suspicion.is_rest:
            return suspicion
        priced = {listed.reference for listed in before}
        part = [row for row in self.references if suspicion.seller in (None, row.offering.seller_id)]
        unpriced = {row.pk for row in part if row.pk not in priced and row.offering_id not in self.respelt}
        return replace(suspicion, references=suspicion.references | unpriced)


class Covers(Protocol):
    """Who says which of the references that a document lacks are not believed to be gone."""

    def __call__(self, lacking: Lacking, /) -> frozenset[int]: ...


def nothing_covered(_lacking: Lacking) -> frozenset[int]:
    """All that a document lacks is gone."""
    return NOTHING
