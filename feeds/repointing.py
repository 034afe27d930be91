"""Moving what a source says under a provider id to the seller that the id means now."""

from __future__ import annotations

from uuid import uuid4

from django.db import transaction

from feeds.checking import LONGEST_ID
from feeds.registry import known_feed
from feeds.sellers import Seller, Sellers
from pricing.identity import identity_key
from pricing.ledger import Ruling, move_references
from pricing.locks import lock_ledger
from pricing.models import Offering, Reference, Source

Move = tuple[int, int]


def repoint(source: Source, provider: str, ruling: Ruling) -> int:
    """Move the references of a provider id to its seller's offerings; how many were moved.

    An offering that keeps nothing of its own is merged, one that does is split; each is a decision, and undoing one
    undoes all that were made here. What a person has linked stays. Raises LedgerError.
    """
    with transaction.atomic():
        lock_ledger()
        seller = Sellers(source).find(provider)
        moves = _moves(source, provider, seller)
        operation = uuid4().hex
        for (origin, target), references in moves.items():
            offering, into = Offering.objects.get(pk=origin), Offering.objects.get(pk=target)
            move_references(offering, references, into.standing, ruling, operation)
        return sum(map(len, moves.values()))


def _moves(source: Source, provider: str, seller: Seller) -> dict[Move, list[Reference]]:
    """The references that are elsewhere, by the offering that they are on and the one that they belong to."""
    rows = Reference.objects.filter(source=source, provider=provider, linked_by_person=False)
    there = {"offering__seller": seller.company, "offering__listing": seller.listing}
    found: dict[Move, list[Reference]] = {}
    for reference in rows.exclude(**there).select_related("offering").order_by("pk"):
        target = _target(reference, seller)
        found.setdefault((reference.offering_id, target.pk), []).append(reference)
    return found


def _target(reference: Reference, seller: Seller) -> Offering:
    offering = reference.offering
    own_id = known_feed(reference.source.slug).offering_id(reference.provider, reference.external_id)
    target, _ = Offering.objects.get_or_create(
        seller=seller.company,
        kind=offering.kind,
        listing=seller.listing,
        identity_key=identity_key(own_id)[:LONGEST_ID],
        defaults={
            "external_id": own_id,
            "name": offering.name,
            "mode": offering.mode,
            "model": offering.model,
            "model_linked_by": offering.model_linked_by,
            "context_tokens": offering.context_tokens,
        },
    )
    return target
