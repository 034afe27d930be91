"""Which ids of a source are one story: the new id of a renamed offering goes on where the old one stopped."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import F

from pricing.bulk import among
from pricing.models import Reference


@dataclass(frozen=True, slots=True)
class Continuations:
    """By old reference: those that continued it, and the moment from which on each did."""

    by_reference: dict[int, list[tuple[datetime, int]]] = field(default_factory=dict)

    @classmethod
    def load(cls, offering_ids: Collection[int]) -> Continuations:
        """Those in which both references are on one of the offerings."""
        found: dict[int, list[tuple[datetime, int]]] = {}
        rows = Reference.objects.filter(offering__in=among(offering_ids), continues__offering=F("offering"))
        for old, since, new in rows.order_by("first_seen_at", "pk").values_list("continues", "first_seen_at", "pk"):
            if old is not None:
                found.setdefault(old, []).append((since, new))
        return cls(found)

    def speaker(self, reference: int | None, said_at: datetime) -> int | None:
        """Under which reference something is heard that one said from a moment on.

        What an old id said before the new one came is the new one's story; what it says later, should it come back,
        is its own again.
        """
        seen: set[int] = set()
        while reference in self.by_reference and reference not in seen:
            seen.add(reference)
            following = next((new for since, new in self.by_reference[reference] if said_at < since), None)
            if following is None:
                break
            reference = following
        return reference

    def speakers(self, reference: int | None) -> list[int | None]:
        """A reference and all under which something that it said may be heard."""
        return [reference, *self._following(reference, set())]

    def _following(self, reference: int | None, seen: set[int]) -> Iterator[int]:
        for _, new in self.by_reference.get(reference or 0, ()):
            if new not in seen:
                seen.add(new)
                yield new
                yield from self._following(new, seen)
