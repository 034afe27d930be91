"""When a message that did not arrive is tried again, and when to give up: plain rules without a database."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from tracker.outbound.retry_after import MAX_RETRY_AFTER_SECONDS

# Waits after the first, second, … failure; the attempt after the last of them is the last.
WAITS = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
MOST_ATTEMPTS = len(WAITS) + 1
# Later messages of a channel wait for one that has failed less often than this: so long it is a matter of minutes.
FAILURES_THAT_KEEP_ORDER = 3
# A channel that brought nothing but failures for so long is disabled.
LONGEST_FAILING = timedelta(days=5)
_JITTER = 0.1


@dataclass(frozen=True)
class Outcome:
    """What came of one attempt.

    ``permanent`` says that the same message will never get through, ``gone`` that nothing ever
    will (the receiver wants no more), ``retry_after`` how many seconds the receiver asks for.
    ``error`` is empty for a success and holds no secret.
    """

    succeeded: bool
    status_code: int | None = None
    answer: str = ""
    error: str = ""
    permanent: bool = False
    gone: bool = False
    retry_after: float | None = None


def next_attempt(
    failures: int,
    outcome: Outcome,
    now: datetime,
    spread: Callable[[float, float], float] = random.uniform,
) -> datetime | None:
    """When to try again after ``failures`` failed attempts, the last with ``outcome``; None is never.

    A receiver that asks to be left alone for longer than the schedule is, up to a day.
    """
    if outcome.permanent or outcome.gone or failures > len(WAITS):
        return None
    scheduled = WAITS[failures - 1].total_seconds() * spread(1 - _JITTER, 1 + _JITTER)
    asked = min(outcome.retry_after or 0.0, MAX_RETRY_AFTER_SECONDS)
    return now + timedelta(seconds=max(scheduled, asked))


def has_failed_too_long(failing_since: datetime | None, now: datetime) -> bool:
    """Whether a channel that failed since then, without a success between, is to be disabled."""
    return failing_since is not None and now - failing_since >= LONGEST_FAILING
