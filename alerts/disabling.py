"""Takes a channel out of use, and tells its owner by another way."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from alerts.bodies import disabled_letter
from alerts.models import Channel, Delivery
from tracker.api.moments import moment_text

_ACCOUNT_CHANNEL = "Email of the account"
_REASON_LENGTH = 500


def disable(channel: Channel, reason: str, now: datetime | None = None, *, tell: bool = True) -> None:
    """Stop a channel. What waits for it becomes a dead letter, which can be sent again once it is enabled.

    Unless ``tell`` is false (its owner did it), the owner is told by another channel of theirs that works, else by the
    verified email of their account; ``owner_told_at`` stays empty where there is neither, for the admin to see.
    """
    now = now or timezone.now()
    channel.disabled_at, channel.disabled_reason = now, reason[:_REASON_LENGTH]
    channel.owner_told_at = now if not tell or _tell_owner(channel, now) else None
    channel.save(update_fields=["disabled_at", "disabled_reason", "owner_told_at", "updated_at"])
    waiting = Delivery.objects.filter(channel=channel, status=Delivery.Status.WAITING)
    waiting.update(
        status=Delivery.Status.DEAD,
        last_error=f"The channel was disabled: {reason}"[:_REASON_LENGTH],
        finished_at=now,
        owner="",
        locked_until=None,
    )


def enable(channel: Channel) -> None:
    """Use a channel again; what it missed is sent when it is asked for."""
    channel.disabled_at, channel.disabled_reason = None, ""
    channel.failing_since, channel.owner_told_at, channel.last_error = None, None, ""
    channel.save(
        update_fields=[
            "disabled_at",
            "disabled_reason",
            "failing_since",
            "owner_told_at",
            "last_error",
            "updated_at",
        ]
    )


def _tell_owner(channel: Channel, now: datetime) -> bool:
    other = _working_channel(channel) or _account_channel(channel, now)
    if other is None:
        return False
    letter = disabled_letter(
        channel.pk, channel.name, channel.shown_address, channel.disabled_reason, str(moment_text(now))
    )
    Delivery.objects.create(
        channel=other, kind=Delivery.Kind.SYSTEM, subject=letter.subject, body=letter.body, next_attempt_at=now
    )
    return True


def _working_channel(channel: Channel) -> Channel | None:
    """The owner's other channel that is likeliest to reach a person: one that does not fail, email first."""
    others = Channel.objects.filter(owner=channel.owner_id, verified_at__isnull=False, disabled_at__isnull=True)
    healthy = others.filter(failing_since__isnull=True).exclude(pk=channel.pk)
    return healthy.filter(kind=Channel.Kind.EMAIL).first() or healthy.first()


def _account_channel(channel: Channel, now: datetime) -> Channel | None:
    """A channel to the verified email of the owner's account, unless that is the very address that failed."""
    owner = channel.owner
    if owner.email_verified_at is None or not owner.email:
        return None
    if Channel.objects.filter(owner=owner, kind=Channel.Kind.EMAIL, address=owner.email).exists():
        return None
    return Channel.objects.create(
        owner=owner,
        kind=Channel.Kind.EMAIL,
        name=_ACCOUNT_CHANNEL,
        address=owner.email,
        shown_address=owner.email,
        verified_at=owner.email_verified_at,
        created_at=now,
    )
