"""Which offering stood for which before a merge was ruled, or while one held that was taken back since.

What was believed of an absorbed offering stays on its record, while its references go to the one that stands for it.
A line as known earlier has to find them where they were then.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from pricing.models import Decision


class Joining(NamedTuple):
    """A merge, or the undoing of one: at a moment two offerings became one or two, and references went along."""

    moment: datetime
    absorbed: int
    into: int
    references: frozenset[int]
    is_undoing: bool


class Past(NamedTuple):
    """What was otherwise than today: the offerings of references, and what offerings had been merged into."""

    references: Mapping[int, int]
    merged_into: Mapping[int, int | None]


TODAY = Past({}, {})


class Merges:
    """All joinings, the earliest first, by the offerings that they concern, be it by way of others."""

    def __init__(self, joinings: Iterable[Joining]) -> None:
        self._concerning: dict[int, list[Joining]] = {}
        members: dict[int, set[int]] = {}
        for joining in sorted(joinings, key=_when):
            pair = {joining.absorbed, joining.into}
            together = set[int]().union(pair, *(members.get(offering, ()) for offering in pair))
            known = {each for offering in together for each in self._concerning.get(offering, ())}
            every = sorted({*known, joining}, key=_when)
            for offering in together:
                members[offering], self._concerning[offering] = together, every

    def since(self, offering: int, known_at: datetime) -> int:
        """How many joinings concern an offering that were ruled after a moment."""
        return sum(joining.moment > known_at for joining in self._concerning.get(offering, ()))

    def before(self, steps: int) -> Past:
        """What was otherwise before the last so many joinings of each offering."""
        references: dict[int, int] = {}
        merged_into: dict[int, int | None] = {}
        for joinings in {id(each): each for each in self._concerning.values()}.values():
            for joining in reversed(joinings[-steps:]):
                then = joining.into if joining.is_undoing else joining.absorbed
                references.update(dict.fromkeys(joining.references, then))
                merged_into[joining.absorbed] = joining.into if joining.is_undoing else None
        return Past(references, merged_into)


def _when(joining: Joining) -> datetime:
    return joining.moment


def ruled_merges() -> Merges:
    """All merges on record, by one query."""
    rows = Decision.objects.filter(kind=Decision.Kind.MERGE, offering__isnull=False).order_by()
    found = []
    for absorbed, details, made_at, undone_at in rows.values_list(
        "offering_id", "details", "made_at", "undone_by__made_at"
    ):
        references = frozenset(pk for pk, _ in details["references"])
        found.append(Joining(made_at, absorbed or 0, details["into"], references, is_undoing=False))
        if undone_at is not None:
            found.append(Joining(undone_at, absorbed or 0, details["into"], references, is_undoing=True))
    return Merges(found)
