"""Entity tags: a reader's copy is good until something it shows has changed, and not a moment longer."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from pricing.models import Offering, Price
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
