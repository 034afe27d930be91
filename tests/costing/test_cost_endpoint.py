"""costs/: the contract of the endpoint."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from jsonschema import Draft202012Validator
from pytest_django import DjangoAssertNumQueries

from pricing.claims import SlotRule
from pricing.models import Offering, Price
from tests.api import factories as make
from tests.api.contract import problem_of, schema
from tests.costing.asking import PATH, answer, call, fault, post, results, sold_by_the_hour
from tracker.environment import RateLimit

pytestmark = pytest.mark.usefixtures("chat")


def test_usage_is_priced_exactly_with_each_price_cited(client: Client) -> None:
    usage = {"input_tokens": 1000, "cache_read_tokens": 1, "output_tokens": 3}
    (result,) = results(client, call(id="a", usage=usage))
    assert [(item["meter"], item["quantity"], item["amount"]) for item in result["items"]] == [
        ("input_tokens", 999, "0.000434565"),
        ("output_tokens", 3, "0.00000261"),
        ("cache_read_tokens", 1, "0.0000000435"),
    ]
    assert (result["id"], result["total"], result["currency"]) == ("a", "0.0004372185", "USD")
    assert (result["alias"], result["unpriced"], result["error"]) == (None, [], None)


def test_price_is_cited_as_prices_has_it(client: Client) -> None:
    (result,) = results(client, call())
    (listed,) = client.get("/api/v1/prices/?meter=input_tokens&service_tier=standard").json()["results"]
    assert result["items"][0]["price"] == {**listed, "source": "models-dev"}


def test_results_stand_in_the_order_of_the_lines(client: Client) -> None:
    tiers = ["batch", "standard"] * 600
    found = results(client, *(call(id=place, service_tier=tier) for place, tier in enumerate(tiers)))
    assert [result["id"] for result in found] == list(range(1200))
    assert [result["total"] for result in found] == ["0.2175", "0.435"] * 600


def test_answer_and_examples_are_as_the_schema_says(client: Client) -> None:
    operation = schema()["paths"][PATH]["post"]
    described = operation["responses"]["200"]["content"]["application/json"]["schema"]
    document = {**described, "components": schema()["components"]}
    lines = [call(id=1), call("nothing"), call(usage={"web_searches": 2}), 5]
    found = answer(post(client, {"lines": lines}))
    # A client reads numbers as it likes; this validator knows no decimals.
    errors = list(Draft202012Validator(document).iter_errors(found))
    assert not errors, errors[0]
    assert {} in operation["security"], "no token is needed"


def test_moment_left_out_is_now(client: Client) -> None:
    Price.objects.filter(line__meter="input_tokens").update(effective_until=timezone.now() - timedelta(days=1))
    (result,) = results(client, call(at=None))
    assert [gap["meter"] for gap in result["unpriced"]] == ["input_tokens"]


def test_moment_in_another_zone_is_the_same_moment(client: Client) -> None:
    (result,) = results(client, call(at="2026-01-01T01:00:00+01:00"))
    assert result["total"] == "0.435"


def test_what_has_no_price_is_listed_and_no_part_of_the_total(client: Client) -> None:
    (result,) = results(client, call(usage={"input_tokens": 1000, "web_searches": 2, "audio_seconds": 1.5}))
    assert result["total"] == "0.000435"
    assert result["unpriced"] == [
        {"meter": "web_searches", "quantity": 2, "known_from": None},
        {"meter": "audio_seconds", "quantity": Decimal("1.5"), "known_from": None},
    ]


def test_moment_before_the_first_price_is_unpriced_and_names_the_first_known_date(client: Client) -> None:
    (result,) = results(client, call(at="2025-06-01T00:00:00Z"))
    assert result["items"] == []
    assert result["unpriced"][0]["known_from"] == "2026-01-01T00:00:00Z"


def test_earliest_price_is_assumed_only_when_asked_and_said(client: Client) -> None:
    (result,) = results(client, call(at="2025-06-01T00:00:00Z", assume_earliest=True))
    assert result["total"] == "0.435"
    assert "2026-01-01" in result["notes"][0]


def test_earliest_price_is_assumed_for_the_whole_request_but_where_a_line_says_otherwise(client: Client) -> None:
    lines = [call(at="2025-06-01T00:00:00Z", **said) for said in ({}, {"assume_earliest": False})]
    for _ in range(2):
        assumed, refused = results(client, *lines, assume_earliest=True)
        assert (assumed["total"], refused["items"]) == ("0.435", [])
        assert "2026-01-01T00:00:00Z" in assumed["notes"][0]
    assert results(client, *lines)[0]["items"] == []


def test_line_is_priced_by_what_was_known_then(client: Client, chat: Offering) -> None:
    price = Price.objects.get(line__meter="input_tokens", line__service_tier="standard")
    mended = make.moment("2026-07-01")
    Price.objects.filter(pk=price.pk).update(known_until=mended)
    make.price(price.line, "0.5", price.effective_from, known_from=mended, source=price.source)
    known = ["2026-06-30T23:59:59Z", "2026-07-01T00:00:00Z", None]
    found = results(client, *(call(known_at=moment) for moment in known))
    assert [result["total"] for result in found] == ["0.435", "0.5", "0.5"]
    assert found[0]["items"][0]["price"]["known_until"] == "2026-07-01T00:00:00Z"


def test_providers_own_body_is_mapped_and_says_what_it_did_not_use(client: Client) -> None:
    body = {"usage": {"prompt_tokens": 1000, "completion_tokens": 10, "vibe_tokens": 7}, "service_tier": "flex"}
    (result,) = results(client, call(provider_usage={"format": "openai-chat", "body": body}))
    assert result["total"] == "0.0004437"
    assert result["unused"] == ["provider_usage.body.usage.vibe_tokens"]
    assert "flex" in result["notes"][0], "a tier that only the body names, and that is not sold, is told"


def test_currency_that_prices_are_sold_in_changes_nothing(client: Client) -> None:
    assert results(client, call(), currency="USD") == results(client, call())


@pytest.mark.parametrize("tier", ["default", "auto"])
def test_tier_as_providers_call_it_is_the_standard_one_and_said(client: Client, tier: str) -> None:
    for _ in range(2):
        (result,) = results(client, call(service_tier=tier))
        assert result["total"] == "0.435"
        assert result["notes"] == [f"service_tier {tier} is priced as standard"]


def test_tier_that_a_seller_calls_default_is_its_own(client: Client, chat: Offering) -> None:
    make.price(make.line(chat, service_tier="default"), "9", source=make.source("models-dev"))
    (result,) = results(client, call(service_tier="default"))
    assert (result["total"], result["notes"]) == ("9", [])


def test_terms_of_a_body_count_only_where_the_sheet_has_them(client: Client, chat: Offering) -> None:
    body = {"usage": {"input_tokens": 1_000_000, "output_tokens": 0, "inference_geo": "us", "service_tier": "batch"}}
    told = call(provider_usage={"format": "anthropic", "body": body})
    (result,) = results(client, told)
    assert (result["total"], len(result["notes"])) == ("0.2175", 1)
    assert "region us" in result["notes"][0]
    make.price(make.line(chat, service_tier="batch", region="us"), "0.3", source=make.source("models-dev"))
    (result,) = results(client, told)
    assert (result["total"], result["notes"]) == ("0.3", [])


def test_moment_too_far_for_a_calendar_is_a_fault_of_its_line(client: Client) -> None:
    night = SlotRule("night", ((0, 480),), time_zone="Asia/Shanghai")
    sold_by_the_hour("nightly", night, input_tokens="2", night_input_tokens="1")
    assert fault(results(client, call("nightly", at="9999-12-31T23:00:00Z"))[0])["pointer"] == "#/lines/0/at"


def test_no_lines_have_no_results(client: Client) -> None:
    assert results(client) == []


def test_endpoint_is_listed_and_only_asked_by_post(client: Client) -> None:
    assert client.get("/api/v1/").json()["costs/"] == f"http://testserver{PATH}"
    refused = client.get(PATH)
    problem_of(refused, 405)
    assert refused.headers["Allow"] == "POST, OPTIONS"


def test_closed_reading_wants_a_token(client: Client, settings: Any) -> None:
    settings.API_REQUIRE_AUTH = True
    problem_of(post(client, {"lines": []}), 401)
    assert answer(post(client, {"lines": []}, headers={"Authorization": f"Bearer {make.token()}"})) == {"results": []}
    wrong = make.token("two", scopes=["alerts"])
    problem_of(post(client, {"lines": []}, headers={"Authorization": f"Bearer {wrong}"}), 403)


def test_many_lines_are_one_request(client: Client, settings: Any) -> None:
    settings.API_RATE_LIMIT_ANON = RateLimit(requests=5, seconds=3600)
    response = post(client, {"lines": [call()] * 50})
    assert response.headers["RateLimit"].startswith('"anonymous";r=4;t=')


def test_number_of_queries_does_not_grow_with_the_lines(
    client: Client, chat: Offering, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(30):
        other = make.offering(f"model-{number}")
        make.price(make.line(other), "1")
    lines = [call(f"model-{place % 30}") for place in range(900)]
    with django_assert_max_num_queries(14):
        assert len(results(client, *lines)) == 900
    with django_assert_max_num_queries(2):
        assert len(results(client, *lines)) == 900
