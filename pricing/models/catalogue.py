"""Who speaks, what is sold, and the cells of its price sheet."""

from __future__ import annotations

from django.db import models
from simple_history.models import HistoricalRecords

from companies.models import AIModel, Company
from pricing.claims import LIST_LAYER, PROMO_LAYER, STANDARD_TIER, Conditions
from pricing.meters import METERS, meter


def meter_choices() -> list[tuple[str, str]]:
    """The meters, read when asked so that a new one makes no migration."""
    return [(slug, slug) for slug in METERS]


class Source(models.Model):
    """Who speaks: a feed, the curated record, the editors."""

    class Kind(models.TextChoices):
        FEED = "feed", "feed"
        CURATED = "curated", "curated record"
        EDITOR = "editor", "editors"
        RATES = "rates", "exchange rates"

    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.FEED)
    precedence = models.PositiveIntegerField(
        default=100, help_text="The source with the lowest number that states a tariff sets it."
    )
    homepage = models.URLField(max_length=500, blank=True)
    licence = models.CharField(max_length=200, blank=True)
    may_republish = models.BooleanField(
        default=False, help_text="Whether exports and pages may pass this source's data on."
    )
    history = HistoricalRecords()

    class Meta:
        ordering = ["precedence", "slug"]

    def __str__(self) -> str:
        return self.name


class SourcePrecedence(models.Model):
    """An operator's own order of one source for one seller."""

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="seller_precedences")
    seller = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="source_precedences")
    precedence = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "seller"], name="one_precedence_per_seller")]

    def __str__(self) -> str:
        return f"{self.source} for {self.seller}: {self.precedence}"


class Offering(models.Model):
    """Something a company sells: a model over an API, or a plan.

    ``external_id`` is the seller's own id as first met; ``identity_key`` is its normalised form,
    by which the references of all sources find one offering. ``listing`` keeps apart what one
    company sells twice under one id (a coding plan's quota, a site for another country).
    """

    class Kind(models.TextChoices):
        API = "api", "API model"
        PLAN = "plan", "plan"

    class Status(models.TextChoices):
        LISTED = "listed", "listed"
        UNPRICED = "unpriced", "no price known"
        WITHDRAWN = "withdrawn", "withdrawn"
        MERGED = "merged", "merged into another"

    kind = models.CharField(max_length=10, choices=Kind.choices, default=Kind.API)
    seller = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="offerings")
    listing = models.CharField(max_length=60, blank=True, default="")
    external_id = models.CharField(max_length=500, help_text="The seller's own id, such as deepseek-chat.")
    identity_key = models.CharField(max_length=500, editable=False)
    name = models.CharField(max_length=500)
    model = models.ForeignKey(AIModel, null=True, blank=True, on_delete=models.PROTECT, related_name="offerings")
    model_linked_by = models.CharField(
        max_length=10,
        blank=True,
        choices=[("feed", "a feed"), ("rule", "an id rule"), ("person", "a person")],
        editable=False,
    )
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.UNPRICED, editable=False)
    merged_into = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="absorbed", editable=False
    )
    mode = models.CharField(max_length=60, blank=True, help_text="chat, embedding, image generation … as feeds say.")
    audience = models.CharField(max_length=60, blank=True, help_text="Plans: consumer, team, developer, enterprise.")
    allowances = models.TextField(blank=True, help_text="Plans: what is included.")
    context_tokens = models.PositiveBigIntegerField(null=True, blank=True)
    deprecated_on = models.DateField(null=True, blank=True)
    retired_on = models.DateField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    history = HistoricalRecords(excluded_fields=["status"])

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["seller", "kind", "listing", "identity_key"], name="offering_identity"),
        ]
        indexes = [models.Index(fields=["model", "seller"]), models.Index(fields=["status"])]

    def __str__(self) -> str:
        return f"{self.name} at {self.seller}"

    @property
    def standing(self) -> Offering:
        """The offering that stands for it: itself, or what it was merged into, by however many steps."""
        seen: set[int] = set()
        offering = self
        while offering.merged_into is not None and offering.pk not in seen:
            seen.add(offering.pk)
            offering = offering.merged_into
        return offering


class Reference(models.Model):
    """The id by which one source knows an offering; the conditions the id fixes are on its lines."""

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="references")
    provider = models.CharField(max_length=200)
    external_id = models.CharField(max_length=500)
    offering = models.ForeignKey(Offering, on_delete=models.PROTECT, related_name="references")
    first_seen_at = models.DateTimeField(help_text="First observation that names it, in UTC.")
    absent_since = models.DateTimeField(
        null=True, blank=True, help_text="First observation without it, in UTC; empty while the source names it."
    )
    linked_by_person = models.BooleanField(default=False)
    continues = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="continued_by",
        help_text="The id that the source gave up as it took this one: what both say is one story.",
    )
    history = HistoricalRecords(excluded_fields=["first_seen_at", "absent_since"])

    class Meta:
        ordering = ["source", "provider", "external_id"]
        constraints = [
            models.UniqueConstraint(fields=["source", "provider", "external_id"], name="reference_once"),
        ]
        indexes = [models.Index(fields=["external_id"]), models.Index(fields=["provider", "external_id"])]

    def __str__(self) -> str:
        return f"{self.source.slug}: {self.provider} {self.external_id}"


class PriceLine(models.Model):
    """One cell of an offering's price sheet; see ``pricing.claims.Conditions``."""

    offering = models.ForeignKey(Offering, on_delete=models.PROTECT, related_name="lines")
    meter = models.CharField(max_length=40, choices=meter_choices)
    service_tier = models.CharField(max_length=40, default=STANDARD_TIER)
    region = models.CharField(max_length=60, blank=True, default="")
    variant = models.CharField(max_length=120, blank=True, default="")
    commitment = models.CharField(max_length=60, blank=True, default="")
    above_input_tokens = models.PositiveBigIntegerField(default=0)
    slot = models.CharField(max_length=40, blank=True, default="")
    layer = models.CharField(
        max_length=10, default=LIST_LAYER, choices=[(LIST_LAYER, LIST_LAYER), (PROMO_LAYER, PROMO_LAYER)]
    )

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=[
                    "offering",
                    "meter",
                    "service_tier",
                    "region",
                    "variant",
                    "commitment",
                    "above_input_tokens",
                    "slot",
                    "layer",
                ],
                name="line_once",
            ),
        ]

    def __str__(self) -> str:
        return " ".join(filter(None, [self.meter, *self.qualifiers()]))

    @property
    def conditions(self) -> Conditions:
        """The line's coordinates within its offering."""
        return Conditions(
            self.meter,
            self.service_tier,
            self.region,
            self.variant,
            self.commitment,
            self.above_input_tokens,
            self.slot,
            self.layer,
        )

    @property
    def unit(self) -> str:
        """The canonical quantity of the amounts, such as ``per 1M tokens``."""
        return meter(self.meter).unit

    def qualifiers(self) -> list[str]:
        """What sets the line apart from the plain list price, in words."""
        return [
            *([self.service_tier] if self.service_tier != STANDARD_TIER else []),
            *filter(None, [self.region, self.variant, self.commitment]),
            *([f"above {self.above_input_tokens:,} input tokens"] if self.above_input_tokens else []),
            *filter(None, [self.slot]),
            *([self.layer] if self.layer != LIST_LAYER else []),
        ]
