"""Sends what is due: a run claims messages, many threads carry them, and one thread speaks with the database.

The threads get plain values and give back outcomes, so no HTTP happens inside a transaction and a receiver that hangs
holds one thread and nobody else.
"""

from __future__ import annotations

import logging
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import groupby
from queue import Empty, SimpleQueue
from typing import TypeVar

from django.conf import settings
from django.db import DataError, IntegrityError, InterfaceError, OperationalError, connection
from django.utils import timezone

from alerts.channels import transports
from alerts.channels.envelopes import Envelope
from alerts.claiming import claim, new_owner, release, renew
from alerts.encryption import CannotDecrypt
from alerts.envelopes import envelope_of
from alerts.models import Delivery
from alerts.news import Lookout
from alerts.recording import Result, record, set_aside
from alerts.retrying import Outcome
from tracker.outbound import configured
from tracker.outbound.client import Client

T = TypeVar("T")
logger = logging.getLogger(__name__)
# How long a tick may go on claiming; what is under way then is finished, and the rest is the next look's.
TICK_SECONDS = 20.0
_RENEWED_EVERY = 15.0
# While receivers are waited for, a run looks so often for what is new: they may keep every worker busy at once.
_NEWS_EVERY = 1.0
# How long a run waits for a result before it looks for new work, and how long it gathers results to write together.
_LOOK_SECONDS = 0.5
_GATHER_SECONDS = 0.02
_MOST_GATHERED = 250
# A database that went away is asked again after so many seconds each.
_PATIENCE = (0.1, 0.5, 1.0, 2.0, 5.0)


def send_due(seconds: float = TICK_SECONDS) -> datetime | None:
    """A step of the tick: send what is due; returns when one of the messages that failed is to be tried again."""
    with Run() as run:
        return run.go_on_for(seconds)


class _Over:
    """The end of a conversation: its channel, and what was not tried."""

    def __init__(self, channel_id: int, untried: Sequence[Delivery]) -> None:
        self.channel_id = channel_id
        self.untried = untried


