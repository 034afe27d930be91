"""A real HTTP server on loopback whose every path does what a test tells it to."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from urllib.parse import urlsplit

LOOPBACK = (ip_network("127.0.0.0/8"),)


class Exchange(BaseHTTPRequestHandler):
    """One request at the server, with ways to answer it well and badly."""

    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        if self.path != self.server.unread:
            self.body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.exchanges.append(self)
        self.server.answers[urlsplit(self.path).path](self)

    do_POST = do_GET

    def answer(self, status: int = 200, body: bytes = b"", **headers: str) -> None:
        """Answer whole; `content_type="…"` becomes a Content-Type header."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if "content_length" not in headers and status != 304:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.send(body)

    def send(self, raw: bytes) -> bool:
        """Write to the connection as it is; False once the client has gone."""
        try:
            self.wfile.write(raw)
        except OSError:
            self.close_connection = True
            return False
        return True

    def drop(self) -> None:
        """End the connection after this exchange."""
        self.close_connection = True

    def drip(self, piece: bytes) -> None:
        """Send `piece` again and again, twenty times a second, until somebody gives up."""
        while self.send(piece) and not self.server.closing.wait(0.05):
            pass
        self.drop()

    def hang(self) -> None:
        """Send nothing more until the test ends."""
        self.server.closing.wait()
        self.drop()

    def log_message(self, format: str, *args: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    """Listens on a free port of 127.0.0.1.

    `answers` maps paths to what answers them, `exchanges` keeps what came; the body of `unread` is left in the socket.
    """

    daemon_threads = True
    request_queue_size = 128  # many threads connect at once; five, the default, has some of them refused

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Exchange)
        self.answers: dict[str, Callable[[Exchange], None]] = {}
        self.exchanges: list[Exchange] = []
        self.unread = ""
        self.closing = threading.Event()

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.server_port}{path}"

    def on(self, path: str, answer: Callable[[Exchange], None]) -> str:
        """Let `answer` deal with requests for `path`; return its address."""
        self.answers[path] = answer
        return self.url(path)

    def handle_error(self, request: object, client_address: object) -> None:
        pass
