"""Whoever fetches prices in bulk can tell which rows are not to be passed on."""

from __future__ import annotations

import csv
import io
import json

import pytest
from django.test import Client

from tests.feeds.hostile_documents import body
from tests.feeds.small_feeds import day, read

pytestmark = pytest.mark.django_db
PRICES = "/api/v1/prices/"


@pytest.fixture(autouse=True)
def prices_of_two_terms() -> None:
    """A source whose data may be passed on, and one whose may not."""
    read(body("models-dev", {}), day(1), "models-dev")
    read(body("openrouter", {}), day(1), "openrouter")


def test_each_row_names_its_sources_in_every_format(client: Client) -> None:
    lines = client.get(PRICES, {"format": "jsonl"}).getvalue().splitlines()  # type: ignore[attr-defined]
    text = client.get(PRICES, {"format": "csv"}).getvalue().decode()  # type: ignore[attr-defined]
    assert [json.loads(line)["sources"] for line in lines] == [["models-dev"], ["openrouter"]]
    assert [row["sources"] for row in csv.DictReader(io.StringIO(text))] == ["models-dev", "openrouter"]


def test_sources_say_which_do_not_let_their_data_be_republished(client: Client) -> None:
    closed = client.get("/api/v1/sources/", {"may_republish": "false", "fields": "slug,licence"}).json()["results"]
    assert {"slug": "openrouter", "licence": "the service's terms"} in closed
    assert "models-dev" not in {source["slug"] for source in closed}


def test_prices_of_one_source_can_be_left_to_it(client: Client) -> None:
    rows = client.get(PRICES, {"source": "models-dev"}).json()["results"]
    assert [row["sources"] for row in rows] == [["models-dev"]]
