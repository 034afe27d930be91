"""LiteLLM's price map, read into claims: exact amounts, the grammar of its fields, bad rows and documents."""

from __future__ import annotations

import json
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feeds.adapters.litellm import parse
from pricing.claims import Conditions, UnreadableDocument
from tests.feeds.litellm_documents import GOOD_ROW, amounts, document, offering, rejection


@pytest.mark.parametrize(
    ("written", "per_million"),
    [
        ("1e-06", "1"),
        ("1.0E-6", "1"),
        ("0.000001", "1"),
        ("4.3333e-07", "0.43333"),
        ("3e-05", "30"),
        ("1e-3", "1000"),
        ("0.39999999999999997e-6", "0.39999999999999997"),
        ("5.0000000000000004e-08", "0.050000000000000004"),
        ("0", "0"),
        ("0.0", "0"),
        ("-0.0", "0"),
        ("2", "2000000"),
    ],
)
def test_a_price_per_token_becomes_the_exact_price_per_million_tokens(written: str, per_million: str) -> None:
    body = f'{{"m": {{"litellm_provider": "openai", "input_cost_per_token": {written}}}}}'
    (claim,) = parse(body.encode()).offerings[0].claims
    assert (claim.line, format(claim.amount, "f"), claim.currency) == (Conditions("input_tokens"), per_million, "USD")


@given(st.integers(0, 10**17), st.integers(0, 24))
def test_no_amount_is_ever_rounded(digits: int, decimals: int) -> None:
    written = f"{digits}e-{decimals}"
    body = f'{{"m": {{"litellm_provider": "x", "input_cost_per_token": {written}, "output_cost_per_image": 1}}}}'
    parsed = parse(body.encode())
    exact = Fraction(digits, 10**decimals) * 10**6
    if parsed.rejected:
        assert exact >= 10**20 or (exact * 10**18).denominator != 1
    else:
        amount = parsed.offerings[0].claims[0].amount
        assert Fraction(amount) == exact
        assert not format(amount, "f").endswith(".0")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (-1e-06, "a price is 0 or more"),
        (True, "input_cost_per_token is true"),
        ("1e-6", "a price is a JSON number"),
        ([1], "a price is a JSON number"),
        ({"amount": 1}, "a price is a JSON number"),
        (10**30, "more digits than the ledger keeps"),
        (1.234e-30, "more digits than the ledger keeps"),
        (1e-200, "which no price can be"),
    ],
)
def test_a_bad_price_rejects_its_row_by_field_and_value_and_the_rest_goes_on(value: object, said: str) -> None:
    reason = rejection(input_cost_per_token=value, output_cost_per_token=1e-06)
    assert reason.startswith("input_cost_per_token is ")
    assert said in reason


def test_a_huge_exponent_is_a_bad_price_and_no_crash() -> None:
    body = b'{"m": {"litellm_provider": "x", "input_cost_per_token": 1e999999999}}'
    assert "which no price can be" in parse(body).rejected[0].reason


def test_true_is_no_price_even_where_one_was_read_before() -> None:
    rows = {"a": {**GOOD_ROW, "input_cost_per_token": 1}, "b": {**GOOD_ROW, "input_cost_per_token": True}}
    assert [found.model for found in document(rows).rejected] == ["b"]


def test_a_bad_price_inside_a_structure_is_named_with_the_structure() -> None:
    assert "tiered_pricing.input_cost_per_token is -1" in rejection(
        tiered_pricing=[{"range": [0, 10], "input_cost_per_token": -1}]
    )
    assert "search_context_cost_per_query.search_context_size_low is" in rejection(
        search_context_cost_per_query={"search_context_size_low": "free"}
    )


def test_a_null_price_says_nothing() -> None:
    assert amounts(offering(input_cost_per_token=None, output_cost_per_token=1e-06)) == {
        Conditions("output_tokens"): "1"
    }


