"""Where a seller routes the ids that it sells: what was said of it, and what is believed."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Q

from companies.models import PRECISION_CHOICES, AIModel, Company
from pricing.models.catalogue import Offering, Reference, Source
from pricing.models.evidence import Decision
from pricing.models.record import PostgresOnlyExclusion, TimeRange

_ONE_TARGET = Q(target_offering__isnull=False, target_model__isnull=True) | Q(
    target_offering__isnull=True, target_model__isnull=False
)


class RouteStatement(models.Model):
    """One run of one source saying where one id leads: to another offering of its seller, or to an AI model.

    The columns mean what they mean in ``Statement``.
    """

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="route_statements")
    reference = models.ForeignKey(
        Reference, null=True, blank=True, on_delete=models.PROTECT, related_name="route_statements"
    )
    offering = models.ForeignKey(Offering, on_delete=models.PROTECT, related_name="route_statements")
    target_offering = models.ForeignKey(
        Offering, null=True, blank=True, on_delete=models.PROTECT, related_name="said_to_be_routed_here"
    )
    target_model = models.ForeignKey(
        AIModel, null=True, blank=True, on_delete=models.PROTECT, related_name="said_to_be_routed_here"
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
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="route_statements"
    )
    citation_url = models.URLField(max_length=1000, blank=True)
    citation_title = models.CharField(max_length=500, blank=True)
    note = models.TextField(blank=True)
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["offering", "source"]), models.Index(fields=["source", "ended_at"])]
        constraints = [models.CheckConstraint(condition=_ONE_TARGET, name="route_has_one_target")]

    def __str__(self) -> str:
        return f"{self.source}: {self.offering} to {self.target_offering or self.target_model}"


class Alias(models.Model):
    """A model id that a seller routes to a target for an interval, on both time axes.

    ``offering`` is the id that is routed, whose own prices come first. Only ``known_until`` is ever
    written again, once.
    """

    offering = models.ForeignKey(Offering, on_delete=models.PROTECT, related_name="aliases")
    seller = models.ForeignKey(Company, on_delete=models.PROTECT, related_name="model_aliases")
    external_id = models.CharField(max_length=500)
    target_offering = models.ForeignKey(
        Offering, null=True, blank=True, on_delete=models.PROTECT, related_name="routed_here"
    )
    target_model = models.ForeignKey(
        AIModel, null=True, blank=True, on_delete=models.PROTECT, related_name="routed_here"
    )
    effective_from = models.DateTimeField(null=True, blank=True)
    effective_until = models.DateTimeField(null=True, blank=True)
    precision = models.CharField(max_length=10, choices=PRECISION_CHOICES, default="observed")
    observed_after = models.DateTimeField(null=True, blank=True)
    known_from = models.DateTimeField()
    known_until = models.DateTimeField(null=True, blank=True)
    recorded_at = models.DateTimeField(auto_now_add=True)
    source = models.ForeignKey(Source, on_delete=models.PROTECT)
    statement = models.ForeignKey(RouteStatement, null=True, on_delete=models.PROTECT, related_name="aliases")
    decision = models.ForeignKey(Decision, null=True, on_delete=models.PROTECT, related_name="aliases")
    citation_url = models.URLField(max_length=1000, blank=True)

    class Meta:
        verbose_name_plural = "aliases"
        indexes = [
            models.Index(fields=["seller", "external_id"]),
            models.Index(fields=["effective_from"], condition=Q(known_until__isnull=True), name="alias_beginnings"),
            models.Index(fields=["effective_until"], condition=Q(known_until__isnull=True), name="alias_ends"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(target_offering__isnull=False) | Q(target_model__isnull=False), name="alias_has_target"
            ),
            models.CheckConstraint(
                condition=Q(effective_until__isnull=True)
                | Q(effective_from__isnull=True)
                | Q(effective_until__gt=F("effective_from")),
                name="alias_effective_order",
            ),
            PostgresOnlyExclusion(
                name="alias_no_overlap",
                expressions=[
                    ("offering", RangeOperators.EQUAL),
                    (TimeRange("effective_from", "effective_until"), RangeOperators.OVERLAPS),
                    (TimeRange("known_from", "known_until"), RangeOperators.OVERLAPS),
                ],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.external_id} at {self.seller}"
