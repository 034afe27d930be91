"""The two pages that links in emails lead to: to prove an address, and to get no more messages.

Looking at a page does nothing, since mail programs look at links; the button in it does.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from alerts import managing
from alerts.managing import BadToken
from tracker import __version__

_METHODS = require_http_methods(["GET", "HEAD", "POST"])


# The token in the address is the proof; there is no session that a forged form could use.
@csrf_exempt
@_METHODS
def verify_channel(request: HttpRequest, token: str) -> HttpResponse:
    """Ask whether messages are wanted; a POST says yes."""
    try:
        if request.method == "POST":
            return _page(request, "verify", channel=managing.verify(token), done=True)
        return _page(request, "verify", channel=managing.channel_to_verify(token))
    except BadToken as error:
        return _page(request, "verify", status=400, error=str(error))


@csrf_exempt
@_METHODS
def unsubscribe_channel(request: HttpRequest, token: str) -> HttpResponse:
    """Ask whether messages shall end; a POST ends them, also the one that a mail program sends (RFC 8058)."""
    try:
        channel = managing.channel_to_leave(token)
        if request.method == "POST":
            managing.unsubscribe(token)
        done = request.method == "POST" or channel is None or channel.disabled_at is not None
        return _page(request, "unsubscribe", channel=channel, done=done)
    except BadToken as error:
        return _page(request, "unsubscribe", status=400, error=str(error))


def _page(request: HttpRequest, name: str, *, status: int = 200, **context: Any) -> HttpResponse:
    response = render(request, f"alerts/pages/{name}.html", {"version": __version__, **context}, status=status)
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "no-referrer"
    return response
