"""The time that the outbound call under way has left, wherever in the layers below it is asked for."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from tracker.outbound.errors import TooSlow


@dataclass(frozen=True)
class _Deadline:
    seconds: float
    ends_at: float


# httpcore hands a stream only the timeout of one read. Connections outlive calls, so a stream cannot keep the deadline.
_current: ContextVar[_Deadline | None] = ContextVar("outbound deadline", default=None)


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Give everything within the block `seconds` in total."""
    token = _current.set(_Deadline(seconds, time.monotonic() + seconds))
    try:
        yield
    finally:
        _current.reset(token)


def time_left(at_most: float | None = None) -> float | None:
    """Return the seconds that the next step may take: what is left in total, and never above `at_most`.

    None means no bound at all, outside a `time_limit`. Raises TooSlow when nothing is left.
    """
    deadline = _current.get()
    if deadline is None:
        return at_most
    left = deadline.ends_at - time.monotonic()
    if left <= 0:
        raise TooSlow(f"no complete answer within {deadline.seconds:g} s")
    return left if at_most is None else min(left, at_most)
