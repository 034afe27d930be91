"""TLS is verified against the name in the address, though the socket goes to a checked number."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from tests.outbound.loopback_server import LOOPBACK, Server
from tracker.outbound.client import Client
from tracker.outbound.errors import ConnectionFailed, InsecureRedirect, TooSlow
from tracker.outbound.limits import FEED_LIMITS, Limits

PEM = Path(__file__).with_name("feeds.test.pem")
HURRIED = Limits(
    total_seconds=0.3,
    idle_seconds=30,
    connect_seconds=10,
    body_bytes=FEED_LIMITS.body_bytes,
    header_bytes=FEED_LIMITS.header_bytes,
)


class TlsServer:
    """Puts TLS under a server; `names` lists the server names that clients asked for."""

    def __init__(self, server: Server) -> None:
        self.names: list[str | None] = []
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(PEM)
        context.sni_callback = lambda _socket, name, _context: self.names.append(name)
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        server.on("/", lambda exchange: exchange.answer(200, b"over TLS"))
        self._port = server.server_port

    def url(self, host: str) -> str:
        return f"https://{host}:{self._port}/"


@pytest.fixture
def tls_server(server: Server) -> TlsServer:
    return TlsServer(server)


def trusting() -> Client:
    """A client that trusts the test certificate, and for which every name is this machine."""
    return Client(
        allowed_nets=LOOPBACK, resolver=lambda host, port: ["127.0.0.1"], tls=ssl.create_default_context(cafile=PEM)
    )


def test_the_name_is_asked_for_and_verified(tls_server: TlsServer, server: Server) -> None:
    with trusting() as client:
        assert client.get(tls_server.url("feeds.test")).body == b"over TLS"
    assert tls_server.names == ["feeds.test"]
    assert server.exchanges[0].headers["Host"] == f"feeds.test:{server.server_port}"


def test_a_certificate_for_another_name_is_refused(tls_server: TlsServer, server: Server) -> None:
    with trusting() as client, pytest.raises(ConnectionFailed, match="certificate is not trusted: Hostname mismatch"):
        client.get(tls_server.url("other.test"))
    assert server.exchanges == []


def test_a_certificate_that_nobody_vouches_for_is_refused(tls_server: TlsServer, server: Server) -> None:
    distrusting = Client(allowed_nets=LOOPBACK, resolver=lambda host, port: ["127.0.0.1"])
    with distrusting, pytest.raises(ConnectionFailed, match="certificate is not trusted: self-signed certificate"):
        distrusting.get(tls_server.url("feeds.test"))
    assert server.exchanges == []


def test_a_redirect_from_https_to_http_is_refused(tls_server: TlsServer, server: Server) -> None:
    server.on("/", lambda exchange: exchange.answer(302, location="http://feeds.test/"))
    with trusting() as client, pytest.raises(InsecureRedirect):
        client.get(tls_server.url("feeds.test"))
    assert len(server.exchanges) == 1


def test_a_server_without_tls_is_a_failure(server: Server) -> None:
    with trusting() as client, pytest.raises(ConnectionFailed, match="TLS failed"):
        client.get(f"https://feeds.test:{server.server_port}/")


def test_a_handshake_that_hangs_is_cut_off_by_the_deadline(server: Server) -> None:
    # The plain server waits for the end of a request line that the handshake never sends.
    def wait(exchange) -> None:
        exchange.hang()

    server.RequestHandlerClass.handle_one_request, original = wait, server.RequestHandlerClass.handle_one_request
    try:
        with trusting() as client, pytest.raises(TooSlow, match=r"within 0\.3 s"):
            client.get(f"https://feeds.test:{server.server_port}/", limits=HURRIED)
    finally:
        server.RequestHandlerClass.handle_one_request = original
