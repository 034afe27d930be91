"""What a transport is given, and what it gives back: plain values, so that threads need no database."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from alerts.retrying import Outcome
from alerts.signing import SigningSecrets
from tracker.outbound.client import Client

PING = "ping"


@dataclass(frozen=True)
class Envelope:
    """One message on its way to one address, decrypted. Its text forms never show address or secrets."""

    delivery_id: int
    channel_id: int
    message_id: str
    kind: str
    subject: str
    body: Mapping[str, Any]
    channel_kind: str
    address: str = field(repr=False)
    secrets: SigningSecrets | None = field(default=None, repr=False)
    # Of an email address that is not verified yet: when the proof was asked for. Its ping is the question.
    verification_sent_at: datetime | None = None


# Sends one envelope at a moment, by a client for HTTP. Raises nothing that it can foresee.
Transport = Callable[[Envelope, datetime, Client], Outcome]
