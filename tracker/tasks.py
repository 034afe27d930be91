"""The tick as a task: beat sends it, a worker runs it."""

from __future__ import annotations

import logging

from celery import shared_task
from django.db import DatabaseError

from tracker.models import Heartbeat
from tracker.tick import run_steps

logger = logging.getLogger(__name__)


@shared_task(name="tracker.tick", soft_time_limit=5 * 60, time_limit=6 * 60)
def tick() -> None:
    """Note that a worker saw a tick, then let every part of the project look for work."""
    try:
        Heartbeat.record(Heartbeat.TICK)
    except DatabaseError:
        logger.exception("The tick could not be recorded")
    for _outcome in run_steps():
        pass
