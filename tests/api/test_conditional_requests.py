"""Entity tags: a reader's copy is good until something it shows has changed, and not a moment longer."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from pricing.clock import follow_the_clock
from pricing.models import Offering, Price, PricingChange
from tests.api import factories as make

PRICES = "/api/v1/prices/"


@pytest.fixture
def line(db: None) -> Any:
    found = make.line(make.offering())
    make.price(found, "1")
    return found


def still_good(client: Client, path: str, tag: str) -> bool:
    return client.get(path, headers={"If-None-Match": tag}).status_code == 304


def test_new_price_is_seen_at_once(client: Client, line: Any) -> None:
    tag = client.get(PRICES).headers["ETag"]
    now = timezone.now()
    Price.objects.update(known_until=now)
    make.price(line, "1", effective_until=now, known_from=now)
    make.price(line, "2", now)
    response = client.get(PRICES, headers={"If-None-Match": tag})
    assert response.status_code == 200
    assert [row["amount"] for row in response.json()["results"]] == ["2"]


def test_price_that_begins_by_itself_is_seen_at_once(client: Client, line: Any, monkeypatch: Any) -> None:
    begins = timezone.now() + timedelta(hours=1)
    Price.objects.update(effective_until=begins)
    make.price(line, "2", begins, known_from=timezone.now())
    first = client.get(PRICES)
    tag = first.headers["ETag"]
    assert still_good(client, PRICES, tag)
    monkeypatch.setattr(timezone, "now", lambda: begins)
    second = client.get(PRICES, headers={"If-None-Match": tag})
    assert [row["amount"] for row in second.json()["results"]] == ["2"]


def test_promotion_that_ends_by_itself_is_seen_at_once(client: Client, line: Any, monkeypatch: Any) -> None:
    ends = timezone.now() + timedelta(hours=1)
    make.price(make.line(line.offering, layer="promo"), "0.5", effective_until=ends)
    tag = client.get(PRICES).headers["ETag"]
    monkeypatch.setattr(timezone, "now", lambda: ends)
    assert not still_good(client, PRICES, tag)
    assert len(client.get(PRICES).json()["results"]) == 1


@pytest.mark.parametrize(
    "write",
    [
        lambda line: make.observation(),
        lambda line: make.statement(line, "1"),
        lambda line: make.change(line, "1", "2"),
        lambda line: make.reference(line.offering),
        lambda line: make.event(),
        lambda line: make.metric(),
        lambda line: make.ai_model(),
        lambda line: make.company("azure"),
    ],
    ids=["observation", "statement", "change", "reference", "event", "metric", "model", "company"],
)
def test_every_write_to_the_record_is_seen(client: Client, line: Any, write: Any) -> None:
    tag = client.get(PRICES).headers["ETag"]
    write(line)
    assert not still_good(client, PRICES, tag)


def test_edit_of_a_name_is_seen(client: Client, line: Any) -> None:
    path = f"/api/v1/offerings/{line.offering.pk}/"
    tag = client.get(path).headers["ETag"]
    offering = Offering.objects.get()
    offering.name = "Another name"
    offering.save()
    assert client.get(path, headers={"If-None-Match": tag}).json()["name"] == "Another name"


def test_tag_belongs_to_one_address(client: Client, line: Any) -> None:
    tag = client.get(PRICES).headers["ETag"]
    assert not still_good(client, f"{PRICES}?limit=1", tag)


def test_second_reader_gets_the_same_bytes_without_reading_the_rows(
    client: Client, line: Any, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    first = client.get(PRICES)
    with django_assert_num_queries(1):
        second = client.get(PRICES)
    assert second.content == first.content
    assert second.headers["Content-Type"] == first.headers["Content-Type"]


def test_answer_is_kept_only_to_be_checked_before_use(client: Client, line: Any) -> None:
    assert client.get(PRICES).headers["Cache-Control"] == "no-cache"


def test_error_carries_no_tag(client: Client, line: Any) -> None:
    assert "ETag" not in client.get(PRICES, {"seller": "nobody"}).headers


def test_status_turns_with_the_last_price_whether_the_tick_has_come_or_not(
    client: Client, line: Any, monkeypatch: Any
) -> None:
    path = f"/api/v1/offerings/{line.offering.pk}/"
    ends = timezone.now() + timedelta(hours=1)
    Price.objects.update(effective_until=ends)
    listed = client.get(path)
    assert listed.json()["status"] == "listed"
    monkeypatch.setattr(timezone, "now", lambda: ends)
    before_tick = client.get(path, headers={"If-None-Match": listed.headers["ETag"]})
    assert before_tick.json()["status"] == "withdrawn"
    follow_the_clock()
    assert Offering.objects.get().status == "withdrawn"
    assert client.get(path).json() == before_tick.json()
    assert PricingChange.objects.get().kind == "withdrawn"


def test_filter_by_status_turns_with_the_last_price(client: Client, line: Any, monkeypatch: Any) -> None:
    ends = timezone.now() + timedelta(hours=1)
    Price.objects.update(effective_until=ends)
    found = {"listed": [1, 0], "withdrawn": [0, 1], "merged": [0, 0]}
    for status, (before, _) in found.items():
        assert client.get("/api/v1/offerings/", {"status": status}).json()["count"] == before
    monkeypatch.setattr(timezone, "now", lambda: ends)
    for status, (_, after) in found.items():
        assert client.get("/api/v1/offerings/", {"status": status}).json()["count"] == after
    both = client.get("/api/v1/offerings/?status=listed&status=withdrawn").json()
    assert [row["status"] for row in both["results"]] == ["withdrawn"]


def test_star_does_not_hide_that_an_offering_moved(client: Client, line: Any) -> None:
    absorbed = make.offering("twin", status="merged", merged_into=line.offering)
    response = client.get(f"/api/v1/offerings/{absorbed.pk}/", headers={"If-None-Match": "*"})
    assert response.status_code == 301


class TestOnceBelieved:
    """5 was announced on day 100 for day 120, and retracted on day 110; who asks on day 105's belief gets it still."""

    day = staticmethod(lambda number: make.TRACKED_SINCE + timedelta(days=number))

    @pytest.fixture
    def announced(self, db: None) -> Any:
        line = make.line(make.offering(model=make.ai_model()))
        made, begins, retracted = self.day(100), self.day(120), self.day(110)
        make.price(line, "1", known_until=made)
        make.price(line, "1", effective_until=begins, known_from=made, known_until=retracted)
        make.price(line, "5", begins, known_from=made, known_until=retracted)
        make.price(line, "1", known_from=retracted)
        return line

    def test_now_is_now_though_nothing_believed_today_turned_since(
        self, client: Client, announced: Any, monkeypatch: Any
    ) -> None:
        monkeypatch.setattr(timezone, "now", lambda: self.day(130))
        rows = client.get(PRICES, {"known_at": self.day(105).isoformat()}).json()["results"]
        assert [row["amount"] for row in rows] == ["5"]
        assert [row["amount"] for row in client.get(PRICES).json()["results"]] == ["1"]

    @pytest.mark.parametrize("path", [PRICES, "/api/v1/models/deepseek-v4/compare/"])
    def test_tag_ends_where_a_price_would_have_begun(
        self, client: Client, announced: Any, monkeypatch: Any, path: str
    ) -> None:
        asked: dict[str, str] = {"known_at": self.day(105).isoformat()}
        monkeypatch.setattr(timezone, "now", lambda: self.day(115))
        tag = client.get(path, asked).headers["ETag"]
        assert client.get(path, asked, headers={"If-None-Match": tag}).status_code == 304
        monkeypatch.setattr(timezone, "now", lambda: self.day(130))
        later = client.get(path, asked, headers={"If-None-Match": tag})
        assert later.status_code == 200
        assert '"amount":"5"' in later.content.decode()

    def test_links_carry_the_very_moment(self, client: Client, announced: Any, monkeypatch: Any) -> None:
        make.price(make.line(announced.offering, "pages"), "7")
        monkeypatch.setattr(timezone, "now", lambda: self.day(130))
        page = client.get(PRICES, {"known_at": self.day(105).isoformat(), "limit": "1"}).json()
        assert "as_of=2026-05-11T00%3A00%3A00Z" in page["next"]