class Run:
    """One worker's turn at sending. Conversations (the messages of one channel, in order) run beside each other."""

    def __init__(self) -> None:
        self.owner = new_owner()
        self.client: Client = configured.from_settings()
        self.threads = ThreadPoolExecutor(settings.ALERTS_CONCURRENCY, thread_name_prefix="alerts")
        self.reports: SimpleQueue[Result | _Over] = SimpleQueue()
        self.is_ending = threading.Event()
        self.under_way: dict[int, bool] = {}
        self.next_try: datetime | None = None
        self.lookout = Lookout()
        self.renewed_at = self.looked_at = time.monotonic()

    def __enter__(self) -> Run:
        return self

    def __exit__(self, *_failure: object) -> None:
        self.is_ending.set()
        self.threads.shutdown(wait=False, cancel_futures=True)
        self.client.close()

    def go_on_for(self, seconds: float) -> datetime | None:
        """Claim and send until nothing is due or the time is over, then finish what is under way."""
        ends_at = time.monotonic() + seconds
        while True:
            if time.monotonic() < ends_at:
                self._look_for_news()
                self._start_conversations()
            else:
                self.is_ending.set()
            if not self.under_way:
                return self.next_try
            self._write_down(self._gathered())
            self._keep_leases()

    def _look_for_news(self) -> None:
        if time.monotonic() - self.looked_at >= _NEWS_EVERY:
            persistently(self.lookout.look)
            self.looked_at = time.monotonic()

    def _start_conversations(self) -> None:
        free = settings.ALERTS_CONCURRENCY - len(self.under_way)
        if not self._is_worth_a_look(free):
            return
        failing = settings.ALERTS_CONCURRENCY // 2 - sum(self.under_way.values())
        claimed = persistently(
            lambda: claim(
                self.owner, timezone.now(), channels=free, busy=list(self.under_way), failing_channels=max(failing, 0)
            )
        )
        for channel_id, group in groupby(claimed, lambda delivery: delivery.channel_id):
            deliveries = list(group)
            self.under_way[channel_id] = deliveries[0].channel.failing_since is not None
            self._start(channel_id, deliveries)

    def _is_worth_a_look(self, free: int) -> bool:
        """Looking costs three queries: not for each single thread that has become free."""
        return free >= max(1, settings.ALERTS_CONCURRENCY // 4) or (free > 0 and self.reports.empty())

    def _start(self, channel_id: int, deliveries: Sequence[Delivery]) -> None:
        try:
            envelopes = [envelope_of(delivery) for delivery in deliveries]
        except CannotDecrypt as error:
            outcome = Outcome(succeeded=False, error=str(error))
            self.reports.put(Result(deliveries[0], timezone.now(), 0.0, outcome))
            self.reports.put(_Over(channel_id, deliveries[1:]))
            return
        self.threads.submit(self._converse, channel_id, list(zip(deliveries, envelopes, strict=True)))

    def _converse(self, channel_id: int, messages: Sequence[tuple[Delivery, Envelope]]) -> None:
        """In a thread: send the messages of a channel in order, up to the first that fails."""
        tried = 0
        try:
            for delivery, envelope in messages:
                if self.is_ending.is_set():
                    break
                result = _attempted(delivery, envelope, self.client)
                self.reports.put(result)
                tried += 1
                if not result.outcome.succeeded:
                    break
        finally:
            self.reports.put(_Over(channel_id, [delivery for delivery, _ in messages[tried:]]))

    def _gathered(self) -> list[Result | _Over]:
        """Wait a moment for what the threads report; what comes close together is written together."""
        try:
            found = [self.reports.get(timeout=_LOOK_SECONDS)]
        except Empty:
            return []
        until = time.monotonic() + _GATHER_SECONDS
        while len(found) < _MOST_GATHERED:
            try:
                found.append(self.reports.get(timeout=max(0.0, until - time.monotonic())))
            except Empty:
                break
        return found

    def _write_down(self, reports: Iterable[Result | _Over]) -> None:
        reports = list(reports)
        results = [report for report in reports if isinstance(report, Result)]
        overs = [report for report in reports if isinstance(report, _Over)]
        if results:
            again = _noted(results, self.owner)
            self.next_try = min(filter(None, [again, self.next_try]), default=None)
        if untried := [delivery.pk for over in overs for delivery in over.untried]:
            persistently(lambda: release(self.owner, untried))
        for over in overs:
            self.under_way.pop(over.channel_id, None)

    def _keep_leases(self) -> None:
        if time.monotonic() - self.renewed_at >= _RENEWED_EVERY:
            persistently(lambda: renew(self.owner, timezone.now()))
            self.renewed_at = time.monotonic()


def _attempted(delivery: Delivery, envelope: Envelope, client: Client) -> Result:
    started_at, started = timezone.now(), time.monotonic()
    try:
        outcome = transports.send(envelope, started_at, client)
    except Exception as error:
        # Its text and its traceback's values might show an address or a secret: only where it happened is told.
        place = traceback.extract_tb(error.__traceback__)[-1]
        logger.error(
            "Sending delivery %s failed: %s at %s:%s", delivery.pk, type(error).__name__, place.name, place.lineno
        )
        outcome = Outcome(succeeded=False, error=f"this site failed: {type(error).__name__}")
    return Result(delivery, started_at, time.monotonic() - started, outcome)


def _noted(results: Sequence[Result], owner: str) -> datetime | None:
    """Note results together; where that fails, each alone, so that a strange one costs itself and nobody else."""
    try:
        return persistently(lambda: record(results, owner, timezone.now()))
    except (DataError, IntegrityError, ValueError, TypeError):
        logger.exception("Results could not be noted together")
    moments = [_noted_alone(result, owner) for result in results]
    return min(filter(None, moments), default=None)


def _noted_alone(result: Result, owner: str) -> datetime | None:
    try:
        return persistently(lambda: record([result], owner, timezone.now()))
    except (DataError, IntegrityError, ValueError, TypeError):
        logger.exception("What came of delivery %s could not be noted", result.delivery.pk)
        persistently(lambda: set_aside(result, timezone.now()))
        return None


def persistently(operation: Callable[[], T]) -> T:
    """Do something in the database; when that went away, connect anew and try again for some seconds."""
    for patience in _PATIENCE:
        try:
            return operation()
        except (OperationalError, InterfaceError) as error:
            if connection.in_atomic_block:
                raise
            logger.warning("The database went away (%s); asking again in %.1f s", type(error).__name__, patience)
            connection.close()
            # Only the thread that speaks with the database waits; those that send go on, and the leases outlast it.
            time.sleep(patience)
    return operation()
