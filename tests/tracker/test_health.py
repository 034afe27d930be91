from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from tracker.health.checks import stale_after_seconds
from tracker.health.metrics import Gauge
from tracker.models import Heartbeat

HERE = "tests.tracker.test_health"


def gauges_of_an_app() -> list[Gauge]:
    return [
        Gauge("offerings", "Offerings on record", 12, {"kind": "api", "status": "active"}),
        Gauge("offerings", "Offerings on record", 3, {"status": "active", "kind": "plan"}),
    ]


def gauges_that_fail() -> list[Gauge]:
    raise RuntimeError("no numbers today")


def tick_seen(*, seconds_ago: float) -> None:
    Heartbeat.objects.create(name=Heartbeat.TICK, seen_at=timezone.now() - timedelta(seconds=seconds_ago))


def test_healthz_asks_nothing_of_the_database(client: Client) -> None:
    response = client.get("/healthz")

    assert (response.status_code, response.json()) == (200, {"status": "ok"})


@pytest.mark.django_db
def test_readyz_is_200_when_all_parts_are_there(client: Client) -> None:
    tick_seen(seconds_ago=20)

    response = client.get("/readyz")

    assert response.status_code == 200
    parts = response.json()
    assert parts["status"] == "ok"
    assert all(parts[name]["ok"] for name in ("database", "broker", "tick"))
    assert parts["tick"]["age_seconds"] == pytest.approx(20, abs=5)
    assert parts["tick"]["last_seen"].endswith("Z")


@pytest.mark.django_db
def test_readyz_is_503_before_a_worker_has_seen_a_tick(client: Client) -> None:
    response = client.get("/readyz")

    assert response.status_code == 503
    assert response.json()["status"] == "unavailable"
    assert response.json()["tick"] == {"ok": False, "detail": "no worker has seen a tick yet"}
    assert response.json()["database"]["ok"]


@pytest.mark.django_db
def test_readyz_is_503_when_the_last_tick_is_long_ago(client: Client) -> None:
    tick_seen(seconds_ago=stale_after_seconds() + 5)

    response = client.get("/readyz")

    assert response.status_code == 503
    assert "s ago" in response.json()["tick"]["detail"]


@pytest.mark.django_db
def test_readyz_is_503_when_redis_is_down_and_tells_no_address(client: Client, settings) -> None:
    tick_seen(seconds_ago=1)
    settings.REDIS_URL = "redis://:hunter2@127.0.0.1:1/0"

    response = client.get("/readyz")

    assert response.status_code == 503
    assert response.json()["broker"] == {"ok": False, "detail": "ConnectionError"}
    assert b"127.0.0.1" not in response.content


@pytest.mark.django_db
def test_readyz_is_503_when_the_embedded_brokers_folder_is_gone(client: Client, settings, tmp_path) -> None:
    tick_seen(seconds_ago=1)
    settings.REDIS_URL = ""
    settings.CELERY_BROKER_TRANSPORT_OPTIONS = {"data_folder_out": str(tmp_path / "gone")}

    assert client.get("/readyz").json()["broker"]["ok"] is False


def test_readyz_without_a_database_still_answers(client: Client, django_db_blocker) -> None:
    response = client.get("/readyz")  # outside a database test, pytest-django refuses every query

    assert response.status_code == 503
    assert response.json()["database"]["ok"] is False
    assert response.json()["tick"]["ok"] is False


@pytest.mark.django_db
def test_the_ready_command_says_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CommandError, match="tick"):
        call_command("ready")
    tick_seen(seconds_ago=1)

    call_command("ready")

    assert "tick: ok" in capsys.readouterr().out


@pytest.mark.django_db
def test_metrics_give_the_build_and_the_age_of_the_last_tick(client: Client) -> None:
    tick_seen(seconds_ago=7)

    text = client.get("/metrics").content.decode()

    assert "tracker_build_info{" in text
    assert "tracker_last_tick_age_seconds 7." in text


@pytest.mark.django_db
def test_metrics_take_what_an_app_counts(client: Client, settings) -> None:
    settings.METRIC_SOURCES = [f"{HERE}.gauges_of_an_app"]

    text = client.get("/metrics").content.decode()

    assert 'tracker_offerings{kind="api",status="active"} 12.0' in text
    assert 'tracker_offerings{kind="plan",status="active"} 3.0' in text
    assert text.count("# HELP tracker_offerings ") == 1


@pytest.mark.django_db
def test_a_source_of_metrics_that_fails_is_counted_and_hides_no_other(client: Client, settings) -> None:
    settings.METRIC_SOURCES = [f"{HERE}.gauges_that_fail", f"{HERE}.gauges_of_an_app"]

    text = client.get("/metrics").content.decode()

    assert f'tracker_metric_source_failed{{source="{HERE}.gauges_that_fail"}} 1.0' in text
    assert 'kind="plan"' in text


def test_a_probe_on_the_machine_needs_neither_the_public_name_nor_tls(client: Client, settings) -> None:
    settings.SECURE_SSL_REDIRECT = True

    assert client.get("/healthz", headers={"host": "127.0.0.1:8000"}).status_code == 200
    assert client.get("/healthz", headers={"host": "elsewhere.example"}).status_code == 400


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
@pytest.mark.django_db
def test_monitoring_pages_are_only_read_and_never_cached(client: Client, path: str) -> None:
    assert client.post(path).status_code == 405
    assert "no-store" in client.get(path)["Cache-Control"]
