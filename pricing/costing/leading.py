"""The alias rows that lead on from an id, however the id was written: a request reads those of each seller once."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from pricing.costing.names import NamedOffering, Pair, Route, routes
from pricing.identity import identity_key


class Leading:
    """Alias rows by the routed id as its seller spells it, and by the offering that is routed.

    A source's id, a provider id in place of the seller's slug and an id that was merged mean the routed offering
    without being spelt like it.
    """

    def __init__(self) -> None:
        self._sellers: set[str] = set()
        self._by_id: dict[Pair, list[Route]] = {}
        self._by_offering: dict[int, list[Route]] = {}

    def read(self, sellers: Collection[str]) -> None:
        """Read the alias rows of sellers, of those that were not read before."""
        if new := set(sellers) - self._sellers:
            self._sellers |= new
            for name, each in routes(new).items():
                self._by_id[name] = each
                for route in each:
                    self._by_offering.setdefault(route.offering, []).append(route)

    def of(self, name: Pair, named: NamedOffering | None) -> Sequence[Route]:
        """The rows that lead from an id, and from the offering that it means."""
        return self._of(name, named.offering if named is not None else None) if self._by_id else ()

    def beyond(self, route: Route) -> Sequence[Route]:
        """The rows that lead on from where a row leads to."""
        return self._of(route.leads_to, route.target)

    def _of(self, name: Pair, offering: int | None) -> Sequence[Route]:
        spelt = self._by_id.get((name[0], identity_key(name[1])), [])
        routed = self._by_offering.get(offering, []) if offering is not None else []
        if not spelt or not routed:
            return spelt or routed
        return [*spelt, *(route for route in routed if route not in spelt)]
