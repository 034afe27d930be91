"""Encrypts what must be kept and must not be readable in a copy of the database: signing secrets and addresses."""

from __future__ import annotations

import base64
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

_PURPOSE = b"alerts: channel secrets and addresses"


class CannotDecrypt(ValueError):
    """The text was encrypted under a key that is neither SECRET_KEY nor one of SECRET_KEY_FALLBACKS."""


def encrypted(text: str) -> str:
    """The text under the current SECRET_KEY; nothing stays nothing."""
    return _box().encrypt(text.encode()).decode() if text else ""


def decrypted(token: str) -> str:
    """What was encrypted under SECRET_KEY or one of SECRET_KEY_FALLBACKS. Raises CannotDecrypt."""
    if not token:
        return ""
    try:
        return _box().decrypt(token.encode()).decode()
    except InvalidToken:
        raise CannotDecrypt(
            "encrypted under another SECRET_KEY; put the old one into SECRET_KEY_FALLBACKS, or enter the address anew"
        ) from None


def _box() -> MultiFernet:
    return _box_of((settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS))


@lru_cache(maxsize=4)
def _box_of(secrets: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(_key_from(secret)) for secret in secrets])


def _key_from(secret: str) -> bytes:
    """A key for this purpose alone: nobody who learns it can sign sessions with it."""
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(secret.encode())
    return base64.urlsafe_b64encode(derived)
