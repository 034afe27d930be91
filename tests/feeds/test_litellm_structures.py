"""LiteLLM's structures of prices, read into claims: sizes, policies, tiers, hours of the day, factors."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from pricing.claims import Claim, Conditions, SlotRule
from tests.feeds.litellm_documents import GOOD_ROW, amounts, document, offering, rejection

GOOD_PRICE = {"input_cost_per_token": 1e-6}


def test_search_context_sizes_and_guardrail_policies_are_variants() -> None:
    searches = amounts(offering(search_context_cost_per_query={"search_context_size_low": 0.03}))
    assert searches == {Conditions("web_searches", variant="low"): "30"}
    units = amounts(offering(guardrail_cost_per_unit={"topicPolicyUnits": 0.00015}))
    assert units == {Conditions("guardrail_units", variant="topicPolicyUnits"): "0.15"}


SIZES = {"search_context_size_low": 0.006, "search_context_size_medium": 0.01, "search_context_size_high": 0.014}


def test_perplexitys_search_fee_is_one_for_each_request_and_the_smallest_the_plain_one() -> None:
    fees = amounts(offering("perplexity/sonar-pro", "perplexity", search_context_cost_per_query=SIZES))
    assert fees == {
        Conditions("requests"): "6",
        Conditions("requests", variant="low"): "6",
        Conditions("requests", variant="medium"): "10",
        Conditions("requests", variant="high"): "14",
    }


def test_fee_that_perplexity_takes_for_each_search_stays_one() -> None:
    fees = amounts(offering("perplexity/sonar-deep-research", "perplexity", search_context_cost_per_query=SIZES))
    assert {line.meter for line in fees} == {"web_searches"}


def test_fee_of_a_request_that_is_stated_besides_stays_the_plain_one() -> None:
    priced = {"search_context_cost_per_query": SIZES, "input_cost_per_request": 0.005}
    fees = amounts(offering("perplexity/sonar-online", "perplexity", **priced))
    assert fees[Conditions("requests")] == "5"
    assert fees[Conditions("requests", variant="low")] == "6"


def test_a_tier_begins_above_its_start_and_goes_before_the_flat_price() -> None:
    tiers = [
        {"range": [0, 256000.0], "input_cost_per_token": 4e-7},
        {"range": [256000.0, 1000000.0], "input_cost_per_token": 1.2e-6},
    ]
    assert amounts(offering(input_cost_per_token=9e-7, tiered_pricing=tiers)) == {
        Conditions("input_tokens"): "0.4",
        Conditions("input_tokens", above_input_tokens=256_000): "1.2",
    }


def test_tiers_by_number_of_results_are_variants() -> None:
    tiers = [{"max_results_range": [26, 100], "input_cost_per_query": 25e-3}]
    assert amounts(offering(tiered_pricing=tiers)) == {Conditions("queries", variant="results-26-100"): "25"}


@pytest.mark.parametrize("tiers", [{}, [3], [{"range": [5, 1]}], [{"range": "0-5"}], [{"up_to": 5}]])
def test_a_tier_list_of_another_shape_is_counted_and_left(tiers: object) -> None:
    parsed = document({"m": {**GOOD_ROW, "tiered_pricing": tiers}})
    assert parsed.unrecognised == {"tiered_pricing": 1}
    assert len(parsed.offerings[0].claims) == 1


WEEKDAYS, WEEKEND = (1, 2, 3, 4, 5), (6, 7)
NAMED_WEEKDAYS = ["monday", "tue", "Wednesday", "thu", "friday"]
OFF_PEAK_RULES = (
    SlotRule("off-peak", ((0, 60), (240, 360), (600, 1440)), WEEKDAYS),
    SlotRule("off-peak", ((0, 1440),), WEEKEND),
    SlotRule("peak", is_rest=True),
)


@pytest.mark.parametrize(
    "schedule",
    [
        {
            "windows": [
                {"hours_utc": ["00:00-01:00", "04:00-06:00", "10:00-00:00"], "weekdays": [1, 2, 3, 4, 5]},
                {"hours_utc": "00:00-00:00", "weekdays": [6, 7]},
            ]
        },
        {
            "windows": [
                {"hours_utc": "00:00-00:00", "weekdays": ["sunday", "saturday"]},
                {"hours_utc": "10:00-00:00", "weekdays": NAMED_WEEKDAYS},
                {"hours_utc": "00:00-01:00", "weekdays": NAMED_WEEKDAYS},
                {"hours_utc": "04:00-06:00", "weekdays": NAMED_WEEKDAYS},
            ]
        },
    ],
)
def test_each_shape_of_one_off_peak_schedule_gives_the_same_slots(schedule: dict[str, Any]) -> None:
    found = offering(
        input_cost_per_token=1.32e-6,
        input_cost_per_token_above_200k_tokens=2e-6,
        output_cost_per_token=4e-6,
        off_peak_pricing={"input_cost_per_token": 6.6e-7, **schedule},
    )
    assert found.slots == OFF_PEAK_RULES
    assert amounts(found) == {
        Conditions("input_tokens", slot="peak"): "1.32",
        Conditions("input_tokens", slot="peak", above_input_tokens=200_000): "2",
        Conditions("input_tokens", slot="off-peak"): "0.66",
        Conditions("output_tokens"): "4",
    }


def test_daily_hours_may_cross_midnight_and_dearer_windows_are_the_peak() -> None:
    window = {"hours_utc": "16:30-00:30", "input_cost_per_token": 2e-6}
    found = offering(input_cost_per_token=1e-6, off_peak_pricing=window)
    assert found.slots == (SlotRule("peak", ((990, 30),)), SlotRule("off-peak", is_rest=True))
    assert amounts(found) == {
        Conditions("input_tokens", slot="off-peak"): "1",
        Conditions("input_tokens", slot="peak"): "2",
    }


def test_weekdays_of_another_zone_are_turned_into_weekdays_of_utc() -> None:
    # Saturday in Shanghai runs from Friday 16:00 to Saturday 16:00 UTC.
    window = {
        "weekday_timezone": "Asia/Shanghai",
        "input_cost_per_token": 5e-7,
        "windows": [{"hours_utc": "14:00-18:00", "weekdays": ["sat"]}],
    }
    found = offering(input_cost_per_token=1e-6, off_peak_pricing=window)
    assert found.slots[:2] == (SlotRule("off-peak", ((960, 1080),), (5,)), SlotRule("off-peak", ((840, 960),), (6,)))


@pytest.mark.parametrize(
    ("schedule", "field"),
    [
        ({}, "hours_utc"),
        ({"hours_utc": "25:00-26:00"}, "hours_utc"),
        ({"hours_utc": "nightly"}, "hours_utc"),
        ({"windows": "00:00-01:00"}, "windows"),
        ({"windows": []}, "windows"),
        ({"hours_utc": "00:00-01:00", "weekdays": [0]}, "weekdays"),
        ({"hours_utc": "00:00-01:00", "weekdays": [True]}, "weekdays"),
        ({"hours_utc": "00:00-01:00", "weekdays": [1], "weekday_timezone": "Mars/Olympus"}, "weekday_timezone"),
        ({"hours_utc": "00:00-01:00", "weekdays": [1], "weekday_timezone": "Europe/Berlin"}, "weekday_timezone"),
    ],
)
def test_a_schedule_that_cannot_be_read_is_counted_and_the_flat_price_stays(schedule: Any, field: str) -> None:
    parsed = document({"m": {**GOOD_ROW, "off_peak_pricing": {"input_cost_per_token": 5e-7, **schedule}}})
    assert parsed.unrecognised == {f"off_peak_pricing.{field}": 1}
    assert parsed.offerings[0].claims == (Claim(Conditions("input_tokens"), Decimal(1)),)
    assert parsed.offerings[0].slots == ()


def test_regional_factors_add_token_lines_of_that_region() -> None:
    found = offering(
        input_cost_per_token=4e-7,
        input_cost_per_token_flex=2e-7,
        output_cost_per_image=0.04,
        regional_processing_uplift_multiplier_eu=1.1,
        regional_endpoint_uplift_multiplier=1.2,
    )
    assert amounts(found) == {
        Conditions("input_tokens"): "0.4",
        Conditions("input_tokens", "flex"): "0.2",
        Conditions("output_images"): "0.04",
        Conditions("input_tokens", region="eu"): "0.44",
        Conditions("input_tokens", "flex", "eu"): "0.22",
        Conditions("input_tokens", region="regional"): "0.48",
        Conditions("input_tokens", "flex", "regional"): "0.24",
    }


def test_a_factor_of_zero_or_no_number_rejects_the_row() -> None:
    for factor in (0, "1.1", -1):
        reason = rejection(**GOOD_PRICE, regional_endpoint_uplift_multiplier=factor)
        assert reason.startswith("regional_endpoint_uplift_multiplier is ")
    assert rejection(**GOOD_PRICE, provider_specific_entry={"us": 0}).startswith("provider_specific_entry.us is 0")


def test_a_region_s_factor_leaves_a_row_alone_whose_id_fixes_the_region() -> None:
    found = offering("azure/eu/gpt-5", "azure", input_cost_per_token=1e-6, regional_endpoint_uplift_multiplier=1.1)
    assert amounts(found) == {Conditions("input_tokens", region="eu"): "1"}


def test_provider_specific_factors_multiply_and_routing_hints_are_no_prices() -> None:
    entry = {"us": 1.1, "fast": 2.0, "bedrock_invocation_schema": "titan_v2", "beta": True}
    assert amounts(offering(input_cost_per_token=5e-6, provider_specific_entry=entry)) == {
        Conditions("input_tokens"): "5",
        Conditions("input_tokens", "fast"): "10",
        Conditions("input_tokens", region="us"): "5.5",
        Conditions("input_tokens", "fast", "us"): "11",
    }


def test_a_derived_line_says_what_it_derives_from_and_the_factor() -> None:
    base = {"input_cost_per_token": 4e-7, "input_cost_per_token_above_200k_tokens": 8e-7}
    found = offering(**base, provider_specific_entry={"fast": 2}, regional_processing_uplift_multiplier_eu=1.1)
    derivations = {claim.line: (claim.derived_from, claim.factor) for claim in found.claims}
    plain, fast = Conditions("input_tokens"), Conditions("input_tokens", "fast")
    assert derivations[plain] == (None, None)
    assert derivations[fast] == (plain, 2)
    assert derivations[Conditions("input_tokens", region="eu")] == (plain, Decimal("1.1"))
    assert derivations[Conditions("input_tokens", "fast", "eu")] == (fast, Decimal("1.1"))
    long = Conditions("input_tokens", region="eu", above_input_tokens=200_000)
    assert derivations[long] == (Conditions("input_tokens", above_input_tokens=200_000), Decimal("1.1"))


def test_a_derived_line_inside_a_slot_derives_from_the_line_of_that_slot() -> None:
    window = {"hours_utc": "16:30-00:30", "input_cost_per_token": 5e-7}
    found = offering(input_cost_per_token=1e-6, off_peak_pricing=window, regional_processing_uplift_multiplier_eu=1.1)
    derivations = {claim.line: claim.derived_from for claim in found.claims if claim.factor}
    assert derivations == {
        Conditions("input_tokens", region="eu", slot=slot): Conditions("input_tokens", slot=slot)
        for slot in ("peak", "off-peak")
    }
