"""What is believed: prices and calendars on two time axes, and the changes between beliefs."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import F, Func, Q

from companies.models import PRECISION_CHOICES, AIModel
from pricing.models.catalogue import Offering, PriceLine, Source
from pricing.models.evidence import CalendarStatement, Decision, Statement
from tracker.fields import AmountField


class TimeRange(Func):
    """PostgreSQL's half-open range of two moments."""

    function = "TSTZRANGE"
    output_field = DateTimeRangeField()


class PostgresOnlyExclusion(ExclusionConstraint):
    """An exclusion constraint that other databases leave to the ledger."""

    def constraint_sql(self, model: Any, schema_editor: Any) -> Any:
        return self._on_postgres(schema_editor, super().constraint_sql, model)

    def create_sql(self, model: Any, schema_editor: Any) -> Any:
        return self._on_postgres(schema_editor, super().create_sql, model)

    def remove_sql(self, model: Any, schema_editor: Any) -> Any:
        return self._on_postgres(schema_editor, super().remove_sql, model)

    def validate(self, *args: Any, **kwargs: Any) -> None:
        """Prices are written by the ledger alone, which never overlaps them; forms do not ask."""

    @staticmethod
    def _on_postgres(schema_editor: Any, build: Any, model: Any) -> Any:
        return build(model, schema_editor) if schema_editor.connection.vendor == "postgresql" else None


