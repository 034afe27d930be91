"""What the genai-prices adapter makes of one document's prices, tiers and variants, and what it refuses."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from feeds.adapters.genai_prices.parse import parse
from feeds.adapters.genai_prices.scopes import Scope, scope_of
from pricing.claims import Claim, Conditions, ParsedDocument, ParsedOffering, SlotRule, UnreadableDocument

SEPTEMBER = datetime(2026, 9, 1, tzinfo=UTC)
OCTOBER = datetime(2026, 10, 1, tzinfo=UTC)
INPUT = Conditions("input_tokens")
OUTPUT = Conditions("output_tokens")


def document_of(*models: Any) -> bytes:
    return json.dumps([{"id": "deepseek", "name": "DeepSeek", "models": list(models)}]).encode()


def read(prices: Any, **fields: Any) -> ParsedDocument:
    return parse(document_of({"id": "deepseek-chat", "prices": prices, **fields}))


def offering(prices: Any, **fields: Any) -> ParsedOffering:
    document = read(prices, **fields)
    assert not document.rejected
    return document.offerings[0]


def reason(prices: Any, **fields: Any) -> str:
    document = read(prices, **fields)
    assert not document.offerings
    (rejection,) = document.rejected
    assert (rejection.provider, rejection.model) == ("deepseek", "deepseek-chat")
    return rejection.reason


def amounts(row: ParsedOffering) -> dict[Conditions, Decimal]:
    by_line = {claim.line: claim.amount for claim in row.claims}
    assert len(by_line) == len(row.claims), "two claims share one line"
    return by_line


def spans(row: ParsedOffering, line: Conditions) -> list[tuple[str, datetime | None, datetime | None]]:
    return [
        (str(claim.amount), claim.effective_from, claim.effective_until) for claim in row.claims if claim.line == line
    ]


def test_a_plain_price_object_is_undated():
    row = offering({"input_mtok": 0.27, "output_mtok": 1.1})
    assert row.claims == (Claim(INPUT, Decimal("0.27")), Claim(OUTPUT, Decimal("1.1")))
    assert (row.provider, row.model, row.provider_name) == ("deepseek", "deepseek-chat", "DeepSeek")


@pytest.mark.parametrize("prices", [{}, [], None, {"input_mtok": None}])
def test_empty_prices_are_an_offering_without_claims(prices):
    assert offering(prices).claims == ()


def test_a_present_zero_is_a_claim():
    assert amounts(offering({"input_mtok": 0})) == {INPUT: Decimal(0)}


def test_tiers_hold_for_the_whole_request_above_their_start():
    tiered = {"base": 1.25, "tiers": [{"start": 200000, "price": 2.5}, {"start": 500000, "price": 5}]}
    assert amounts(offering({"input_mtok": tiered})) == {
        INPUT: Decimal("1.25"),
        Conditions("input_tokens", above_input_tokens=200_000): Decimal("2.5"),
        Conditions("input_tokens", above_input_tokens=500_000): Decimal(5),
    }


@pytest.mark.parametrize(
    ("key", "price", "meter", "amount"),
    [
        ("cache_write_1h_mtok", "6", "cache_write_1h_tokens", "6"),
        ("cache_audio_read_mtok", "0.25", "cache_read_audio_tokens", "0.25"),
        ("output_reasoning_mtok", "3", "reasoning_tokens", "3"),
        ("web_searches_kcount", "10", "web_searches", "10"),
        ("rerank_searches_kcount", "2", "queries", "2"),
        ("input_document_kpages", "4", "pages", "4"),
        ("input_mchars", "15", "input_characters", "15"),
        ("input_text_messages_kcount", "4", "messages", "0.004"),
        ("input_gpixels", "0.5", "input_pixels", "0.0005"),
        ("audio_hours", "3.6", "audio_seconds", "0.001"),
        ("audio_hours", "0.111", "audio_seconds", "0.000030833333333333"),
    ],
)
def test_a_price_is_restated_for_its_meters_quantity(key, price, meter, amount):
    body = document_of({"id": "m", "prices": {key: 0}}).replace(b": 0}", f": {price}}}".encode())
    (claim,) = parse(body).offerings[0].claims
    assert (claim.line, claim.amount) == (Conditions(meter), Decimal(amount))


def test_price_keys_without_a_rule_are_counted_by_name():
    document = read({"input_mtok": 1, "smell_kcount": 2}, price_per_seat=3)
    assert amounts(document.offerings[0]) == {INPUT: Decimal(1)}
    assert document.unrecognised == {"smell_kcount": 1, "price_per_seat": 1}


def test_facts_are_read_under_both_names_of_the_context_window():
    assert offering({}, name="DeepSeek Chat", context_window=64000).facts.context_tokens == 64000
    first = offering({}, name="DeepSeek Chat", max_tokens=64000).facts
    assert (first.name, first.context_tokens) == ("DeepSeek Chat", 64000)


@pytest.mark.parametrize(
    ("when", "scope"),
    [
        ({"processing": "batch"}, Scope("batch")),
        ({"service_tier": "priority"}, Scope("priority")),
        ({"service_tier": "default"}, Scope("standard")),
        ({"speed": "fast"}, Scope("fast")),
        ({"route": "mistral/eu"}, Scope(region="eu")),
        ({"route": "vertex/us-east5"}, Scope(region="us-east5")),
        ({"route": "mistral"}, Scope(variant="mistral")),
        ({"search_type": "fast"}, Scope(variant="fast")),
        ({"quality": "high"}, Scope(variant="quality=high")),
        ({"processing": "batch", "speed": "fast", "route": "eu"}, Scope("batch+fast", "eu")),
    ],
)
def test_a_request_context_fixes_conditions(when, scope):
    assert scope_of(when) == scope


def test_a_variant_states_only_what_it_prices_otherwise():
    row = offering(
        {"input_mtok": 2, "web_searches_kcount": 10},
        price_variants=[
            {
                "when": {"processing": "batch"},
                "prices": {"input_mtok": {"base": 1, "tiers": [{"start": 9, "price": 3}]}},
            },
            {"when": {"service_tier": "default"}, "prices": {}},
        ],
    )
    assert amounts(row) == {
        INPUT: Decimal(2),
        Conditions("web_searches"): Decimal(10),
        Conditions("input_tokens", service_tier="batch"): Decimal(1),
        Conditions("input_tokens", service_tier="batch", above_input_tokens=9): Decimal(3),
    }


def test_of_a_contexts_variants_the_first_that_holds_sets_each_price():
    batch = {"processing": "batch"}
    row = offering(
        {"input_mtok": 4},
        price_variants=[
            {"when": batch, "constraint": {"start_date": "2026-10-01"}, "prices": {"input_mtok": 1}},
            {"when": batch, "constraint": {"start_date": "2026-09-01"}, "prices": {"input_mtok": 2, "output_mtok": 5}},
        ],
    )
    line = Conditions("input_tokens", service_tier="batch")
    assert spans(row, line) == [("2", SEPTEMBER, OCTOBER), ("1", OCTOBER, None)]
    assert spans(row, Conditions("output_tokens", service_tier="batch")) == [("5", SEPTEMBER, None)]
    assert spans(row, INPUT) == [("4", None, None)]


def test_a_wider_context_takes_the_prices_of_the_contexts_within_it():
    row = offering(
        {},
        price_variants=[
            {"when": {"processing": "batch", "route": "mistral/eu"}, "prices": {"input_mtok": 3}},
            {"when": {"processing": "batch"}, "prices": {"input_mtok": 1, "output_mtok": 2}},
        ],
    )
    assert amounts(row) == {
        Conditions("input_tokens", service_tier="batch", region="eu"): Decimal(3),
        Conditions("output_tokens", service_tier="batch", region="eu"): Decimal(2),
        Conditions("input_tokens", service_tier="batch"): Decimal(1),
        Conditions("output_tokens", service_tier="batch"): Decimal(2),
    }


def test_contexts_that_would_share_their_conditions_keep_apart():
    row = offering(
        {"input_mtok": 1},
        price_variants=[
            {"when": {"service_tier": "default"}, "prices": {"input_mtok": 2}},
            {"when": {"processing": "fast"}, "prices": {"input_mtok": 3}},
            {"when": {"speed": "fast"}, "prices": {"input_mtok": 4}},
        ],
    )
    assert amounts(row) == {
        INPUT: Decimal(1),
        Conditions("input_tokens", variant="service_tier=default"): Decimal(2),
        Conditions("input_tokens", service_tier="fast"): Decimal(3),
        Conditions("input_tokens", service_tier="fast", variant="speed=fast"): Decimal(4),
    }


def test_a_variant_with_a_window_costs_the_standard_price_outside_it():
    night = {"start_time": "00:00:00Z", "end_time": "06:00:00Z"}
    row = offering(
        {"input_mtok": 4},
        price_variants=[{"when": {"processing": "batch"}, "constraint": night, "prices": {"input_mtok": 1}}],
    )
    assert amounts(row) == {
        INPUT: Decimal(4),
        Conditions("input_tokens", service_tier="batch", slot="off-peak"): Decimal(1),
        Conditions("input_tokens", service_tier="batch", slot="peak"): Decimal(4),
    }
    assert row.slots == (SlotRule("off-peak", windows=((0, 360),)), SlotRule("peak", is_rest=True))


@pytest.mark.parametrize(
    ("value", "shown"),
    [(-1, "-1"), (False, "false"), ("0.27", '"0.27"'), ([], "[]"), (10**20, "1" + "0" * 20)],
)
def test_a_value_that_is_no_price_rejects_its_row_by_field_and_value(value, shown):
    assert reason({"input_mtok": value}).startswith(f"prices.input_mtok is {shown}, but ")


@pytest.mark.parametrize(
    ("prices", "fields", "said"),
    [
        ("free", {}, "prices is a string"),
        ([3], {}, "prices[] is a number"),
        ([{"constraint": None}], {}, "prices[].prices is null"),
        ([{"prices": {}, "until": "2027"}], {}, "prices[] has 'until'"),
        ([{"prices": {}, "constraint": {"weekday": 6}}], {}, "prices[].constraint has 'weekday'"),
        ([{"prices": {}, "constraint": {"start_date": "1 May"}}], {}, 'prices[].constraint.start_date is "1 May"'),
        (
            [{"prices": {}, "constraint": {"start_time": "9 am", "end_time": "10:00"}}],
            {},
            'prices[].constraint.start_time is "9 am"',
        ),
        (
            [{"prices": {}, "constraint": {"start_time": "09:00:30", "end_time": "10:00"}}],
            {},
            'prices[].constraint.start_time is "09:00:30"',
        ),
        ([{"prices": {}, "constraint": {"start_time": "09:00"}}], {}, "prices[].constraint.end_time is null"),
        ({"input_mtok": {"tiers": []}}, {}, "prices.input_mtok.base is null"),
        ({"input_mtok": {"base": 1, "tiers": 2}}, {}, "prices.input_mtok.tiers is a number"),
        ({"input_mtok": {"base": 1, "step": 2}}, {}, "prices.input_mtok has 'step'"),
        (
            {"input_mtok": {"base": 1, "tiers": [{"start": -1, "price": 2}]}},
            {},
            "prices.input_mtok.tiers[].start is -1",
        ),
        ({"input_mtok": {"base": 1, "tiers": [{"start": 1}]}}, {}, "prices.input_mtok.tiers[].price is null"),
        ({}, {"price_variants": {}}, "price_variants is an object"),
        ({}, {"price_variants": [{"when": {}, "prices": {}}]}, "price_variants[].when is {}"),
        ({}, {"price_variants": [{"when": {"speed": 1}, "prices": {}}]}, 'price_variants[].when is {"speed": 1}'),
    ],
)
def test_a_malformed_row_is_rejected_with_its_reason(prices, fields, said):
    assert reason(prices, **fields).startswith(said)


def test_the_rest_goes_on_after_a_bad_row_and_a_bad_provider():
    good = {"id": "good", "prices": {"input_mtok": 1}}
    content = [
        {"id": "x", "models": [{"id": "bad", "prices": {"input_mtok": -1}}, "odd", good, good]},
        {"id": "y"},
        7,
    ]
    document = parse(json.dumps(content).encode())
    assert [row.model for row in document.offerings] == ["good"]
    assert [(r.provider, r.model) for r in document.rejected] == [
        ("x", "bad"),
        ("x", ""),
        ("x", "good"),
        ("y", ""),
        ("", ""),
    ]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "the document is empty"),
        (b"<html>", "not complete JSON"),
        (b'[{"id": "openai", "models": [', "not complete JSON"),
        (b"[]", "the list is empty"),
        (b"{}", "the document is an object"),
        (b'[{"id": "gpt-4o"}]', "no entry has a list 'models'"),
        (b'[{"id": "x", "models": [{"id": "m", "prices": {"input_mtok": Infinity}}]}]', "Infinity"),
    ],
)
def test_a_document_of_the_wrong_shape_is_unreadable_in_one_line(body, said):
    with pytest.raises(UnreadableDocument) as refusal:
        parse(body)
    assert said in str(refusal.value)
    assert "\n" not in str(refusal.value)
