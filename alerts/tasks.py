"""Alerts as Celery tasks. A message only says "look now": the rows in the database are the queue."""

from __future__ import annotations

import logging
import math
from datetime import datetime
from typing import Any

from celery import shared_task
from django.utils import timezone
from kombu.exceptions import OperationalError

from alerts.models import Watch
from alerts.news import gather_news
from alerts.sending import send_due

logger = logging.getLogger(__name__)
# A look that finds more than this to send leaves the rest to the next, so that other work gets its turn.
SECONDS = 120.0
# Only the first retries are worth a message of their own; later ones are the tick's.
_SOON_SECONDS = 60


@shared_task(name="alerts.look", soft_time_limit=5 * 60, time_limit=6 * 60)
def look() -> None:
    """Match new changes, compose what is due, and send it."""
    gather_news()
    _come_back_for(send_due(SECONDS))


@shared_task(name="alerts.send", soft_time_limit=5 * 60, time_limit=6 * 60)
def send() -> None:
    """Send what is due."""
    _come_back_for(send_due(SECONDS))


def look_now(**_signal: Any) -> None:
    """Ask a worker to look, if anybody watches; a broker that is down costs at most one tick."""
    if Watch.objects.exists():
        _tell(look)


def send_now() -> None:
    """Ask a worker to send, such as the test of a new channel."""
    _tell(send)


def _come_back_for(moment: datetime | None) -> None:
    wait = None if moment is None else (moment - timezone.now()).total_seconds()
    if wait is not None and wait < _SOON_SECONDS:
        _tell(send, countdown=max(1, math.ceil(wait)))


def _tell(task: Any, countdown: int | None = None) -> None:
    try:
        task.apply_async(retry=False, countdown=countdown, expires=(countdown or 0) + 300)
    except (OperationalError, OSError) as error:
        logger.warning("The broker cannot be reached (%s); the next tick will do it", error)
