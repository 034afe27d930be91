"""Finds the transport of an envelope."""

from __future__ import annotations

from datetime import datetime

from alerts.channels.apprise import transport as apprise
from alerts.channels.email import transport as email
from alerts.channels.envelopes import Envelope, Transport
from alerts.channels.webhook import transport as webhook
from alerts.retrying import Outcome
from tracker.outbound.client import Client

_TRANSPORTS: dict[str, Transport] = {"webhook": webhook.send, "email": email.send, "apprise": apprise.send}


def send(envelope: Envelope, moment: datetime, client: Client) -> Outcome:
    """Send an envelope by the way of its channel."""
    return _TRANSPORTS[envelope.channel_kind](envelope, moment, client)
