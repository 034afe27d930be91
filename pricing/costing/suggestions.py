"""What is probably meant by a seller or a model that nobody knows; each seller's names are read once a request."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from companies.models import Company
from pricing.costing.asked import LineFault
from pricing.costing.names import Pair, Route
from pricing.likeness import Likeness
from pricing.models import Alias, Offering

_ROUTES_TOLD = 5


class Suggestions:
    """The names of sellers and of what they sell, read when a line first needs them."""

    def __init__(self) -> None:
        self._slugs: frozenset[str] = frozenset()
        self._sellers = Likeness(())
        self._models: dict[str, Likeness] = {}
        self._faults: dict[Pair, LineFault] = {}

    def prepare(self, sellers: Collection[str]) -> None:
        """Read the names that may be needed: something at these sellers was not found."""
        if sellers and not self._slugs:
            self._slugs = frozenset(Company.objects.values_list("slug", flat=True))
            self._sellers = Likeness(self._slugs)
        missing = (self._slugs & set(sellers)) - self._models.keys()
        if missing:
            self._models.update({seller: Likeness(names) for seller, names in _sold_by(missing).items()})

    def unknown(self, name: Pair, leading: Sequence[Route]) -> LineFault:
        """Why a seller's model is not found, with the nearest names."""
        fault = self._faults.get(name)
        if fault is None:
            fault = self._faults[name] = self._fault(*name, leading)
        return fault

    def _fault(self, seller: str, model: str, leading: Sequence[Route]) -> LineFault:
        if believed := [route for route in leading if route.known_until is None]:
            moments = "; ".join(map(_when, believed[:_ROUTES_TOLD]))
            return LineFault(("model",), f"{model[:100]!r} is an alias that leads nowhere then: {moments}", (), 404)
        if seller not in self._slugs:
            choices = self._sellers.nearest(seller)
            return LineFault(("seller",), f"there is no company {seller[:100]!r}{_hint(choices)}", choices, 404)
        choices = self._models[seller].nearest(model)
        detail = f"{seller} sells nothing called {model[:100]!r}{_hint(choices)}"
        return LineFault(("model",), detail, choices, 404)


def _sold_by(sellers: Collection[str]) -> dict[str, list[str]]:
    names: dict[str, list[str]] = {seller: [] for seller in sellers}
    offerings = Offering.objects.filter(seller__slug__in=sellers).exclude(status=Offering.Status.MERGED)
    for rows in (offerings, Alias.objects.filter(seller__slug__in=sellers)):
        for seller, external_id in rows.order_by().values_list("seller__slug", "external_id"):
            names[seller].append(external_id)
    return names


def _hint(choices: Sequence[str]) -> str:
    return f"; the nearest: {', '.join(choices)}" if choices else ""


def _when(route: Route) -> str:
    begins = f"from {route.effective_from.isoformat()}" if route.effective_from else "always"
    ends = f" until {route.effective_until.isoformat()}" if route.effective_until else ""
    return f"{route.target_id or route.target_model} {begins}{ends}"
