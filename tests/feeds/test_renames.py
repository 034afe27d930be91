"""A source that renames what it lists goes on with the one offering: nothing is withdrawn, and nothing is new."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from pricing.ledger import Ruling, merge, undo
from pricing.models import Decision, Offering, Price, PricingChange, Reference
from tests.feeds.small_feeds import catalogue, day, price_map, read
from tests.pricing.stages import assert_clean

pytestmark = pytest.mark.django_db
COST = {"input": 0.27, "output": 1.1}
OTHER = {"input": 5.0, "output": 7.0}


def listing(**models: dict[str, float]) -> bytes:
    """A document of one reseller, whose ids are written with ``__`` for a slash and ``_d_`` for a dot."""
    rows = {}
    for name, cost in models.items():
        model_id = name.replace("__", "/").replace("_d_", ".").replace("_", "-")
        rows[model_id] = {"id": model_id, "name": "A model", "cost": cost}
    return json.dumps({"baseten": {"id": "baseten", "name": "Baseten", "models": rows}}).encode()


def news() -> list[str]:
    return list(PricingChange.objects.filter(initial=False).order_by("sequence").values_list("kind", flat=True))


def test_a_renamed_offering_goes_on_without_news() -> None:
    read(listing(deepseek_ai_deepseek_r1=COST, other=OTHER), day(1))
    report = read(listing(deepseek_ai__DeepSeek_R1=COST, other=OTHER), day(2))
    assert (report.counts["new"], report.counts["references_new"]) == (0, 1)
    assert read(listing(deepseek_ai__DeepSeek_R1=COST, other=OTHER), day(6)).counts["withdrawn"] == 0
    assert (Offering.objects.count(), news()) == (2, [])
    came = Reference.objects.get(external_id="deepseek-ai/DeepSeek-R1")
    assert came.continues is not None and came.continues.external_id == "deepseek-ai-deepseek-r1"
    assert_clean()


def test_a_price_that_moves_with_the_name_is_a_move_of_the_one_offering() -> None:
    read(listing(claude_sonnet_4_5_20250929=COST, other=OTHER), day(1))
    read(listing(claude_sonnet_4_5={"input": 0.3, "output": 1.2}, other=OTHER), day(2))
    assert news() == ["increase"]
    change = PricingChange.objects.get(initial=False)
    assert (change.nature, change.observed_after) == ("market", day(1))
    believed = Price.objects.filter(line__offering=change.offering, line__meter="input_tokens", known_until=None)
    assert list(believed.order_by("effective_from").values_list("amount", flat=True)) == [
        Decimal("0.27"),
        Decimal("0.3"),
    ]
    for number in (4, 8, 12):
        read(listing(claude_sonnet_4_5={"input": 0.3, "output": 1.2}, other=OTHER), day(number))
    assert news() == ["increase"]
    assert_clean()


def test_a_new_spelling_that_finds_its_offering_by_itself_is_one_story_too() -> None:
    read(listing(DeepSeek_V3=COST, other=OTHER), day(1))
    read(listing(deepseek_v3={"input": 0.3, "output": 1.2}, other=OTHER), day(2))
    assert news() == ["increase"]
    assert_clean()


@pytest.mark.parametrize(
    ("old", "new", "cost"),
    [
        ("gpt_5", "gpt_5_d_1", COST),
        ("claude_3_5_sonnet_20240620", "claude_3_5_sonnet_20241022", COST),
        ("gemini_2_d_5_flash_preview_04_17", "gemini_2_d_5_flash", {"input": 0.3, "output": 2.5}),
        ("zai__glm_4", "other__glm_4", {"input": 0.3, "output": 2.5}),
    ],
)
def test_another_model_is_never_taken_for_a_new_name(old: str, new: str, cost: dict[str, float]) -> None:
    read(listing(**{old: COST, "other": OTHER}), day(1))
    assert read(listing(**{new: cost, "other": OTHER}), day(2)).counts["new"] == 1


def test_a_name_that_two_may_have_taken_is_nobodys() -> None:
    read(listing(claude_4_opus=COST, other=OTHER), day(1))
    both = {"claude_opus_4": COST, "x__claude_4_opus_latest": COST}
    assert read(listing(other=OTHER, **both), day(2)).counts["new"] == 2


def test_an_id_that_is_still_there_was_not_renamed() -> None:
    read(listing(kimi_k2=COST), day(1))
    assert read(listing(kimi_k2=COST, moonshotai__kimi_k2=COST), day(2)).counts["new"] == 1


def test_an_old_id_that_comes_back_means_the_same_offering() -> None:
    read(listing(kimi_k2=COST, other=OTHER), day(1))
    read(listing(moonshotai__kimi_k2=COST, other=OTHER), day(2))
    report = read(listing(moonshotai__kimi_k2=COST, kimi_k2=COST, other=OTHER), day(3))
    assert (report.counts["new"], Offering.objects.count(), news()) == (0, 2, [])
    assert_clean()


def two_prices() -> bytes:
    return listing(claude_sonnet_4_5_20250929=COST, claude_sonnet_4_5={"input": 0.3, "output": 1.2}, other=OTHER)


def taken_for_a_new_name() -> tuple[Reference, Reference]:
    """An id that was renamed, as it seemed, at another price, and comes back beside the other."""
    read(listing(claude_sonnet_4_5_20250929=COST, other=OTHER), day(1))
    read(listing(claude_sonnet_4_5={"input": 0.3, "output": 1.2}, other=OTHER), day(2))
    assert Reference.objects.exclude(continues=None).exists()
    read(two_prices(), day(3))
    old, new = (Reference.objects.get(external_id=f"claude-sonnet-4-5{date}") for date in ("-20250929", ""))
    return old, new


def test_two_ids_that_are_sold_side_by_side_at_two_prices_were_never_one() -> None:
    old, new = taken_for_a_new_name()
    assert old.offering != new.offering
    assert not new.linked_by_person
    for number in (4, 6, 9):
        read(two_prices(), day(number))
    amounts = {
        reference: Price.objects.filter(
            line__offering=reference.offering, line__meter="input_tokens", known_until=None, effective_until=None
        )
        .get()
        .amount
        for reference in (old, new)
    }
    assert amounts == {old: Decimal("0.27"), new: Decimal("0.3")}
    since = PricingChange.objects.filter(initial=False, detected_at__gte=day(3))
    assert set(since.filter(offering=old.offering).values_list("nature", flat=True)) <= {"correction"}
    assert_clean()
    moved = listing(claude_sonnet_4_5_20250929=COST, claude_sonnet_4_5={"input": 0.5, "output": 1.2}, other=OTHER)
    read(moved, day(10))
    last = PricingChange.objects.order_by("-sequence").first()
    assert last is not None and (last.kind, last.nature, last.offering) == ("increase", "market", new.offering)
    assert_clean()


def test_a_person_who_says_that_they_are_one_is_heard_for_good() -> None:
    old, new = taken_for_a_new_name()
    undo(Decision.objects.get(kind="split"), Ruling(None, "one product"))
    read(listing(claude_sonnet_4_5_20250929=COST, claude_sonnet_4_5={"input": 0.4, "output": 1.2}, other=OTHER), day(6))
    for reference in (old, new):
        reference.refresh_from_db()
    assert old.offering == new.offering
    assert_clean()


def test_another_source_that_knows_the_new_name_finds_the_offering() -> None:
    first = catalogue(deepseek_reasoner_preview=COST, other=OTHER)
    read(first, day(1))
    read(catalogue(deepseek_reasoner=COST, other=OTHER), day(2))
    row = {"litellm_provider": "deepseek", "mode": "chat", "input_cost_per_token": 2.7e-07}
    report = read(price_map(deepseek__deepseek_reasoner=row), day(3), "litellm")
    assert report.counts["new"] == 0
    assert Offering.objects.get(external_id="deepseek-reasoner-preview").references.count() == 3


def test_a_new_reference_under_an_absorbed_id_joins_the_one_that_stands_and_leaves_it_with_the_merge() -> None:
    read(catalogue(deepseek_chat=COST, deepseek_chat_v3=OTHER), day(1))
    kept, absorbed = (Offering.objects.get(external_id=name) for name in ("deepseek-chat", "deepseek-chat-v3"))
    merge(absorbed, kept, Ruling(None, "one thing"))
    row = {"litellm_provider": "deepseek", "mode": "chat", "input_cost_per_token": 5e-06}
    read(price_map(deepseek__deepseek_chat_v3=row), day(3), "litellm")
    joined = Reference.objects.get(source__slug="litellm")
    assert joined.offering == kept
    undo(Decision.objects.get(kind="merge"), Ruling(None))
    joined.refresh_from_db()
    assert joined.offering == absorbed
    assert_clean()
