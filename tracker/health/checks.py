"""Asks each thing that the tracker cannot work without whether it is there."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import redis
from django.conf import settings
from django.db import connection
from django.utils import timezone
from django.utils.module_loading import import_string

from tracker.models import Heartbeat

logger = logging.getLogger(__name__)
# A tick may wait behind a long task, so one that is merely late is no alarm.
TICKS_UNTIL_STALE = 4
SHORTEST_STALE_SECONDS = 120


class NotReadyError(Exception):
    """A part is not there; the message is fit to be shown to anyone."""


def check_database() -> dict[str, Any]:
    """Ask the database for one row. Raises whatever the database raises."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchone()
    return {"vendor": connection.vendor}


def check_broker() -> dict[str, Any]:
    """Ask the broker whether a message could be left with it now. Raises NotReadyError or a Redis error."""
    if settings.REDIS_URL:
        with redis.from_url(
            settings.REDIS_URL,
            socket_timeout=settings.REDIS_TIMEOUT_SECONDS,
            socket_connect_timeout=settings.REDIS_TIMEOUT_SECONDS,
        ) as client:
            client.ping()
        return {"transport": "redis"}
    messages = Path(settings.CELERY_BROKER_TRANSPORT_OPTIONS["data_folder_out"])
    if not os.access(messages, os.W_OK | os.X_OK):
        raise NotReadyError("the broker's folder cannot be written to")
    return {"transport": "filesystem"}


def check_tick() -> dict[str, Any]:
    """Return when a worker last saw a tick, and its age in seconds. Raises NotReadyError when that is too long ago."""
    seen_at = Heartbeat.last_seen(Heartbeat.TICK)
    if seen_at is None:
        raise NotReadyError("no worker has seen a tick yet")
    age = (timezone.now() - seen_at).total_seconds()
    if age > stale_after_seconds():
        raise NotReadyError(f"the last tick that a worker saw was {age:.0f} s ago")
    return {"last_seen": seen_at.isoformat().replace("+00:00", "Z"), "age_seconds": round(age, 1)}


def stale_after_seconds() -> int:
    """Return the age in seconds above which the last tick means that no worker or no beat is running."""
    return max(SHORTEST_STALE_SECONDS, TICKS_UNTIL_STALE * int(settings.TICK_SECONDS))


CHECKS: dict[str, Callable[[], dict[str, Any]]] = {
    "database": check_database,
    "broker": check_broker,
    "tick": check_tick,
}


def readiness() -> dict[str, dict[str, Any]]:
    """Return for each part `ok` and what is known of it; an error is logged whole and shown by its kind alone."""
    checked = {name: _outcome(name, check) for name, check in CHECKS.items()}
    return checked | {name: _note(name, path) for name, path in settings.READINESS_NOTES.items()}


def _note(name: str, path: str) -> dict[str, Any]:
    """What an app has to show; it is never what makes the tracker unready."""
    try:
        return {"ok": True, **import_string(path)()}
    except Exception as error:
        logger.warning("No note on %s: %s", name, error)
        return {"ok": True, "detail": type(error).__name__}


def _outcome(name: str, check: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    try:
        return {"ok": True, **check()}
    except NotReadyError as reason:
        return {"ok": False, "detail": str(reason)}
    except Exception as error:
        logger.warning("Not ready: %s: %s", name, error)
        return {"ok": False, "detail": type(error).__name__}
