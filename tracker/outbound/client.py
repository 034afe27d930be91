"""The outbound HTTP client: GET for feeds, POST for webhooks, bounded in time and size, to checked addresses only."""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from types import TracebackType
from typing import Self

import httpcore
import httpx

from tracker import __version__
from tracker.outbound.addresses import Network
from tracker.outbound.bodies import ACCEPTED_CODING, read_start, read_whole
from tracker.outbound.connections import CheckedBackend
from tracker.outbound.deadlines import time_left, time_limit
from tracker.outbound.errors import (
    BadHeader,
    ConnectionFailed,
    OutboundError,
    TooLarge,
    TooManyRedirects,
    TooSlow,
)
from tracker.outbound.limits import FEED_LIMITS, WEBHOOK_LIMITS, Limits
from tracker.outbound.resolving import Resolver, system_resolver
from tracker.outbound.urls import checked_url, origin_of, redirect_target

MAX_REDIRECTS = 3
_REDIRECTS = (301, 302, 303, 307, 308)
_HEADERS_FOR_ONE_ORIGIN = ("authorization", "cookie", "proxy-authorization")
# Enough to log what went wrong.
_ERROR_BODY_BYTES = 16 * 1024
_HEADERS_TOO_LARGE = 431


@dataclass(frozen=True)
class Response:
    """An answer. `complete` is False when only the start of the body was kept or could be read."""

    url: str
    status: int
    headers: httpx.Headers
    body: bytes
    complete: bool


@dataclass(frozen=True)
class _Request:
    method: str
    url: httpx.URL
    headers: httpx.Headers
    content: bytes | None = None


def user_agent(site_url: str = "") -> str:
    """Return how this tracker names itself, with its public address if there is one."""
    name = f"ai-monetization-tracker/{__version__}"
    return f"{name} (+{site_url})" if site_url else name


class Client:
    """Makes outbound calls. Safe for threads; make one after a fork, and close it.

    It reads no proxy, password or cookie from anywhere. Connections are kept open between calls to one origin.
    `allowed_nets` are networks that may be called although they are special-purpose. `tls` replaces the trusted roots.
    """

    def __init__(
        self,
        *,
        allowed_nets: Iterable[Network] = (),
        agent: str = "",
        resolver: Resolver = system_resolver,
        tls: ssl.SSLContext | None = None,
        sockets: httpcore.NetworkBackend | None = None,
    ) -> None:
        self._agent = agent or user_agent()
        self._pool = httpcore.ConnectionPool(
            ssl_context=tls or _trusted_roots(),
            max_connections=None,
            max_keepalive_connections=20,
            keepalive_expiry=5,
            network_backend=CheckedBackend(allowed_nets=allowed_nets, resolver=resolver, sockets=sockets),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._pool.close()

    def get(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        limits: Limits = FEED_LIMITS,
        follow_redirects: bool = True,
    ) -> Response:
        """Return the answer to a GET, after at most MAX_REDIRECTS redirects, each checked anew.

        The body of a 2xx answer is whole or an error, of a redirect left out, of any other answer the start is kept.
        Raises OutboundError.
        """
        with time_limit(limits.total_seconds):
            request = self._request("GET", checked_url(url), headers)
            for _ in range(MAX_REDIRECTS + 1):
                response = self._get_once(request, limits)
                location = response.headers.get("location")
                if not follow_redirects or response.status not in _REDIRECTS or location is None:
                    return response
                request = _following(request, redirect_target(request.url, location))
        raise TooManyRedirects(f"it redirects more than {MAX_REDIRECTS} times", origin=origin_of(checked_url(url)))

    def post(
        self,
        url: str,
        *,
        content: bytes,
        headers: Mapping[str, str] | None = None,
        limits: Limits = WEBHOOK_LIMITS,
    ) -> Response:
        """Return the answer to a POST of exactly `content`. Redirects are not followed.

        Once the status is heard the call has succeeded, whatever becomes of the answer's body. Raises OutboundError.
        """
        return self.exchange("POST", url, content=content, headers=headers, limits=limits)

    def exchange(
        self,
        method: str,
        url: str,
        *,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        limits: Limits = WEBHOOK_LIMITS,
    ) -> Response:
        """Return the answer to one request of any method, with the start of its body. Raises OutboundError."""
        with time_limit(limits.total_seconds):
            request = self._request(method, checked_url(url), headers, content)
            with self._answer(request, limits) as answer:
                return _start_of(answer, request, limits.body_bytes)

    def _get_once(self, request: _Request, limits: Limits) -> Response:
        with self._answer(request, limits) as answer:
            if 200 <= answer.status < 300:
                return _whole(answer, request, limits.body_bytes)
            if answer.status in _REDIRECTS:
                return Response(str(request.url), answer.status, httpx.Headers(answer.headers), b"", complete=False)
            return _start_of(answer, request, _ERROR_BODY_BYTES)

    def _request(
        self, method: str, url: httpx.URL, headers: Mapping[str, str] | None, content: bytes | None = None
    ) -> _Request:
        ours = {"User-Agent": self._agent, "Accept": "*/*", "Accept-Encoding": ACCEPTED_CODING}
        try:
            merged = httpx.Headers(ours)
            merged.update(headers)
        except UnicodeEncodeError as error:
            raise BadHeader("a header holds characters outside ASCII", origin=origin_of(url)) from error
        merged["Host"] = url.netloc.decode("ascii")
        return _Request(method, url, merged, content)

    @contextmanager
    def _answer(self, request: _Request, limits: Limits) -> Iterator[httpcore.Response]:
        with (
            _in_our_words(origin_of(request.url), limits),
            self._pool.stream(
                request.method,
                _target(request.url),
                headers=request.headers.raw,
                content=request.content,
                extensions={"timeout": _timeouts(limits)},
            ) as answer,
        ):
            if sum(len(name) + len(value) for name, value in answer.headers) > limits.header_bytes:
                raise TooLarge(f"the headers are larger than {limits.header_bytes} bytes")
            yield answer


def _following(request: _Request, target: httpx.URL) -> _Request:
    headers = request.headers.copy()
    if origin_of(target) != origin_of(request.url):
        for name in _HEADERS_FOR_ONE_ORIGIN:
            headers.pop(name, None)
    headers["Host"] = target.netloc.decode("ascii")
    return _Request(request.method, target, headers)


def _whole(answer: httpcore.Response, request: _Request, limit: int) -> Response:
    headers = httpx.Headers(answer.headers)
    announced = headers.get("content-length", "")
    # h11 has already refused a Content-Length that is not a plain number of at most 20 digits.
    if announced.isdecimal() and int(announced) > limit:
        raise TooLarge(f"the body is larger than {limit} bytes")
    body = read_whole(answer.iter_stream(), coding=headers.get("content-encoding", ""), limit=limit)
    return Response(str(request.url), answer.status, headers, body, complete=True)


def _start_of(answer: httpcore.Response, request: _Request, limit: int) -> Response:
    headers = httpx.Headers(answer.headers)
    body, complete = read_start(answer.iter_stream(), coding=headers.get("content-encoding", ""), limit=limit)
    return Response(str(request.url), answer.status, headers, body, complete)


def _target(url: httpx.URL) -> httpcore.URL:
    return httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)


