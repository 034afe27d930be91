"""What owners do with their channels: make, change, prove, test and disable them, and rotate their secrets."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from alerts.bodies import ping_letter
from alerts.channels.addresses import BadAddress
from alerts.channels.apprise import addresses as apprise
from alerts.channels.email import addresses as email
from alerts.channels.webhook import addresses as webhook
from alerts.disabling import disable
from alerts.encryption import encrypted
from alerts.links import BadToken, address_digest, read_unsubscription, read_verification
from alerts.models import Channel, Delivery
from alerts.signing import ROTATION_OVERLAP, new_secret
from alerts.tasks import send_now
from tracker.api.moments import moment_text

# Somebody else may get the question whether an address is theirs: not more often than this.
ASKED_EVERY = timedelta(minutes=5)
Kind = Channel.Kind


class TooManyChannels(ValueError):
    """The owner has as many channels as one may have."""


class TooSoon(ValueError):
    """The test was asked for a moment ago; ``wait`` is how many seconds it should wait."""

    def __init__(self, wait: float) -> None:
        super().__init__(f"asked for a moment ago; try again in {wait:.0f} s")
        self.wait = wait


class NotAWebhook(ValueError):
    """Only webhooks are signed."""


def checked_address(kind: str, address: str) -> str:
    """The address as that kind keeps it. Raises BadAddress."""
    if kind == Kind.WEBHOOK:
        return webhook.checked(address)
    return email.checked(address) if kind == Kind.EMAIL else apprise.checked(address)


@transaction.atomic
def create_channel(owner: User, *, kind: str, name: str, address: str) -> tuple[Channel, str]:
    """Make a channel and send the ping that proves it; returns it with its signing secret, shown this once.

    ``address`` is as ``checked_address`` gives it. Only webhooks have a secret. Raises TooManyChannels.
    """
    if Channel.objects.select_for_update().filter(owner=owner).count() >= settings.ALERTS_CHANNELS_PER_USER:
        raise TooManyChannels(f"there are {settings.ALERTS_CHANNELS_PER_USER} channels already; delete one first")
    secret = new_secret() if kind == Kind.WEBHOOK else ""
    channel = Channel(owner=owner, kind=kind, name=name, secret=encrypted(secret))
    _set_address(channel, address)
    channel.save()
    ping(channel)
    return channel, secret


@transaction.atomic
def change_address(channel: Channel, address: str) -> None:
    """Point a channel elsewhere, as ``checked_address`` gives it; messages wait until the new address is proved."""
    _set_address(channel, address)
    channel.verified_at, channel.failing_since, channel.last_error = None, None, ""
    channel.save()
    _tests_of(channel).update(status=Delivery.Status.CANCELLED, finished_at=timezone.now())
    ping(channel)


def ping(channel: Channel, now: datetime | None = None) -> Delivery:
    """Send a test; to an email address that is not proved it is the question whether it is theirs."""
    now = now or timezone.now()
    if channel.verified_at is None:
        channel.verification_sent_at = now
        channel.save(update_fields=["verification_sent_at", "updated_at"])
    letter = ping_letter(channel.pk, str(moment_text(now)))
    transaction.on_commit(send_now)
    return Delivery.objects.create(
        channel=channel, kind=Delivery.Kind.PING, subject=letter.subject, body=letter.body, next_attempt_at=now
    )


@transaction.atomic
def test_channel(channel: Channel, now: datetime | None = None) -> Delivery:
    """Send another test. Raises TooSoon while one is under way, or a question was mailed a moment ago."""
    now = now or timezone.now()
    Channel.objects.select_for_update().get(pk=channel.pk)
    if channel.kind == Kind.EMAIL and channel.verified_at is None and channel.verification_sent_at is not None:
        since = now - channel.verification_sent_at
        if since < ASKED_EVERY:
            raise TooSoon((ASKED_EVERY - since).total_seconds())
    if _tests_of(channel).exists():
        raise TooSoon(ASKED_EVERY.total_seconds() / 60)
    return ping(channel, now)


def rotate_secret(channel: Channel, now: datetime | None = None) -> str:
    """Give a webhook a new secret, shown this once; the old one signs beside it for 24 hours. Raises NotAWebhook."""
    if channel.kind != Kind.WEBHOOK:
        raise NotAWebhook(f"{channel.name} is no webhook: only webhooks are signed")
    now = now or timezone.now()
    secret = new_secret()
    channel.previous_secret, channel.previous_secret_expires_at = channel.secret, now + ROTATION_OVERLAP
    channel.secret = encrypted(secret)
    channel.save(update_fields=["secret", "previous_secret", "previous_secret_expires_at", "updated_at"])
    return secret


def channel_to_verify(token: str) -> Channel:
    """The channel that a verification link would prove. Raises BadToken, also for a link that a later one replaced."""
    proof = read_verification(token)
    channel = Channel.objects.filter(pk=proof.channel_id, kind=Kind.EMAIL).first()
    asked_at = channel.verification_sent_at if channel else None
    is_last = asked_at is not None and int(asked_at.timestamp()) == proof.asked_at
    if channel is None or not is_last or address_digest(channel.address) != proof.address_digest:
        raise BadToken("The link is of no use any more; ask for a new one.")
    return channel


def verify(token: str) -> Channel:
    """Prove the address of a verification link. Raises BadToken."""
    channel = channel_to_verify(token)
    unproved = Channel.objects.filter(pk=channel.pk, verified_at__isnull=True)
    unproved.update(verified_at=timezone.now(), last_error="")
    return channel


def channel_to_leave(token: str) -> Channel | None:
    """The channel that an unsubscription link speaks of, None when it is gone. Raises BadToken."""
    channel_id, digest = read_unsubscription(token)
    channel = Channel.objects.filter(pk=channel_id, kind=Kind.EMAIL).first()
    return channel if channel is not None and address_digest(channel.address) == digest else None


@transaction.atomic
def unsubscribe(token: str) -> None:
    """Stop the messages to an address; its owner has to prove it anew to start them again. Raises BadToken."""
    channel = channel_to_leave(token)
    if channel is None or channel.disabled_at is not None:
        return
    channel.verified_at, channel.verification_sent_at = None, None
    channel.save(update_fields=["verified_at", "verification_sent_at", "updated_at"])
    disable(channel, "Its reader unsubscribed.", tell=False)


def _set_address(channel: Channel, address: str) -> None:
    if channel.kind == Kind.EMAIL:
        channel.address = channel.shown_address = address
    else:
        channel.address = encrypted(address)
        channel.shown_address = webhook.shown(address) if channel.kind == Kind.WEBHOOK else apprise.shown(address)


def _tests_of(channel: Channel) -> Any:
    """The tests that are still to be sent."""
    return Delivery.objects.filter(channel=channel, kind=Delivery.Kind.PING, status=Delivery.Status.WAITING)


__all__ = [
    "BadAddress", "BadToken", "NotAWebhook", "TooManyChannels", "TooSoon", "change_address", "channel_to_leave",
    "channel_to_verify", "checked_address", "create_channel", "ping", "rotate_secret", "test_channel", "unsubscribe",
    "verify",
]  # fmt: skip
