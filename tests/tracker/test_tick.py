from __future__ import annotations

import io
import logging

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection
from django.utils import timezone

from tracker.celery import app
from tracker.models import Heartbeat
from tracker.tasks import tick
from tracker.tick import run_steps

pytestmark = pytest.mark.django_db
HERE = "tests.tracker.test_tick"
steps_run: list[str] = []


def good_step() -> None:
    steps_run.append("good")


def failing_step() -> None:
    raise ValueError("a step's own trouble")


def step_with_broken_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM there_is_no_such_table")


def step_out_of_time() -> None:
    raise SoftTimeLimitExceeded


@pytest.fixture(autouse=True)
def _no_steps_run_yet() -> None:
    steps_run.clear()


def test_a_failing_step_is_logged_and_the_next_one_runs(caplog: pytest.LogCaptureFixture) -> None:
    outcomes = list(run_steps([f"{HERE}.failing_step", f"{HERE}.good_step"]))

    assert steps_run == ["good"]
    assert [outcome.error is None for outcome in outcomes] == [False, True]
    assert f"{HERE}.failing_step failed" in caplog.text
    assert "a step's own trouble" in caplog.text


def test_a_step_that_is_not_there_does_not_stop_the_others(caplog: pytest.LogCaptureFixture) -> None:
    list(run_steps(["nowhere.to_be_found", f"{HERE}.good_step"]))

    assert steps_run == ["good"]
    assert "nowhere.to_be_found" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_a_step_after_a_database_error_has_a_working_connection() -> None:
    outcomes = list(run_steps([f"{HERE}.step_with_broken_database", f"{HERE}.good_step"]))

    assert isinstance(outcomes[0].error, DatabaseError)
    Heartbeat.record(Heartbeat.TICK)


def test_the_end_of_the_tasks_time_goes_through() -> None:
    with pytest.raises(SoftTimeLimitExceeded):
        list(run_steps([f"{HERE}.step_out_of_time", f"{HERE}.good_step"]))

    assert steps_run == []


def test_the_task_records_that_a_worker_saw_it_and_runs_the_steps(settings) -> None:
    settings.TICK_STEPS = [f"{HERE}.failing_step", f"{HERE}.good_step"]
    before = timezone.now()

    tick()
    tick()

    seen_at = Heartbeat.last_seen(Heartbeat.TICK)
    assert seen_at is not None
    assert seen_at >= before
    assert Heartbeat.objects.count() == 1
    assert steps_run == ["good", "good"]


def test_the_command_runs_every_step_and_records_no_worker(settings) -> None:
    settings.TICK_STEPS = [f"{HERE}.good_step"]
    said = io.StringIO()

    call_command("tick", stdout=said)

    assert f"{HERE}.good_step: done in" in said.getvalue()
    assert Heartbeat.last_seen(Heartbeat.TICK) is None


def test_the_command_says_which_step_failed_after_running_all(settings, caplog: pytest.LogCaptureFixture) -> None:
    settings.TICK_STEPS = [f"{HERE}.failing_step", f"{HERE}.good_step"]
    caplog.set_level(logging.CRITICAL)

    with pytest.raises(CommandError, match="failing_step"):
        call_command("tick", stdout=io.StringIO())

    assert steps_run == ["good"]


def test_every_step_that_the_settings_name_is_there(settings) -> None:
    from django.utils.module_loading import import_string

    assert all(callable(import_string(step)) for step in [*settings.TICK_STEPS, *settings.METRIC_SOURCES])


def test_beat_sends_the_tick_and_nothing_else() -> None:
    assert [entry["task"] for entry in app.conf.beat_schedule.values()] == ["tracker.tick"]
    assert "tracker.tick" in app.tasks


def test_work_that_a_dying_worker_held_is_given_out_again() -> None:
    assert app.conf.task_acks_late
    assert app.conf.task_reject_on_worker_lost
    assert app.conf.task_time_limit > app.conf.task_soft_time_limit > 0
    assert app.conf.result_backend is None
