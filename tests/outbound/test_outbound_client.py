"""What the client sends and returns, and how it follows redirects."""

from __future__ import annotations

import socket

import pytest

from tests.outbound.loopback_server import Server
from tracker import __version__
from tracker.outbound.client import Client, user_agent
from tracker.outbound.errors import (
    BadHeader,
    BadScheme,
    BadUrl,
    ConnectionFailed,
    InsecureRedirect,
    OutboundError,
    TooManyRedirects,
)
from tracker.outbound.urls import checked_url, redirect_target


def test_a_get_returns_status_headers_and_body(server: Server, client: Client) -> None:
    url = server.on("/prices", lambda exchange: exchange.answer(200, b'{"a": 1}', content_type="application/json"))
    response = client.get(url)
    assert (response.status, response.body, response.complete) == (200, b'{"a": 1}', True)
    assert response.headers["Content-Type"] == "application/json"
    assert response.url == url


def test_the_client_says_who_it_is(server: Server, client: Client) -> None:
    url = server.on("/", lambda exchange: exchange.answer())
    client.get(url)
    [exchange] = server.exchanges
    assert exchange.headers["User-Agent"] == f"ai-monetization-tracker/{__version__}"
    assert exchange.headers["Accept-Encoding"] == "gzip"
    assert user_agent("https://prices.example").endswith(" (+https://prices.example)")


def test_the_callers_headers_are_sent_and_the_host_stays_the_addresss(server: Server, client: Client) -> None:
    url = server.on("/", lambda exchange: exchange.answer())
    client.get(url, headers={"X-Why": "because", "Host": "elsewhere.example"})
    [exchange] = server.exchanges
    assert exchange.headers["X-Why"] == "because"
    assert exchange.headers.get_all("Host") == [f"127.0.0.1:{server.server_port}"]


def test_a_304_passes_through(server: Server, client: Client) -> None:
    url = server.on("/", lambda exchange: exchange.answer(304, etag='"v1"'))
    response = client.get(url, headers={"If-None-Match": '"v1"'})
    assert (response.status, response.body) == (304, b"")
    assert server.exchanges[0].headers["If-None-Match"] == '"v1"'


@pytest.mark.parametrize("status", [400, 404, 500, 503])
def test_an_error_status_is_an_answer_with_the_start_of_its_body(server: Server, client: Client, status: int) -> None:
    url = server.on("/", lambda exchange: exchange.answer(status, b"sorry " * 10_000))
    response = client.get(url)
    assert response.status == status
    assert response.body.startswith(b"sorry sorry")
    assert len(response.body) == 16 * 1024
    assert not response.complete


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_followed(server: Server, client: Client, status: int) -> None:
    start = server.on("/old/a", lambda exchange: exchange.answer(status, b"moved", location="../new?x=1"))
    server.on("/new", lambda exchange: exchange.answer(200, b"here"))
    response = client.get(start, headers={"If-None-Match": '"v1"'})
    assert (response.status, response.body, response.url) == (200, b"here", server.url("/new?x=1"))
    assert server.exchanges[-1].headers["If-None-Match"] == '"v1"'


def test_a_redirect_is_an_answer_when_it_is_not_to_be_followed(server: Server, client: Client) -> None:
    start = server.on("/", lambda exchange: exchange.answer(302, location="/new"))
    assert client.get(start, follow_redirects=False).status == 302
    assert len(server.exchanges) == 1


def test_a_redirect_with_a_body_that_hangs_is_followed_at_once(server: Server, client: Client) -> None:
    def hang(exchange) -> None:
        exchange.answer(302, location="/new", content_length="1000")
        exchange.hang()

    server.on("/new", lambda exchange: exchange.answer(200, b"here"))
    assert client.get(server.on("/", hang)).body == b"here"


def test_three_redirects_are_followed_and_a_fourth_is_not(server: Server, client: Client) -> None:
    for step in range(4):
        server.on(f"/{step}", lambda exchange, step=step: exchange.answer(302, location=f"/{step + 1}"))
    server.on("/4", lambda exchange: exchange.answer(200, b"far"))
    assert client.get(server.url("/1")).body == b"far"
    with pytest.raises(TooManyRedirects, match="more than 3 times") as caught:
        client.get(server.url("/0"))
    assert caught.value.permanent


def test_a_redirect_to_another_origin_carries_no_credentials(server: Server, client: Client) -> None:
    target = server.url("/new", host="localhost")
    server.on("/new", lambda exchange: exchange.answer())
    start = server.on("/", lambda exchange: exchange.answer(302, location=target))
    client.get(start, headers={"Authorization": "Bearer secret", "Cookie": "a=b", "Accept": "text/csv"})
    first, second = server.exchanges
    assert first.headers["Authorization"] == "Bearer secret"
    assert second.headers["Authorization"] is None
    assert second.headers["Cookie"] is None
    assert second.headers["Accept"] == "text/csv"
    assert second.headers["Host"] == f"localhost:{server.server_port}"


