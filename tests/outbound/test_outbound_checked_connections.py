"""The socket opens to an address that was checked, and to no other."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_network

import httpcore
import pytest

from tests.outbound.loopback_server import LOOPBACK, Server
from tracker.outbound.client import Client
from tracker.outbound.configured import from_settings
from tracker.outbound.errors import AddressRefused, BadUrl, ConnectionFailed

ONLY_ONE = (ip_network("127.0.0.1/32"),)


class RecordingSockets(httpcore.SyncBackend):
    """Real sockets; `opened` lists the host each was opened to."""

    def __init__(self) -> None:
        self.opened: list[str] = []

    def connect_tcp(self, host: str, *args, **kwargs) -> httpcore.NetworkStream:
        self.opened.append(host)
        return super().connect_tcp(host, *args, **kwargs)


class ChangingResolver:
    """Answers each look-up with the next of `answers`."""

    def __init__(self, *answers: list[str]) -> None:
        self._answers = list(answers)
        self.asked: list[str] = []

    def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        return self._answers.pop(0)


def calling(resolver: ChangingResolver, sockets: RecordingSockets, allowed: Iterable = ONLY_ONE) -> Client:
    return Client(allowed_nets=allowed, resolver=resolver, sockets=sockets)


def test_loopback_is_refused_by_default(server: Server) -> None:
    url = server.on("/", lambda exchange: exchange.answer())
    with Client() as client, pytest.raises(AddressRefused) as caught:
        client.get(url)
    assert str(caught.value) == (
        f"http://127.0.0.1:{server.server_port}: refused, it leads to a loopback address (127.0.0.0/8); "
        "OUTBOUND_ALLOW_NETS can allow it"
    )
    assert caught.value.permanent
    assert server.exchanges == []


def test_a_webhook_to_loopback_is_refused_by_default(server: Server) -> None:
    url = server.on("/", lambda exchange: exchange.answer())
    with Client() as client, pytest.raises(AddressRefused):
        client.post(url, content=b"{}")
    assert server.exchanges == []


@pytest.mark.parametrize(
    "host",
    [
        "0x7f.1",
        "0x7f000001",
        "2130706433",
        "017700000001",
        "127.1",
        "0",
        "127。0。0。1",
        "localhost",
        "LOCALHOST",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[0:0:0:0:0:0:0:1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
    ],
)
def test_no_spelling_of_a_refused_address_gets_through(server: Server, host: str) -> None:
    sockets = RecordingSockets()
    with Client(sockets=sockets) as client, pytest.raises(AddressRefused):
        client.get(server.url("/", host=host))
    assert sockets.opened == []


@pytest.mark.parametrize("host", ["0177.0.0.1", "127.0.0.01", "127.0.0.256"])
def test_a_spelling_that_readers_take_differently_reaches_nothing(host: str) -> None:
    sockets = RecordingSockets()
    with Client(sockets=sockets) as client, pytest.raises(BadUrl):
        client.get(f"http://{host}/")
    assert sockets.opened == []


def test_odd_spellings_lead_to_an_allowed_address(server: Server, client: Client) -> None:
    server.on("/", lambda exchange: exchange.answer(200, b"home"))
    assert client.get(server.url("/", host="2130706433")).body == b"home"
    assert client.get(server.url("/", host="localhost")).body == b"home"


def test_a_name_leads_to_the_address_that_was_checked_and_stays_in_the_host_header(server: Server) -> None:
    resolver, sockets = ChangingResolver(["127.0.0.1"], ["10.0.0.1"]), RecordingSockets()
    server.on("/", lambda exchange: exchange.answer(200, b"checked"))
    with calling(resolver, sockets) as client:
        assert client.get(server.url("/", host="rebound.example")).body == b"checked"
    assert resolver.asked == ["rebound.example"]
    assert sockets.opened == ["127.0.0.1"]
    assert server.exchanges[0].headers["Host"] == f"rebound.example:{server.server_port}"


def test_a_name_that_turns_to_a_refused_address_is_refused_at_its_next_connection(server: Server) -> None:
    resolver, sockets = ChangingResolver(["127.0.0.1"], ["127.0.0.2"]), RecordingSockets()
    url = server.on("/", lambda exchange: (exchange.answer(200, connection="close"), exchange.drop()))
    url = url.replace("127.0.0.1", "rebound.example")
    with calling(resolver, sockets) as client:
        assert client.get(url).status == 200
        with pytest.raises(AddressRefused, match="loopback"):
            client.get(url)
    assert sockets.opened == ["127.0.0.1"]


@pytest.mark.parametrize("location", ["http://169.254.169.254/latest/meta-data/", "http://[::1]/", "http://0x7f.2/"])
def test_a_redirect_to_a_refused_address_is_refused(server: Server, location: str) -> None:
    sockets = RecordingSockets()
    url = server.on("/", lambda exchange: exchange.answer(302, location=location))
    with Client(allowed_nets=ONLY_ONE, sockets=sockets) as client, pytest.raises(AddressRefused):
        client.get(url)
    assert sockets.opened == ["127.0.0.1"]


def test_a_redirect_to_the_same_name_is_checked_anew(server: Server) -> None:
    resolver, sockets = ChangingResolver(["127.0.0.1"], ["10.0.0.7"]), RecordingSockets()
    server.on("/", lambda exchange: exchange.answer(302, location="http://rebound.example:1/x", connection="close"))
    with calling(resolver, sockets) as client, pytest.raises(AddressRefused, match="private"):
        client.get(server.url("/", host="rebound.example"))
    assert sockets.opened == ["127.0.0.1"]


def test_of_mixed_answers_only_those_that_pass_are_tried(server: Server) -> None:
    resolver = ChangingResolver(["10.0.0.1", "::1", "127.0.0.2", "127.0.0.1", "::ffff:127.0.0.1"])
    sockets = RecordingSockets()
    server.on("/", lambda exchange: exchange.answer(200, b"mixed"))
    with calling(resolver, sockets) as client:
        assert client.get(server.url("/", host="mixed.example")).body == b"mixed"
    assert sockets.opened == ["127.0.0.1"]


def test_when_one_address_does_not_answer_the_next_is_tried(server: Server) -> None:
    resolver, sockets = ChangingResolver(["127.0.0.2", "127.0.0.1"]), RecordingSockets()
    server.on("/", lambda exchange: exchange.answer(200, b"second"))
    with calling(resolver, sockets, LOOPBACK) as client:
        assert client.get(server.url("/", host="two.example")).body == b"second"
    assert sockets.opened == ["127.0.0.2", "127.0.0.1"]


def test_a_name_without_an_address_is_a_failure_that_may_pass() -> None:
    with Client(resolver=ChangingResolver([])) as client, pytest.raises(ConnectionFailed, match="no address") as caught:
        client.get("http://nowhere.example/")
    assert not caught.value.permanent


def test_a_look_up_that_fails_is_a_failure_that_says_why() -> None:
    def failing(host: str, port: int) -> list[str]:
        raise OSError(-2, "Name or service not known")

    with Client(resolver=failing) as client, pytest.raises(ConnectionFailed, match="Name or service not known"):
        client.get("http://nowhere.example/")


def test_the_settings_name_the_allowed_networks_and_the_site(server: Server, settings) -> None:
    url = server.on("/", lambda exchange: exchange.answer())
    settings.OUTBOUND_ALLOW_NETS = []
    with from_settings() as client, pytest.raises(AddressRefused):
        client.get(url)
    settings.OUTBOUND_ALLOW_NETS = [ip_network("127.0.0.0/8")]
    settings.SITE_URL = "https://prices.example"
    with from_settings() as client:
        assert client.get(url).status == 200
    assert server.exchanges[0].headers["User-Agent"].endswith(" (+https://prices.example)")
