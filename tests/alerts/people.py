"""People with channels, watches and profiles, each made with what a test does not care about filled in."""

from __future__ import annotations

from decimal import Decimal
from itertools import count
from typing import Any

from django.utils import timezone

from accounts.models import User
from alerts.models import Channel, Notice, ProfileAdjustment, ProfileLine, UsageProfile, Watch
from pricing.models import Offering

_numbers = count(1)


def person(username: str = "ada", **values: Any) -> User:
    return User.objects.get_or_create(username=username, defaults=values)[0]


def channel(owner: User | None = None, name: str = "Ops room", **values: Any) -> Channel:
    address = f"https://hooks.example.org/{next(_numbers)}"
    defaults = {"kind": "webhook", "address": address, "shown_address": address, "verified_at": timezone.now()}
    return Channel.objects.create(owner=owner or person(), name=name, **{**defaults, **values})


def watch(owner: User | None = None, *channels: Channel, **values: Any) -> Watch:
    """A watch of somebody; without a channel it gets one. Lists name the companies, models and offerings."""
    owner = owner or person()
    named = {name: values.pop(name, []) for name in ("companies", "models", "offerings")}
    made = Watch.objects.create(owner=owner, name=values.pop("name", "prices"), **values)
    made.channels.set(channels or [channel(owner)])
    for name, rows in named.items():
        getattr(made, name).set(rows)
    return made


def profile(owner: User | None = None, name: str = "Production", **values: Any) -> UsageProfile:
    return UsageProfile.objects.create(owner=owner or person(), name=name, **values)


def used(of: UsageProfile, offering: Offering, usage: dict[str, Any], **values: Any) -> ProfileLine:
    return ProfileLine.objects.create(profile=of, offering=offering, usage=usage, **values)


def discount(of: UsageProfile, percent: str, **values: Any) -> ProfileAdjustment:
    return ProfileAdjustment.objects.create(profile=of, kind="discount", percent=Decimal(percent), **values)


def commitment(of: UsageProfile, amount: str, **values: Any) -> ProfileAdjustment:
    return ProfileAdjustment.objects.create(profile=of, kind="commitment", amount=Decimal(amount), **values)


def told(of: Watch) -> list[str]:
    """The headlines that a watch was told, in order."""
    return list(Notice.objects.filter(watch=of).order_by("id").values_list("change__headline", flat=True))