def _timeouts(limits: Limits) -> dict[str, float]:
    return {"connect": limits.connect_seconds, "read": limits.idle_seconds, "write": limits.idle_seconds}


@cache
def _trusted_roots() -> ssl.SSLContext:
    # Reading the roots takes longer than a local call, so once a process. SSL_CERT_FILE and SSL_CERT_DIR are honoured:
    # they are how an operator adds an authority of their own.
    return httpx.create_ssl_context()


@contextmanager
def _in_our_words(origin: str, limits: Limits) -> Iterator[None]:
    """Turn httpcore's errors within the block into ours, and name the origin in each."""
    try:
        yield
    except OutboundError as error:
        error.origin = error.origin or origin
        raise
    except httpcore.TimeoutException as error:
        raise _too_slow(error, limits, origin) from error
    except httpcore.LocalProtocolError as error:
        # Without h11's own words, which repeat the header's value.
        raise BadHeader("a header holds what HTTP does not allow", origin=origin) from error
    except httpcore.RemoteProtocolError as error:
        if getattr(_cause(error), "error_status_hint", None) == _HEADERS_TOO_LARGE:
            raise TooLarge(f"the headers are larger than {limits.header_bytes} bytes", origin=origin) from error
        raise ConnectionFailed(f"broke off or spoke no valid HTTP: {error}", origin=origin) from error
    except httpcore.NetworkError as error:
        raise ConnectionFailed(_failure(error), origin=origin) from error


def _too_slow(error: httpcore.TimeoutException, limits: Limits, origin: str) -> TooSlow:
    try:
        time_left()
    except TooSlow as over:
        over.origin = origin
        return over
    if isinstance(error, httpcore.ConnectTimeout):
        return TooSlow(f"no connection within {limits.connect_seconds:g} s", origin=origin)
    return TooSlow(f"silent for {limits.idle_seconds:g} s", origin=origin)


def _failure(error: httpcore.NetworkError) -> str:
    cause = _cause(error)
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"the certificate is not trusted: {cause.verify_message}"
    if isinstance(cause, ssl.SSLError):
        return f"TLS failed: {cause.reason or cause}"
    return f"cannot be reached: {getattr(cause, 'strerror', None) or error}"


def _cause(error: Exception) -> object:
    # httpcore hands on what it translates as the argument; the pool clears `__cause__`.
    return error.args[0] if error.args else None
