"""Leads what Apprise sends by `requests` through this site's own outbound client, with all of its checks.

Imported in worker processes only, and only once a message goes to an Apprise address.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from requests.utils import get_encoding_from_headers

from tracker.outbound.client import Client, Response
from tracker.outbound.errors import OutboundError, TooSlow
from tracker.outbound.limits import KIBIBYTE, Limits

# Some services say in their answers what to send next, so these are read; a whole message may take several calls.
LIMITS = Limits(
    total_seconds=15, idle_seconds=15, connect_seconds=5, body_bytes=256 * KIBIBYTE, header_bytes=32 * KIBIBYTE
)
# A message to many targets of one service is many calls.
MESSAGE_SECONDS = 45
_NOT_OURS = ("content-encoding", "transfer-encoding", "content-length")
# What no caller may set: the client writes it, or it speaks of one connection.
_NOT_SENT = ("host", "user-agent", "accept-encoding", "connection", "content-length", "transfer-encoding")


@dataclass
class Exchanges:
    """What came of the calls of one message: the last answer, and the last failure to get one."""

    client: Client
    ends_at: float
    answer: Response | None = None
    failure: OutboundError | None = None


_current: ContextVar[Exchanges | None] = ContextVar("exchanges of one message", default=None)


class NotGuarded(requests.RequestException):
    """Something in a worker used `requests` outside a message: there is no client for it."""


@contextmanager
def through(client: Client) -> Iterator[Exchanges]:
    """Let every call of `requests` in this thread go through a client."""
    exchanges = Exchanges(client, ends_at=time.monotonic() + MESSAGE_SECONDS)
    token = _current.set(exchanges)
    try:
        yield exchanges
    finally:
        _current.reset(token)


class OutboundAdapter(BaseAdapter):
    """Carries out a request of `requests` by the client of the message under way, redirects one by one."""

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """Return the answer with the start of its body. Raises ConnectionError for every OutboundError."""
        exchanges = _current.get()
        if exchanges is None:
            raise NotGuarded("no message is under way")
        try:
            answer = _answer(exchanges, request)
        except OutboundError as error:
            exchanges.failure = error
            # Without the error's own text: Apprise writes it to its log.
            raise requests.ConnectionError("refused or failed") from None
        exchanges.answer = answer
        return _translated(request, answer)

    def close(self) -> None:
        """The client is closed by whoever opened it."""


def install() -> None:
    """Make every new session of `requests` in this process use the adapter.

    Apprise's plugins call ``requests.post`` and its like themselves and can be given no session, and every such call
    makes a new session, whose adapters are of the class at this one name. Whatever else in a worker used `requests`
    would be refused (NotGuarded) and not slip past; nothing else does.
    """
    requests.sessions.HTTPAdapter = OutboundAdapter  # type: ignore[misc, assignment]


def _answer(exchanges: Exchanges, request: requests.PreparedRequest) -> Response:
    if time.monotonic() > exchanges.ends_at:
        raise TooSlow(f"the message was not taken within {MESSAGE_SECONDS} s")
    return exchanges.client.exchange(
        request.method or "GET", request.url or "", content=_content(request), headers=_sent(request), limits=LIMITS
    )


def _content(request: requests.PreparedRequest) -> bytes | None:
    body: Any = request.body
    if hasattr(body, "read"):
        body = body.read()
    return body.encode() if isinstance(body, str) else body


def _sent(request: requests.PreparedRequest) -> dict[str, str]:
    texts = {_text(name): _text(value) for name, value in request.headers.items()}
    return {name: value for name, value in texts.items() if name.lower() not in _NOT_SENT}


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def _translated(request: requests.PreparedRequest, answer: Response) -> requests.Response:
    response = requests.Response()
    response.status_code = answer.status
    kept = [(name, value) for name, value in answer.headers.items() if name.lower() not in _NOT_OURS]
    response.headers = CaseInsensitiveDict(kept)
    response.encoding = get_encoding_from_headers(response.headers)
    response.raw = BytesIO(answer.body)
    response.url = request.url or ""
    response.request = request
    return response
