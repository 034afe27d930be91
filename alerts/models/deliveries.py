"""What is to be told and was told: notices of changes, the messages that carry them, and every attempt."""

from __future__ import annotations

import secrets

from django.db import models
from django.utils import timezone

from alerts.models.channels import Channel
from alerts.models.watches import Watch
from pricing.models import PricingChange


def new_message_id() -> str:
    """An id that stays with a message over all attempts; receivers tell duplicates by it."""
    return f"msg_{secrets.token_urlsafe(18)}"


class FanOut(models.Model):
    """How far the stream of changes has been matched against the watches; one row, claimed by lease."""

    last_sequence = models.BigIntegerField(default=0)
    bills_sequence = models.BigIntegerField(default=0, help_text="Watches on bills have looked at changes up to it.")
    bills_until = models.DateTimeField(
        default=timezone.now, help_text="And at prices that began or ended until then without a change."
    )
    record_version = models.CharField(
        max_length=500, blank=True, help_text="The record's version at which waiting changes were last looked at."
    )
    owner = models.CharField(max_length=200, blank=True)
    locked_until = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"matched up to {self.last_sequence}"


class Delivery(models.Model):
    """One message to one channel: what it says is fixed when it is composed, and sent until it arrives.

    A worker owns the row while ``locked_until`` lies ahead. The ids order the messages of a
    channel: while an earlier one has failed less than three times, later ones of that channel wait.
    """

    class Status(models.TextChoices):
        WAITING = "waiting", "waiting"
        DELIVERED = "delivered", "delivered"
        DEAD = "dead", "given up"
        CANCELLED = "cancelled", "cancelled"

    class Kind(models.TextChoices):
        CHANGE = "change", "one change"
        BULK = "bulk", "many changes of one cause"
        DIGEST = "digest", "digest"
        BILL = "bill", "bill"
        SYSTEM = "system", "about the alerts themselves"
        PING = "ping", "test"

    message_id = models.CharField(max_length=60, unique=True, default=new_message_id, editable=False)
    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="deliveries")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    subject = models.CharField(max_length=500)
    body = models.JSONField(help_text="type, timestamp and data, as a webhook sends them.")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.WAITING)
    attempts_made = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(default=timezone.now)
    last_error = models.CharField(max_length=500, blank=True)
    owner = models.CharField(max_length=200, blank=True, editable=False)
    locked_until = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "deliveries"
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["next_attempt_at"], condition=models.Q(status="waiting"), name="delivery_due"),
            models.Index(fields=["channel", "status", "id"]),
            models.Index(fields=["finished_at"]),
        ]

    def __str__(self) -> str:
        return self.subject


class Notice(models.Model):
    """A change that a watch caught, for one channel; told by ``delivery`` once a message carries it.

    ``money`` is what the change means for the watch's usage profile: the month's bill before and
    after, in the profile's currency. A watch on a bill has ``bill_at``, since one change can move a bill
    more than once: when it is written, when it takes effect, and when it ends.
    """

    change = models.ForeignKey(PricingChange, on_delete=models.PROTECT, related_name="notices")
    watch = models.ForeignKey(Watch, on_delete=models.CASCADE, related_name="notices")
    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="notices")
    due_at = models.DateTimeField(help_text="When it is to be told: at once, after quiet hours, or by a digest.")
    money = models.JSONField(null=True, blank=True)
    bill_at = models.DateTimeField(null=True, blank=True, help_text="Watches on a bill: the moment of the new bill.")
    # With its message a notice goes too: one without a message is still to be told.
    delivery = models.ForeignKey(Delivery, null=True, blank=True, on_delete=models.CASCADE, related_name="notices")
    dropped = models.BooleanField(default=False, help_text="Not told: paused, disabled, or overtaken.")
    dropped_reason = models.CharField(max_length=200, blank=True, help_text="Why it was not told.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["change", "watch", "channel"], condition=models.Q(bill_at__isnull=True), name="notice_once"
            ),
            models.UniqueConstraint(
                fields=["watch", "channel", "bill_at"], condition=models.Q(bill_at__isnull=False), name="bill_once"
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"], condition=models.Q(delivery__isnull=True, dropped=False), name="notice_due"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.change} for {self.watch}"


class Awaited(models.Model):
    """A change that a watch caught but for a second source that confirms it; it waits no longer than ``until``."""

    watch = models.ForeignKey(Watch, on_delete=models.CASCADE, related_name="awaited")
    change = models.ForeignKey(PricingChange, on_delete=models.PROTECT, related_name="+")
    until = models.DateTimeField()

    class Meta:
        verbose_name = "change awaiting confirmation"
        verbose_name_plural = "changes awaiting confirmation"
        constraints = [models.UniqueConstraint(fields=["watch", "change"], name="awaited_once")]
        indexes = [models.Index(fields=["until"])]

    def __str__(self) -> str:
        return f"{self.change} for {self.watch}"


class Attempt(models.Model):
    """One try to hand a message over, and what came of it."""

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="attempts")
    started_at = models.DateTimeField()
    seconds = models.FloatField()
    status_code = models.PositiveIntegerField(null=True, blank=True)
    succeeded = models.BooleanField()
    answer = models.CharField(max_length=500, blank=True, help_text="The start of the answer.")
    error = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["delivery", "started_at"]
        indexes = [models.Index(fields=["started_at"])]

    def __str__(self) -> str:
        return f"{self.delivery} at {self.started_at:%Y-%m-%d %H:%M:%S} UTC"
