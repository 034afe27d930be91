"""What was said, and what people ruled: the permanent part, from which prices are derived."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from companies.models import PRECISION_CHOICES
from pricing.models.catalogue import Offering, PriceLine, Reference, Source
from tracker.fields import AmountField


class Observation(models.Model):
    """One successful reading of a source, unchanged ones included."""

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="observations")
    observed_at = models.DateTimeField()
    digest = models.CharField(max_length=64)
    refresh_id = models.BigIntegerField(null=True, blank=True, help_text="The refresh that read it.")
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["source", "observed_at"]
        constraints = [models.UniqueConstraint(fields=["source", "observed_at"], name="observation_once")]

    def __str__(self) -> str:
        return f"{self.source} at {self.observed_at:%Y-%m-%d %H:%M} UTC"


class Statement(models.Model):
    """One run of one source saying one thing about one line.

    The run holds from ``first_observed_at`` until before ``ended_at`` (the first observation
    without it; empty while the source still says so). Between two observations nothing is known
    but that both ends agree. A run that ends where it begins was emptied: its reading was told
    anew. ``effective_from``/``effective_until`` are what the source claims.
    """

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="statements")
    reference = models.ForeignKey(Reference, null=True, blank=True, on_delete=models.PROTECT, related_name="statements")
    line = models.ForeignKey(PriceLine, on_delete=models.PROTECT, related_name="statements")
    amount = AmountField()
    currency = models.CharField(max_length=10, default="USD")
    zero_means = models.CharField(
        max_length=10, blank=True, choices=[("free", "free of charge"), ("included", "included in a plan")]
    )
    effective_from = models.DateTimeField(null=True, blank=True)
    effective_until = models.DateTimeField(null=True, blank=True)
    precision = models.CharField(max_length=10, choices=PRECISION_CHOICES, default="observed")
    first_observed_at = models.DateTimeField()
    absent_before = models.DateTimeField(
        null=True, blank=True, help_text="The source's last observation before it, without it."
    )
    ended_at = models.DateTimeField(null=True, blank=True, help_text="The source's first observation without it.")
    refresh_id = models.BigIntegerField(null=True, blank=True)
    ended_by_refresh_id = models.BigIntegerField(null=True, blank=True)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="statements"
    )
    citation_url = models.URLField(max_length=1000, blank=True)
    citation_title = models.CharField(max_length=500, blank=True)
    derived_from = models.ForeignKey(
        PriceLine,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="derived_statements",
        db_index=False,
        help_text="The line of the same offering on whose price the source states this one as a factor.",
    )
    factor = AmountField(null=True, blank=True)
    note = models.TextField(blank=True)
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(fields=["line", "source"]),
            models.Index(fields=["source", "ended_at"]),
            models.Index(fields=["reference"], condition=Q(ended_at__isnull=True), name="statement_running"),
            models.Index(
                fields=["effective_from"],
                condition=Q(ended_at__isnull=True, effective_from__isnull=False),
                name="statement_beginnings",
            ),
            models.Index(
                fields=["effective_until"],
                condition=Q(ended_at__isnull=True, effective_until__isnull=False),
                name="statement_ends",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source}: {self.line} {self.amount.normalize():f} {self.currency}"


# What the one reading that held it says no more, since a refresh told that reading anew.
EMPTIED = Q(ended_at=F("first_observed_at"), ended_by_refresh_id__isnull=False)


class CalendarStatement(models.Model):
    """One run of one source giving one calendar of an offering: when its slots apply.

    ``rules`` are all the rules that the reference gives for the offering, as ``pricing.calendar_rules`` writes them.
    The run holds as a statement's does. ``effective_from`` is set where an editor says from when on the whole
    calendar holds; a feed dates its single rules.
    """

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="calendar_statements")
    reference = models.ForeignKey(
        Reference, null=True, blank=True, on_delete=models.PROTECT, related_name="calendar_statements"
    )
    offering = models.ForeignKey(Offering, on_delete=models.PROTECT, related_name="calendar_statements")
    rules = models.JSONField()
    effective_from = models.DateTimeField(null=True, blank=True)
    first_observed_at = models.DateTimeField()
    absent_before = models.DateTimeField(
        null=True, blank=True, help_text="The source's last observation before it, without it."
    )
    ended_at = models.DateTimeField(null=True, blank=True, help_text="The source's first observation without it.")
    refresh_id = models.BigIntegerField(null=True, blank=True)
    ended_by_refresh_id = models.BigIntegerField(null=True, blank=True)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="calendar_statements"
    )
    citation_url = models.URLField(max_length=1000, blank=True)
    citation_title = models.CharField(max_length=500, blank=True)
    note = models.TextField(blank=True)
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["offering", "source"]), models.Index(fields=["source", "ended_at"])]

    def __str__(self) -> str:
        return f"{self.source}: calendar of {self.offering}"


class Decision(models.Model):
    """What a person ruled about an offering; undone by a later decision, never deleted."""

    class Kind(models.TextChoices):
        STATE = "state", "state a price"
        PIN = "pin", "pin a price"
        WITHDRAW = "withdraw", "withdraw"
        RELIST = "relist", "relist"
        REROUTE = "reroute", "route an id elsewhere"
        UNDO = "undo", "undo a decision"
        LINK = "link", "link to a model or an offering"
        MERGE = "merge", "merge offerings"
        SPLIT = "split", "split an offering"
        PRECEDENCE = "precedence", "change precedence"
        RELEASE = "release", "release a hold"
        REFUSE = "refuse", "refuse a hold"
        CALENDAR = "calendar", "state a calendar"

    kind = models.CharField(max_length=20, choices=Kind.choices)
    offering = models.ForeignKey(Offering, null=True, blank=True, on_delete=models.PROTECT, related_name="decisions")
    line = models.ForeignKey(PriceLine, null=True, blank=True, on_delete=models.PROTECT, related_name="decisions")
    amount = AmountField(null=True, blank=True)
    currency = models.CharField(max_length=10, blank=True)
    effective_from = models.DateTimeField(null=True, blank=True)
    effective_until = models.DateTimeField(null=True, blank=True)
    precision = models.CharField(max_length=10, choices=PRECISION_CHOICES, default="exact")
    undoes = models.OneToOneField("self", null=True, blank=True, on_delete=models.PROTECT, related_name="undone_by")
    details = models.JSONField(default=dict, blank=True)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="decisions"
    )
    made_at = models.DateTimeField()
    note = models.TextField(blank=True)
    citation_url = models.URLField(max_length=1000, blank=True)

    class Meta:
        ordering = ["-made_at", "-id"]
        indexes = [models.Index(fields=["offering", "kind"])]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} ({self.offering or 'general'})"