@pytest.mark.parametrize(
    ("field", "value", "line", "amount"),
    [
        ("output_cost_per_reasoning_token", 3e-6, Conditions("reasoning_tokens"), "3"),
        ("cache_read_input_audio_token_cost", 1e-7, Conditions("cache_read_audio_tokens"), "0.1"),
        ("cache_creation_input_audio_token_cost", 1e-7, Conditions("cache_write_audio_tokens"), "0.1"),
        ("cache_creation_input_token_cost_above_1hr", 1e-5, Conditions("cache_write_1h_tokens"), "10"),
        (
            "cache_creation_input_token_cost_above_1hr_above_200k_tokens",
            1e-5,
            Conditions("cache_write_1h_tokens", above_input_tokens=200_000),
            "10",
        ),
        ("input_cost_per_token_batch_requests", 1e-6, Conditions("input_tokens", "batch"), "1"),
        ("output_cost_per_token_balanced", 1e-6, Conditions("output_tokens", "balanced"), "1"),
        (
            "input_cost_per_token_above_272k_tokens_priority",
            4e-5,
            Conditions("input_tokens", "priority", above_input_tokens=272_000),
            "40",
        ),
        ("input_cost_per_character", 2e-7, Conditions("input_characters"), "0.2"),
        ("input_cost_per_query", 0.005, Conditions("queries"), "5"),
        ("input_cost_per_request", 0.005, Conditions("requests"), "5"),
        ("google_maps_grounding_cost_per_query", 0.014, Conditions("map_searches"), "14"),
        ("ocr_cost_per_page_batches", 0.001, Conditions("pages", "batch"), "1"),
        ("annotation_cost_per_page", 0.003, Conditions("annotated_pages"), "3"),
        ("ocr_cost_per_credit", 0.015, Conditions("credits"), "0.015"),
        ("citation_cost_per_token", 2e-6, Conditions("citation_tokens"), "2"),
        ("code_interpreter_cost_per_session", 0.03, Conditions("sessions"), "0.03"),
        ("file_search_cost_per_1k_calls", 2.5, Conditions("storage_searches"), "2.5"),
        ("vector_store_cost_per_gb_per_day", 0.1, Conditions("storage_gb_days"), "0.1"),
        (
            "computer_use_input_cost_per_1k_tokens",
            0.003,
            Conditions("input_tokens", variant="computer-use"),
            "3",
        ),
        ("output_cost_per_image_4K", 0.3, Conditions("output_images", variant="4K"), "0.3"),
        ("output_cost_per_image_0.5K", 0.3, Conditions("output_images", variant="0.5K"), "0.3"),
        (
            "output_cost_per_image_above_512_and_512_pixels_and_premium_image",
            0.012,
            Conditions("output_images", variant="over-512x512/premium"),
            "0.012",
        ),
        (
            "input_cost_per_video_per_second_above_15s_interval",
            0.002,
            Conditions("input_video_seconds", variant="over-15s"),
            "0.002",
        ),
    ],
)
def test_a_field_name_gives_meter_and_conditions(field: str, value: float, line: Conditions, amount: str) -> None:
    assert amounts(offering(**{field: value})) == {line: amount}


@pytest.mark.parametrize(
    ("mode", "field", "meter"),
    [
        ("audio_transcription", "input_cost_per_second", "input_audio_seconds"),
        ("audio_transcription", "output_cost_per_second", "input_audio_seconds"),
        ("audio_speech", "output_cost_per_second", "output_audio_seconds"),
        ("realtime", "input_cost_per_second", "input_audio_seconds"),
        ("video_generation", "output_cost_per_second", "output_video_seconds"),
        ("chat", "cost_per_second", "compute_seconds"),
        ("image_generation", "input_cost_per_image", "output_images"),
        ("image_generation", "input_cost_per_pixel", "output_pixels"),
        ("embedding", "input_cost_per_image", "input_images"),
    ],
)
def test_what_a_bare_second_or_image_is_depends_on_the_mode(mode: str, field: str, meter: str) -> None:
    assert [line.meter for line in amounts(offering(mode=mode, **{field: 1}))] == [meter]


def test_an_image_row_that_prices_the_picture_made_means_input_when_it_says_input() -> None:
    found = amounts(offering(mode="image_generation", input_cost_per_image=0.01, output_cost_per_image=0.04))
    assert found == {Conditions("input_images"): "0.01", Conditions("output_images"): "0.04"}


def test_prices_in_databricks_units_are_left_since_the_dollar_price_stands_beside_them() -> None:
    found = offering(input_cost_per_token=1e-6, input_dbu_cost_per_token=1.4e-5, output_db_cost_per_token=2e-5)
    assert amounts(found) == {Conditions("input_tokens"): "1"}


@pytest.mark.parametrize(
    "field",
    [
        "input_cost_per_token_turbo",
        "input_cost_per_token_above_200k_tokens_turbo",
        "input_cost_per_token_above_1k_tokens_above_2k_tokens",
        "input_cost_per_token_1080p",
        "input_cost_per_token_flex_priority",
        "cache_creation_input_token_cost_above_7hr",
        "price_per_banana",
        "special_pricing",
    ],
)
def test_a_price_field_that_no_rule_understands_is_counted_by_name_and_the_row_taken(field: str) -> None:
    parsed = document({"m": {**GOOD_ROW, field: 1e-6}, "n": {**GOOD_ROW, field: 1e-6}})
    assert parsed.unrecognised == {field: 2}
    assert [len(found.claims) for found in parsed.offerings] == [1, 1]


def test_unknown_names_inside_a_structure_are_counted_with_the_structure() -> None:
    row = {
        **GOOD_ROW,
        "search_context_cost_per_query": {"search_context_size_x": 1, "search_context_size_low": 0.01},
        "tiered_pricing": [{"range": [0, 10], "banana_cost": 1}],
        "provider_specific_entry": {"lunar": 1.1},
        "banana_pricing": {"peel": 1},
    }
    assert document({"m": row}).unrecognised == {
        "search_context_cost_per_query.search_context_size_x": 1,
        "tiered_pricing.banana_cost": 1,
        "provider_specific_entry.lunar": 1,
        "banana_pricing.peel": 1,
    }


