"""A real HTTP server with a receiver of every kind that webhooks meet: good ones, broken ones and hostile ones."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from standardwebhooks import Webhook

from tests.outbound.loopback_server import Exchange, Server

TEN_YEARS = 10 * 365 * 24 * 3600
_PIECE = b"x" * 65536


@dataclass(frozen=True)
class Received:
    """One call as it came."""

    path: str
    headers: dict[str, str]
    content: bytes

    @property
    def body(self) -> dict[str, Any]:
        parsed: dict[str, Any] = json.loads(self.content)
        return parsed

    @property
    def message_id(self) -> str:
        return self.headers["webhook-id"]

    def verified_by(self, secret: str) -> dict[str, Any]:
        """The body, if the signature is right by the specification's own package; raises otherwise."""
        verified: dict[str, Any] = Webhook(secret).verify(self.content, self.headers)
        return verified


class _Log(list[Exchange]):
    """Copies each call as it comes: a connection that is kept open has one handler for all of its calls."""

    def __init__(self) -> None:
        self.received: list[Received] = []

    def append(self, exchange: Exchange) -> None:
        headers = {name.lower(): value for name, value in exchange.headers.items()}
        self.received.append(Received(exchange.path, headers, exchange.body))


class Receivers(Server):
    """Each method puts up a receiver and returns its address."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()
        self.exchanges = self.log = _Log()

    @property
    def received(self) -> list[Received]:
        return list(self.log.received)

    def received_at(self, path: str) -> list[Received]:
        return [each for each in self.received if each.path == path]

    def good(self, path: str = "/good", status: int = 200, body: bytes = b"thanks") -> str:
        return self.on(path, lambda exchange: exchange.answer(status, body))

    def failing(self, path: str = "/failing", status: int = 500, body: bytes = b"no", **headers: str) -> str:
        return self.on(path, lambda exchange: exchange.answer(status, body, **headers))

    def changing(self, path: str, *statuses: int) -> str:
        """Answers with one status after the other, and goes on with the last."""
        left = list(statuses)
        return self.on(path, lambda exchange: exchange.answer(left.pop(0) if len(left) > 1 else left[0], b"x"))

    def gone(self, path: str = "/gone") -> str:
        return self.failing(path, 410, b"no more")

    def busy_for_ten_years(self, path: str = "/busy") -> str:
        return self.failing(path, 429, b"busy", Retry_After=str(TEN_YEARS))

    def redirecting(self, to: str, path: str = "/redirecting") -> str:
        return self.failing(path, 307, b"", Location=to)

    def hanging(self, path: str = "/hanging") -> str:
        return self.on(path, Exchange.hang)

    def gated(self, path: str = "/gated") -> str:
        """Answers once the test opens the gate."""
        return self.on(path, self._answer_when_open)

    def dripping(self, path: str = "/dripping") -> str:
        """Never ends its headers: a byte, and a byte, and a byte."""

        def drip(exchange: Exchange) -> None:
            exchange.send(b"HTTP/1.1 200 OK\r\nX-Slow: ")
            exchange.drip(b"a")

        return self.on(path, drip)

    def endless(self, path: str = "/endless") -> str:
        """Says 200 and then sends a gigabyte."""

        def flood(exchange: Exchange) -> None:
            exchange.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
            for _ in range(1_000_000_000 // len(_PIECE)):
                if not exchange.send(_PIECE):
                    break
            exchange.drop()

        return self.on(path, flood)

    def closing_early(self, path: str = "/closing") -> str:
        return self.on(path, Exchange.drop)

    def _answer_when_open(self, exchange: Exchange) -> None:
        self.gate.wait(20)
        exchange.answer(200, b"late")


Answer = Callable[[Exchange], None]
