"""Sends a Content-Security-Policy with every response: strict, but for the pages whose parts need more."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

HEADER = "Content-Security-Policy"
_STRICT = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
# The admin theme's Alpine evaluates expressions in attributes, and its templates carry inline scripts and styles.
_ADMIN = _STRICT | {"script-src": "'self' 'unsafe-inline' 'unsafe-eval'", "style-src": "'self' 'unsafe-inline'"}
# Swagger UI writes style attributes and shows its icons from data URLs; its scripts come from files.
_DOCS = _STRICT | {"style-src": "'self' 'unsafe-inline'"}
_BY_PATH = (("/admin/", _ADMIN), ("/api/v1/docs/", _DOCS))


def policy_for(path: str) -> str:
    """Return the value of the header for a page at `path`."""
    policy = next((policy for prefix, policy in _BY_PATH if path.startswith(prefix)), _STRICT)
    return "; ".join(f"{directive} {sources}" for directive, sources in policy.items())


class ContentSecurityMiddleware:
    """Sets the header on each response that has none of its own."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._get_response(request)
        response.headers.setdefault(HEADER, policy_for(request.path))
        return response
