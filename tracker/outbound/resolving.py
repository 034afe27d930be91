"""From a host name to its addresses, in bounded time."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from ipaddress import ip_address
from queue import Empty, SimpleQueue
from threading import Thread

from tracker.outbound.addresses import Address
from tracker.outbound.deadlines import time_left
from tracker.outbound.errors import ConnectionFailed, TooSlow

# Takes a host as written in the address and a port; returns the numeric addresses, the preferred first.
Resolver = Callable[[str, int], Sequence[str]]


def system_resolver(host: str, port: int) -> list[str]:
    """Return the numeric addresses that the operating system has for `host`, each once.

    It also reads the odd spellings of IPv4 (`0x7f.1`, `2130706433`) that the system would connect to. Raises OSError.
    """
    # As bytes, since Python would encode text once more and raise errors of its own kind.
    answers = socket.getaddrinfo(host.encode("ascii"), port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in answers))


def addresses_of(host: str, port: int, *, resolver: Resolver, seconds: float | None) -> list[Address]:
    """Return the addresses of `host`, at least one. Raises ConnectionFailed and TooSlow."""
    outcome = _within(lambda: resolver(host, port), time_left(seconds))
    if isinstance(outcome, Exception):
        reason = getattr(outcome, "strerror", None) or str(outcome)
        raise ConnectionFailed(f"the name has no address: {reason}") from outcome
    if not outcome:
        raise ConnectionFailed("the name has no address")
    return [ip_address(answer) for answer in outcome]


def _within(look_up: Callable[[], Sequence[str]], seconds: float | None) -> Sequence[str] | Exception:
    # getaddrinfo takes no timeout. The thread left behind ends with the system resolver's own.
    outcomes: SimpleQueue[Sequence[str] | Exception] = SimpleQueue()

    def run() -> None:
        try:
            outcomes.put(look_up())
        except Exception as error:
            outcomes.put(error)

    Thread(target=run, name="outbound look-up", daemon=True).start()
    try:
        return outcomes.get(timeout=seconds)
    except Empty:
        raise TooSlow("the name was not resolved in time") from None
