"""Small functions that write channels, watches, notices and deliveries, and let time pass for them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import F
from django.utils import timezone

from accounts.models import User
from alerts.encryption import decrypted, encrypted
from alerts.models import Attempt, Channel, Delivery, Notice, Watch
from alerts.signing import new_secret
from pricing.models import PricingChange
from tests.api import factories as make


def owner(username: str = "olga", **values: Any) -> User:
    return User.objects.get_or_create(username=username, defaults=values)[0]


def webhook(url: str = "https://receiver.example/hook", **values: Any) -> Channel:
    """A webhook that is proved, unless ``verified_at`` says otherwise."""
    values.setdefault("owner", owner())
    values.setdefault("name", "Ops room")
    values.setdefault("verified_at", timezone.now())
    return Channel.objects.create(
        kind="webhook", address=encrypted(url), shown_address="shown", secret=encrypted(new_secret()), **values
    )


def mailbox(address: str = "ops@example.org", **values: Any) -> Channel:
    values.setdefault("owner", owner())
    values.setdefault("name", "Ops mail")
    values.setdefault("verified_at", timezone.now())
    return Channel.objects.create(kind="email", address=address, shown_address=address, **values)


def chat(address: str, **values: Any) -> Channel:
    values.setdefault("owner", owner())
    values.setdefault("name", "Chat")
    values.setdefault("verified_at", timezone.now())
    return Channel.objects.create(kind="apprise", address=encrypted(address), shown_address="chat", **values)


def secret_of(channel: Channel) -> str:
    channel.refresh_from_db()
    return decrypted(channel.secret)


def watch(name: str = "All prices", **values: Any) -> Watch:
    values.setdefault("owner", owner())
    return Watch.objects.create(name=name, **values)


def change(headline: str = "GPT: input 1 -> 2 USD per 1M tokens, +100.00%", **values: Any) -> PricingChange:
    """A change of an offering of its own, unless ``of`` is the price line that moved."""
    line = values.pop("of", None)
    if line is None:
        seller = values.pop("seller", None) or make.company()
        line = make.line(make.offering(f"model-{PricingChange.objects.count()}", seller=seller))
    return make.change(line, values.pop("old", "1"), values.pop("new", "2"), headline=headline, **values)


def notice(
    of: PricingChange | None = None, to: Channel | None = None, by: Watch | None = None, **values: Any
) -> Notice:
    values.setdefault("due_at", timezone.now())
    return Notice.objects.create(change=of or change(), channel=to or webhook(), watch=by or watch(), **values)


def delivery(to: Channel, headline: str = "A price moved", **values: Any) -> Delivery:
    values.setdefault("kind", "change")
    values.setdefault("body", {"type": "ping", "timestamp": "2026-05-01T00:00:00Z", "data": {"text": headline}})
    return Delivery.objects.create(channel=to, subject=headline, **values)


def let_pass(time: timedelta) -> None:
    """Let time pass: everything that was written lies so much further back."""
    Delivery.objects.update(next_attempt_at=F("next_attempt_at") - time, created_at=F("created_at") - time)
    Delivery.objects.filter(locked_until__isnull=False).update(locked_until=F("locked_until") - time)
    Delivery.objects.filter(finished_at__isnull=False).update(finished_at=F("finished_at") - time)
    Channel.objects.filter(failing_since__isnull=False).update(failing_since=F("failing_since") - time)
    Channel.objects.filter(previous_secret_expires_at__isnull=False).update(
        previous_secret_expires_at=F("previous_secret_expires_at") - time
    )
    Attempt.objects.update(started_at=F("started_at") - time)
