"""costs/: what a provider's own body says besides its counts, what is wrong with it, and how much is told of it."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from pricing.costing import lines
from pricing.models import Offering
from tests.api import factories as make
from tests.costing.asking import answer, call, fault, post, results
from tests.costing.test_names_of_models import JUNE, alias

pytestmark = pytest.mark.usefixtures("chat")
PATH = "#/lines/0/provider_usage/body"


def body(usage: dict[str, Any], form: str = "openai-chat", **answered: Any) -> dict[str, Any]:
    return call(provider_usage={"format": form, "body": {"usage": usage, **answered}})


USED = {"prompt_tokens": 1_000_000, "completion_tokens": 0}


def test_tier_that_nobody_foresaw_is_said(client: Client) -> None:
    (result,) = results(client, body(USED, service_tier="scale"))
    assert result["total"] == "0.435"
    assert result["notes"] == [
        "the body says service_tier scale, for which this offering has no prices of its own: charged as standard"
    ]


def test_tier_of_a_body_that_is_sold_is_charged(client: Client, chat: Offering) -> None:
    make.price(make.line(chat, service_tier="scale"), "0.9", source=make.source("models-dev"))
    (result,) = results(client, body(USED, service_tier="scale"))
    assert (result["total"], result["notes"]) == ("0.9", [])


def test_tier_left_to_the_provider_is_the_standard_one_and_said(client: Client) -> None:
    (result,) = results(client, body(USED, service_tier="auto"))
    assert (result["total"], result["notes"]) == ("0.435", ["service_tier auto is priced as standard"])


def test_body_of_another_model_is_said(client: Client) -> None:
    (result,) = results(client, body(USED, model="gpt-5"))
    assert result["total"] == "0.435"
    assert result["notes"] == ["the body is of model gpt-5, and is priced as deepseek-chat"]


@pytest.mark.parametrize(
    "model", ["deepseek-chat", "DeepSeek-Chat", "deepseek/deepseek-chat", "deepseek-chat-2026-01-31", "", None]
)
def test_body_of_the_same_model_however_it_is_called_needs_no_note(client: Client, model: str | None) -> None:
    (result,) = results(client, body(USED, model=model))
    assert result["notes"] == []


def test_body_names_the_target_of_an_alias(client: Client, chat: Offering) -> None:
    alias("deepseek-latest", chat, JUNE)
    line = {**body(USED, model="deepseek-chat"), "model": "deepseek-latest"}
    (result,) = results(client, line)
    assert result["notes"] == []


@pytest.mark.parametrize(
    ("usage", "where"),
    [
        ({"prompt_tokens": 5, "prompt_tokens_details": {"cached_tokens": 9}}, "prompt_tokens_details/cached_tokens"),
        ({"completion_tokens": 1, "completion_tokens_details": {"reasoning_tokens": 2}}, "completion_tokens_details/"),
        ({"prompt_tokens": 1.5}, "prompt_tokens"),
    ],
)
def test_error_points_to_the_bodys_own_field(client: Client, usage: dict[str, Any], where: str) -> None:
    (result,) = results(client, body(usage))
    assert fault(result)["pointer"].startswith(f"{PATH}/usage/{where}")


def test_error_points_into_a_bare_usage_too(client: Client) -> None:
    usage = {"prompt_tokens": 5, "prompt_tokens_details": {"cached_tokens": 9}}
    (result,) = results(client, call(provider_usage={"format": "openai-chat", "body": usage}))
    assert fault(result)["pointer"] == f"{PATH}/prompt_tokens_details/cached_tokens"


def test_so_many_unused_fields_are_named_and_the_rest_counted(client: Client) -> None:
    (result,) = results(client, body({**USED, **{f"field_{number}": 1 for number in range(80)}}))
    assert result["unused"] == [f"provider_usage.body.usage.field_{number}" for number in range(lines.UNUSED_NAMED)]
    assert result["notes"] == ["60 more fields of the body had no part in the cost"]


def test_names_of_unused_fields_are_bounded_in_a_request(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "UNUSED_TEXT", 3000)
    long = body({**USED, "x" * 5000: 1, "y": 2})
    found = results(client, *[long] * 1000)
    assert sum(len(name) for result in found for name in result["unused"]) <= 3000
    assert found[-1]["notes"] == ["2 more fields of the body had no part in the cost"]
    assert {result["total"] for result in found} == {"0.435"}


def test_echo_of_a_key_that_nobody_knows_is_bounded(client: Client) -> None:
    response = post(client, {"lines": [call(usage={"k" * 100_000: 1}), call(service_tier="t" * 199)]})
    found = answer(response)["results"]
    assert all(result["error"] for result in found)
    assert int(response.headers["Content-Length"]) < 5_000


SIZED = {"prompt_tokens": 10, "completion_tokens": 5}


@pytest.fixture
def sonar(db: None) -> Offering:
    """Perplexity's model: 3 in and 15 out per 1M tokens, 6 to 14 per 1,000 requests by the size of their context."""
    offering = make.offering("sonar-pro", seller=make.company("perplexity"))
    source = make.source("models-dev")
    for meter, amount in (("input_tokens", "3"), ("output_tokens", "15"), ("requests", "6")):
        make.price(make.line(offering, meter), amount, source=source)
    for size, amount in (("low", "6"), ("medium", "10"), ("high", "14")):
        make.price(make.line(offering, "requests", variant=size), amount, source=source)
    return offering


def asked_of_sonar(**usage: Any) -> dict[str, Any]:
    return {**body({**SIZED, **usage}, "perplexity"), "seller": "perplexity", "model": "sonar-pro"}


@pytest.mark.parametrize(
    ("usage", "total"),
    [
        ({"search_context_size": "low"}, "0.006105"),
        ({"search_context_size": "high"}, "0.014105"),
        ({"search_context_size": "high", "num_search_queries": 2}, "0.014105"),
        ({}, "0.006105"),
    ],
)
def test_request_to_perplexity_is_charged_once_by_the_size_of_its_context(
    client: Client, sonar: Offering, usage: dict[str, Any], total: str
) -> None:
    (result,) = results(client, asked_of_sonar(**usage))
    assert (result["total"], result["unpriced"]) == (total, [])
    assert sum(item["meter"] == "requests" for item in result["items"]) == 1


def test_size_that_no_body_says_is_the_providers_default_and_noted(client: Client, sonar: Offering) -> None:
    (result,) = results(client, asked_of_sonar())
    assert result["notes"] == ["the body says no variant: priced as low, the provider's default"]


def test_searches_that_have_a_price_are_charged(client: Client, sonar: Offering) -> None:
    make.price(make.line(sonar, "web_searches"), "5", source=make.source("models-dev"))
    (result,) = results(client, asked_of_sonar(num_search_queries=2))
    assert result["total"] == "0.016105"
