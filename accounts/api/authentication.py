"""Who makes a request: the token in ``Authorization: Bearer …``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db import OperationalError, connection
from django.db.models import Q
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts.models import ApiToken, User, token_digest

SCHEME = "Bearer"
_USE_IS_NOTED_EVERY = timedelta(minutes=1)
_NOTE_WAITS_MILLISECONDS = 50


class BearerAuthentication(BaseAuthentication):
    """Finds the token by its digest; one that is unknown, revoked or expired is refused with 401."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        """The token's owner and the token; None when the request shows none."""
        scheme, _, secret = get_authorization_header(request).decode("latin-1").partition(" ")
        if scheme.lower() != SCHEME.lower():
            return None
        now = timezone.now()
        token = ApiToken.objects.select_related("user").filter(digest=token_digest(secret.strip())).first()
        if token is None:
            raise AuthenticationFailed("The token is not known here.")
        if not token.is_valid_at(now):
            raise AuthenticationFailed(
                "The token has expired." if token.revoked_at is None else "The token is revoked."
            )
        if not token.user.is_active:
            raise AuthenticationFailed("The token's owner is not active.")
        _note_use(token, now)
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        """What a 401 asks for."""
        return f'{SCHEME} realm="api"'


def _note_use(token: ApiToken, now: datetime) -> None:
    """Write when the token was last used, at most once a minute; a busy database is no reason to keep a reader."""
    if token.last_used_at is not None and now - token.last_used_at < _USE_IS_NOTED_EVERY:
        return
    stale = Q(last_used_at=None) | Q(last_used_at__lte=now - _USE_IS_NOTED_EVERY)
    try:
        with _short_wait():
            ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=now)
    except OperationalError:
        return


@contextmanager
def _short_wait() -> Iterator[None]:
    """On SQLite a refresh may hold the one write lock for seconds: wait for it only a moment."""
    if connection.vendor != "sqlite":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout")
        usual = cursor.fetchone()[0]
        cursor.execute(f"PRAGMA busy_timeout = {_NOTE_WAITS_MILLISECONDS}")
        try:
            yield
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {int(usual)}")
