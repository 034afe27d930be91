"""An offering is found by any id or name that anybody has for it, and so are the rows that belong to it."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from pricing.admin.search import offerings_matching
from tests.admin.conftest import World


@pytest.mark.parametrize(
    "text",
    [
        "deepseek-chat",
        "ds-chat-latest",
        "deepseek/ds-chat",
        "ds-v3-pointer",
        "DeepSeek Chat",
        "深度求索",
        "chat deepseek",
        '"DeepSeek Chat"',
    ],
)
def test_an_offering_is_found_by_any_of_its_names(world: World, text: str) -> None:
    assert world.chat in offerings_matching(text)


def test_the_provider_before_a_slash_narrows_the_search(world: World) -> None:
    assert list(offerings_matching("openrouter/deepseek/deepseek-v3")) == [world.resold]


def test_every_word_must_fit(world: World) -> None:
    assert list(offerings_matching("openrouter v3")) == [world.resold]
    assert not offerings_matching("openrouter ds-chat-latest")


def test_an_id_routed_to_a_model_finds_that_sellers_offering(world: World) -> None:
    from pricing.models import Alias
    from tests.admin.conftest import JUNE, sold

    Alias.objects.create(
        offering=sold(world.openrouter, "ds-best", "ds-best"),
        seller=world.openrouter,
        external_id="ds-best",
        target_model=world.resold.model,
        known_from=JUNE,
        source=world.models_dev,
    )
    assert world.resold in offerings_matching("ds-best")


@pytest.mark.parametrize(
    "model", ["offering", "price", "statement", "priceline", "reference", "pricingchange", "decision"]
)
def test_lists_are_searched_by_a_feeds_id(browser: Client, world: World, model: str) -> None:
    address = reverse(f"admin:pricing_{model}_changelist")
    found = browser.get(address, {"q": "ds-chat-latest"}).context["cl"].result_list
    assert found
    assert not browser.get(address, {"q": "no-such-id"}).context["cl"].result_list


def test_choosing_an_offering_finds_it_by_a_feeds_id(browser: Client, world: World) -> None:
    asked = {"term": "ds-chat-latest", "app_label": "feeds", "model_name": "feed", "field_name": "source"}
    asked |= {"app_label": "pricing", "model_name": "reference", "field_name": "offering"}
    answer = browser.get(reverse("admin:autocomplete"), asked)
    assert [entry["text"] for entry in answer.json()["results"]] == ["DeepSeek Chat at DeepSeek"]
