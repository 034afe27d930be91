"""A document is fetched again only when it changed, and every other status is an error that says what to do."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.outbound.loopback_server import Server
from tracker.outbound.client import Client
from tracker.outbound.conditional import Fetched, NotModified, fetch
from tracker.outbound.errors import StatusError
from tracker.outbound.retry_after import MAX_RETRY_AFTER_SECONDS, retry_after_seconds

MONDAY = "Mon, 16 Nov 2026 08:00:00 GMT"
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def test_a_first_fetch_asks_for_everything_and_returns_the_validators(server: Server, client: Client) -> None:
    url = server.on("/", lambda exchange: exchange.answer(200, b"{}", etag='W/"v1"', last_modified=MONDAY))
    assert fetch(url, client=client) == Fetched(b"{}", 'W/"v1"', MONDAY)
    [exchange] = server.exchanges
    assert exchange.headers["If-None-Match"] is None
    assert exchange.headers["If-Modified-Since"] is None


def test_the_validators_are_sent_and_a_304_says_unchanged(server: Server, client: Client) -> None:
    url = server.on("/", lambda exchange: exchange.answer(304))
    assert fetch(url, client=client, etag='"v1"', last_modified=MONDAY) == NotModified('"v1"', MONDAY)
    [exchange] = server.exchanges
    assert exchange.headers["If-None-Match"] == '"v1"'
    assert exchange.headers["If-Modified-Since"] == MONDAY


def test_a_304_may_renew_a_validator(server: Server, client: Client) -> None:
    url = server.on("/", lambda exchange: exchange.answer(304, etag='"v2"'))
    assert fetch(url, client=client, etag='"v1"', last_modified=MONDAY) == NotModified('"v2"', MONDAY)


def test_a_304_that_nobody_asked_for_is_an_error(server: Server, client: Client) -> None:
    url = server.on("/", lambda exchange: exchange.answer(304))
    with pytest.raises(StatusError, match="status 304"):
        fetch(url, client=client)


def test_a_page_with_status_200_is_handed_over_as_it_is(server: Server, client: Client) -> None:
    url = server.on("/", lambda exchange: exchange.answer(200, b"<html>Sorry</html>", content_type="text/html"))
    assert fetch(url, client=client) == Fetched(b"<html>Sorry</html>", "", "")


@pytest.mark.parametrize("etag", ['"' + "x" * 600 + '"', '"caf\xe9"'])
def test_a_validator_that_could_not_be_sent_back_is_not_kept(server: Server, client: Client, etag: str) -> None:
    url = server.on("/", lambda exchange: exchange.answer(200, b"{}", etag=etag))
    assert fetch(url, client=client) == Fetched(b"{}", "", "")


@pytest.mark.parametrize(
    ("status", "permanent"),
    [(204, False), (206, False), (401, True), (404, True), (408, False), (410, True), (429, False), (500, False)],
)
def test_any_other_status_is_an_error_that_names_it(
    server: Server, client: Client, status: int, permanent: bool
) -> None:
    url = server.on("/secret", lambda exchange: exchange.answer(status))
    with pytest.raises(StatusError) as caught:
        fetch(url, client=client)
    assert str(caught.value) == f"http://127.0.0.1:{server.server_port}: answered with status {status}"
    assert (caught.value.status, caught.value.retry_after) == (status, None)
    assert caught.value.permanent is permanent


def test_a_busy_server_says_when_to_come_back(server: Server, client: Client) -> None:
    url = server.on("/", lambda exchange: exchange.answer(503, b"later", retry_after="120"))
    with pytest.raises(StatusError) as caught:
        fetch(url, client=client)
    assert caught.value.retry_after == 120


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        ("120", 120),
        (" 7 ", 7),
        ("315360000", MAX_RETRY_AFTER_SECONDS),
        ("9" * 6000, MAX_RETRY_AFTER_SECONDS),
        ("Mon, 23 Nov 2026 12:05:00 GMT", 300),
        ("Mon, 23 Nov 2026 13:00:00 +0100", 0),
        ("Sun, 22 Nov 2026 12:00:00 GMT", 0),
        ("Fri, 23 Nov 2036 12:00:00 GMT", MAX_RETRY_AFTER_SECONDS),
        (None, None),
        ("", None),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("١٢", None),
    ],
)
def test_retry_after_is_read_within_bounds(value: str | None, seconds: float | None) -> None:
    assert retry_after_seconds(value, now=NOON) == seconds


@given(st.text() | st.text(alphabet="MonFebSu0123456789:,+- GT", max_size=40))
def test_no_retry_after_is_more_than_unreadable(value: str) -> None:
    seconds = retry_after_seconds(value, now=NOON)
    assert seconds is None or 0 <= seconds <= MAX_RETRY_AFTER_SECONDS
