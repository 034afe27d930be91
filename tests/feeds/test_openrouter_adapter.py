"""OpenRouter's own listings, read into claims: strings per unit, conditions, suffixes, and what says nothing."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from feeds.adapters.openrouter import offering_id, parse
from pricing.claims import PROMO_LAYER, Conditions, ParsedDocument, ParsedOffering, SlotRule, UnreadableDocument


def document(*rows: Any) -> ParsedDocument:
    return parse(json.dumps({"data": [*rows, {"id": "good/row", "pricing": {"prompt": "0.000001"}}]}).encode())


def listing(model: str = "acme/large", **pricing: Any) -> ParsedOffering:
    parsed = document({"id": model, "pricing": pricing})
    assert not parsed.rejected
    assert not parsed.unrecognised
    return parsed.offerings[0]


def amounts(found: ParsedOffering) -> dict[Conditions, str]:
    assert len({claim.line for claim in found.claims}) == len(found.claims)
    return {claim.line: format(claim.amount, "f") for claim in found.claims}


@pytest.mark.parametrize(
    ("key", "written", "meter", "amount"),
    [
        ("prompt", "0.000003", "input_tokens", "3"),
        ("completion", "0.000015", "output_tokens", "15"),
        ("input_cache_read", "0.000000003625", "cache_read_tokens", "0.003625"),
        ("input_cache_write", "0.00000008333333333333334", "cache_write_tokens", "0.08333333333333334"),
        ("input_cache_write_1h", "0.000006", "cache_write_1h_tokens", "6"),
        ("internal_reasoning", "0.000003", "reasoning_tokens", "3"),
        ("audio", "0.000032", "input_audio_tokens", "32"),
        ("audio_output", "0.000064", "output_audio_tokens", "64"),
        ("input_audio_cache", "0.0000004", "cache_read_audio_tokens", "0.4"),
        ("image_token", "0.000008", "input_image_tokens", "8"),
        ("image", "0.00765", "input_images", "0.00765"),
        ("image_output", "0.04", "output_images", "0.04"),
        ("request", "0.0275", "requests", "27.5"),
        ("web_search", "0.014", "web_searches", "14"),
        ("prompt", "1e-6", "input_tokens", "1"),
        ("prompt", 0.000002, "input_tokens", "2"),
    ],
)
def test_every_price_key_is_the_exact_price_of_its_meter(key: str, written: Any, meter: str, amount: str) -> None:
    assert amounts(listing(**{key: written})) == {Conditions(meter): amount}


def test_a_picture_cheaper_than_fifty_words_is_priced_by_the_token() -> None:
    found = listing(prompt="0.0000003", completion="0.0000025", image="0.0000003", image_output="0.00003")
    assert amounts(found) == {
        Conditions("input_tokens"): "0.3",
        Conditions("output_tokens"): "2.5",
        Conditions("input_image_tokens"): "0.3",
        Conditions("output_image_tokens"): "30",
    }


def test_the_keys_that_were_once_filled_with_zero_say_nothing() -> None:
    filled = listing(prompt="0.000001", completion="0.000002", request="0", image="0", web_search="0")
    assert filled.claims == listing(prompt="0.000001", completion="0.000002").claims


def test_zeros_for_text_say_nothing_where_something_else_has_a_price() -> None:
    assert amounts(listing(prompt="0", completion="0", image="0.003")) == {Conditions("input_images"): "0.003"}


def test_zeros_alone_are_stated_for_the_seller_table_to_judge() -> None:
    found = listing("acme/large:free", prompt="0", completion="0", request="0")
    assert amounts(found) == {Conditions("input_tokens"): "0", Conditions("output_tokens"): "0"}


def test_a_price_decided_at_run_time_is_no_statement_and_is_told_of() -> None:
    parsed = document({"id": "openrouter/auto", "pricing": {"prompt": "-1", "completion": "-1", "request": "0.01"}})
    assert amounts(parsed.offerings[0]) == {Conditions("requests"): "10"}
    (told,) = parsed.set_aside
    assert told.model == "openrouter/auto"
    assert told.reason.startswith("prompt, completion: -1")
    assert not parsed.rejected
    assert not parsed.unrecognised


def test_prices_for_long_prompts_begin_at_least_at_their_length() -> None:
    found = listing(
        prompt="0.000001",
        completion="0.000005",
        overrides=[
            {"min_prompt_tokens": 200_000, "prompt": "0.000002", "completion": "0.00001"},
            {"min_prompt_tokens": 400_000, "prompt": "0.000004"},
        ],
    )
    assert amounts(found) == {
        Conditions("input_tokens"): "1",
        Conditions("input_tokens", above_input_tokens=199_999): "2",
        Conditions("input_tokens", above_input_tokens=399_999): "4",
        Conditions("output_tokens"): "5",
        Conditions("output_tokens", above_input_tokens=199_999): "10",
    }


def test_of_the_entries_that_apply_the_last_one_sets_the_price() -> None:
    longest_first = [
        {"min_prompt_tokens": 400_001, "prompt": "0.000004"},
        {"min_prompt_tokens": 200_001, "prompt": "0.000002"},
    ]
    assert amounts(listing(prompt="0.000001", overrides=longest_first)) == {
        Conditions("input_tokens"): "1",
        Conditions("input_tokens", above_input_tokens=200_000): "2",
        Conditions("input_tokens", above_input_tokens=400_000): "2",
    }


def test_a_window_of_the_utc_day_is_a_slot_and_may_cross_midnight() -> None:
    window = {"utc_start": 1630, "utc_end": 30, "prompt": "0.0000005"}
    found = listing(prompt="0.000001", completion="0.000002", overrides=[window])
    assert found.slots == (SlotRule("off-peak", ((990, 30),)), SlotRule("peak", is_rest=True))
    assert amounts(found) == {
        Conditions("input_tokens", slot="off-peak"): "0.5",
        Conditions("input_tokens", slot="peak"): "1",
        Conditions("output_tokens"): "2",
    }


def test_a_dearer_window_is_the_peak_and_two_windows_with_one_price_are_one_slot() -> None:
    hours = [{"utc_start": 100, "utc_end": 400}, {"utc_start": 600, "utc_end": 1000}]
    found = listing(prompt="0.000001", overrides=[{**window, "prompt": "0.000002"} for window in hours])
    assert {line.slot for line in amounts(found)} == {"01:00-04:00", "06:00-10:00", "rest"}
    single = listing(prompt="0.000001", overrides=[{**hours[0], "prompt": "0.000002"}])
    assert single.slots[0].slot == "peak"


def test_a_window_inside_a_length_gives_each_cell_its_price() -> None:
    found = listing(
        prompt="0.000001",
        overrides=[
            {"utc_start": 0, "utc_end": 800, "prompt": "0.0000005"},
            {"min_prompt_tokens": 1001, "prompt": "0.000003"},
        ],
    )
    assert amounts(found) == {
        Conditions("input_tokens", slot="off-peak"): "0.5",
        Conditions("input_tokens", slot="peak"): "1",
        Conditions("input_tokens", above_input_tokens=1000, slot="off-peak"): "3",
        Conditions("input_tokens", above_input_tokens=1000, slot="peak"): "3",
    }


def test_a_window_of_the_whole_day_needs_no_slot() -> None:
    found = listing(prompt="0.000001", overrides=[{"utc_start": 0, "utc_end": 2400, "prompt": "0.000003"}])
    assert (amounts(found), found.slots) == ({Conditions("input_tokens"): "3"}, ())


def test_an_entry_under_an_unknown_condition_is_counted_and_left_out_whole() -> None:
    entries = [{"prompt": "0.000009", "weekday": 6}, {"prompt": "0.000002", "hologram": "0.1"}]
    parsed = document({"id": "acme/large", "pricing": {"prompt": "0.000001", "overrides": entries}})
    assert parsed.unrecognised == {"overrides.weekday": 1, "overrides.hologram": 1}
    assert amounts(parsed.offerings[0]) == {Conditions("input_tokens"): "2"}


def test_a_discount_is_a_promotion_beside_the_list_price() -> None:
    assert amounts(listing(prompt="0.000004", discount=0.25)) == {
        Conditions("input_tokens"): "4",
        Conditions("input_tokens", layer=PROMO_LAYER): "3",
    }
    assert amounts(listing(prompt="0.000004", discount="0")) == {Conditions("input_tokens"): "4"}


def test_an_unknown_key_is_counted_by_name_and_the_row_is_taken() -> None:
    row = {"id": "acme/large", "pricing": {"prompt": "0.000001", "hologram": "0.1"}, "setup_price": "5"}
    parsed = document(row)
    assert parsed.unrecognised == {"hologram": 1, "setup_price": 1}
    assert amounts(parsed.offerings[0]) == {Conditions("input_tokens"): "1"}


def test_batch_is_a_tier_of_the_same_offering_and_free_is_an_offering_of_its_own() -> None:
    assert amounts(listing("acme/large:batch", prompt="0.0000005")) == {Conditions("input_tokens", "batch"): "0.5"}
    ids = ("acme/large", "acme/large:batch", "acme/large:free", "acme/large:thinking")
    assert [offering_id("openrouter", model) for model in ids] == [
        "acme/large",
        "acme/large",
        "acme/large:free",
        "acme/large:thinking",
    ]


def test_names_that_lead_to_the_latest_model_are_no_offerings() -> None:
    parsed = document({"id": "~acme/large-latest", "pricing": {"prompt": "0.000001"}})
    assert parsed.not_offerings == {"~acme/large-latest": 1}
    assert [found.model for found in parsed.offerings] == ["good/row"]


def test_facts_are_taken_where_they_make_sense() -> None:
    row = {
        "id": "acme/large",
        "name": "Acme: Large 2",
        "canonical_slug": "acme/large-2026",
        "context_length": 1_000_000,
        "architecture": {"input_modalities": ["text", "image"], "output_modalities": ["text"]},
        "top_provider": {"max_completion_tokens": 64_000},
        "expiration_date": "2026-06-01",
        "pricing": {},
    }
    facts = document(row).offerings[0].facts
    assert (facts.name, facts.developer, facts.base_model) == ("Large 2", "acme", "acme/large-2026")
    assert (facts.input_modalities, facts.output_modalities) == (("text", "image"), ("text",))
    assert (facts.context_tokens, facts.max_output_tokens) == (1_000_000, 64_000)
    assert facts.retired_on == date(2026, 6, 1)
    assert document({**row, "expiration_date": "2098-12-31"}).offerings[0].facts.retired_on is None


@pytest.mark.parametrize(
    ("pricing", "said"),
    [
        ({"prompt": "cheap"}, 'prompt is "cheap", but a price is a decimal number'),
        ({"prompt": True}, "prompt is true, but a price is a decimal number"),
        ({"prompt": "-2"}, 'prompt is "-2", but a price is 0 or more, or -1'),
        ({"prompt": "9" * 60}, "which is more digits than the ledger keeps"),
        ({"discount": 2}, "discount is 2, but it is a part of the price"),
        ({"overrides": [{"prompt": "-1"}]}, 'overrides.prompt is "-1", but a price is 0 or more'),
        ({"overrides": [{"min_prompt_tokens": -5}]}, "overrides.min_prompt_tokens is -5"),
        ({"overrides": [{"utc_start": 1275, "utc_end": 0}]}, "overrides.utc_start is 1275, but a time"),
        ({"overrides": [{"utc_start": 100}]}, "overrides.utc_end is null, but a time"),
        ([], "pricing is a list"),
    ],
)
def test_a_bad_price_rejects_its_row_and_the_rest_goes_on(pricing: Any, said: str) -> None:
    parsed = document({"id": "acme/large", "pricing": pricing})
    assert [found.model for found in parsed.offerings] == ["good/row"]
    assert said in parsed.rejected[0].reason


@pytest.mark.parametrize(
    "body", [b"[]", b'{"data": 5}', b'{"data": []}', b'{"data": [{"id": "a"}]}', b'{"error": "no"}']
)
def test_what_is_no_list_of_models_is_refused_in_one_line(body: bytes) -> None:
    with pytest.raises(UnreadableDocument, match="OpenRouter's list of models"):
        parse(body)
