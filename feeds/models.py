"""The feeds: where they are fetched, each run over them, what was read, and whose ids mean whom."""

from __future__ import annotations

from datetime import timedelta

from django.core.validators import MaxValueValidator
from django.db import models
from django.utils import timezone
from simple_history.models import HistoricalRecords

from companies.models import Company
from pricing.models import Source


class Feed(models.Model):
    """A source that is fetched: address, adapter, schedule and lease.

    A worker owns the feed while ``locked_until`` lies ahead; a lease that ran out is free again.
    """

    source = models.OneToOneField(Source, on_delete=models.PROTECT, related_name="feed")
    adapter = models.CharField(max_length=60)
    address = models.URLField(max_length=1000, blank=True, help_text="Empty for what the project carries itself.")
    enabled = models.BooleanField(default=True, help_text="Whether the tick refreshes it.")
    every = models.DurationField(default=timedelta(hours=6), help_text="Time between refreshes.")
    next_due_at = models.DateTimeField(default=timezone.now)
    owner = models.CharField(max_length=200, blank=True, editable=False)
    locked_until = models.DateTimeField(null=True, blank=True, editable=False)
    etag = models.CharField(max_length=500, blank=True, editable=False)
    last_modified = models.CharField(max_length=200, blank=True, editable=False)
    validated_digest = models.CharField(
        max_length=64, blank=True, editable=False, help_text="Digest of the body that the validators belong to."
    )
    current_digest = models.CharField(max_length=64, blank=True, editable=False)
    failures = models.PositiveIntegerField(default=0, editable=False, help_text="Failed refreshes in a row.")
    last_success_at = models.DateTimeField(null=True, blank=True, editable=False)
    failure_budget = models.PositiveSmallIntegerField(
        default=50,
        validators=[MaxValueValidator(100)],
        help_text="Percent of its refreshes that may fail within the window before operators are warned; 100 is never.",
    )
    budget_window = models.DurationField(
        default=timedelta(days=3), help_text="How far back failed refreshes count against the budget."
    )
    failing_since = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When its failures went beyond the budget; empty within it."
    )
    history = HistoricalRecords(
        excluded_fields=[
            "next_due_at",
            "owner",
            "locked_until",
            "etag",
            "last_modified",
            "validated_digest",
            "current_digest",
            "failures",
            "last_success_at",
            "failing_since",
        ]
    )

    class Meta:
        ordering = ["source__precedence"]

    def __str__(self) -> str:
        return self.source.name

    @property
    def slug(self) -> str:
        """The source's slug, by which commands and the API name the feed."""
        return self.source.slug


class Payload(models.Model):
    """The raw bytes of one document, compressed and kept once however often it was read.

    The row outlives its body: ``dropped_at`` says when the body was let go, and ``compressed`` is empty then.
    """

    digest = models.CharField(max_length=64, unique=True)
    compressed = models.BinaryField()
    size = models.PositiveBigIntegerField(help_text="Bytes before compression.")
    created_at = models.DateTimeField(auto_now_add=True)
    dropped_at = models.DateTimeField(null=True, blank=True, help_text="When its body was dropped, where it was.")

    def __str__(self) -> str:
        return self.digest[:12]


class Refresh(models.Model):
    """One run over a feed: fetch, archive, parse, reconcile."""

    class Status(models.TextChoices):
        RUNNING = "running", "running"
        DONE = "done", "done"
        UNCHANGED = "unchanged", "nothing new"
        FAILED = "failed", "could not fetch"
        REFUSED = "refused", "document refused"

    feed = models.ForeignKey(Feed, on_delete=models.PROTECT, related_name="refreshes")
    trigger = models.CharField(
        max_length=20, default="schedule", help_text="schedule, command, file, admin, backfill, replay."
    )
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.RUNNING)
    started_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)
    observed_at = models.DateTimeField(null=True, blank=True)
    digest = models.CharField(max_length=64, blank=True)
    payload = models.ForeignKey(Payload, null=True, blank=True, on_delete=models.PROTECT, related_name="refreshes")
    counts = models.JSONField(default=dict, help_text="seen, new, changed, withdrawn, held, rejected …")
    rejections = models.JSONField(default=list, help_text="The first rows that were not taken, with the reason.")
    unrecognised = models.JSONField(default=dict, help_text="Price fields that no rule understands, by count.")
    error = models.TextField(blank=True)

    class Meta:
        verbose_name_plural = "refreshes"
        ordering = ["-started_at", "-id"]
        indexes = [models.Index(fields=["feed", "-started_at"])]

    def __str__(self) -> str:
        return f"{self.feed} at {self.started_at:%Y-%m-%d %H:%M} UTC: {self.status}"


class TakenRows(models.Model):
    """What is remembered of the rows of a feed's newest document; see ``feeds.taken_rows``, which alone reads it.

    It is worked out from the document and from what the document was taken to say. Where it is missing, or older than
    anything that could decide otherwise, the next document is read whole, and it is written anew.
    """

    feed = models.OneToOneField(Feed, on_delete=models.CASCADE, related_name="taken_rows")
    content = models.BinaryField(help_text="Some 50 bytes for each row.")
    written_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "taken rows"

    def __str__(self) -> str:
        return f"rows of {self.feed} at {self.written_at:%Y-%m-%d %H:%M} UTC"


class SellerAlias(models.Model):
    """Whose offerings a source means by a provider id; added here it goes before the curated table."""

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="seller_aliases")
    provider = models.CharField(max_length=200, help_text="The source's own provider id.")
    company = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="seller_aliases")
    listing = models.CharField(max_length=60, blank=True, help_text="Sets apart what the company sells twice.")
    zeros = models.CharField(
        max_length=10,
        blank=True,
        choices=[("free", "free of charge"), ("included", "included in a plan"), ("unknown", "unknown")],
        help_text="What a zero in this listing means; empty follows the default.",
    )
    history = HistoricalRecords()

    class Meta:
        verbose_name_plural = "seller aliases"
        constraints = [models.UniqueConstraint(fields=["source", "provider"], name="seller_alias_once")]

    def __str__(self) -> str:
        return f"{self.source.slug}: {self.provider} is {self.company}"
