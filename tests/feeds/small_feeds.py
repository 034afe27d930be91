"""Small documents in the shapes of the feeds, and a server on loopback that hands them out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

from feeds.enrolment import feed_named
from feeds.models import Feed
from feeds.reading import Document
from feeds.refreshing import Report, refresh


def day(number: int, month: int = 1) -> datetime:
    """Midnight UTC of a day of 2026."""
    return datetime(2026, month, number, tzinfo=UTC)


def catalogue(**models: dict[str, float] | None) -> bytes:
    """A models.dev document with one provider, DeepSeek, and the costs of its models."""
    rows: dict[str, Any] = {}
    for name, cost in models.items():
        model_id = name.replace("_", "-")
        rows[model_id] = {"id": model_id, "name": model_id.title()} | ({"cost": cost} if cost is not None else {})
    return json.dumps({"deepseek": {"id": "deepseek", "name": "DeepSeek", "models": rows}}).encode()


def price_map(**rows: dict[str, Any]) -> bytes:
    """A LiteLLM document; keys are written with ``__`` for a slash."""
    return json.dumps({key.replace("__", "/").replace("_", "-"): row for key, row in rows.items()}).encode()


def read(body: bytes, observed_at: datetime, slug: str = "models-dev", **how: Any) -> Report:
    """Refresh a feed from a document read at a moment."""
    return refresh(feed_named(slug), document=Document(body, observed_at), **how)


class Origin:
    """A web server on loopback: what it answers, and what it was asked."""

    def __init__(self, body: bytes) -> None:
        self.body, self.etag, self.status = body, '"first"', 200
        self.requests: list[dict[str, str]] = []
        self.address = ""
        self._goes_on = Event()
        self._goes_on.set()

    @contextmanager
    def stalled(self) -> Iterator[None]:
        """Take requests and let them wait for their answers."""
        self._goes_on.clear()
        try:
            yield
        finally:
            self._goes_on.set()

    def wait(self) -> None:
        """Wait until answers are given."""
        self._goes_on.wait()

    def serve(self, body: bytes, etag: str) -> None:
        """Answer with another document from now on."""
        self.body, self.etag = body, etag


@contextmanager
def origin(body: bytes) -> Iterator[Origin]:
    """A running server that answers every GET with a document and its ETag."""
    state = Origin(body)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.requests.append(dict(self.headers))
            state.wait()
            unchanged = state.status == 200 and self.headers.get("If-None-Match") == state.etag
            self.send_response(304 if unchanged else state.status)
            self.send_header("ETag", state.etag)
            content = b"" if unchanged else state.body
            self.send_header("Content-Length", str(len(content)))
            # Who asked may be gone.
            with suppress(ConnectionError):
                self.end_headers()
                self.wfile.write(content)

        def log_message(self, *_args: object) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    state.address = f"http://127.0.0.1:{server.server_port}/document.json"
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()


def served_from(address: str, slug: str = "models-dev") -> Feed:
    """The feed with that address."""
    feed = feed_named(slug)
    feed.address = address
    feed.save(update_fields=["address"])
    return feed
