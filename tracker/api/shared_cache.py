"""Django's cache for what the API can do without: a cache server that is down slows no reader and fails none."""

from __future__ import annotations

import logging
import time
from typing import Any

from django.core.cache import cache

logger = logging.getLogger(__name__)

# After a failure the cache is left alone for so long, so that not every request waits for its timeout.
_PAUSE_SECONDS = 10.0


class _Pause:
    until = 0.0


def get(key: str) -> Any:
    """The value kept under a key, or None."""
    return _tried(lambda: cache.get(key))


def put(key: str, value: Any, seconds: int) -> None:
    """Keep a value for so long, if the cache is there."""
    _tried(lambda: cache.set(key, value, seconds))


def count(key: str, seconds: int) -> int | None:
    """Add one to a counter that lives for so long, and return it; None when the cache is not there."""
    result = _tried(lambda: _counted(key, seconds))
    return None if result is None else int(result)


def _counted(key: str, seconds: int) -> int:
    cache.add(key, 0, seconds)
    try:
        return cache.incr(key)
    except ValueError:  # it expired, or was evicted, between the two calls
        cache.set(key, 1, seconds)
        return 1


def _tried(operation: Any) -> Any:
    if time.monotonic() < _Pause.until:
        return None
    try:
        return operation()
    except Exception as error:  # each cache backend has its own errors; none of them is the reader's concern
        _Pause.until = time.monotonic() + _PAUSE_SECONDS
        logger.warning("The cache does not answer (%s); going on without it for %.0f s.", error, _PAUSE_SECONDS)
        return None
