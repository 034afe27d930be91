"""The user, and the API tokens that act for one."""

from __future__ import annotations

import hashlib
import secrets
import zoneinfo
from datetime import datetime

from django.contrib.auth.models import AbstractUser
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone

TOKEN_PREFIX = "amt_"  # noqa: S105 - how a token begins, so that scanners recognise one
SCOPES = {
    "read": "read the record",
    "write": "edit the record",
    "alerts": "manage own watches and channels",
}


def validate_time_zone(name: str) -> None:
    """Refuse a name that the time zone database does not know."""
    if name not in zoneinfo.available_timezones():
        raise ValidationError(f"{name!r} is not a time zone; use an IANA name such as Europe/Berlin or UTC")


class User(AbstractUser):
    """Somebody who signs in. Times are shown in ``time_zone``; alerts go to a verified email only."""

    time_zone = models.CharField(
        max_length=64,
        default="UTC",
        validators=[validate_time_zone],
        help_text="IANA name, such as Europe/Berlin. Digests and quiet hours follow it.",
    )
    email_verified_at = models.DateTimeField(null=True, blank=True, help_text="When the address was proved, in UTC.")


def token_digest(token: str) -> str:
    """What is stored of a token: tokens are random, so a plain SHA-256 cannot be guessed back."""
    return hashlib.sha256(token.encode()).hexdigest()


class ApiToken(models.Model):
    """A secret that a program sends as ``Authorization: Bearer …``; only its digest is kept."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=100, help_text="What uses this token, so that you know it again.")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    hint = models.CharField(max_length=12, editable=False, help_text="The first characters, to tell tokens apart.")
    scopes = models.JSONField(default=list, help_text="Any of read, write, alerts.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Empty: never, in UTC.")
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "API token"
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.name} ({self.hint}…)"

    def clean(self) -> None:
        unknown = sorted(set(self.scopes) - set(SCOPES))
        if unknown:
            raise ValidationError({"scopes": f"unknown scope {', '.join(unknown)}; choose from {', '.join(SCOPES)}"})

    def is_valid_at(self, moment: datetime) -> bool:
        """Whether the token opens anything at that moment."""
        return self.revoked_at is None and (self.expires_at is None or moment < self.expires_at)

    @classmethod
    def issue(
        cls, user: User, *, name: str, scopes: list[str], expires_at: datetime | None = None
    ) -> tuple[ApiToken, str]:
        """Make a token; returns the row and the secret, which is shown this once."""
        secret = TOKEN_PREFIX + secrets.token_urlsafe(32)
        row = cls(
            user=user,
            name=name,
            scopes=scopes,
            expires_at=expires_at,
            digest=token_digest(secret),
            hint=secret[: len(TOKEN_PREFIX) + 4],
        )
        row.full_clean()
        row.save()
        return row, secret
