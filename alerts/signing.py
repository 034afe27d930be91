"""Signs webhooks by the Standard Webhooks 1.0 specification (standard-webhooks/spec/standard-webhooks.md)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

SECRET_PREFIX = "whsec_"  # noqa: S105 - how a secret begins, by the specification
SHORTEST_KEY = 24
LONGEST_KEY = 64
NEW_KEY = 32
# How long the secret before a rotation goes on signing beside the new one.
ROTATION_OVERLAP = timedelta(hours=24)
_VERSION = "v1"


class BadSecret(ValueError):
    """A signing secret that is not ``whsec_`` and the base64 of 24 to 64 bytes. The message never repeats it."""


@dataclass(frozen=True)
class SigningSecrets:
    """The secret of a channel, and while a rotation is young the one before it."""

    current: str
    previous: str = ""
    previous_expires_at: datetime | None = None

    def valid_at(self, moment: datetime) -> Sequence[str]:
        """The secrets that sign at that moment, the current one first."""
        overlaps = self.previous and self.previous_expires_at is not None and moment < self.previous_expires_at
        return [self.current, self.previous] if overlaps else [self.current]


def new_secret() -> str:
    """A fresh random secret as receivers are given it."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(NEW_KEY)).decode()


def key_of(secret: str) -> bytes:
    """The key within a secret. Raises BadSecret."""
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(SECRET_PREFIX) or not SHORTEST_KEY <= len(key) <= LONGEST_KEY:
        right = f"{SECRET_PREFIX} and the base64 of {SHORTEST_KEY} to {LONGEST_KEY} bytes"
        raise BadSecret(f"a signing secret must be {right}")
    return key


def signature(secret: str, message_id: str, timestamp: int, content: bytes) -> str:
    """``v1,`` and the base64 of HMAC-SHA256 over id, timestamp and content, joined by dots. Raises BadSecret."""
    signed = f"{message_id}.{timestamp}.".encode() + content
    digest = hmac.new(key_of(secret), signed, hashlib.sha256).digest()
    return f"{_VERSION},{base64.b64encode(digest).decode()}"


def signed_headers(secrets_valid: Iterable[str], message_id: str, moment: datetime, content: bytes) -> dict[str, str]:
    """The three headers of one attempt at ``moment`` to send exactly ``content``. Raises BadSecret."""
    timestamp = int(moment.timestamp())
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(signature(each, message_id, timestamp, content) for each in secrets_valid),
    }
