"""A seller with a few offerings whose prices one source reads, through the ledger as every source does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from companies.models import Company, MonetizationEvent
from pricing.claims import PROMO_LAYER, Claim, Conditions
from pricing.identity import identity_key
from pricing.ledger import Reading, Told, observe
from pricing.models import Offering, Reference, Source

START = datetime(2026, 3, 1, tzinfo=UTC)
WEEK = timedelta(days=7)


def costs(amount: str, meter: str = "input_tokens", **dates: datetime) -> Claim:
    """A claim of so many dollars on a meter; with ``effective_from`` it is dated to the day."""
    precision = "day" if "effective_from" in dates else "observed"
    return Claim(Conditions(meter), Decimal(amount), precision=precision, **dates)


def promotion(amount: str, until: datetime) -> Claim:
    """A claim of a promotional price of input that ends."""
    return Claim(Conditions("input_tokens", layer=PROMO_LAYER), Decimal(amount), effective_until=until)


@dataclass
class SmallMarket:
    """One company's offerings; ``read`` is what the source says of all of them at a moment."""

    seller: Company = field(default_factory=lambda: Company.objects.create(slug="acme", name="Acme AI", kind="lab"))
    source: Source = field(
        default_factory=lambda: Source.objects.get_or_create(slug="models-dev", defaults={"name": "models.dev"})[0]
    )

    def reference(self, model: str) -> Reference:
        """The source's reference to an offering, both made when they are missing."""
        offering, _ = Offering.objects.get_or_create(
            seller=self.seller, identity_key=identity_key(model), defaults={"external_id": model, "name": model}
        )
        reference, _ = Reference.objects.get_or_create(
            source=self.source,
            provider="acme",
            external_id=model,
            defaults={"offering": offering, "first_seen_at": START},
        )
        return reference

    def read(self, at: datetime, prices: Mapping[str, list[Claim]], *, backfilled: bool = False) -> None:
        """Let the source be read at a moment, saying these prices by model."""
        told = [
            Told(reference.pk, reference.offering_id, claims)
            for reference, claims in ((self.reference(model), claims) for model, claims in prices.items())
        ]
        observe(Reading(self.source, at, f"digest at {at}", backfilled=backfilled), told)

    def event(self, title: str, **facts: object) -> MonetizationEvent:
        """Something that the company did about money."""
        key = title.lower().replace(" ", "-")
        return MonetizationEvent.objects.create(company=self.seller, key=key, title=title, kind="price_cut", **facts)