class Price(models.Model):
    """Amount and currency of a line over an effective interval, as known over a known interval.

    Both intervals are half-open and in UTC. ``observed_after`` is set where no source dates the
    beginning: the price began after that moment and no later than ``effective_from``. Only
    ``known_until`` is ever written again, once.
    """

    line = models.ForeignKey(PriceLine, on_delete=models.PROTECT, related_name="prices")
    amount = AmountField()
    currency = models.CharField(max_length=10)
    zero_means = models.CharField(max_length=10, blank=True)
    effective_from = models.DateTimeField()
    effective_until = models.DateTimeField(null=True, blank=True)
    precision = models.CharField(max_length=10, choices=PRECISION_CHOICES)
    observed_after = models.DateTimeField(null=True, blank=True)
    known_from = models.DateTimeField()
    known_until = models.DateTimeField(null=True, blank=True)
    recorded_at = models.DateTimeField()
    source = models.ForeignKey(Source, null=True, on_delete=models.PROTECT, related_name="prices")
    statement = models.ForeignKey(Statement, null=True, on_delete=models.PROTECT, related_name="prices")
    dated_by = models.ForeignKey(Statement, null=True, on_delete=models.PROTECT, related_name="dated_prices")
    decision = models.ForeignKey(Decision, null=True, on_delete=models.PROTECT, related_name="prices")

    class Meta:
        ordering = ["line", "effective_from"]
        indexes = [
            models.Index(
                fields=["line", "effective_from"], condition=Q(known_until__isnull=True), name="price_believed"
            ),
            models.Index(fields=["line", "effective_from", "known_from"], name="price_versions"),
            models.Index(fields=["effective_from"], condition=Q(known_until__isnull=True), name="price_beginnings"),
            models.Index(
                fields=["effective_until"],
                condition=Q(known_until__isnull=True, effective_until__isnull=False),
                name="price_ends",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(effective_until__isnull=True) | Q(effective_until__gt=F("effective_from")),
                name="price_effective_order",
            ),
            models.CheckConstraint(
                condition=Q(known_until__isnull=True) | Q(known_until__gt=F("known_from")), name="price_known_order"
            ),
            PostgresOnlyExclusion(
                name="price_no_overlap",
                expressions=[
                    ("line", RangeOperators.EQUAL),
                    (TimeRange("effective_from", "effective_until"), RangeOperators.OVERLAPS),
                    (TimeRange("known_from", "known_until"), RangeOperators.OVERLAPS),
                ],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.line}: {self.amount.normalize():f} {self.currency} from {self.effective_from:%Y-%m-%d %H:%M} UTC"


class SlotRule(models.Model):
    """When a calendar slot of an offering applies, on both time axes; see ``pricing.claims.SlotRule``.

    It is what ``source`` makes of the calendar. A rule without ``effective_from`` has no beginning; ``precision`` and
    ``observed_after`` tell of the beginning what they tell of a price's. Only ``known_until`` is ever written again,
    once.
    """

    offering = models.ForeignKey(Offering, on_delete=models.PROTECT, related_name="slot_rules")
    slot = models.CharField(max_length=40)
    time_zone = models.CharField(max_length=64, default="UTC")
    weekdays = models.JSONField(default=list, help_text="ISO numbers of the window's start; empty: every day.")
    windows = models.JSONField(default=list, help_text="Pairs of minutes from midnight.")
    holidays = models.CharField(max_length=20, blank=True, help_text="National calendar whose holidays it excludes.")
    is_rest = models.BooleanField(default=False, help_text="Holds whenever no other slot does.")
    source = models.ForeignKey(Source, on_delete=models.PROTECT)
    statement = models.ForeignKey(
        CalendarStatement, null=True, blank=True, on_delete=models.PROTECT, related_name="slot_rules"
    )
    effective_from = models.DateTimeField(null=True, blank=True)
    effective_until = models.DateTimeField(null=True, blank=True)
    precision = models.CharField(max_length=10, choices=PRECISION_CHOICES, default="unknown")
    observed_after = models.DateTimeField(null=True, blank=True)
    known_from = models.DateTimeField()
    known_until = models.DateTimeField(null=True, blank=True)
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(fields=["offering", "slot"]),
            models.Index(
                fields=["effective_from"],
                condition=Q(known_until__isnull=True, effective_from__isnull=False),
                name="slot_rule_beginnings",
            ),
            models.Index(
                fields=["effective_until"],
                condition=Q(known_until__isnull=True, effective_until__isnull=False),
                name="slot_rule_ends",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.slot} of {self.offering}"


class PricingChange(models.Model):
    """One thing that happened to one offering: the lines that moved together, old and new.

    A change of the calendar alone has no lines, since no amount moved: ``calendar`` has its hours, old and new.

    ``sequence`` rises in the order of commits, so that a reader with a cursor misses nothing.
    ``initial`` marks what was already so when its source was first loaded: history, not news.
    ``routed_from`` and ``routed_to`` tell where the offering's id leads to no more and where instead,
    an offering or an AI model each; both are empty where prices moved.
    """

    class Nature(models.TextChoices):
        MARKET = "market", "the market moved"
        CORRECTION = "correction", "the record was corrected"

    sequence = models.BigIntegerField(unique=True)
    offering = models.ForeignKey(Offering, on_delete=models.PROTECT, related_name="changes")
    kind = models.CharField(max_length=20)
    nature = models.CharField(max_length=10, choices=Nature.choices)
    headline = models.CharField(max_length=500)
    initial = models.BooleanField(default=False)
    backfilled = models.BooleanField(default=False, help_text="Read from an old document: history, never an alert.")
    source = models.ForeignKey(Source, null=True, on_delete=models.PROTECT, related_name="changes")
    refresh_id = models.BigIntegerField(null=True, help_text="The refresh that caused it.")
    decision = models.ForeignKey(Decision, null=True, on_delete=models.PROTECT, related_name="changes")
    effective_at = models.DateTimeField()
    observed_after = models.DateTimeField(null=True)
    precision = models.CharField(max_length=10, choices=PRECISION_CHOICES)
    announced_for = models.DateTimeField(null=True, help_text="The future moment that was announced, in UTC.")
    routed_from_offering = models.ForeignKey(
        Offering, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    routed_from_model = models.ForeignKey(
        AIModel, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    routed_to_offering = models.ForeignKey(
        Offering, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    routed_to_model = models.ForeignKey(AIModel, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    detected_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    calendar = models.JSONField(
        null=True, help_text="The hours of each slot before and after, where a calendar changed and no price did."
    )

    class Meta:
        ordering = ["-sequence"]
        indexes = [
            models.Index(fields=["offering", "sequence"]),
            models.Index(fields=["effective_at"]),
            models.Index(fields=["detected_at"]),
            models.Index(fields=["initial", "sequence"]),
        ]

    def __str__(self) -> str:
        return self.headline

    @property
    def is_route(self) -> bool:
        """Whether it tells of where the id leads, and not of prices."""
        return any((self.routed_from_offering_id, self.routed_from_model_id, *self.routed_to))

    @property
    def routed_to(self) -> tuple[int | None, int | None]:
        """The offering and the AI model where the id leads from then on; one of them, or neither."""
        return self.routed_to_offering_id, self.routed_to_model_id


class PricingChangeLine(models.Model):
    """One line of a change: what it was and what it became; empty where there was or is no price."""

    change = models.ForeignKey(PricingChange, on_delete=models.CASCADE, related_name="lines")
    line = models.ForeignKey(PriceLine, on_delete=models.PROTECT, related_name="change_lines")
    old = AmountField(null=True)
    new = AmountField(null=True)
    old_currency = models.CharField(max_length=10, blank=True)
    currency = models.CharField(max_length=10)
    percent = AmountField(null=True, help_text="Change in percent, two places; empty from or to zero or nothing.")

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.line}: {self.old} -> {self.new}"


class SettledTime(models.Model):
    """Up to when the ledger has told what took effect by time alone; one row."""

    until = models.DateTimeField(help_text="Every announced price that began or ended by then has its change, in UTC.")

    def __str__(self) -> str:
        return f"settled until {self.until:%Y-%m-%d %H:%M:%S} UTC"
