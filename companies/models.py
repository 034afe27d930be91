"""The companies, what they make, and the business events and figures around their prices."""

from __future__ import annotations

from django.db import models
from django.db.models import TextChoices
from django.db.models.functions import Lower
from django.urls import reverse
from simple_history.models import HistoricalRecords

from tracker.fields import AmountField

PRECISION_CHOICES = [
    ("exact", "exact moment"),
    ("day", "day"),
    ("month", "month"),
    ("year", "year"),
    ("observed", "first seen then"),
    ("unknown", "unknown"),
]
SOURCE_CLASSES = [
    ("official", "official"),
    ("press", "press"),
    ("price_feed", "price feed"),
    ("community", "community"),
    ("secondary", "secondary"),
]
CONFIDENCES = [("high", "high"), ("medium", "medium"), ("low", "low")]


class Curated(models.Model):
    """A row that the curated record may load and a person may edit.

    ``curated_digest`` is the digest of the entry as last loaded; ``edited`` says that a person
    changed the row since, so that a reload leaves it alone.
    """

    curated_digest = models.CharField(max_length=64, blank=True, editable=False)
    edited = models.BooleanField(default=False, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True


class Company(Curated):
    """A lab, cloud, reseller or application company."""

    class Kind(TextChoices):
        LAB = "lab", "lab"
        CLOUD = "cloud", "cloud"
        RESELLER = "reseller", "reseller"
        APPLICATION = "application", "application"
        OTHER = "other", "other"

    slug = models.SlugField(max_length=100, unique=True, help_text="The name in addresses; it never changes.")
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=20, choices=Kind.choices, default=Kind.OTHER)
    country = models.CharField(max_length=2, blank=True, help_text="ISO 3166 code of its seat, such as US or CN.")
    founded = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Year.")
    website = models.URLField(max_length=500, blank=True)
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="subsidiaries")
    summary = models.TextField(blank=True)
    needs_review = models.BooleanField(
        default=False, help_text="Made from a feed's provider id; nobody has looked at it yet."
    )
    history = HistoricalRecords()

    class Meta:
        verbose_name_plural = "companies"
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("api-company-detail", kwargs={"slug": self.slug})


class CompanyAlias(models.Model):
    """Another name of a company: a product, a former name, a feed's provider id."""

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="aliases")
    name = models.CharField(max_length=200)

    class Meta:
        verbose_name_plural = "company aliases"
        constraints = [models.UniqueConstraint("company", Lower("name"), name="company_alias_once")]

    def __str__(self) -> str:
        return self.name


class AIModel(Curated):
    """What a lab makes, whoever sells it."""

    slug = models.SlugField(max_length=200, unique=True)
    name = models.CharField(max_length=300)
    developer = models.ForeignKey(Company, null=True, blank=True, on_delete=models.PROTECT, related_name="models")
    family = models.CharField(max_length=200, blank=True)
    input_modalities = models.JSONField(default=list, blank=True)
    output_modalities = models.JSONField(default=list, blank=True)
    open_weights = models.BooleanField(null=True, blank=True)
    context_tokens = models.PositiveBigIntegerField(null=True, blank=True)
    max_output_tokens = models.PositiveBigIntegerField(null=True, blank=True)
    released_on = models.DateField(null=True, blank=True)
    release_precision = models.CharField(max_length=10, choices=PRECISION_CHOICES, default="unknown")
    deprecated_on = models.DateField(null=True, blank=True)
    retired_on = models.DateField(null=True, blank=True)
    needs_review = models.BooleanField(default=False)
    history = HistoricalRecords()

    class Meta:
        verbose_name = "AI model"
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Cited(models.Model):
    """Where a fact was read, and how far it is to be trusted."""

    source_url = models.URLField(max_length=1000, blank=True)
    source_title = models.CharField(max_length=500, blank=True)
    source_class = models.CharField(max_length=20, choices=SOURCE_CLASSES, blank=True)
    confidence = models.CharField(max_length=10, choices=CONFIDENCES, default="medium")

    class Meta:
        abstract = True


class MonetizationEvent(Cited, Curated):
    """Something that a company did about money: began to charge, launched a plan, cut a price."""

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="events")
    key = models.SlugField(max_length=150, help_text="Its name within the company; a reload finds it by this.")
    kind = models.CharField(max_length=40, db_index=True)
    title = models.CharField(max_length=300)
    summary = models.TextField(blank=True)
    announced_on = models.DateField(null=True, blank=True)
    effective_on = models.DateField(null=True, blank=True)
    effective_at = models.DateTimeField(null=True, blank=True, help_text="Exact moment in UTC, where it is known.")
    precision = models.CharField(max_length=10, choices=PRECISION_CHOICES, default="day")
    affected = models.JSONField(default=list, blank=True, help_text="Names of the products or models it touched.")
    cross_model = models.BooleanField(
        default=False, help_text="Compares a new model with its forerunner rather than repricing one id."
    )
    extra_sources = models.JSONField(default=list, blank=True)
    history = HistoricalRecords()

    class Meta:
        ordering = ["-effective_on", "-announced_on", "id"]
        constraints = [models.UniqueConstraint(fields=["company", "key"], name="event_key_once")]

    def __str__(self) -> str:
        return self.title


class BusinessMetric(Cited, Curated):
    """One reported or estimated figure of a company: revenue, users, funding, valuation."""

    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="metrics")
    key = models.SlugField(max_length=150)
    metric = models.CharField(max_length=60, db_index=True)
    value = AmountField()
    currency = models.CharField(max_length=10, blank=True, help_text="Empty for counts such as users.")
    as_of = models.DateField()
    precision = models.CharField(max_length=10, choices=PRECISION_CHOICES, default="day")
    kind = models.CharField(max_length=40, blank=True, help_text="reported, estimated, leaked, target …")
    scope = models.CharField(max_length=300, blank=True)
    history = HistoricalRecords()

    class Meta:
        ordering = ["-as_of", "id"]
        constraints = [models.UniqueConstraint(fields=["company", "key"], name="metric_key_once")]

    def __str__(self) -> str:
        return f"{self.company}: {self.metric} as of {self.as_of}"
