"""The tick: at each one, every part of the project looks whether it has work."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import connections
from django.utils.module_loading import import_string

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class StepOutcome:
    """How one step went: its dotted path, how long it took, and the error if it failed."""

    step: str
    seconds: float
    error: Exception | None = None


def run_steps(steps: Iterable[str] | None = None) -> Iterator[StepOutcome]:
    """Run the functions at the dotted paths `steps` (by default `settings.TICK_STEPS`) in order; yield each outcome.

    A step that fails, or that is not there, is logged with its traceback and does not keep the next from running. Only
    the end of the task's own time goes through.
    """
    for step in settings.TICK_STEPS if steps is None else steps:
        yield _run(step)


def _run(step: str) -> StepOutcome:
    started = time.monotonic()
    failure: Exception | None = None
    try:
        import_string(step)()
    except SoftTimeLimitExceeded:
        raise
    except Exception as error:
        logger.exception("The tick's step %s failed", step)
        failure = error
        _drop_broken_connections()
    return StepOutcome(step, time.monotonic() - started, failure)


def _drop_broken_connections() -> None:
    """Close what the failed step left unusable, so that the next step connects anew; a caller's transaction stays."""
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()
