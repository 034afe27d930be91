"""What is kept and for how long, what operators can watch, and that a broker that is down loses nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from kombu.exceptions import OperationalError

from alerts import tasks
from alerts.composing import compose_due
from alerts.metrics import gauges
from alerts.models import Attempt, Delivery, Notice
from alerts.retention import forget_old
from alerts.sending import send_due
from tests.alerts import letterbox
from tests.alerts.receivers import Receivers
from tracker.tick import run_steps

pytestmark = pytest.mark.django_db


def test_old_messages_go_with_their_attempts_and_notices_and_are_not_told_again(receivers: Receivers) -> None:
    letterbox.notice(to=letterbox.webhook(receivers.good()))
    compose_due()
    send_due()
    assert forget_old() == 0
    letterbox.let_pass(timedelta(days=91))
    assert forget_old() == 1
    assert not Delivery.objects.exists()
    assert not Attempt.objects.exists()
    assert not Notice.objects.exists()
    assert compose_due() == 0


def test_what_waits_is_never_forgotten() -> None:
    letterbox.delivery(letterbox.webhook())
    letterbox.let_pass(timedelta(days=1000))
    assert forget_old() == 0
    assert Delivery.objects.count() == 1


def test_metrics_tell_the_backlog_without_tests(receivers: Receivers) -> None:
    channel = letterbox.webhook(receivers.failing())
    letterbox.delivery(channel, next_attempt_at=timezone.now() - timedelta(minutes=5))
    letterbox.delivery(channel, kind="ping")
    told = {(gauge.name, *gauge.labels.values()): gauge.value for gauge in gauges()}
    assert told["alerts_deliveries_due",] == 1
    assert told["alerts_oldest_due_seconds",] >= 300
    send_due()
    told = {(gauge.name, *gauge.labels.values()): gauge.value for gauge in gauges()}
    assert told["alerts_attempts_last_hour", "failed"] == 1
    assert told["alerts_channels_failing",] == 1


def test_a_broker_that_is_down_costs_a_tick_and_nothing_else(
    receivers: Receivers, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def down(*args: Any, **kwargs: Any) -> None:
        raise OperationalError("no broker")

    monkeypatch.setattr(tasks.look, "apply_async", down)
    monkeypatch.setattr(tasks.send, "apply_async", down)
    letterbox.notice(to=letterbox.webhook(receivers.good()))
    tasks.look_now()
    tasks.send_now()
    assert "The broker cannot be reached" in caplog.text
    for outcome in run_steps(["alerts.composing.compose_due", "alerts.sending.send_due"]):
        assert outcome.error is None
    assert Delivery.objects.get().status == "delivered"


def test_a_look_does_all_and_asks_for_the_first_retry(receivers: Receivers, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(tasks.send, "apply_async", lambda **options: asked.append(options["countdown"]))
    letterbox.notice(to=letterbox.webhook(receivers.failing()))
    tasks.look()
    assert Delivery.objects.get().attempts_made == 1
    assert len(asked) == 1
    assert 1 <= asked[0] <= 6
