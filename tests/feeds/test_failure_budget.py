"""A feed that keeps failing changes nothing in the record, and operators are told once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.utils import timezone

from feeds.budgets import Budget, budgets
from feeds.enrolment import feed_named
from feeds.models import Feed, Refresh
from feeds.refreshing import CouldNotFetch, refresh
from pricing.models import Observation, Price, PricingChange, Statement
from pricing.verification import findings
from tests.feeds.small_feeds import Origin, catalogue, origin
from tracker.models import Heartbeat

pytestmark = pytest.mark.django_db
BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
DOCUMENT = catalogue(deepseek_chat={"input": 0.27})
SetTime = Callable[[datetime], None]


@pytest.fixture
def server(settings) -> Iterator[Origin]:
    """A server that the feed is read from, and operators who want to hear of it."""
    settings.NETWORK_FEEDS = ["models-dev"]
    settings.OUTBOUND_ALLOW_NETS = [ip_network("127.0.0.0/8")]
    settings.ADMINS = [("operator", "operator@example.org")]
    with origin(DOCUMENT) as running:
        Feed.objects.filter(pk=feed_named("models-dev").pk).update(address=running.address, next_due_at=BEGIN)
        yield running


@pytest.fixture
def set_time(monkeypatch: pytest.MonkeyPatch) -> SetTime:
    """Travel to a moment."""

    def travel(moment: datetime) -> None:
        monkeypatch.setattr(timezone, "now", lambda: moment)

    travel(BEGIN)
    return travel


def run_due(moment: datetime) -> bool:
    """Refresh the feed if it is due; whether that succeeded."""
    feed = feed_named("models-dev")
    if feed.next_due_at > moment:
        return True
    try:
        refresh(feed, trigger="schedule")
    except CouldNotFetch:
        return False
    return True


def fail_until(end: datetime, set_time: SetTime, begin: datetime = BEGIN) -> None:
    """Let half an hour after half an hour pass, with the feed refreshed whenever it is due."""
    moment = begin
    while moment < end:
        moment += timedelta(minutes=30)
        set_time(moment)
        run_due(moment)


def ledger_rows() -> list[list[dict[str, object]]]:
    return [
        list(model._default_manager.order_by("pk").values()) for model in (Observation, Statement, Price, PricingChange)
    ]


def test_a_source_that_cannot_be_fetched_for_two_weeks_changes_nothing(server: Origin, set_time: SetTime) -> None:
    assert run_due(BEGIN)
    before = ledger_rows()
    server.status = 500
    fail_until(BEGIN + timedelta(days=14), set_time)
    assert ledger_rows() == before
    feed = feed_named("models-dev")
    assert feed.failures > 14
    assert timezone.now() < feed.next_due_at <= timezone.now() + timedelta(days=1)
    assert not list(findings())
    server.status = 200
    set_time(feed.next_due_at)
    assert run_due(feed.next_due_at)
    assert len(ledger_rows()[0]) == len(before[0]) + 1
    assert ledger_rows()[1:] == before[1:]


def test_operators_are_told_once_when_the_budget_is_spent_and_once_when_it_is_kept_again(
    server: Origin, set_time: SetTime, caplog: pytest.LogCaptureFixture
) -> None:
    run_due(BEGIN)
    server.status = 500
    fail_until(BEGIN + timedelta(days=5), set_time)
    assert [letter.subject for letter in mail.outbox] == ["[tracker] models-dev fails beyond its budget"]
    assert mail.outbox[0].to == ["operator@example.org"]
    assert "refreshes failed within 3 d; 50% may" in mail.outbox[0].body
    assert len([r for r in caplog.records if "fails beyond its budget" in r.getMessage()]) == 1
    assert feed_named("models-dev").failing_since is not None
    server.status = 200
    fail_until(BEGIN + timedelta(days=12), set_time, begin=BEGIN + timedelta(days=5))
    assert feed_named("models-dev").failing_since is None
    assert len(mail.outbox) == 1


def test_what_operators_look_at_shows_a_feed_that_fails(server: Origin, client, admin_client) -> None:
    feed = feed_named("models-dev")
    Heartbeat.record(Heartbeat.TICK)
    calm = client.get("/api/v1/feeds/models-dev/").json()
    assert (calm["failures"], calm["is_failing"], calm["budget"]["failed"]) == (0, False, 0)
    server.status = 500
    for _ in range(3):
        with pytest.raises(CouldNotFetch):
            refresh(feed_named("models-dev"), trigger="schedule")
    shown = client.get("/api/v1/feeds/models-dev/").json()
    assert (shown["failures"], shown["is_failing"]) == (3, True)
    assert shown["budget"] == {
        "window_seconds": 259200,
        "allowed_percent": 50,
        "refreshes": 3,
        "failed": 3,
        "failed_percent": 100,
    }
    assert shown["failing_since"] is not None
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json()["feeds"]) == (200, {"ok": True, "failing": ["models-dev"]})
    assert 'tracker_feed_is_failing{feed="models-dev"} 1.0' in client.get("/metrics").content.decode()
    assert "fails beyond its budget since" in admin_client.get("/admin/").content.decode()
    Feed.objects.filter(pk=feed.pk).update(enabled=False)
    assert client.get("/readyz").json()["feeds"]["failing"] == []


def test_a_mail_server_that_is_down_keeps_no_feed_from_backing_off(server: Origin, settings) -> None:
    settings.EMAIL_BACKEND = "nothing.there.Backend"
    server.status = 500
    for _ in range(3):
        with pytest.raises(CouldNotFetch):
            refresh(feed_named("models-dev"), trigger="schedule")
    assert feed_named("models-dev").failing_since is not None


def test_files_backfills_and_replays_say_nothing_of_whether_a_feed_can_be_fetched() -> None:
    feed = feed_named("models-dev")
    for trigger in ("schedule", "file", "backfill", "replay"):
        Refresh.objects.create(feed=feed, trigger=trigger, status="done")
    assert budgets([feed])[feed.pk].refreshes == 1


def fail_three_times(server: Origin) -> None:
    server.status = 500
    for _ in range(3):
        with pytest.raises(CouldNotFetch):
            refresh(feed_named("models-dev"), trigger="schedule")


def test_a_fresh_document_given_by_hand_is_a_success(server: Origin, set_time: SetTime, tmp_path: Path, capsys) -> None:
    fail_three_times(server)
    assert feed_named("models-dev").failing_since is not None
    document = tmp_path / "api.json"
    document.write_bytes(DOCUMENT)
    set_time(BEGIN + timedelta(hours=1))
    call_command("refresh", "models-dev", "--file", str(document))
    feed = feed_named("models-dev")
    assert (feed.last_success_at, feed.failing_since) == (BEGIN + timedelta(hours=1), None)
    assert budgets([feed])[feed.pk].failed == 0
    call_command("feeds")
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("models-dev  ")]
    assert "2026-03-01 01:00" in line
    assert "beyond" not in line


def test_an_old_document_makes_nothing_fresh(server: Origin, set_time: SetTime, tmp_path: Path) -> None:
    fail_three_times(server)
    (tmp_path / "2026-01-04.json").write_bytes(DOCUMENT)
    set_time(BEGIN + timedelta(hours=1))
    call_command("backfill", "models-dev", "--dir", str(tmp_path))
    feed = feed_named("models-dev")
    assert feed.last_success_at == datetime(2026, 1, 4, tzinfo=UTC)
    assert feed.failing_since is not None


def test_a_backfill_takes_no_success_back(server: Origin, set_time: SetTime, tmp_path: Path) -> None:
    run_due(BEGIN)
    (tmp_path / "2026-01-04.json").write_bytes(catalogue(deepseek_chat={"input": 0.3}))
    call_command("backfill", "models-dev", "--dir", str(tmp_path))
    assert feed_named("models-dev").last_success_at == BEGIN


@pytest.mark.parametrize(
    ("refreshes", "failed", "allowed", "spent"),
    [
        (2, 2, 50, False),
        (3, 3, 50, True),
        (10, 5, 50, False),
        (10, 6, 50, True),
        (10, 10, 100, False),
        (0, 0, 0, False),
    ],
)
def test_a_budget_is_spent_by_more_than_its_share_and_by_no_fewer_than_three(
    refreshes: int, failed: int, allowed: int, spent: bool
) -> None:
    assert Budget(timedelta(days=1), allowed, refreshes, failed).is_spent is spent


def test_the_command_lists_every_feed_and_frees_a_lease(capsys: pytest.CaptureFixture[str]) -> None:
    until = timezone.now() + timedelta(minutes=10)
    Feed.objects.filter(pk=feed_named("litellm").pk).update(owner="host:1:2", locked_until=until)
    call_command("feeds")
    listed = capsys.readouterr().out
    assert "genai-prices" in listed
    assert f"held by host:1:2 since {until - timedelta(minutes=15):%Y-%m-%d %H:%M} UTC" in listed
    call_command("feeds", "--release", "litellm")
    assert "litellm: the lease is free; it was held by host:1:2" in capsys.readouterr().out
    assert feed_named("litellm").locked_until is None
    call_command("feeds", "--release", "litellm")
    assert "no lease was held" in capsys.readouterr().out
    with pytest.raises(CommandError, match="choose from") as refused:
        call_command("feeds", "--release", "nonsense")
    assert refused.value.returncode == 2
