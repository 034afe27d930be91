"""Where a seller routes its ids, as the curated record has it: dated, each with its citation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise

from companies.record.fields import Citation, Fields
from companies.record.files import BadRecord
from feeds.adapters.curated.prices import DATED
from pricing.claims import ModelFacts, ParsedOffering, RouteClaim

_ALWAYS = datetime.min.replace(tzinfo=UTC)
_FOR_EVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class RoutedId:
    """Where one id of a seller led over time, and where that was read; ``model`` is the id."""

    seller: str
    model: str
    name: str
    routes: tuple[RouteClaim, ...]
    citations: tuple[Citation, ...]


def read_routes(place: str, slug: str, content: object) -> list[RoutedId]:
    """One file of ``routes/``. Raises BadRecord."""
    file = Fields.of(place, content)
    seller = file.owner("seller", slug)
    found = [_routed(seller, fields) for fields in file.entries("ids")]
    file.close()
    ids = [routed.model for routed in found]
    twice = next((model for model in ids if ids.count(model) > 1), None)
    if twice:
        raise BadRecord(f"{place}: {twice} stands twice, but all routes of an id belong under one entry")
    return found


def with_routes(offerings: Sequence[ParsedOffering], routed: Sequence[RoutedId]) -> list[ParsedOffering]:
    """The offerings of the record with the routes of their ids, and the ids that have nothing else."""
    by_id = {(each.seller, each.model): each for each in routed}
    found = []
    for offering in offerings:
        each = by_id.pop((offering.provider, offering.model), None)
        found.append(replace(offering, routes=each.routes) if each else offering)
    rest = by_id.values()
    return [*found, *(ParsedOffering(r.seller, r.model, (), ModelFacts(name=r.name), routes=r.routes) for r in rest)]


def _routed(seller: str, fields: Fields) -> RoutedId:
    entries = [(entry, entry.citation()) for entry in fields.entries("routes")]
    routed = RoutedId(
        seller=seller,
        model=fields.text("model", required=True),
        name=fields.text("name"),
        routes=tuple(_route(entry, citation) for entry, citation in entries),
        citations=tuple(citation for _, citation in entries),
    )
    fields.close()
    _refuse_overlaps(fields, routed)
    return routed


def _route(fields: Fields, citation: Citation) -> RouteClaim:
    target, model = fields.text("target"), fields.slug("target_model", required=False)
    if bool(target) == bool(model):
        fields.refuse("target", "or target_model is to be given: an id of the seller, or an AI model's slug")
    begins = fields.moment("effective_from")
    claim = RouteClaim(
        target=target,
        model=model,
        model_name=fields.text("target_name"),
        effective_from=begins,
        effective_until=fields.moment("effective_until"),
        precision=fields.choice("precision", DATED) if begins else "observed",
        citation_url=citation.url,
        citation_title=citation.title,
    )
    fields.prose("note")
    fields.close()
    return claim


def _refuse_overlaps(fields: Fields, routed: RoutedId) -> None:
    spans = sorted((route.effective_from or _ALWAYS, route.effective_until or _FOR_EVER) for route in routed.routes)
    for begins, ends in spans:
        if begins >= ends:
            fields.refuse("routes", f"have one that ends on {ends:%Y-%m-%d}, not after it begins")
    for (_, ends), (begins, _) in pairwise(spans):
        if begins < ends:
            fields.refuse("routes", f"overlap on {begins:%Y-%m-%d}, but an id leads to one place at a time")
