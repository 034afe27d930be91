"""Makes envelopes of deliveries: what a transport needs, decrypted."""

from __future__ import annotations

from alerts.channels.envelopes import Envelope
from alerts.encryption import decrypted
from alerts.models import Channel, Delivery
from alerts.signing import SigningSecrets


def envelope_of(delivery: Delivery) -> Envelope:
    """The envelope of a delivery whose channel is joined. Raises CannotDecrypt."""
    channel = delivery.channel
    is_unproved_email = channel.kind == Channel.Kind.EMAIL and channel.verified_at is None
    return Envelope(
        delivery_id=delivery.pk,
        channel_id=channel.pk,
        message_id=delivery.message_id,
        kind=delivery.kind,
        subject=delivery.subject,
        body=delivery.body,
        channel_kind=channel.kind,
        address=address_of(channel),
        secrets=_secrets_of(channel),
        verification_sent_at=(channel.verification_sent_at or channel.created_at) if is_unproved_email else None,
    )


def address_of(channel: Channel) -> str:
    """The address in clear. Raises CannotDecrypt."""
    return channel.address if channel.kind == Channel.Kind.EMAIL else decrypted(channel.address)


def _secrets_of(channel: Channel) -> SigningSecrets | None:
    if not channel.secret:
        return None
    return SigningSecrets(
        decrypted(channel.secret), decrypted(channel.previous_secret), channel.previous_secret_expires_at
    )
