"""What is in doubt: statements and documents held back, and sources that disagree. The ledger keeps it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from companies.models import Company
from pricing.models.catalogue import Offering, PriceLine, Source
from pricing.models.evidence import Decision, Statement
from tracker.fields import AmountField


class Hold(models.Model):
    """Something that a source said and that does not count yet, with why, and how that ended.

    A statement is held for what it says of one line. A document, or a seller's part of one, is held
    for what it says altogether: ``statement`` is empty then, and ``details`` say what was counted.
    """

    class Reason(models.TextChoices):
        CEILING = "ceiling", "an absurd amount"
        CURRENCY = "currency", "another currency"
        ZERO = "zero", "zero where there was a price"
        LEAP = "leap", "a move beyond ten times"
        DENIAL = "denial", "the old price after an announced change"
        VANISHED = "vanished", "much of a document is gone"
        UNIT = "unit", "much of a document moved by one factor"

    class Outcome(models.TextChoices):
        SECOND_SOURCE = "second source", "released: a second source agrees"
        PERSISTENCE = "persistence", "released: its source insists"
        PERSON = "person", "released by a person"
        REFUSED = "refused", "refused by a person"
        LAPSED = "lapsed", "lapsed: its source says something else"

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="holds")
    reason = models.CharField(max_length=20, choices=Reason.choices)
    offering = models.ForeignKey(Offering, null=True, blank=True, on_delete=models.PROTECT, related_name="holds")
    line = models.ForeignKey(PriceLine, null=True, blank=True, on_delete=models.PROTECT, related_name="holds")
    statement = models.ForeignKey(Statement, null=True, blank=True, on_delete=models.PROTECT, related_name="holds")
    seller = models.ForeignKey(Company, null=True, blank=True, on_delete=models.PROTECT, related_name="holds")
    amount = AmountField(null=True, blank=True, help_text="What is held.")
    currency = models.CharField(max_length=10, blank=True)
    instead = AmountField(null=True, blank=True, help_text="What its source is read as saying meanwhile.")
    instead_currency = models.CharField(max_length=10, blank=True)
    details = models.JSONField(default=dict, blank=True)
    observed_at = models.DateTimeField(help_text="The reading that first said it, in UTC.")
    refresh_id = models.BigIntegerField(null=True, blank=True)
    raised_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=20, blank=True, choices=Outcome.choices)
    decision = models.ForeignKey(Decision, null=True, blank=True, on_delete=models.PROTECT, related_name="holds")

    class Meta:
        ordering = ["-raised_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["statement", "reason"],
                condition=Q(closed_at__isnull=True, statement__isnull=False),
                name="held_once",
            )
        ]
        indexes = [
            models.Index(fields=["source"], condition=Q(closed_at__isnull=True), name="hold_open"),
            models.Index(fields=["closed_at"], condition=Q(closed_at__isnull=False), name="hold_closings"),
            models.Index(fields=["offering", "closed_at"]),
        ]

    def __str__(self) -> str:
        about = f"{self.line} of {self.offering}" if self.line is not None else self.seller or "its document"
        return f"{self.source}: {about}: {self.get_reason_display()}"

    @property
    def is_open(self) -> bool:
        """Whether it still waits for somebody."""
        return self.closed_at is None


class Disagreement(models.Model):
    """A source that says something else of a line than what is believed, while it says so.

    ``believed_amount`` is empty where the source gives a line that the believed sheet of the tariff
    does not have: another structure.
    """

    class Kind(models.TextChoices):
        AMOUNT = "amount", "another amount"
        CURRENCY = "currency", "another currency"
        STRUCTURE = "structure", "another structure"

    offering = models.ForeignKey(Offering, on_delete=models.PROTECT, related_name="disagreements")
    line = models.ForeignKey(PriceLine, on_delete=models.PROTECT, related_name="disagreements")
    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="disagreements")
    statement = models.ForeignKey(Statement, on_delete=models.PROTECT, related_name="disagreements")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    amount = AmountField()
    currency = models.CharField(max_length=10)
    believed_source = models.ForeignKey(Source, null=True, on_delete=models.PROTECT, related_name="+")
    believed_amount = AmountField(null=True)
    believed_currency = models.CharField(max_length=10, blank=True)
    since = models.DateTimeField(help_text="Since when both have said so, in UTC.")
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["since", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["line", "source"], condition=Q(closed_at__isnull=True), name="disagreement_once"
            )
        ]
        indexes = [
            models.Index(fields=["offering", "closed_at"]),
            models.Index(fields=["closed_at"], condition=Q(closed_at__isnull=False), name="disagreement_closings"),
        ]

    def __str__(self) -> str:
        return f"{self.source} on {self.line} of {self.offering}"
