"""Offerings are linked to the model behind them: by a feed's base model, by their id, or once the model is known."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.management import call_command

from companies.models import AIModel
from pricing.identity import model_key
from pricing.ledger import Ruling, link
from pricing.models import Offering
from tests.feeds.small_feeds import catalogue, day, price_map, read

COST = {"input": 0.27, "output": 1.1}


@pytest.mark.parametrize(
    ("external_id", "key"),
    [
        ("us.anthropic.claude-opus-4-5-20251101-v1:0", "claude-opus-4-5-20251101"),
        ("global.anthropic.claude-opus-4-6-v1", "claude-opus-4-6-v1"),
        ("amazon.titan-embed-text-v2:0", "titan-embed-text-v2"),
        ("deepseek.r1-v1:0", "deepseek-r1"),
        ("deepseek/deepseek-v3-0324", "deepseek-v3-0324"),
        ("google/gemini-3-pro:free", "gemini-3-pro"),
        ("ministral-3:8b", "ministral-3-8b"),
        ("claude-3-5-sonnet-v2@20241022", "claude-3-5-sonnet-v2"),
    ],
)
def test_the_key_of_the_model_behind_an_id(external_id: str, key: str) -> None:
    assert model_key(external_id) == key


def sold_elsewhere(*ids: str) -> bytes:
    rows = {each: {"id": each, "name": each, "cost": COST} for each in ids}
    return json.dumps({"databricks": {"id": "databricks", "name": "Databricks", "models": rows}}).encode()


def linked() -> dict[str, str | None]:
    return dict(Offering.objects.exclude(seller__slug="deepseek").values_list("external_id", "model__slug"))


@pytest.mark.django_db
def test_an_id_is_read_without_seller_build_and_date() -> None:
    read(catalogue(deepseek_v4=COST), day(1))
    ids = ("databricks-deepseek-v4", "deepseek-ai/DeepSeek-V4-FP8", "deepseek-v4-20260101", "deepseek-v4p1")
    row: dict[str, Any] = {"litellm_provider": "databricks", "mode": "chat", "input_cost_per_token": 1e-06}
    read(price_map(**{each.replace("/", "__"): row for each in ids}), day(2), "litellm")
    assert {key.casefold(): slug for key, slug in linked().items()} == {
        "databricks-deepseek-v4": "deepseek-v4",
        "deepseek-ai/deepseek-v4-fp8": "deepseek-v4",
        "deepseek-v4-20260101": "deepseek-v4",
        "deepseek-v4p1": None,
    }


@pytest.mark.django_db
def test_an_offering_is_linked_when_its_model_comes_to_be_known() -> None:
    read(sold_elsewhere("databricks-deepseek-v4"), day(1))
    assert linked() == {"databricks-deepseek-v4": None}
    row = {"litellm_provider": "deepseek", "mode": "chat", "input_cost_per_token": 1e-06}
    read(price_map(deepseek__deepseek_v4=row), day(2), "litellm")
    assert linked() == {"databricks-deepseek-v4": "deepseek-v4"}


@pytest.mark.django_db
def test_what_a_person_ruled_to_have_no_model_is_left_alone() -> None:
    read(sold_elsewhere("databricks-deepseek-v4"), day(1))
    link(Offering.objects.get(), None, Ruling(None, "their own"))
    row = {"litellm_provider": "deepseek", "mode": "chat", "input_cost_per_token": 1e-06}
    read(price_map(deepseek__deepseek_v4=row), day(2), "litellm")
    assert linked() == {"databricks-deepseek-v4": None}


@pytest.mark.django_db
def test_openrouter_says_which_model_is_behind_an_id() -> None:
    read(catalogue(deepseek_v4_0731=COST), day(1))
    row = {
        "id": "deepseek/deepseek-v4",
        "canonical_slug": "deepseek/deepseek-v4-0731",
        "name": "DeepSeek: V4",
        "pricing": {"prompt": "0.000001", "completion": "0.000002"},
    }
    read(json.dumps({"data": [row]}).encode(), day(2), "openrouter")
    offering = Offering.objects.get(seller__slug="openrouter")
    assert offering.model == AIModel.objects.get(slug="deepseek-v4-0731")
    assert offering.model_linked_by == "feed"


@pytest.mark.django_db
def test_the_command_lists_suspicions_and_what_has_no_model(capsys: pytest.CaptureFixture[str]) -> None:
    read(sold_elsewhere("a/gte-large-9", "gte-large-9", "deepseek-v4-low"), day(1))
    AIModel.objects.create(slug="deepseek-v4", name="DeepSeek V4")
    call_command("identity")
    shown = capsys.readouterr().out
    assert "suspected duplicates: 1" in shown
    assert "one names the vendor, or more of it; agree on input 0.27 USD, output 1.1 USD" in shown
    assert "deepseek-v4-low; perhaps deepseek-v4" in shown
    call_command("identity", "--json")
    told = json.loads(capsys.readouterr().out)
    assert told["counts"]["api_offerings_without_model"] == 3
    assert told["suspected_duplicates"][0]["likeness"] == "vendor_left_out"
    assert {row["suggested"] for row in told["without_model"]} == {None, "deepseek-v4"}
