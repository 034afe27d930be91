"""Addresses of this site that stand in messages, and the signed tokens within them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core import signing
from django.urls import reverse

VERIFICATION_LIFE = timedelta(days=3)
_VERIFICATION = "alerts.email-verification"
_UNSUBSCRIPTION = "alerts.unsubscription"


class BadToken(ValueError):
    """A link that this site did not make, or that has expired; the message says which."""


@dataclass(frozen=True)
class Proof:
    """What a verification link proves: that mail for this address was read, asked for at that moment."""

    channel_id: int
    address_digest: str
    asked_at: int


def address_digest(address: str) -> str:
    """Stands for an address in a link."""
    return hashlib.sha256(address.encode()).hexdigest()[:32]


def change_url(change_id: int) -> str:
    """Where a change is read."""
    return _absolute(reverse("api-change-detail", args=[change_id]))


def changes_url() -> str:
    """Where all changes are read."""
    return _absolute(reverse("api-change-list"))


def verification_url(channel_id: int, address: str, asked_at: datetime) -> str:
    """The link that proves an address; it ends with the address, with the next link, and after three days."""
    token = signing.dumps([channel_id, address_digest(address), int(asked_at.timestamp())], salt=_VERIFICATION)
    return _absolute(reverse("verify-channel", args=[token]))


def read_verification(token: str) -> Proof:
    """What the token of a verification link says. Raises BadToken."""
    channel_id, digest, asked_at = _read(token, _VERIFICATION, VERIFICATION_LIFE)
    return Proof(channel_id, digest, asked_at)


def unsubscription_url(channel_id: int, address: str) -> str:
    """The link that ends all messages to an address; it does not expire."""
    token = signing.dumps([channel_id, address_digest(address)], salt=_UNSUBSCRIPTION)
    return _absolute(reverse("unsubscribe-channel", args=[token]))


def read_unsubscription(token: str) -> tuple[int, str]:
    """Channel and address digest of an unsubscription link. Raises BadToken."""
    channel_id, digest = _read(token, _UNSUBSCRIPTION, None)
    return channel_id, digest


def _read(token: str, salt: str, life: timedelta | None) -> list[Any]:
    try:
        return list(signing.loads(token, salt=salt, max_age=life))
    except signing.SignatureExpired:
        raise BadToken("The link has expired; ask for a new one.") from None
    except signing.BadSignature:
        raise BadToken("The link is not complete, or not one of this site.") from None


def _absolute(path: str) -> str:
    return f"{settings.LINKS_BASE}{path}"