def test_of_two_fields_for_one_line_the_more_explicit_is_taken_in_any_order() -> None:
    fields = {"input_cost_per_token_cache_hit": 2e-8, "cache_read_input_token_cost": 1.3e-7}
    for ordered in (fields, dict(reversed(fields.items()))):
        assert amounts(offering(**ordered)) == {Conditions("cache_read_tokens"): "0.13"}


def test_a_zero_that_fills_a_gap_yields_to_the_price_of_the_same_line() -> None:
    found = amounts(offering(mode="audio_transcription", input_cost_per_second=0, output_cost_per_second=0.0001))
    assert found == {Conditions("input_audio_seconds"): "0.0001"}


def test_facts_of_the_model_are_taken_where_they_make_sense() -> None:
    facts = offering(
        max_tokens=4096,
        max_output_tokens=2e3,
        deprecation_date="2026-02-30",
        supports_vision=True,
        supports_audio_input=False,
        supported_output_modalities=["text", "audio"],
    ).facts
    assert (facts.mode, facts.context_tokens, facts.max_output_tokens) == ("chat", 4096, 2000)
    assert (facts.input_modalities, facts.output_modalities) == (("text", "image"), ("text", "audio"))
    assert facts.deprecated_on is None
    assert str(offering(deprecation_date="2026-09-30", max_input_tokens="many").facts.deprecated_on) == "2026-09-30"


def test_examples_and_settings_among_the_models_are_no_offerings() -> None:
    example = {"litellm_provider": "one of …", "input_cost_per_token": 0.0}
    parsed = document({"sample_spec": example, "fallback_generalizations": {"rules": []}, "m": GOOD_ROW})
    assert parsed.not_offerings == {"sample_spec": 1, "fallback_generalizations": 1}
    assert [found.model for found in parsed.offerings] == ["m"]


def test_a_row_without_a_provider_takes_it_from_its_id_or_is_rejected() -> None:
    nameless = {"input_cost_per_token": 1e-6}
    odd = {**GOOD_ROW, "litellm_provider": 3}
    parsed = document({"groq/llama": nameless, "llama": nameless, "list": [], "odd": odd, "gpt": GOOD_ROW})
    assert [(found.provider, found.model) for found in parsed.offerings] == [("groq", "groq/llama"), ("openai", "gpt")]
    assert {found.model: found.reason.split(",")[0] for found in parsed.rejected} == {
        "llama": "the row has no litellm_provider",
        "list": "the row is a list",
        "odd": "litellm_provider is a number",
    }


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "empty"),
        (b"<!DOCTYPE html><html></html>", "not complete JSON"),
        (b'{"m": {"litellm_provider": "openai", "input_cost', "not complete JSON"),
        (b"[]", "the document is a list"),
        (b"{}", "none of the 0 entries"),
        (b'{"openai": {"id": "openai", "models": {"gpt": {"cost": {"input": 1}}}}}', "none of the 1 entries"),
        (b'{"data": [{"id": "m", "pricing": {"prompt": "1"}}]}', "none of the 1 entries"),
        (b'{"m": {"litellm_provider": "openai", "mode": "chat"}}', "none of the 1 entries"),
    ],
)
def test_what_is_no_price_map_is_refused_in_one_line(body: bytes, said: str) -> None:
    with pytest.raises(UnreadableDocument) as refused:
        parse(body)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_float_noise_beyond_the_last_decimal_of_the_ledger_does_not_cost_the_row() -> None:
    row = {"litellm_provider": "gemini", "input_cost_per_video_per_second": 3.3333333333333335e-05}
    (taken,) = document({"gemini/live": row}).offerings
    assert [str(claim.amount) for claim in taken.claims] == ["0.000033333333333333"]


def test_of_a_repeated_key_the_last_row_is_taken_and_the_report_says_so() -> None:
    first, last = (json.dumps({**GOOD_ROW, "input_cost_per_token": price}) for price in (1e-6, 2e-6))
    parsed = parse(f'{{"twin": {first}, "twin": {last}}}'.encode())
    assert [claim.amount for claim in parsed.offerings[0].claims] == [2]
    (told,) = parsed.set_aside
    assert (told.model, told.reason) == ("twin", "the key stands once more in the same object; the last one is taken")
    assert not parsed.rejected


@pytest.mark.parametrize("field", ["input_cost_per_token_turbo", "input_cost_per_hologram", "hologram_pricing"])
def test_tomorrow_s_suffix_or_meter_is_counted_and_the_rest_of_its_row_is_taken(field: str) -> None:
    parsed = document({"some-model": {**GOOD_ROW, field: 3e-6, "output_cost_per_token": 2e-6}})
    assert parsed.unrecognised == {field: 1}
    assert [claim.line.meter for claim in parsed.offerings[0].claims] == ["input_tokens", "output_tokens"]
