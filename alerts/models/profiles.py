"""What somebody uses in a month, and on what terms of their own."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone

from companies.models import Company
from pricing.models import Offering
from tracker.fields import AmountField


class UsageProfile(models.Model):
    """A month's usage of some offerings, priced at any moment as a bill."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="usage_profiles")
    name = models.CharField(max_length=100)
    currency = models.CharField(max_length=3, default="USD", help_text="The currency of the bill, as ISO 4217 code.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.name


class ProfileLine(models.Model):
    """So much of each meter in a month on one offering, under one set of terms."""

    profile = models.ForeignKey(UsageProfile, on_delete=models.CASCADE, related_name="lines")
    offering = models.ForeignKey(Offering, on_delete=models.PROTECT, related_name="profile_lines")
    service_tier = models.CharField(max_length=40, blank=True, default="", help_text="Empty: standard.")
    region = models.CharField(max_length=60, blank=True, default="")
    variant = models.CharField(max_length=120, blank=True, default="")
    commitment = models.CharField(max_length=60, blank=True, default="")
    usage = models.JSONField(help_text="Quantity of each usage key in a month, as decimal text.")
    requests = models.PositiveBigIntegerField(
        null=True,
        blank=True,
        help_text="How many calls the quantities are spread over; thresholds look at one call's input. "
        "Empty: not known, and no threshold counts as reached.",
    )
    slot = models.CharField(
        max_length=40,
        blank=True,
        default="",
        help_text="The calendar slot, such as peak, into which all of it falls. Empty: spread evenly over the hours.",
    )

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.offering} in {self.profile}"


class ProfileAdjustment(models.Model):
    """The buyer's own discount or commitment, for a seller, for one offering, or for all of the bill.

    A discount takes ``percent`` off what list prices give; of several that cover a line the most specific counts. A
    commitment is an amount a month that is paid in any case: usage counts against it.
    """

    class Kind(models.TextChoices):
        DISCOUNT = "discount", "discount"
        COMMITMENT = "commitment", "commitment"

    profile = models.ForeignKey(UsageProfile, on_delete=models.CASCADE, related_name="adjustments")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    seller = models.ForeignKey(Company, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    offering = models.ForeignKey(Offering, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    percent = AmountField(null=True, blank=True, help_text="Discounts: percent off, above 0 and at most 100.")
    amount = AmountField(null=True, blank=True, help_text="Commitments: amount a month in the bill's currency.")
    note = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of {self.profile}"

    def clean(self) -> None:
        """Refuse a discount without a percent, a commitment without an amount, and two scopes at once."""
        wrong = {}
        if self.seller_id is not None and self.offering_id is not None:
            wrong["offering"] = "name a seller or an offering, or neither for all of the bill"
        if self.kind == self.Kind.DISCOUNT:
            if self.amount is not None:
                wrong["amount"] = "a discount has a percent, and no amount"
            if self.percent is None or not 0 < self.percent <= 100:
                wrong["percent"] = "a discount takes more than 0 and at most 100 percent off"
        else:
            if self.percent is not None:
                wrong["percent"] = "a commitment has an amount, and no percent"
            if self.amount is None or self.amount <= 0:
                wrong["amount"] = "a commitment is an amount a month above 0"
        if wrong:
            raise ValidationError(wrong)
