"""Keeping Python's garbage collector out of short bursts of work that make many objects and no cycles.

A request with thousands of lines makes so many objects that the collector runs over all that the process holds, several
times, and finds nothing: it took half of the time.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock


class _Bursts:
    """How many threads are in one; the last to leave lets the collector work again, if it did before the first."""

    running = 0
    collected_before = True
    lock = Lock()


@contextmanager
def without_collections() -> Iterator[None]:
    """Collect no garbage while this block runs, in any thread. What is not part of a cycle is freed as ever."""
    with _Bursts.lock:
        if _Bursts.running == 0:
            _Bursts.collected_before = gc.isenabled()
            gc.disable()
        _Bursts.running += 1
    try:
        yield
    finally:
        with _Bursts.lock:
            _Bursts.running -= 1
            if _Bursts.running == 0 and _Bursts.collected_before:
                gc.enable()
