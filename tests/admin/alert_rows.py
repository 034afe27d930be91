"""Rows of the alerts app: a channel that works, one that fails, and what was sent to them."""

from __future__ import annotations

from django.utils import timezone

from accounts.models import User
from alerts.encryption import encrypted
from alerts.models import Attempt, Channel, Delivery, Notice, Watch
from pricing.models import PricingChange


def alert_rows(owner: User) -> None:
    """Two of each."""
    now = timezone.now()
    for place in (1, 2):
        channel = Channel.objects.create(
            owner=owner,
            kind="webhook",
            name=f"Ops room {place}",
            address=encrypted("https://receiver.example/hooks/hidden"),
            shown_address="https://receiver.example/…",
            verified_at=now,
            failing_since=now if place == 2 else None,
            last_error="answered 500" if place == 2 else "",
        )
        delivery = Delivery.objects.create(
            channel=channel,
            kind="change",
            subject=f"deepseek moved {place}",
            body={"type": "ping"},
            attempts_made=1,
            last_error="answered 500",
        )
        Attempt.objects.create(
            delivery=delivery, started_at=now, seconds=0.2, succeeded=False, status_code=500, error="answered 500"
        )
        watch = Watch.objects.create(owner=owner, name=f"deepseek {place}")
        change = PricingChange.objects.order_by("id").first()
        assert change is not None
        Notice.objects.create(change=change, watch=watch, channel=channel, due_at=now, delivery=delivery)
