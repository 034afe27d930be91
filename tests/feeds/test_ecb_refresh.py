"""The feed of exchange rates: fetched, leased, archived and reported as every feed is, though it states no price."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import StringIO
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from feeds.enrolment import feed_named
from feeds.models import Payload, Refresh
from feeds.refreshing import CouldNotFetch, RefreshRefused, refresh
from feeds.tasks import refresh_due_feeds, refresh_feed
from pricing.currencies.recorded import current_rates
from pricing.models import ExchangeRate, Observation, Price, PricingChange, Source, Statement
from pricing.verification import findings
from tests.feeds.small_feeds import Origin, origin, read, served_from
from tests.feeds.small_rates import publication

pytestmark = pytest.mark.django_db

# A year that the history which the project carries does not reach.
FRIDAY = datetime(2026, 11, 20, 16, tzinfo=UTC)
MONDAY = FRIDAY + timedelta(days=3)
BODY = publication({"2026-11-20": {"USD": "1.1", "CNY": "7.7"}})
MENDED = publication({"2026-11-20": {"USD": "1.1", "CNY": "7.92"}})


@pytest.fixture(autouse=True)
def _later(monkeypatch: pytest.MonkeyPatch) -> None:
    """These tests run in January 2027, whatever the day: their documents are of the past."""
    real, began = timezone.now, timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: datetime(2027, 1, 1, tzinfo=UTC) + (real() - began))


def rows() -> list[tuple[str, date, Decimal, datetime]]:
    found = ExchangeRate.objects.order_by("pk").values_list("currency", "day", "rate", "known_from")
    return list(found)


def printed(*command: Any) -> str:
    written = StringIO()
    call_command(*command, stdout=written, stderr=StringIO())
    return written.getvalue()


@contextmanager
def reachable(settings: Any, body: bytes = BODY) -> Iterator[Origin]:
    """A server on loopback that this installation may ask."""
    settings.OUTBOUND_ALLOW_NETS = [ip_network("127.0.0.0/8")]
    settings.NETWORK_FEEDS = ["ecb"]
    with origin(body) as server:
        yield server


def test_rates_of_a_document_are_written_down_with_their_day_and_when_they_were_known() -> None:
    report = read(BODY, FRIDAY, "ecb")
    assert (report.status, report.counts) == ("done", {"seen": 2, "days": 1, "new": 2, "changed": 0, "rejected": 0})
    day = date(2026, 11, 20)
    assert rows() == [("USD", day, Decimal("1.1"), FRIDAY), ("CNY", day, Decimal("7.7"), FRIDAY)]
    assert {row.refresh_id for row in ExchangeRate.objects.all()} == {report.refresh_id}


def test_rates_are_no_prices_and_the_ledger_stays_as_it_was() -> None:
    read(BODY, FRIDAY, "ecb")
    assert not any(table.objects.exists() for table in (Price, Statement, PricingChange))
    assert list(findings()) == []
    assert Source.objects.get(slug="ecb").kind == "rates"


def test_document_is_archived_and_its_refresh_reported(client: Client) -> None:
    read(BODY, FRIDAY, "ecb")
    assert gzip.decompress(bytes(Payload.objects.get().compressed)) == BODY
    (run,) = client.get("/api/v1/refreshes/?feed=ecb").json()["results"]
    assert (run["status"], run["counts"]["new"]) == ("done", 2)


def test_same_rates_in_another_document_add_no_row() -> None:
    read(BODY, FRIDAY, "ecb")
    report = read(publication({"2026-11-20": {"CNY": "7.70"}, "2026-11-23": {"CNY": "7.8"}}), MONDAY, "ecb")
    assert (report.counts["new"], report.counts["changed"]) == (1, 0)
    assert len(rows()) == 3


def test_rate_published_anew_keeps_both_and_the_newest_is_believed() -> None:
    read(BODY, FRIDAY, "ecb")
    assert read(MENDED, MONDAY, "ecb").counts["changed"] == 1
    assert [row[2] for row in rows() if row[0] == "CNY"] == [Decimal("7.7"), Decimal("7.92")]
    rates, day = current_rates(), date(2026, 11, 20)
    assert rates.quote("CNY", day).rate == Decimal("7.92")
    assert rates.quote("CNY", day, FRIDAY).rate == Decimal("7.7")
    assert rates.quote("CNY", day, FRIDAY - timedelta(seconds=1)).day < day


def test_rate_that_was_taken_back_is_believed_again() -> None:
    for number, body in enumerate((BODY, MENDED, BODY)):
        read(body, FRIDAY + timedelta(hours=number), "ecb")
    assert current_rates().quote("CNY", date(2026, 11, 20)).rate == Decimal("7.7")


def test_day_that_lies_ahead_of_the_reading_is_rejected_and_the_rest_is_taken() -> None:
    report = read(publication({"2026-11-21": {"USD": "9"}, "2026-11-20": {"USD": "1.1"}}), FRIDAY, "ecb")
    assert [row[2] for row in rows()] == [Decimal("1.1")]
    assert "lies ahead" in report.rejections[0]["reason"]
    assert Refresh.objects.get().rejections == report.rejections


@pytest.mark.parametrize("body", [b"", b"<html/>", BODY[:300], b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"])
def test_document_that_is_not_whole_changes_nothing(body: bytes) -> None:
    read(BODY, FRIDAY, "ecb")
    before = rows(), Observation.objects.count(), Refresh.objects.count(), Payload.objects.count()
    with pytest.raises(RefreshRefused, match="ecb: the document"):
        read(body, MONDAY, "ecb")
    assert (rows(), Observation.objects.count(), Refresh.objects.count(), Payload.objects.count()) == before


def test_reading_older_than_the_last_is_refused_by_refresh_and_taken_by_backfill() -> None:
    read(MENDED, MONDAY, "ecb")
    with pytest.raises(RefreshRefused, match="last read at"):
        read(BODY, FRIDAY, "ecb")
    assert read(BODY, FRIDAY, "ecb", backfilled=True).counts["new"] == 2
    day = date(2026, 11, 20)
    assert current_rates().quote("CNY", day).rate == Decimal("7.92")
    assert current_rates().quote("CNY", day, FRIDAY).rate == Decimal("7.7")


def test_dry_run_says_what_it_would_do_and_writes_nothing() -> None:
    assert read(BODY, FRIDAY, "ecb", dry_run=True).counts["new"] == 2
    assert rows() == []
    assert current_rates().quote("CNY", date(2026, 11, 20)).carried_by


def test_command_takes_a_file_twice_without_writing_twice(tmp_path: Path) -> None:
    file = tmp_path / "eurofxref-daily.xml.gz"
    file.write_bytes(gzip.compress(BODY))
    command = ("refresh", "ecb", "--file", file, "--observed-at", "2026-11-20T16:00:00Z", "--json")
    first, again = json.loads(printed(*command)), json.loads(printed(*command))
    assert (first["status"], first["new"], again["status"]) == ("done", 2, "unchanged")
    assert len(rows()) == 2


def test_command_refuses_what_is_no_document_with_2(tmp_path: Path) -> None:
    file = tmp_path / "a.xml"
    file.write_bytes(b"<html/>")
    with pytest.raises(CommandError, match="root is html") as refused:
        printed("refresh", "ecb", "--file", file)
    assert refused.value.returncode == 2


def test_backfill_takes_dated_files_and_twice_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "2026-11-21.xml").write_bytes(BODY)
    (tmp_path / "2026-11-24.xml.gz").write_bytes(gzip.compress(MENDED))
    printed("backfill", "ecb", "--dir", tmp_path)
    first = rows()
    printed("backfill", "ecb", "--dir", tmp_path)
    assert rows() == first
    assert [row[2] for row in first if row[0] == "CNY"] == [Decimal("7.7"), Decimal("7.92")]


@pytest.mark.django_db(transaction=True)
def test_rates_are_fetched_and_asked_for_again_only_if_they_changed(settings: Any) -> None:
    with reachable(settings) as server:
        feed = served_from(server.address, "ecb")
        assert refresh(feed).status == "done"
        assert refresh(feed).status == "unchanged"
        server.serve(MENDED, '"second"')
        assert refresh(feed).counts["changed"] == 1
    assert [request.get("If-None-Match") for request in server.requests] == [None, '"first"', '"first"']


@pytest.mark.django_db(transaction=True)
def test_tick_refreshes_the_feed_when_it_is_due_and_a_failure_backs_off(settings: Any, monkeypatch: Any) -> None:
    asked: list[str] = []
    monkeypatch.setattr("feeds.tasks.look_now", lambda slug, trigger="schedule": asked.append(slug))
    with reachable(settings) as server:
        feed = served_from(server.address, "ecb")
        refresh_due_feeds()
        assert "ecb" in asked
        server.status = 503
        refresh_feed("ecb")
    feed.refresh_from_db()
    assert (feed.failures, feed.next_due_at > timezone.now()) == (1, True)
    assert Refresh.objects.get().status == "failed"


def test_feed_that_may_not_be_fetched_says_so(settings: Any) -> None:
    settings.NETWORK_FEEDS = []
    with pytest.raises(CouldNotFetch, match="NETWORK_FEEDS"):
        refresh(feed_named("ecb"))


def test_reading_rates_does_not_make_prices_look_fresher(client: Client) -> None:
    read(BODY, FRIDAY, "ecb")
    assert client.get("/api/v1/prices/").json()["record_as_of"] is None
    assert client.get("/api/v1/sources/ecb/").json()["last_observed_at"] == "2026-11-20T16:00:00Z"
