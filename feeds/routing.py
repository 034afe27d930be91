"""Where a document says that ids lead: each target found among offerings and AI models, or made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from companies.models import AIModel, Company
from feeds.registry import KnownFeed
from feeds.sellers import Seller, Sellers
from pricing.claims import ParsedOffering, RouteClaim
from pricing.identity import identity_key
from pricing.ledger import ToldRoute
from pricing.models import Offering, Reference
from pricing.routes.targets import MODEL, OFFERING, Target

_LONGEST_ID = 500
_ReferenceKey = tuple[str, str]


def told_routes(
    rows: Sequence[ParsedOffering],
    references: Mapping[_ReferenceKey, Reference],
    sellers: Sellers,
    known: KnownFeed,
) -> list[ToldRoute]:
    """The routes of a document's rows as the ledger takes them; an id that leads to itself says nothing."""
    found = []
    for row in rows:
        reference = references[row.provider, row.model]
        seller = sellers.find(row.provider, row.provider_name)
        offering = reference.offering.merged_into_id or reference.offering_id
        for claim in row.routes:
            target = _target(row.provider, claim, seller, references, known)
            if target != Target(OFFERING, offering):
                found.append(_told(reference, offering, target, claim))
    return list(_once(found))


def _told(reference: Reference, offering: int, target: Target, claim: RouteClaim) -> ToldRoute:
    return ToldRoute(
        reference=reference.pk,
        offering=offering,
        target=target,
        effective_from=claim.effective_from,
        effective_until=claim.effective_until,
        precision=claim.precision,
        citation_url=claim.citation_url,
        citation_title=claim.citation_title,
    )


def _once(routes: Sequence[ToldRoute]) -> Iterator[ToldRoute]:
    """One id leads to one place at a time: of several without a date the first counts."""
    undated: set[int] = set()
    for route in routes:
        is_undated = route.effective_from is None and route.effective_until is None
        if is_undated and route.reference in undated:
            continue
        if is_undated:
            undated.add(route.reference)
        yield route


def _target(
    provider: str,
    claim: RouteClaim,
    seller: Seller,
    references: Mapping[_ReferenceKey, Reference],
    known: KnownFeed,
) -> Target:
    if not claim.target:
        return Target(MODEL, _model(claim, seller).pk)
    reference = references.get((provider, claim.target))
    if reference is not None:
        return Target(OFFERING, reference.offering.merged_into_id or reference.offering_id)
    offering = _offering(known.offering_id(provider, claim.target), seller)
    return Target(OFFERING, offering.merged_into_id or offering.pk)


def _offering(external_id: str, seller: Seller) -> Offering:
    """The seller's offering of an id, made without prices where no source has told of it yet."""
    offering, _ = Offering.objects.get_or_create(
        seller=seller.company,
        kind=Offering.Kind.API,
        listing=seller.listing,
        identity_key=identity_key(external_id)[:_LONGEST_ID],
        defaults={"external_id": external_id, "name": external_id},
    )
    return offering


def _model(claim: RouteClaim, seller: Seller) -> AIModel:
    """The AI model of a slug; one that nobody knows yet is its seller's own, where that is a lab."""
    developer = seller.company if seller.company.kind == Company.Kind.LAB else None
    known = {"name": claim.model_name or claim.model, "developer": developer}
    model, _ = AIModel.objects.get_or_create(slug=claim.model[:200], defaults=known)
    return model
