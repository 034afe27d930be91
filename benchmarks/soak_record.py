"""The soak's rows: its channels and changes, and what became of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta
from itertools import pairwise
from typing import Any
from urllib.parse import quote

from django.db import transaction
from django.db.models import Max, Q
from django.utils import timezone

from accounts.models import User
from alerts.encryption import decrypted, encrypted
from alerts.models import Attempt, Channel, Delivery, FanOut, Notice, Watch
from alerts.signing import new_secret
from alerts.tasks import look_now
from companies.models import Company
from pricing.locks import lock_ledger
from pricing.models import Offering, PriceLine, PricingChange, PricingChangeLine

# What became due just now, or was held by a worker that was killed, is not late yet.
_LEASE_AND_A_TICK = timedelta(seconds=70)
_NOBODY = "http://10.255.255.1/refused/x"


def add_channels(kinds: Mapping[str, int], address: str, untrusted: str) -> list[Channel]:
    """So many channels of each kind, with a secret of their own that the receiver finds in the path.

    They belong to one watch, which catches everything. ``untrusted`` shows a certificate that nobody vouches for.
    """
    owner = User.objects.create(username="soak")
    addresses = {"refused": _NOBODY, "self-signed": f"{untrusted}/self-signed/x"}
    channels = [
        _channel(owner, kind, number, addresses.get(kind) or f"{address}/{kind}")
        for kind, count in kinds.items()
        for number in range(count)
    ]
    Watch.objects.create(owner=owner, name="everything").channels.set(channels)
    return channels


def _channel(owner: User, kind: str, number: int, address: str) -> Channel:
    secret = new_secret()
    url = address if kind in ("refused", "self-signed") else f"{address}/{quote(secret, safe='')}"
    if kind == "tls":
        url = url.replace("http://", "https://")
    elif kind == "apprise":
        url = url.replace("http://", "json://")
    return Channel.objects.create(
        owner=owner,
        kind="apprise" if kind == "apprise" else "webhook",
        name=f"{kind} {number}",
        address=encrypted(url),
        shown_address=kind,
        secret=encrypted(secret),
        verified_at=timezone.now(),
    )


def add_change() -> None:
    """A change as the ledger would write it, with the word to the workers that follows its commit."""
    line, now = _line(), timezone.now()
    with transaction.atomic():
        lock_ledger()
        sequence = (PricingChange.objects.aggregate(last=Max("sequence"))["last"] or 0) + 1
        change = PricingChange.objects.create(
            sequence=sequence,
            offering=line.offering,
            kind="increase",
            nature="market",
            headline=f"Soak: input 1 -> 2 USD per 1M tokens, change {sequence}",
            effective_at=now,
            detected_at=now,
            recorded_at=now,
            precision="observed",
        )
        PricingChangeLine.objects.create(change=change, line=line, old=1, new=2, percent=100, currency="USD")
    look_now()


def _line() -> PriceLine:
    line = PriceLine.objects.first()
    if line is not None:
        return line
    seller = Company.objects.create(slug="soak", name="Soak", kind="lab")
    offering = Offering.objects.create(seller=seller, external_id="soak", identity_key="soak", name="Soak")
    return PriceLine.objects.create(offering=offering, meter="input_tokens")


def left_to_do() -> dict[str, int]:
    """What the workers still have to do now; empty when all is done, given up, or waits for its time."""
    now = timezone.now()
    counts = {
        "changes": PricingChange.objects.filter(sequence__gt=_fanned_out()).count(),
        "notices": Notice.objects.filter(delivery__isnull=True, dropped=False).count(),
        "due": _waiting().filter(next_attempt_at__lte=now).exclude(_held_back()).count(),
    }
    return {name: count for name, count in counts.items() if count}


def _fanned_out() -> int:
    """The last change that the workers have matched."""
    return FanOut.objects.values_list("last_sequence", flat=True).first() or 0


def _waiting() -> Any:
    return Delivery.objects.filter(status="waiting")


def _held_back() -> Q:
    """Messages behind one that is to come first: they wait for its time."""
    failing = Channel.objects.filter(failing_since__isnull=False).values("pk")
    return Q(channel__in=failing, attempts_made=0)


def fate() -> dict[str, Any]:
    """What became of all messages."""
    now = timezone.now()
    deliveries = Delivery.objects.all()
    due = _waiting().filter(next_attempt_at__lte=now - _LEASE_AND_A_TICK).exclude(_held_back())
    return {
        "messages": deliveries.count(),
        **{status: deliveries.filter(status=status).count() for status in ("delivered", "dead", "waiting")},
        "notices_without_message": Notice.objects.filter(delivery__isnull=True, dropped=False).count(),
        "notices_dropped": Notice.objects.filter(dropped=True).count(),
        "due_but_not_sent": due.count(),
        "attempts": Attempt.objects.count(),
    }


def changes_without_notice(kinds: Collection[str], changes: int) -> int:
    """How many changes lack a notice for a receiver that takes everything, or have two."""
    there = Channel.objects.filter(shown_address__in=kinds).count()
    told = Notice.objects.filter(channel__shown_address__in=kinds).values("change", "channel").distinct().count()
    return changes * there - told + Notice.objects.filter(channel__shown_address__in=kinds).count() - told


def delivered_ids(kinds: Collection[str]) -> set[str]:
    """Message ids that we hold for delivered to receivers of some kinds, as the receivers' log names them."""
    rows = Delivery.objects.filter(status="delivered", channel__shown_address__in=kinds).select_related("channel")
    return {
        f"{decrypted(row.channel.secret)} {row.subject}" if row.channel.kind == "apprise" else row.message_id
        for row in rows.defer("body")
    }


def not_delivered(kinds: Collection[str]) -> int:
    """Messages to receivers that take everything which did not arrive."""
    return Delivery.objects.filter(channel__shown_address__in=kinds).exclude(status="delivered").count()


def out_of_order(first_arrivals: Mapping[str, float]) -> int:
    """How often a message to a good receiver came first after a later one of its channel."""
    count = 0
    for channel in Channel.objects.filter(shown_address="good"):
        ids = channel.deliveries.order_by("id").values_list("message_id", flat=True)
        moments = [first_arrivals[each] for each in ids if each in first_arrivals]
        count += sum(later < earlier for earlier, later in pairwise(moments))
    return count
