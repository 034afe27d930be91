"""What the models.dev adapter understands of ``api.json``, and what it refuses."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from feeds.adapters.models_dev import parse
from pricing.claims import Claim, Conditions, ParsedDocument, ParsedOffering, UnreadableDocument


def catalogue(model: Any, *, model_id: str = "glm-4.6", provider: str = "zai", name: str = "Z.AI") -> bytes:
    return json.dumps({provider: {"id": provider, "name": name, "models": {model_id: model}}}).encode()


def read(model: dict[str, Any]) -> ParsedDocument:
    return parse(catalogue(model))


def offering(model: dict[str, Any]) -> ParsedOffering:
    document = read(model)
    assert not document.rejected
    return document.offerings[0]


def amounts(model: dict[str, Any]) -> dict[Conditions, Decimal]:
    claims = offering(model).claims
    by_line = {claim.line: claim.amount for claim in claims}
    assert len(by_line) == len(claims), "two claims share one line"
    return by_line


def reason(model: Any) -> str:
    document = read(model)
    assert not document.offerings
    (rejection,) = document.rejected
    assert (rejection.provider, rejection.model) == ("zai", "glm-4.6")
    return rejection.reason


def test_every_price_field_has_its_meter():
    cost = {
        "input": 0.6,
        "output": 2.2,
        "cache_read": 0.11,
        "cache_write": 0.75,
        "reasoning": 4,
        "input_audio": 1.5,
        "output_audio": 12,
    }
    assert amounts({"cost": cost}) == {
        Conditions("input_tokens"): Decimal("0.6"),
        Conditions("output_tokens"): Decimal("2.2"),
        Conditions("cache_read_tokens"): Decimal("0.11"),
        Conditions("cache_write_tokens"): Decimal("0.75"),
        Conditions("reasoning_tokens"): Decimal(4),
        Conditions("input_audio_tokens"): Decimal("1.5"),
        Conditions("output_audio_tokens"): Decimal(12),
    }


def test_a_claim_is_undated_and_in_dollars():
    (claim,) = offering({"cost": {"input": 3}}).claims
    assert claim == Claim(Conditions("input_tokens"), Decimal(3))
    assert (claim.currency, claim.effective_from, claim.effective_until, claim.precision) == (
        "USD",
        None,
        None,
        "observed",
    )


def test_amounts_keep_the_digits_of_the_document():
    body = catalogue({"cost": {"input": 0, "output": 0}})
    body = body.replace(b'"input": 0', b'"input": 0.39999999999999997').replace(b'"output": 0', b'"output": 2e-07')
    claims = parse(body).offerings[0].claims
    assert [str(claim.amount) for claim in claims] == ["0.39999999999999997", "2E-7"]


def test_a_present_zero_is_a_claim_and_null_is_none():
    assert amounts({"cost": {"input": 0, "output": 0.0, "cache_read": None}}) == {
        Conditions("input_tokens"): Decimal(0),
        Conditions("output_tokens"): Decimal(0),
    }


@pytest.mark.parametrize("model", [{}, {"cost": None}, {"cost": {}}, {"experimental": True}])
def test_a_model_without_a_cost_is_an_offering_without_claims(model):
    assert offering(model).claims == ()


def test_the_former_names_of_cache_prices_still_count():
    assert amounts({"cost": {"inputCached": 0.3, "outputCached": 3.75}}) == {
        Conditions("cache_read_tokens"): Decimal("0.3"),
        Conditions("cache_write_tokens"): Decimal("3.75"),
    }


def test_a_former_name_beside_the_present_one_is_counted_instead():
    document = read({"cost": {"inputCached": 0.5, "cache_read": 0.3}})
    assert [claim.amount for claim in document.offerings[0].claims] == [Decimal("0.3")]
    assert document.unrecognised == {"cost.inputCached": 1}


def test_context_over_200k_is_a_line_above_200000_input_tokens():
    prices = amounts({"cost": {"input": 5, "context_over_200k": {"input": 10, "cache_read": 1}}})
    assert prices == {
        Conditions("input_tokens"): Decimal(5),
        Conditions("input_tokens", above_input_tokens=200_000): Decimal(10),
        Conditions("cache_read_tokens", above_input_tokens=200_000): Decimal(1),
    }


@pytest.mark.parametrize("size", [200_000, 272_000])
def test_a_tier_and_its_legacy_twin_are_one_line_at_the_tiers_threshold(size):
    long_context = {"input": 10, "output": 45}
    cost = {
        "input": 5,
        "output": 30,
        "tiers": [{**long_context, "tier": {"type": "context", "size": size}}],
        "context_over_200k": long_context,
    }
    document = read({"cost": cost})
    assert {claim.line.above_input_tokens for claim in document.offerings[0].claims} == {0, size}
    assert amounts({"cost": cost})[Conditions("input_tokens", above_input_tokens=size)] == Decimal(10)
    assert not document.unrecognised


def test_several_tiers_are_several_thresholds():
    tiers = [{"input": 2, "tier": {"size": 128_000}}, {"input": 4, "tier": {"type": "context", "size": 512_000}}]
    assert amounts({"cost": {"input": 1, "tiers": tiers}}) == {
        Conditions("input_tokens"): Decimal(1),
        Conditions("input_tokens", above_input_tokens=128_000): Decimal(2),
        Conditions("input_tokens", above_input_tokens=512_000): Decimal(4),
    }


def test_a_legacy_long_context_price_beside_lower_tiers_only_stands_on_its_own():
    cost = {"input": 1, "tiers": [{"input": 2, "tier": {"size": 128_000}}], "context_over_200k": {"input": 3}}
    assert amounts({"cost": cost})[Conditions("input_tokens", above_input_tokens=200_000)] == Decimal(3)


def test_a_legacy_long_context_price_that_contradicts_the_tiers_is_counted():
    cost = {"tiers": [{"input": 2, "tier": {"size": 272_000}}], "context_over_200k": {"input": 3}}
    document = read({"cost": cost})
    assert [claim.line.above_input_tokens for claim in document.offerings[0].claims] == [272_000]
    assert document.unrecognised == {"cost.context_over_200k.input": 1}


def test_a_tier_of_a_kind_that_is_not_known_is_counted_by_its_fields():
    tiers = [{"input": 2, "output": 4, "tier": {"type": "conditional", "time": {}}}]
    document = read({"cost": {"input": 1, "tiers": tiers}})
    assert len(document.offerings[0].claims) == 1
    assert document.unrecognised == {"cost.tiers[conditional].input": 1, "cost.tiers[conditional].output": 1}


def test_a_priced_mode_is_a_service_tier():
    modes = {"fast": {"cost": {"input": 10, "output": 50}, "provider": {"body": {"speed": "fast"}}}}
    assert amounts({"cost": {"input": 5}, "experimental": {"modes": modes}}) == {
        Conditions("input_tokens"): Decimal(5),
        Conditions("input_tokens", service_tier="fast"): Decimal(10),
        Conditions("output_tokens", service_tier="fast"): Decimal(50),
    }


def test_a_mode_takes_the_service_tier_that_it_puts_into_the_request():
    modes = {"fast": {"cost": {"input": 20}, "provider": {"body": {"service_tier": "priority"}}}}
    assert list(amounts({"experimental": {"modes": modes}})) == [Conditions("input_tokens", service_tier="priority")]


def test_two_modes_never_share_a_line():
    modes = {
        "fast": {"cost": {"input": 20}, "provider": {"body": {"service_tier": "priority"}}},
        "priority": {"cost": {"input": 30}},
        "standard": {"cost": {"input": 40}},
    }
    document = read({"cost": {"input": 10}, "experimental": {"modes": modes}})
    by_tier = {claim.line.service_tier: claim.amount for claim in document.offerings[0].claims}
    assert by_tier == {"standard": Decimal(10), "priority": Decimal(30), "fast": Decimal(20)}
    assert document.unrecognised == {"experimental.modes.cost": 1}


def test_a_modes_tiers_keep_their_threshold():
    cost = {"input": 4, "tiers": [{"input": 8, "tier": {"size": 272_000}}]}
    prices = amounts({"experimental": {"modes": {"fast": {"cost": cost}, "slow": {"provider": {}}}}})
    assert prices == {
        Conditions("input_tokens", service_tier="fast"): Decimal(4),
        Conditions("input_tokens", service_tier="fast", above_input_tokens=272_000): Decimal(8),
    }


def test_price_fields_without_a_rule_are_counted_by_name():
    document = read({"cost": {"input": 1, "per_minute": 0.006, "image": {"hd": 2}}, "request_price": 0.04})
    assert len(document.offerings[0].claims) == 1
    assert document.unrecognised == {"cost.per_minute": 1, "cost.image": 1, "request_price": 1}


def test_facts_are_read():
    facts = offering(
        {
            "name": "GLM 4.6",
            "family": "glm",
            "release_date": "2025-09-30",
            "modalities": {"input": ["text", "image"], "output": ["text"]},
            "limit": {"context": 204800, "output": 131072},
            "open_weights": True,
            "status": "deprecated",
        }
    ).facts
    assert (facts.name, facts.family) == ("GLM 4.6", "glm")
    assert (facts.released_on, facts.release_precision) == (date(2025, 9, 30), "day")
    assert (facts.input_modalities, facts.output_modalities) == (("text", "image"), ("text",))
    assert (facts.context_tokens, facts.max_output_tokens) == (204800, 131072)
    assert facts.open_weights is True


def test_facts_of_the_first_documents_are_read():
    facts = offering({"input_modalities": ["text"], "output_modalities": ["text", "audio"]}).facts
    assert (facts.input_modalities, facts.output_modalities) == (("text",), ("text", "audio"))


def test_facts_of_the_newest_documents_are_read():
    facts = offering({"type": "chat", "canonical": "zai/glm-4.6", "deprecation_date": "2026-12-01"}).facts
    assert (facts.mode, facts.base_model, facts.deprecated_on) == ("chat", "zai/glm-4.6", date(2026, 12, 1))


@pytest.mark.parametrize(
    ("text", "released_on", "precision"),
    [
        ("2025-04-16", date(2025, 4, 16), "day"),
        ("2025-04", date(2025, 4, 1), "month"),
        ("2025", date(2025, 1, 1), "year"),
        ("2025-13", None, "unknown"),
        ("soon", None, "unknown"),
        (["2025"], None, "unknown"),
        (None, None, "unknown"),
    ],
)
def test_a_release_date_says_how_exact_it_is(text, released_on, precision):
    facts = offering({"release_date": text}).facts
    assert (facts.released_on, facts.release_precision) == (released_on, precision)


def test_facts_of_the_wrong_kind_count_as_not_said():
    facts = offering(
        {"name": 7, "limit": {"context": "many", "output": 0}, "modalities": ["text"], "open_weights": "yes"}
    ).facts
    assert (facts.name, facts.context_tokens, facts.max_output_tokens) == ("", None, None)
    assert (facts.input_modalities, facts.open_weights) == ((), None)


def test_ids_stay_as_the_document_has_them():
    body = catalogue({"id": "other"}, model_id="DeepSeek/deepseek-r1:free", provider="openrouter", name="OpenRouter")
    (row,) = parse(body).offerings
    assert (row.provider, row.model, row.provider_name) == ("openrouter", "DeepSeek/deepseek-r1:free", "OpenRouter")


@pytest.mark.parametrize(
    ("value", "shown"),
    [(-1, "-1"), (-0.5, "-0.5"), (True, "true"), ("0.5", '"0.5"'), ([1], "[1]"), (10**20, "1" + "0" * 20)],
)
def test_a_value_that_is_no_price_rejects_its_row_by_field_and_value(value, shown):
    said = reason({"cost": {"input": value}})
    assert said.startswith(f"cost.input is {shown}, but ")


def test_a_boolean_is_no_price_even_where_the_number_it_equals_was_read_before():
    models = {"first": {"cost": {"input": 1}}, "second": {"cost": {"input": True}}}
    document = parse(json.dumps({"zai": {"models": models}}).encode())
    assert [row.model for row in document.offerings] == ["first"]
    assert [rejection.model for rejection in document.rejected] == ["second"]


@pytest.mark.parametrize(
    ("number", "taken"),
    [
        ("0.123456789012345678", True),
        ("0.1234567890123456789", True),
        ("0.12345678901234567800", True),
        ("99999999999999999999.123456789012345678", True),
        ("1e999", False),
        ("1e-999", False),
    ],
)
def test_a_price_that_the_ledger_cannot_hold_is_rejected(number, taken):
    body = catalogue({"cost": {"input": 0}}).replace(b'"input": 0', f'"input": {number}'.encode())
    assert bool(parse(body).offerings) is taken


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("free", "the model is a string"),
        ({"cost": [1]}, "cost is a list"),
        ({"cost": {"context_over_200k": 2}}, "cost.context_over_200k is a number"),
        ({"cost": {"tiers": {}}}, "cost.tiers is an object"),
        ({"cost": {"tiers": [3]}}, "cost.tiers holds a number"),
        ({"cost": {"tiers": [{"input": 1}]}}, "cost.tiers.tier.size is null"),
        ({"cost": {"tiers": [{"tier": {"size": "200k"}}]}}, 'cost.tiers.tier.size is "200k"'),
        ({"cost": {"tiers": [{"tier": {"size": 9}}, {"tier": {"size": 9}}]}}, "cost.tiers states the size 9 twice"),
        ({"cost": {"tiers": [{"input": -2, "tier": {"size": 9}}]}}, "cost.tiers.input is -2"),
        ({"experimental": {"modes": {"fast": {"cost": {"input": "1"}}}}}, 'experimental.modes.cost.input is "1"'),
    ],
)
def test_a_malformed_row_is_rejected_with_its_reason(model, said):
    assert reason(model).startswith(said)


def test_the_rest_goes_on_after_a_bad_row_and_a_bad_provider():
    content = {
        "zai": {"models": {"bad": {"cost": {"input": -1}}, "good": {"cost": {"input": 1}}}},
        "broken": {"name": "Broken"},
    }
    document = parse(json.dumps(content).encode())
    assert [row.model for row in document.offerings] == ["good"]
    assert [(r.provider, r.model) for r in document.rejected] == [("zai", "bad"), ("broken", "")]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "the document is empty"),
        (b"<!DOCTYPE html><html></html>", "not complete JSON"),
        (b'{"zai": {"models": {"glm-4', "not complete JSON"),
        (b"[]", "the document is a list; models.dev's api.json"),
        (b"{}", "the document holds no providers"),
        (b'"api"', "the document is a string"),
        (b'{"gpt-4o": {"input_cost_per_token": 2.5e-06}}', "'gpt-4o'"),
        (b'{"zai": {"models": {"m": {"cost": {"input": NaN}}}}}', "NaN"),
    ],
)
def test_a_document_of_the_wrong_shape_is_unreadable_in_one_line(body, said):
    with pytest.raises(UnreadableDocument) as refusal:
        parse(body)
    assert said in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_the_shapes_of_all_years_say_the_same_of_one_model():
    shared = {"input": 1, "output": 2, "context_over_200k": {"input": 3, "output": 4}}
    tiers = [{"input": 3, "output": 4, "tier": {"type": "context", "size": 200_000}}]
    then = {"cost": {**shared, "inputCached": 0.1}, "experimental": True, "release_date": "2025-06"}
    between = {"cost": {**shared, "cache_read": 0.1}, "experimental": False, "release_date": "2025-06"}
    today = {"cost": {**shared, "cache_read": 0.1, "tiers": tiers}, "experimental": {}, "release_date": "2025-06"}
    documents = [read(model) for model in (then, between, today)]
    assert len({frozenset(document.offerings[0].claims) for document in documents}) == 1
    assert {document.offerings[0].facts.release_precision for document in documents} == {"month"}
    assert not any(document.unrecognised or document.rejected for document in documents)
