"""Reads answers' bodies piece by piece within their limit, decompressing as it goes."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

import httpcore

from tracker.outbound.errors import OutboundError, TooLarge, Unreadable

ACCEPTED_CODING = "gzip"
_GZIP_CODINGS = ("gzip", "x-gzip")
_GZIP_WINDOW = 16 + zlib.MAX_WBITS
# What one step may decompress to, however small its input.
_PIECE = 64 * 1024


def read_whole(chunks: Iterable[bytes], *, coding: str, limit: int) -> bytes:
    """Return the whole decompressed body. Raises TooLarge above `limit` bytes, sent or decompressed; Unreadable."""
    body = bytearray()
    for piece in decoded(_bounded(chunks, limit), coding):
        body += piece
        if len(body) > limit:
            raise TooLarge(f"the body is larger than {limit} bytes when decompressed")
    return bytes(body)


def read_start(chunks: Iterable[bytes], *, coding: str, limit: int) -> tuple[bytes, bool]:
    """Return the first `limit` bytes of the decompressed body and whether that is surely all of it.

    A body that breaks off, drips or cannot be decompressed gives what was read so far: the status has been heard.
    """
    body = bytearray()
    try:
        for piece in decoded(chunks, coding):
            body += piece
            if len(body) >= limit:
                return bytes(body[:limit]), False
    except (OutboundError, httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException):
        return bytes(body), False
    return bytes(body), True


def decoded(chunks: Iterable[bytes], coding: str) -> Iterator[bytes]:
    """Return the content of `chunks`, given the answer's Content-Encoding. Raises Unreadable.

    Only one layer of gzip is read: nested codings multiply what a small answer can grow to.
    """
    name = coding.strip().lower()
    if name in ("", "identity"):
        return iter(chunks)
    if name in _GZIP_CODINGS:
        return _gunzipped(chunks)
    raise Unreadable(f"the body has content-encoding {name[:40]!r}; only {ACCEPTED_CODING} is read")


def _gunzipped(chunks: Iterable[bytes]) -> Iterator[bytes]:
    member = zlib.decompressobj(_GZIP_WINDOW)
    empty = True
    try:
        for chunk in chunks:
            rest = chunk
            while rest:
                empty = False
                if member.eof:
                    member = zlib.decompressobj(_GZIP_WINDOW)
                yield member.decompress(rest, _PIECE)
                rest = member.unused_data or member.unconsumed_tail
        yield member.flush()
    except zlib.error as error:
        raise Unreadable(f"the body is not valid gzip: {error}") from error
    if not (empty or member.eof):
        raise Unreadable("the body is cut short in the middle of its gzip stream")


def _bounded(chunks: Iterable[bytes], limit: int) -> Iterator[bytes]:
    sent = 0
    for chunk in chunks:
        sent += len(chunk)
        if sent > limit:
            raise TooLarge(f"the body is larger than {limit} bytes")
        yield chunk
