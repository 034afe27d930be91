"""Sockets for httpcore that lead to checked addresses only and keep the call's deadline at every step."""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from typing import Any

import httpcore

from tracker.outbound.addresses import Address, Network, refusal
from tracker.outbound.deadlines import time_left
from tracker.outbound.errors import AddressRefused
from tracker.outbound.resolving import Resolver, addresses_of, system_resolver

# A peer that takes in a byte at a time is noticed between two pieces.
_WRITE_PIECE = 16 * 1024


class CheckedBackend(httpcore.NetworkBackend):
    """Opens connections to addresses that were resolved and checked in the same step.

    The name is resolved once for each connection, the answers are judged, and the socket is opened to one of those very
    answers: a redirect or a DNS answer that changes between check and use finds no gap. The name stays what TLS and the
    Host header speak of.
    """

    def __init__(
        self,
        *,
        allowed_nets: Iterable[Network] = (),
        resolver: Resolver = system_resolver,
        sockets: httpcore.NetworkBackend | None = None,
    ) -> None:
        self._allowed_nets = tuple(allowed_nets)
        self._resolver = resolver
        self._sockets = sockets or httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first reachable address of `host` that may be called.

        Raises AddressRefused if none may be, ConnectionFailed if there is none, and httpcore's errors if none answers.
        """
        failure: Exception | None = None
        for address in self._checked(host, port, timeout):
            try:
                stream = self._sockets.connect_tcp(
                    str(address), port, time_left(timeout), local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return DeadlineStream(stream)
        assert failure is not None
        raise failure

    def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Refuse: no outbound call ends on this machine's sockets."""
        raise AddressRefused("a Unix socket")

    def _checked(self, host: str, port: int, seconds: float | None) -> list[Address]:
        answers = addresses_of(host, port, resolver=self._resolver, seconds=seconds)
        verdicts = [(address, refusal(address, self._allowed_nets)) for address in answers]
        callable_ones = [address for address, why in verdicts if why is None]
        if not callable_ones:
            # The address itself stays out of the line: it would tell a watch's owner how names resolve inside.
            raise AddressRefused(f"refused, it leads to {verdicts[0][1]}; OUTBOUND_ALLOW_NETS can allow it")
        return callable_ones


class DeadlineStream(httpcore.NetworkStream):
    """A connection on which no step waits past the deadline of the call under way."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Return up to `max_bytes`. Raises TooSlow when the call's time is over."""
        return self._stream.read(max_bytes, time_left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write all of `buffer`. Raises TooSlow when the call's time is over."""
        for start in range(0, len(buffer), _WRITE_PIECE):
            self._stream.write(buffer[start : start + _WRITE_PIECE], time_left(timeout))

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """Return this connection within TLS. The timeout bounds the whole handshake."""
        return DeadlineStream(self._stream.start_tls(ssl_context, server_hostname, time_left(timeout)))

    def get_extra_info(self, info: str) -> Any:
        """Return what httpcore asks of the socket below."""
        return self._stream.get_extra_info(info)