def test_no_redirect_leads_from_https_to_http() -> None:
    url = checked_url("https://feeds.example/a")
    assert str(redirect_target(url, "//other.example/b")) == "https://other.example/b"
    with pytest.raises(InsecureRedirect, match=r"https://feeds\.example: it redirects from https to http"):
        redirect_target(url, "http://feeds.example/a")


@pytest.mark.parametrize("location", ["ftp://h/", "file:///etc/passwd", "http://[", "http://u:p@h/", "\x00"])
def test_a_redirect_to_what_is_no_address_is_an_error(location: str) -> None:
    with pytest.raises(BadUrl):
        redirect_target(checked_url("http://feeds.example/a"), location)


@pytest.mark.parametrize(
    "url", ["ftp://example.org/", "file:///etc/passwd", "gopher://x/", "example.org/x", "//h/", ""]
)
def test_only_http_and_https_are_called(client: Client, url: str) -> None:
    with pytest.raises(BadScheme, match="must be http or https"):
        client.get(url)


@pytest.mark.parametrize(
    "url",
    [
        "http:///x",
        "http://",
        "http://a b/",
        "http://h%00x/",
        "http://h:0/",
        "http://h:65536/",
        "http://h:x/",
        "http://ex\nample.org/",
        "http://.example.org/",
        "http://a..b/",
        "http://[fe80::1%25eth0]/",
        "http://[::1/",
        "http://" + "a" * 64 + ".example/",
        "http://①②⑦.0.0.1/",
        "http://h/" + "x" * 70_000,
    ],
)
def test_a_malformed_address_is_an_error(client: Client, url: str) -> None:
    with pytest.raises(BadUrl) as caught:
        client.get(url)
    assert caught.value.permanent


def test_an_address_with_credentials_is_refused_without_repeating_them(client: Client) -> None:
    with pytest.raises(BadUrl) as caught:
        client.get("https://user:hunter2@example.org/secret?key=1")
    assert str(caught.value) == "https://example.org: the address holds a user name or password; it must not"


@pytest.mark.parametrize(
    "headers",
    [{"X-A": "a\r\nX-B: b"}, {"X-A": "a\nb"}, {"X-A: x\r\nX-B": "b"}, {"X-A": "\x00"}, {"X-A": "naïve"}, {"": "a"}],
)
def test_a_header_cannot_smuggle_another(server: Server, client: Client, headers: dict[str, str]) -> None:
    url = server.on("/", lambda exchange: exchange.answer())
    with pytest.raises(BadHeader):
        client.get(url, headers=headers)
    assert server.exchanges == []


def test_an_error_names_the_origin_and_never_the_path(client: Client, server: Server) -> None:
    url = server.on("/services/T0/SECRET", lambda exchange: exchange.drop())
    with pytest.raises(OutboundError) as caught:
        client.post(url + "?token=SECRET", content=b"{}")
    line = str(caught.value)
    assert line.startswith(f"http://127.0.0.1:{server.server_port}: ")
    assert "SECRET" not in line
    assert "\n" not in line


def test_proxies_in_the_environment_are_ignored(
    server: Server, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    url = server.on("/", lambda exchange: exchange.answer(200, b"direct"))
    assert client.get(url).body == b"direct"


def test_cookies_are_not_kept(server: Server, client: Client) -> None:
    url = server.on("/", lambda exchange: exchange.answer(200, set_cookie="session=1"))
    client.get(url)
    client.get(url)
    assert server.exchanges[1].headers["Cookie"] is None


def test_a_connection_is_kept_between_calls(server: Server, client: Client) -> None:
    url = server.on("/", lambda exchange: exchange.answer(200, b"x"))
    client.get(url)
    client.get(url)
    first, second = server.exchanges
    assert first.client_address == second.client_address


def test_a_post_sends_exactly_the_bytes_given(server: Server, client: Client) -> None:
    url = server.on("/hook", lambda exchange: exchange.answer(202, b"ok"))
    response = client.post(url, content=b'{"caf\xc3\xa9": 1}', headers={"Content-Type": "application/json"})
    assert (response.status, response.body) == (202, b"ok")
    [exchange] = server.exchanges
    assert (exchange.command, exchange.body) == ("POST", b'{"caf\xc3\xa9": 1}')


def test_a_post_follows_no_redirect(server: Server, client: Client) -> None:
    url = server.on("/hook", lambda exchange: exchange.answer(307, location="/other"))
    assert client.post(url, content=b"{}").status == 307
    assert len(server.exchanges) == 1


def test_a_port_where_nobody_listens_is_a_failure_that_may_pass(client: Client) -> None:
    with socket.socket() as taken, pytest.raises(ConnectionFailed, match="Connection refused") as caught:
        taken.bind(("127.0.0.1", 0))
        client.get(f"http://127.0.0.1:{taken.getsockname()[1]}/")
    assert not caught.value.permanent


def test_a_server_that_speaks_no_http_is_a_failure(server: Server, client: Client) -> None:
    def speak(exchange) -> None:
        exchange.send(b"SSH-2.0-OpenSSH_9.6\r\n")
        exchange.drop()

    with pytest.raises(ConnectionFailed, match="no valid HTTP"):
        client.get(server.on("/", speak))
