"""Workers that are killed by SIGKILL in the midst of their work: another takes over, nothing is lost or told twice."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db.models import Count
from django.utils import timezone

from alerts import claiming, leases
from alerts.composing import compose_due
from alerts.fan_out import fan_out_changes
from alerts.models import Attempt, Channel, Delivery, FanOut, Notice
from alerts.sending import send_due
from pricing.models import PricingChange
from tests.alerts import letterbox
from tests.alerts.receivers import Receivers
from tests.alerts.stopping_worker import running, stopped_at
from tests.costing.test_every_process import database_url

FAN_OUT, COMPOSE, SEND = (
    "alerts.fan_out.fan_out_changes",
    "alerts.composing.compose_due",
    "alerts.sending.send_due",
)
CHANGES = 5
PATIENCE_SECONDS = 30
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def channels(receivers: Receivers) -> list[Channel]:
    """Three webhooks of one watch, and changes that it catches."""
    watch = letterbox.watch()
    made = [letterbox.webhook(receivers.good(f"/good{number}")) for number in range(3)]
    watch.channels.set(made)
    for number in range(CHANGES):
        letterbox.change(f"change {number}")
    return made


def leases_run_out() -> None:
    """Let the time pass that a dead worker's leases last."""
    FanOut.objects.filter(locked_until__isnull=False).update(locked_until=timezone.now() - timedelta(seconds=1))
    letterbox.let_pass(claiming.LEASE + timedelta(seconds=1))


def each_is_told_once(channels: list[Channel]) -> bool:
    """Whether each change has one notice for each channel, all of them in messages of one notice each."""
    pairs = Notice.objects.values("change", "channel").annotate(count=Count("pk"))
    one_each = len(pairs) == CHANGES * len(channels) and all(pair["count"] == 1 for pair in pairs)
    return one_each and Delivery.objects.annotate(told=Count("notices")).filter(told=1).count() == len(pairs)


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("place", "written_before"),
    [("alerts.fan_out.await_confirmation", 0), ("alerts.fan_out.tell_confirmed", CHANGES * 3)],
    ids=["before its notices are committed", "after that"],
)
def test_a_fan_out_is_taken_over_when_the_lease_has_run_out(
    channels: list[Channel], receivers: Receivers, place: str, written_before: int
) -> None:
    with stopped_at(FAN_OUT, place, database_url()):
        pass
    assert Notice.objects.count() == written_before
    assert fan_out_changes() == 0, "the dead worker still holds the lease"
    assert FanOut.objects.filter(locked_until__lte=timezone.now() + leases.LEASE).exists()
    leases_run_out()
    assert fan_out_changes() == CHANGES * 3 - written_before
    compose_due()
    assert each_is_told_once(channels)
    send_due()
    assert Counter(received.message_id for received in receivers.received) == Counter(
        Delivery.objects.values_list("message_id", flat=True)
    ), "each message once"


def test_messages_that_were_being_composed_are_composed_once(channels: list[Channel]) -> None:
    fan_out_changes()
    # The first update is that of the notices, when the messages that tell them are written but not committed.
    with stopped_at(COMPOSE, "django.db.models.query.QuerySet.update", database_url()):
        pass
    assert not Delivery.objects.exists()
    compose_due()
    assert each_is_told_once(channels)


def test_a_message_on_its_way_is_sent_again_under_its_id_and_the_others_once(receivers: Receivers) -> None:
    good, stuck = letterbox.webhook(receivers.good()), letterbox.webhook(receivers.gated())
    before, on_its_way, after = letterbox.delivery(good), letterbox.delivery(stuck), letterbox.delivery(stuck)
    with running(SEND, "alerts.sending.set_aside", database_url()):
        wait_until(lambda: len(receivers.received_at("/gated")) == 1)
        wait_until(lambda: Delivery.objects.filter(pk=before.pk, status="delivered").exists())
    send_due()
    assert len(receivers.received) == 2, "what the dead worker held is left to it until its lease has run out"
    leases_run_out()
    receivers.gate.set()
    send_due()
    assert set(Delivery.objects.values_list("status", flat=True)) == {"delivered"}
    assert [received.message_id for received in receivers.received_at("/good")] == [before.message_id]
    ids = [received.message_id for received in receivers.received_at("/gated")]
    assert ids == [on_its_way.message_id, on_its_way.message_id, after.message_id]
    for received in receivers.received_at("/gated"):
        received.verified_by(letterbox.secret_of(stuck))


def test_a_message_that_arrived_and_was_not_noted_comes_again_under_the_same_id(receivers: Receivers) -> None:
    channel = letterbox.webhook(receivers.good())
    messages = [letterbox.delivery(channel) for _ in range(3)]
    with stopped_at(SEND, "alerts.sending.record", database_url()):
        wait_until(lambda: len(receivers.received) == len(messages))
    assert not Attempt.objects.exists()
    leases_run_out()
    send_due()
    ids = [message.message_id for message in messages]
    assert [received.message_id for received in receivers.received] == ids + ids
    assert set(Delivery.objects.values_list("status", "attempts_made")) == {("delivered", 1)}


def test_a_change_that_is_written_while_a_dead_worker_holds_the_lease_is_told_as_well(
    channels: list[Channel],
) -> None:
    with stopped_at(FAN_OUT, "alerts.fan_out.await_confirmation", database_url()):
        pass
    late = letterbox.change("written meanwhile")
    leases_run_out()
    fan_out_changes()
    assert Notice.objects.filter(change=late).count() == len(channels)
    assert PricingChange.objects.count() == CHANGES + 1
