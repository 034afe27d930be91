"""The fan-out as a Celery task, and the message that changes have been written.

A message only says "look now": the lease in the database decides who works, and the next tick does what was missed.
"""

from __future__ import annotations

import logging
from typing import Any

from celery import shared_task
from kombu.exceptions import OperationalError

from alerts.fan_out import fan_out_changes

logger = logging.getLogger(__name__)


@shared_task(name="alerts.fan_out")
def fan_out() -> None:
    """Match what has been written against the watches."""
    fan_out_changes()


def look_now(**_signal: Any) -> None:
    """Tell a worker that changes have been written; a broker that is down costs at most one tick."""
    try:
        fan_out.apply_async(retry=False, expires=300)
    except (OperationalError, OSError) as error:
        logger.warning("The broker cannot be reached (%s); the next tick will match the changes", error)
