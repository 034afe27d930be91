"""What real feeds contain and no other test shows: entries that are wrong, strange or only look strange."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from pricing.models import Hold, Price, PricingChange
from tests.feeds.small_feeds import catalogue, day, price_map, read

pytestmark = pytest.mark.django_db


def believed(meter: str = "input_tokens") -> list[str]:
    """The prices of a meter over time as they are believed now."""
    rows = Price.objects.filter(known_until=None, line__meter=meter).order_by("effective_from")
    return [f"{amount.normalize():f}" for amount in rows.values_list("amount", flat=True)]


def news() -> list[str]:
    return list(PricingChange.objects.filter(initial=False).order_by("sequence").values_list("kind", flat=True))


def sold_by(provider: str, **cost: float) -> bytes:
    """A models.dev document in which one provider sells one model."""
    return json.dumps({provider: {"id": provider, "models": {"small": {"id": "small", "cost": cost}}}}).encode()


def searches(price: float) -> bytes:
    row: dict[str, Any] = {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 1e-06}
    return price_map(seeker=row | {"search_context_cost_per_query": {"search_context_size_low": price}})


def test_a_price_entered_per_token_is_mended_once_its_source_insists() -> None:
    """A price per token stands for weeks where the price per million is meant, then the right one comes."""
    read(catalogue(small={"input": 2e-07}), day(1))
    for number in (8, 15):
        read(catalogue(small={"input": 0.2}), day(number))
        assert believed() == ["0.0000002"]
        assert Hold.objects.get().reason == "leap"
    read(catalogue(small={"input": 0.2}), day(22))
    assert believed() == ["0.0000002", "0.2"]
    assert PricingChange.objects.get(initial=False).effective_at == day(8)


def test_a_price_a_thousand_times_too_high_is_mended_once_its_source_insists() -> None:
    """A seller's prices stand a thousandfold for months, below what is absurd, and are then put right."""
    read(catalogue(small={"input": 75, "output": 200}), day(1))
    for number in (8, 15, 22):
        read(catalogue(small={"input": 0.075, "output": 0.2}), day(number))
    assert (believed(), believed("output_tokens")) == (["75", "0.075"], ["200", "0.2"])
    assert (news(), set(Hold.objects.values_list("outcome", flat=True))) == (["decrease"], {"persistence"})


def test_a_price_per_thousand_under_the_name_of_one_per_query_is_never_believed() -> None:
    """A field holds the price of a thousand searches, and under the same name later that of one."""
    read(searches(30), day(1), "litellm")
    assert (believed("web_searches"), Hold.objects.get().reason) == ([], "ceiling")
    read(searches(0.025), day(8), "litellm")
    assert (believed("web_searches"), Hold.objects.get().outcome) == (["25"], "lapsed")
    assert news() == ["price_added"]


def test_yuan_that_were_entered_as_dollars_look_like_a_cut() -> None:
    """Prices in yuan stand as dollars and are put right: nothing in the feed tells that from a cut of that size."""
    read(catalogue(glm={"input": 6, "output": 24}), day(1))
    read(catalogue(glm={"input": 1.4, "output": 4.4}), day(8))
    assert (news(), Hold.objects.count()) == (["decrease"], 0)


def test_what_a_plan_included_does_not_become_paid_when_it_gets_a_figure() -> None:
    """A plan's models stand at zero since the plan includes them; when they get prices nobody begins to charge."""
    read(sold_by("github-copilot", input=0, output=0), day(1))
    read(sold_by("github-copilot", input=1, output=5), day(8))
    assert (believed(), believed("output_tokens")) == (["0", "1"], ["0", "5"])
    assert not {"became_paid", "became_free"} & set(news())


def test_an_unusual_relation_between_prices_is_taken_as_stated() -> None:
    """Cached input dearer than input, output for nothing and output cheaper than input: all occur, some are right."""
    read(
        catalogue(
            cached={"input": 1, "output": 2, "cache_read": 1.5},
            embedding={"input": 0.1, "output": 0},
            reader={"input": 3, "output": 1},
        ),
        day(1),
    )
    assert (believed("cache_read_tokens"), Hold.objects.count()) == (["1.5"], 0)
    assert sorted(believed("output_tokens")) == ["0", "1", "2"]


def test_a_week_in_which_everything_moves_by_its_own_factor_is_told_whole() -> None:
    """A bulk synchronisation moves hundreds of prices at once, after a week in which nothing moved."""
    before: dict[str, dict[str, float] | None] = {f"model_{number}": {"input": number} for number in range(1, 31)}
    after: dict[str, dict[str, float] | None] = {
        f"model_{number}": {"input": number + 1 / number} for number in range(1, 31)
    }
    read(catalogue(**before), day(1))
    assert read(catalogue(**before), day(8)).counts.get("changed", 0) == 0
    assert read(catalogue(**after), day(15)).counts["changed"] == 30
    assert (set(news()), Hold.objects.count()) == ({"increase"}, 0)


def test_a_rounding_that_is_repaired_and_fields_that_are_swapped_are_moves() -> None:
    """A price loses its rounding, and the prices of reading and of writing a cache change places."""
    read(catalogue(small={"input": 0.13, "cache_read": 1.25, "cache_write": 0.1}), day(1))
    read(catalogue(small={"input": 0.125, "cache_read": 0.2, "cache_write": 1}), day(8))
    assert believed() == ["0.13", "0.125"]
    assert (believed("cache_read_tokens"), believed("cache_write_tokens")) == (["1.25", "0.2"], ["0.1", "1"])
    assert news() == ["mixed"]


def test_every_test_that_the_page_on_reconciliation_names_is_there() -> None:
    """The list of oddities is worth nothing where it names tests that nobody has."""
    project = Path(__file__).resolve().parents[2]
    page = (project / "docs" / "reconciliation.md").read_text()
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", page)
    assert len(named) >= 20
    missing = [name for file, name in named if f"def {name}(" not in (project / file).read_text()]
    assert missing == []
