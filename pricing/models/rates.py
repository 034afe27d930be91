"""Exchange rates as they were published: permanent, and dated on both axes."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from pricing.models.catalogue import Source
from tracker.fields import AmountField


class ExchangeRate(models.Model):
    """Units of ``currency`` for one unit of ``base`` on a day, as a source published them.

    Rows are never written again. A rate that is published anew for a day is another row; the one known last is
    believed.
    """

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="exchange_rates")
    base = models.CharField(max_length=3, default="EUR")
    currency = models.CharField(max_length=3, help_text="ISO 4217 code, such as USD.")
    day = models.DateField(help_text="The day that the rate is of.")
    rate = AmountField(help_text="Units of the currency for one unit of the base.")
    known_from = models.DateTimeField(help_text="When the reading was made that told it, in UTC.")
    refresh_id = models.BigIntegerField(null=True, blank=True, help_text="The refresh that read it.")
    recorded_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-day", "currency", "-known_from"]
        constraints = [
            models.UniqueConstraint(fields=["source", "currency", "day", "known_from"], name="exchange_rate_once"),
            models.CheckConstraint(condition=~Q(currency=models.F("base")), name="exchange_rate_of_another"),
        ]
        indexes = [models.Index(fields=["currency", "day"]), models.Index(fields=["source", "day"])]

    def __str__(self) -> str:
        return f"{self.rate.normalize():f} {self.currency} for 1 {self.base} on {self.day}"
