"""What somebody wants to hear about, how often, and on which channels."""

from __future__ import annotations

from django.conf import settings
from django.db import models as db
from django.utils import timezone

from alerts.models.channels import Channel
from alerts.models.profiles import UsageProfile
from companies.models import AIModel, Company
from pricing.models import Offering, PricingChange
from tracker.fields import AmountField


def newest_sequence() -> int:
    """The last change that has been written: a watch made now hears of later ones only."""
    return PricingChange.objects.aggregate(last=db.Max("sequence"))["last"] or 0


class Watch(db.Model):
    """Filters over pricing changes, or over a month's bill, and when to tell of what they catch.

    Filters of different kinds must all hold; of one kind, any. A filter left empty lets all pass.
    Companies match as seller or as the model's developer. With a ``bill`` threshold the watch
    fires on the bill of ``profile``, and its other filters are not asked.
    """

    class Cadence(db.TextChoices):
        INSTANT = "instant", "at once"
        DAILY = "daily", "daily digest"
        WEEKLY = "weekly", "weekly digest"

    class Direction(db.TextChoices):
        UP = "up", "up"
        DOWN = "down", "down"

    owner = db.ForeignKey(settings.AUTH_USER_MODEL, on_delete=db.CASCADE, related_name="watches")
    name = db.CharField(max_length=100)
    companies = db.ManyToManyField(Company, blank=True, related_name="+")
    models = db.ManyToManyField(AIModel, blank=True, related_name="+")
    offerings = db.ManyToManyField(Offering, blank=True, related_name="+")
    meters = db.JSONField(default=list, blank=True, help_text="Meters of moved lines.")
    kinds = db.JSONField(default=list, blank=True, help_text="Kinds of change.")
    nature = db.CharField(
        max_length=10, blank=True, default="market", choices=[("market", "market"), ("correction", "correction")]
    )
    direction = db.CharField(max_length=10, blank=True, choices=Direction.choices)
    min_percent = AmountField(null=True, blank=True, help_text="A line moved by at least so many percent, either way.")
    confirmed_only = db.BooleanField(default=False, help_text="Wait until a second source states the new price.")
    profile = db.ForeignKey(
        UsageProfile,
        null=True,
        blank=True,
        on_delete=db.RESTRICT,
        related_name="watches",
        help_text="Usage by which the money is told.",
    )
    bill_percent = AmountField(null=True, blank=True, help_text="Fire when the month's bill moves by so many percent.")
    bill_amount = AmountField(null=True, blank=True, help_text="Fire when the month's bill moves by so much.")
    told_bill = AmountField(null=True, blank=True, editable=False, help_text="The bill that was told last.")
    told_bill_at = db.DateTimeField(null=True, blank=True, editable=False)
    cadence = db.CharField(max_length=10, choices=Cadence.choices, default=Cadence.INSTANT)
    digest_hour = db.PositiveSmallIntegerField(default=8, help_text="Hour of digests in the owner's time zone.")
    digest_weekday = db.PositiveSmallIntegerField(default=1, help_text="ISO weekday of weekly digests; Monday is 1.")
    quiet_from = db.TimeField(null=True, blank=True, help_text="Quiet hours begin, in the owner's time zone.")
    quiet_until = db.TimeField(null=True, blank=True, help_text="Quiet hours end, in the owner's time zone.")
    paused_until = db.DateTimeField(null=True, blank=True, help_text="Nothing is told of what happens before it.")
    channels = db.ManyToManyField(Channel, blank=True, related_name="watches")
    after_sequence = db.BigIntegerField(
        default=newest_sequence, editable=False, help_text="Only changes after this one are told."
    )
    created_at = db.DateTimeField(default=timezone.now, editable=False)
    updated_at = db.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "watches"
        ordering = ["id"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_on_bill(self) -> bool:
        """Whether it watches a month's bill and not single changes."""
        return self.bill_percent is not None or self.bill_amount is not None
