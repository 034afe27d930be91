"""A price that was announced is shown unconfirmed until a source is seen to state it after it took effect."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from pricing import ledger
from pricing.api.shapes.prices import price_shapes
from pricing.models import Offering, Price
from tests.costing.asking import results
from tests.pricing.believing import day, price
from tests.pricing.conftest import SetClock
from tests.pricing.stages import Stage, claim

PRICES = "/api/v1/prices/"


@pytest.fixture
def offering(stage: Stage, clock: SetClock) -> Offering:
    """A feed lists it at 1 since day 0, and announces on day 50 that it costs 2 from day 120 on."""
    found = stage.offering("deepseek-chat")
    stage.read("models-dev", 0, {found: [price("1")]})
    stage.read("models-dev", 50, {found: [price("1", until=120), price("2", since=120)]})
    return found


def shown(client: Client, **query: Any) -> dict[str, bool]:
    """Whether each amount in force is unconfirmed."""
    rows = client.get(PRICES, query).json()["results"]
    return {row["amount"]: row["unconfirmed"] for row in rows}


def noted(client: Client, at: float) -> list[str]:
    """What ``costs/`` says of a call on a day."""
    usage = {"input_tokens": 1_000_000}
    line = {"seller": "deepseek", "model": "deepseek-chat", "at": day(at).isoformat(), "usage": usage}
    (result,) = results(client, line)
    notes: list[str] = result["notes"]
    return notes


def test_price_that_was_observed_needs_no_confirming(client: Client, offering: Offering) -> None:
    assert shown(client) == {"1": False}
    assert noted(client, 60) == []


def test_price_ahead_is_unconfirmed(client: Client, offering: Offering) -> None:
    assert shown(client, as_of="2030-01-01T00:00:00Z") == {"2": True}
    assert noted(client, 130) == ["input_tokens: announced, and not in effect yet"]


def test_announced_price_in_effect_is_unconfirmed_until_a_reading_states_it(
    client: Client,
    offering: Offering,
    stage: Stage,
    clock: SetClock,
) -> None:
    clock(121)
    assert shown(client) == {"2": True}
    assert noted(client, 121) == ["input_tokens: announced, and seen by no source since it took effect"]
    stage.read_again("models-dev", 121)
    assert shown(client) == {"2": False}
    assert noted(client, 121) == []


def test_another_source_confirms_as_well(
    client: Client,
    offering: Offering,
    stage: Stage,
    clock: SetClock,
) -> None:
    clock(121)
    stage.read("litellm", 120.5, {offering: [price("2")]})
    assert shown(client) == {"2": False}


def test_what_editors_announce_a_source_has_to_see(
    client: Client,
    stage: Stage,
    clock: SetClock,
    person: ledger.Ruling,
) -> None:
    found = stage.offering("deepseek-chat")
    stage.read("models-dev", 0, {found: [price("1")]})
    ledger.announce(found, [claim("3", since=120)], person)
    clock(125)
    ledger.announce(found, [claim("5", since=140)], person)
    assert shown(client) == {"3": True}
    stage.read("models-dev", 125.5, {found: [price("3")]})
    assert shown(client) == {"3": False}


def test_announced_row_that_was_rewritten_since_is_still_unconfirmed(
    client: Client,
    offering: Offering,
    stage: Stage,
    clock: SetClock,
    person: ledger.Ruling,
) -> None:
    clock(121)
    ledger.announce(offering, [claim("4", since=150)], person)
    row = Price.objects.get(amount="2", known_until=None)
    assert row.known_from > row.effective_from, "its end was learnt after its beginning"
    assert shown(client) == {"2": True}


def test_price_that_is_stated_for_a_moment_past_was_not_announced(
    client: Client,
    stage: Stage,
    clock: SetClock,
    person: ledger.Ruling,
) -> None:
    found = stage.offering("deepseek-chat")
    ledger.state(found, claim("3", since=90), person)
    stage.read("litellm", 99, {found: [price("3")]})
    assert shown(client) == {"3": False}


def test_announcement_that_never_came_is_unconfirmed_in_the_history(
    client: Client,
    offering: Offering,
    stage: Stage,
    clock: SetClock,
) -> None:
    stage.read("models-dev", 99, {offering: [price("1")]})
    clock(130)
    stage.read_again("models-dev", 130)
    rows = client.get(f"/api/v1/offerings/{offering.pk}/history/").json()["results"]
    assert {row["amount"]: row["unconfirmed"] for row in rows} == {"1": False, "2": True}


def test_offerings_and_tables_show_it_too(
    client: Client,
    offering: Offering,
    clock: SetClock,
) -> None:
    clock(121)
    (listed,) = client.get("/api/v1/offerings/").json()["results"]
    assert [each["unconfirmed"] for each in listed["prices"]] == [True]
    table = client.get(PRICES, {"format": "csv"}).getvalue().decode()
    assert [row["unconfirmed"] for row in csv.DictReader(io.StringIO(table))] == ["True"]


def test_admin_page_of_the_offering_says_so(client: Client, offering: Offering, clock: SetClock) -> None:
    clock(121)
    client.force_login(User.objects.create_superuser("root"))
    path = f"/admin/pricing/offering/{offering.pk}/change/"
    assert "(unconfirmed)" in client.get(path).content.decode()


def test_it_costs_no_query_of_its_own(
    offering: Offering,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    ids = list(Price.objects.values_list("pk", flat=True))
    with django_assert_num_queries(3):
        price_shapes(ids)
