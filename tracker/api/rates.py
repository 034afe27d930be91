"""How many requests a reader may make, and the RateLimit headers that say how many are left.

The headers follow the IETF's "RateLimit header fields for HTTP". Windows are fixed and counted in Django's cache:
without Redis each process counts for itself.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings
from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from tracker.api import shared_cache

if TYPE_CHECKING:  # REST framework's views read this setting while they are being imported
    from rest_framework.views import APIView


@dataclass(frozen=True, slots=True)
class Allowance:
    """What one reader may still do: ``requests`` in every ``seconds``, ``remaining`` until the reset."""

    policy: str
    requests: int
    seconds: int
    remaining: int
    resets_in: int

    def write_headers(self, response: HttpResponseBase) -> None:
        """Say it in the response's headers."""
        response.headers["RateLimit-Policy"] = f'"{self.policy}";q={self.requests};w={self.seconds}'
        response.headers["RateLimit"] = f'"{self.policy}";r={self.remaining};t={self.resets_in}'


class RateLimits(BaseThrottle):
    """API_RATE_LIMIT_USER for requests with a token, API_RATE_LIMIT_ANON per address for the others; 0 is off."""

    resets_in: int | None = None

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Count the request; its Allowance is left on the view for the headers."""
        known = bool(request.user and request.user.is_authenticated)
        limit = settings.API_RATE_LIMIT_USER if known else settings.API_RATE_LIMIT_ANON
        if limit.requests == 0:
            return True
        reader = f"user:{request.user.pk}" if known else f"address:{self.get_ident(request)}"
        window, elapsed = divmod(int(time.time()), limit.seconds)
        made = shared_cache.count(f"rate:{reader}:{limit.seconds}:{window}", limit.seconds)
        if made is None:
            return True
        self.resets_in = limit.seconds - elapsed
        view.allowance = Allowance(  # type: ignore[attr-defined]
            policy="user" if known else "anonymous",
            requests=limit.requests,
            seconds=limit.seconds,
            remaining=max(0, limit.requests - made),
            resets_in=self.resets_in,
        )
        return made <= limit.requests

    def wait(self) -> float | None:
        """Seconds until the next window."""
        return self.resets_in
