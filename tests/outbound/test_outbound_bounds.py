"""No server, however it behaves, takes more than its share of time or memory."""

from __future__ import annotations

import gzip
import threading
import time
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

import pytest

from tests.outbound.loopback_server import LOOPBACK, Exchange, Server
from tracker.outbound.bodies import read_whole
from tracker.outbound.client import Client
from tracker.outbound.errors import ConnectionFailed, OutboundError, TooLarge, TooSlow, Unreadable
from tracker.outbound.limits import FEED_LIMITS, WEBHOOK_LIMITS

SMALL = replace(FEED_LIMITS, body_bytes=1000, header_bytes=8000)
HURRIED = replace(FEED_LIMITS, total_seconds=0.3)


@contextmanager
def soon() -> Iterator[None]:
    """Fail when the block takes much longer than HURRIED allows."""
    started = time.monotonic()
    yield
    assert time.monotonic() - started < 2


def chunked(exchange: Exchange) -> None:
    exchange.send_response(200)
    exchange.send_header("Transfer-Encoding", "chunked")
    exchange.end_headers()


def test_a_body_of_exactly_the_limit_is_read(server: Server, client: Client) -> None:
    url = server.on("/", lambda exchange: exchange.answer(200, b"x" * 1000))
    assert len(client.get(url, limits=SMALL).body) == 1000


def test_a_body_announced_above_the_limit_is_refused_unread(server: Server, client: Client) -> None:
    url = server.on("/", lambda exchange: exchange.answer(200, b"", content_length="1001"))
    with pytest.raises(TooLarge, match="larger than 1000 bytes") as caught:
        client.get(url, limits=SMALL)
    assert caught.value.permanent


def test_a_body_without_end_is_cut_off_at_the_limit(server: Server, client: Client) -> None:
    def pour(exchange: Exchange) -> None:
        chunked(exchange)
        while exchange.send(b"400\r\n" + b"x" * 1024 + b"\r\n"):
            pass

    with pytest.raises(TooLarge, match="larger than 1000 bytes"):
        client.get(server.on("/", pour), limits=SMALL)


def test_a_gzip_body_is_decompressed(server: Server, client: Client) -> None:
    body = b"price," * 100
    url = server.on("/", lambda exchange: exchange.answer(200, gzip.compress(body), content_encoding="gzip"))
    assert client.get(url, limits=SMALL).body == body


def test_a_gzip_bomb_is_cut_off_at_the_limit(server: Server, client: Client) -> None:
    bomb = gzip.compress(bytes(50_000_000))
    assert len(bomb) < 50_000
    url = server.on("/", lambda exchange: exchange.answer(200, bomb, content_encoding="gzip"))
    with pytest.raises(TooLarge, match="larger than 1000000 bytes when decompressed"):
        client.get(url, limits=replace(SMALL, body_bytes=1_000_000))


def test_gzip_within_gzip_is_not_read(server: Server, client: Client) -> None:
    twice = gzip.compress(gzip.compress(b"x"))
    url = server.on("/", lambda exchange: exchange.answer(200, twice, content_encoding="gzip, gzip"))
    with pytest.raises(Unreadable, match="'gzip, gzip'; only gzip is read"):
        client.get(url)


@pytest.mark.parametrize("coding", ["br", "zstd", "deflate"])
def test_a_coding_that_was_not_asked_for_is_an_error(server: Server, client: Client, coding: str) -> None:
    url = server.on("/", lambda exchange: exchange.answer(200, b"x", content_encoding=coding))
    with pytest.raises(Unreadable, match=coding):
        client.get(url)


def test_gzip_cut_short_anywhere_is_an_error() -> None:
    whole = gzip.compress(b"a price, and another price")
    for length in range(1, len(whole)):
        with pytest.raises(Unreadable):
            read_whole([whole[:length]], coding="gzip", limit=1000)


def test_damaged_gzip_is_an_error() -> None:
    with pytest.raises(Unreadable, match="not valid gzip"):
        read_whole([b"<html>not gzip"], coding="gzip", limit=1000)


def test_gzip_is_read_whole_however_it_is_cut_into_pieces() -> None:
    body = b"".join(b"%d," % number for number in range(60_000))
    sent = gzip.compress(body[:100_000]) + gzip.compress(body[100_000:])
    for size in (1, 7, 1000, len(sent)):
        pieces = [sent[start : start + size] for start in range(0, len(sent), size)]
        assert read_whole(pieces, coding="x-gzip", limit=len(body)) == body


def test_empty_gzip_blocks_without_end_count_as_sent() -> None:
    stream = zlib.compressobj(wbits=31)

    def nothing_for_ever() -> Iterator[bytes]:
        while True:
            yield stream.flush(zlib.Z_FULL_FLUSH) or b"\x00\x00\x00\xff\xff"

    with pytest.raises(TooLarge):
        read_whole(nothing_for_ever(), coding="gzip", limit=1000)


