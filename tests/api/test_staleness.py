"""A price that nobody has confirmed for 30 days is stale: shown so, found and counted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from companies.models import Company
from pricing.api.shapes.prices import price_shapes
from pricing.ledger import Ruling, pin, state
from pricing.models import Offering, Price
from pricing.staleness import stale_before, stale_prices
from tests.pricing.believing import price
from tests.pricing.stages import Stage, claim
from tests.pricing.worlds import LONG, ORIGIN, PLAIN

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage() -> Stage:
    return Stage()


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """It is day 100, noon."""
    monkeypatch.setattr(timezone, "now", lambda: ORIGIN + timedelta(days=100, hours=12))
    yield


def stale() -> set[str]:
    rows = stale_prices(timezone.now())
    return set(rows.values_list("line__offering__external_id", flat=True))


def test_a_price_is_stale_when_its_source_was_not_read_for_thirty_days(stage: Stage) -> None:
    old, fresh = stage.offering("old"), stage.offering("fresh")
    stage.read("models-dev", 60, {old: [price("1")]})
    stage.read("litellm", 60, {fresh: [price("1")]})
    stage.read_again("litellm", 95)
    assert stale() == {"old"}


def test_any_source_that_states_the_same_price_confirms_it(stage: Stage) -> None:
    offering = stage.offering("old")
    stage.read("models-dev", 60, {offering: [price("1")]})
    stage.read("litellm", 95, {offering: [price("2")]})
    assert stale() == {"old"}
    stage.read("litellm", 96, {offering: [price("1")]})
    assert stale() == set()


def test_the_days_are_counted_from_midnight(stage: Stage) -> None:
    assert stale_before(timezone.now()) == ORIGIN + timedelta(days=70)
    on_the_day, day_before = stage.offering("on the day"), stage.offering("day before")
    stage.read("a", 70, {on_the_day: [price("1")]})
    stage.read("b", 69.99, {day_before: [price("1")]})
    assert stale() == {"day before"}


def test_what_has_ended_or_is_to_come_is_not_stale(stage: Stage) -> None:
    offering = stage.offering("dated")
    stage.read("a", 10, {offering: [price("1", until=50), price("2", LONG, since=200)]})
    assert stale() == set()


def test_what_a_person_stated_or_pinned_grows_stale_too(stage: Stage) -> None:
    stated, pinned = stage.offering("stated"), stage.offering("pinned")
    person = Ruling(by=None)
    for offering, say in ((stated, state), (pinned, pin)):
        say(offering, claim("1", PLAIN, since=90), person)
    assert stale() == set()
    Price.objects.update(known_from=ORIGIN)
    assert stale() == {"pinned"}


def test_the_api_says_so_of_prices_and_offerings(stage: Stage, client) -> None:
    stage.read("models-dev", 60, {stage.offering("old"): [price("1")]})
    stage.read("litellm", 95, {stage.offering("fresh"): [price("1")]})
    prices = client.get("/api/v1/prices/").json()["results"]
    assert {row["external_id"]: row["stale"] for row in prices} == {"old": True, "fresh": False}
    offerings = client.get("/api/v1/offerings/").json()["results"]
    assert {row["external_id"]: row["stale"] for row in offerings} == {"old": True, "fresh": False}


def test_the_tag_of_an_answer_turns_with_the_day(stage: Stage, client, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.read("models-dev", 75, {stage.offering("old"): [price("1")]})
    tags = []
    for days in (100, 100.5, 106):
        monkeypatch.setattr(timezone, "now", lambda days=days: ORIGIN + timedelta(days=days, hours=2))
        answer = client.get("/api/v1/prices/")
        tags.append((answer["ETag"], answer.json()["results"][0]["stale"]))
    assert tags[0] == tags[1]
    assert (tags[0][1], tags[2][1]) == (False, True)
    assert tags[0][0] != tags[2][0]


def test_metrics_and_the_admin_count_and_find_them(stage: Stage, client, admin_client) -> None:
    old, fresh = stage.offering("old one"), stage.offering("fresh one")
    stage.read("models-dev", 60, {old: [price("1")]})
    stage.read("litellm", 95, {fresh: [price("1")]})
    assert "tracker_stale_prices 1.0" in client.get("/metrics").content.decode()
    assert "stale prices" in admin_client.get("/admin/").content.decode()
    for page in ("pricing_price", "pricing_offering"):
        seen = admin_client.get(reverse(f"admin:{page}_changelist"), {"stale": "yes"}).content.decode()
        assert ("old one" in seen, "fresh one" in seen) == (True, False)


@pytest.mark.parametrize("seed", range(6))
def test_what_is_counted_is_what_the_api_shows(stage: Stage, seed: int) -> None:
    chance = Random(seed)
    seller = Company.objects.create(slug=f"seller-{seed}", name="Seller")
    offerings = [stage.offering(f"model {number}", seller) for number in range(4)]
    for at in sorted(chance.sample(range(100), 14)):
        said = {offering: _said(chance, at) for offering in offerings if chance.random() < 0.8}
        stage.read(chance.choice("ab"), at, said)
    ids = list(Price.objects.order_by("pk").values_list("pk", flat=True))
    shown = {shape["id"] for shape in price_shapes(ids) if shape["stale"]}
    assert set(stale_prices(timezone.now()).values_list("pk", flat=True)) == shown


def _said(chance: Random, at: int) -> list[object]:
    amount = chance.choice("12")
    dated = chance.choice([{}, {}, {"since": at - 20}, {"until": at + 40}, {"since": at - 5, "until": at + 60}])
    return [price(amount, **dated)]  # type: ignore[arg-type]


def test_counting_is_a_fixed_number_of_queries(
    stage: Stage, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    stage.read("models-dev", 60, {stage.offering(f"model {number}"): [price("1")] for number in range(40)})
    with django_assert_max_num_queries(2):
        assert stale_prices(timezone.now()).count() == 40


def test_nothing_is_stale_in_an_empty_record() -> None:
    assert not stale_prices(datetime.now(UTC)).exists()
    assert not Offering.objects.exists()
