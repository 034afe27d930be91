"""Writes down what came of attempts: the log, the messages' fate, and how the channels fare."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import F

from alerts.channels.answers import one_line
from alerts.disabling import disable
from alerts.models import Attempt, Channel, Delivery
from alerts.retrying import WAITS, Outcome, has_failed_too_long, next_attempt


@dataclass(frozen=True)
class Result:
    """One attempt at a delivery (as it was claimed, with its channel): when it began, how long it took, its outcome."""

    delivery: Delivery
    started_at: datetime
    seconds: float
    outcome: Outcome


@transaction.atomic
def record(results: Sequence[Result], owner: str, now: datetime) -> datetime | None:
    """Note the results of a run; returns the earliest moment at which one of these messages is to be tried again.

    A success counts whoever holds the row by now, since the message did arrive. A failure is only logged when the run
    has lost the row, and rows that were deleted meanwhile are passed over.
    """
    channels = _locked_channels(results)
    rows = {row.pk: row for row in _locked_deliveries(results)}
    kept = [result for result in results if result.delivery.pk in rows]
    Attempt.objects.bulk_create(map(_attempt, kept))
    _note_successes([result for result in kept if result.outcome.succeeded], channels, now)
    failures = [result for result in kept if not result.outcome.succeeded]
    mine = [(result, rows[result.delivery.pk]) for result in failures if _is_held(rows[result.delivery.pk], owner)]
    moments = [_note_failure(result, row, now) for result, row in mine]
    if mine:
        fields = ["attempts_made", "status", "next_attempt_at", "last_error", "finished_at", "owner", "locked_until"]
        Delivery.objects.bulk_update([row for _, row in mine], fields)
    for result in failures:
        if (channel := channels.get(result.delivery.channel_id)) is not None:
            _note_trouble(channel, result, now)
    return min(filter(None, moments), default=None)


def set_aside(result: Result, now: datetime) -> None:
    """Put off a message of which it cannot be noted what came of it, so that it is not sent again and again."""
    Delivery.objects.filter(pk=result.delivery.pk, status=Delivery.Status.WAITING).update(
        attempts_made=F("attempts_made") + 1,
        next_attempt_at=now + WAITS[-1],
        last_error="What came of the last attempt could not be noted; the log says why.",
        owner="",
        locked_until=None,
    )


def _locked_channels(results: Iterable[Result]) -> dict[int, Channel]:
    ids = {result.delivery.channel_id for result in results}
    return {row.pk: row for row in Channel.objects.select_for_update().filter(pk__in=ids).order_by("pk")}


def _locked_deliveries(results: Iterable[Result]) -> Iterable[Delivery]:
    ids = {result.delivery.pk for result in results}
    rows = Delivery.objects.select_for_update().filter(pk__in=ids).order_by("pk")
    return rows.defer("body")


def _is_held(row: Delivery, owner: str) -> bool:
    return row.owner == owner and row.status == Delivery.Status.WAITING


def _attempt(result: Result) -> Attempt:
    outcome = result.outcome
    return Attempt(
        delivery_id=result.delivery.pk,
        started_at=result.started_at,
        seconds=round(result.seconds, 4),
        status_code=outcome.status_code,
        succeeded=outcome.succeeded,
        answer=outcome.answer,
        error=one_line(outcome.error),
    )


def _note_successes(results: Sequence[Result], channels: dict[int, Channel], now: datetime) -> None:
    if not results:
        return
    arrived = Delivery.objects.filter(pk__in=[result.delivery.pk for result in results])
    arrived.filter(status=Delivery.Status.WAITING).update(
        status=Delivery.Status.DELIVERED,
        attempts_made=F("attempts_made") + 1,
        last_error="",
        finished_at=now,
        owner="",
        locked_until=None,
    )
    reached = {result.delivery.channel_id for result in results if _is_same_address(result, channels)}
    Channel.objects.filter(pk__in=reached).update(failing_since=None, last_success_at=now, last_error="")
    # That a mail server takes a message proves nothing; the answer to the question in it does.
    unproved = (channels[pk] for pk in reached if channels[pk].verified_at is None)
    if proved := [channel.pk for channel in unproved if channel.kind != Channel.Kind.EMAIL]:
        Channel.objects.filter(pk__in=proved).update(verified_at=now)


def _note_failure(result: Result, row: Delivery, now: datetime) -> datetime | None:
    """Set the message's fate on its row; returns when it is to be tried again, if it is."""
    row.attempts_made += 1
    row.last_error = one_line(result.outcome.error)
    row.owner, row.locked_until = "", None
    is_test = row.kind == Delivery.Kind.PING
    again = None if is_test else next_attempt(row.attempts_made, result.outcome, now)
    if again is None:
        row.status, row.finished_at = Delivery.Status.DEAD, now
    else:
        row.next_attempt_at = again
    return again


def _note_trouble(channel: Channel, result: Result, now: datetime) -> None:
    """Note on a channel that it failed; disable one that wants no more, or that has only failed for days."""
    if not _is_same_address(result, {channel.pk: channel}):
        return
    channel.last_error = one_line(result.outcome.error)
    if result.delivery.kind != Delivery.Kind.PING:
        channel.failing_since = channel.failing_since or result.started_at
    channel.save(update_fields=["last_error", "failing_since"])
    if channel.disabled_at is not None:
        return
    if result.outcome.gone:
        disable(channel, f"It {result.outcome.error}.", now)
    elif has_failed_too_long(channel.failing_since, now):
        disable(channel, f"It only failed for five days; the last time: {result.outcome.error}.", now)


def _is_same_address(result: Result, channels: dict[int, Channel]) -> bool:
    """Whether the channel still has the address that was tried."""
    channel = channels.get(result.delivery.channel_id)
    return channel is not None and channel.address == result.delivery.channel.address