@pytest.mark.parametrize("size", [9_000, 90_000, 2_000_000])
def test_headers_above_the_limit_are_refused(server: Server, client: Client, size: int) -> None:
    def boast(exchange: Exchange) -> None:
        lines = b"".join(b"X-%d: %s\r\n" % (number, b"y" * 990) for number in range(size // 1000))
        exchange.send(b"HTTP/1.1 200 OK\r\n" + lines + b"Content-Length: 0\r\n\r\n")
        exchange.drop()

    with pytest.raises(TooLarge, match="the headers are larger than 8000 bytes"):
        client.get(server.on("/", boast), limits=SMALL)


def drip_body(exchange: Exchange) -> None:
    chunked(exchange)
    exchange.drip(b"1\r\nx\r\n")


def drip_headers(exchange: Exchange) -> None:
    exchange.send(b"HTTP/1.1 200 OK\r\n")
    exchange.drip(b"X: y\r\n")


def drip_promises(exchange: Exchange) -> None:
    exchange.drip(b"HTTP/1.1 103 Early Hints\r\n\r\n")


def hang_in_body(exchange: Exchange) -> None:
    exchange.answer(200, b"half", content_length="8")
    exchange.hang()


@pytest.mark.parametrize(
    "behaviour", [drip_body, drip_headers, drip_promises, hang_in_body, Exchange.hang], ids=lambda each: each.__name__
)
def test_a_server_that_drips_or_hangs_is_cut_off_by_the_deadline(server: Server, client: Client, behaviour) -> None:
    url = server.on("/", behaviour)
    with soon(), pytest.raises(TooSlow, match=r"no complete answer within 0\.3 s") as caught:
        client.get(url, limits=HURRIED)
    assert not caught.value.permanent


def test_redirects_share_one_deadline(server: Server, client: Client) -> None:
    def dawdle(exchange: Exchange) -> None:
        exchange.server.closing.wait(0.15)
        exchange.answer(302, location="/")

    with soon(), pytest.raises(TooSlow):
        client.get(server.on("/", dawdle), limits=HURRIED)


def test_a_silent_server_is_given_up_before_the_deadline(server: Server, client: Client) -> None:
    url = server.on("/", Exchange.hang)
    with soon(), pytest.raises(TooSlow, match=r"silent for 0\.1 s"):
        client.get(url, limits=replace(FEED_LIMITS, idle_seconds=0.1))


def test_a_receiver_that_reads_nothing_is_cut_off_by_the_deadline(server: Server, client: Client) -> None:
    server.unread = "/"
    with soon(), pytest.raises(TooSlow, match=r"within 0\.3 s"):
        client.post(
            server.on("/", Exchange.hang),
            content=bytes(20_000_000),
            limits=replace(WEBHOOK_LIMITS, total_seconds=0.3),
        )


def test_a_name_that_is_not_resolved_in_time_is_cut_off_by_the_deadline() -> None:
    released = threading.Event()

    def stuck(host: str, port: int) -> list[str]:
        released.wait()
        return ["127.0.0.1"]

    with Client(allowed_nets=LOOPBACK, resolver=stuck) as client, soon():
        with pytest.raises(TooSlow, match="not resolved in time"):
            client.get("http://slow.example/", limits=HURRIED)
        released.set()


def test_a_connection_that_one_call_left_slow_gives_the_next_its_own_time(server: Server, client: Client) -> None:
    hang = server.on("/hang", Exchange.hang)
    fine = server.on("/fine", lambda exchange: exchange.answer(200, b"fine"))
    client.get(fine, limits=HURRIED)
    with pytest.raises(TooSlow):
        client.get(hang, limits=HURRIED)
    assert client.get(fine, limits=HURRIED).body == b"fine"


def test_slow_calls_in_other_threads_take_no_time_from_a_quick_one(server: Server, client: Client) -> None:
    hang = server.on("/hang", Exchange.hang)
    fine = server.on("/fine", lambda exchange: exchange.answer(200, b"fine"))
    patient = replace(FEED_LIMITS, total_seconds=5)
    with ThreadPoolExecutor(8) as threads, soon():
        stuck = [threads.submit(client.get, hang, limits=HURRIED) for _ in range(6)]
        quick = [threads.submit(client.get, fine, limits=patient) for _ in range(20)]
        assert {each.result().body for each in quick} == {b"fine"}
        assert {type(each.exception()) for each in stuck} == {TooSlow}


def break_in_body(exchange: Exchange) -> None:
    exchange.answer(200, b"half", content_length="8")
    exchange.drop()


def break_in_chunk(exchange: Exchange) -> None:
    chunked(exchange)
    exchange.send(b"8\r\nhalf")
    exchange.drop()


@pytest.mark.parametrize(
    "behaviour", [Exchange.drop, break_in_body, break_in_chunk], ids=["nothing", "in the body", "in a chunk"]
)
def test_an_answer_that_breaks_off_is_a_failure_that_may_pass(server: Server, client: Client, behaviour) -> None:
    with pytest.raises(ConnectionFailed, match="broke off") as caught:
        client.get(server.on("/", behaviour))
    assert not caught.value.permanent


def test_a_webhooks_answer_of_any_size_counts_by_its_status(server: Server, client: Client) -> None:
    def pour(exchange: Exchange) -> None:
        chunked(exchange)
        while exchange.send(b"400\r\n" + b"x" * 1024 + b"\r\n"):
            pass

    response = client.post(server.on("/", pour), content=b"{}")
    assert (response.status, response.complete) == (200, False)
    assert response.body == b"x" * WEBHOOK_LIMITS.body_bytes


@pytest.mark.parametrize("behaviour", [drip_body, hang_in_body, break_in_body, break_in_chunk])
def test_a_webhooks_answer_counts_by_its_status_whatever_its_body_does(
    server: Server, client: Client, behaviour
) -> None:
    with soon():
        response = client.post(
            server.on("/", behaviour), content=b"{}", limits=replace(WEBHOOK_LIMITS, total_seconds=0.3)
        )
    assert (response.status, response.complete) == (200, False)


@pytest.mark.parametrize("behaviour", [drip_headers, Exchange.hang, Exchange.drop])
def test_a_webhook_without_a_status_is_an_error(server: Server, client: Client, behaviour) -> None:
    with soon(), pytest.raises(OutboundError):
        client.post(server.on("/", behaviour), content=b"{}", limits=replace(WEBHOOK_LIMITS, total_seconds=0.3))
