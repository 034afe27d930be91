"""Providers' own usage bodies: what counts as what, and what they say that we do not use."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from genai_prices.data import providers
from genai_prices.types import ArrayMatch, UsageExtractor

from pricing.provider_usage import FORMATS, map_usage
from pricing.provider_usage.aliases import ALIASES
from pricing.usage import UsageError, apart

BODIES: dict[str, tuple[dict[str, Any], dict[str, int]]] = {
    "openai-chat": (
        {
            "model": "gpt-5",
            "service_tier": "flex",
            "usage": {
                "prompt_tokens": 1000,
                "prompt_tokens_details": {"cached_tokens": 300, "audio_tokens": 0, "text_tokens": 1000},
                "completion_tokens": 200,
                "completion_tokens_details": {"reasoning_tokens": 150, "accepted_prediction_tokens": 3},
                "total_tokens": 1200,
            },
        },
        {
            "input_tokens": 1000,
            "cache_read_tokens": 300,
            "input_audio_tokens": 0,
            "output_tokens": 200,
            "reasoning_tokens": 150,
        },
    ),
    "openai-responses": (
        {
            "usage": {
                "input_tokens": 75,
                "input_tokens_details": {"cached_tokens": 64},
                "output_tokens": 11,
                "output_tokens_details": {"reasoning_tokens": 5},
                "total_tokens": 86,
            }
        },
        {"input_tokens": 75, "cache_read_tokens": 64, "output_tokens": 11, "reasoning_tokens": 5},
    ),
    "openai-embeddings": ({"usage": {"prompt_tokens": 8, "total_tokens": 8}}, {"input_tokens": 8}),
    "openai-realtime": (
        {
            "response": {
                "usage": {
                    "total_tokens": 253,
                    "input_tokens": 132,
                    "output_tokens": 121,
                    "input_token_details": {
                        "text_tokens": 119,
                        "audio_tokens": 13,
                        "cached_tokens": 64,
                        "cached_tokens_details": {"text_tokens": 60, "audio_tokens": 4},
                    },
                    "output_token_details": {"text_tokens": 30, "audio_tokens": 91},
                }
            }
        },
        {
            "input_tokens": 132,
            "input_audio_tokens": 13,
            "cache_read_tokens": 64,
            "cache_read_audio_tokens": 4,
            "output_tokens": 121,
            "output_audio_tokens": 91,
        },
    ),
    "openai-transcriptions": ({"usage": {"type": "duration", "seconds": 9}}, {"input_audio_seconds": 9}),
    "anthropic": (
        {
            "model": "claude-opus-4-5",
            "usage": {
                "input_tokens": 50,
                "cache_read_input_tokens": 1000,
                "cache_creation_input_tokens": 300,
                "cache_creation": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 200},
                "output_tokens": 40,
                "server_tool_use": {"web_search_requests": 2, "web_fetch_requests": 1},
                "service_tier": "standard",
                "speed": "fast",
                "inference_geo": "us",
            },
        },
        {
            "input_tokens": 1350,
            "cache_read_tokens": 1000,
            "cache_write_tokens": 300,
            "cache_write_5m_tokens": 100,
            "cache_write_1h_tokens": 200,
            "output_tokens": 40,
            "web_searches": 2,
        },
    ),
    "gemini": (
        {
            "modelVersion": "gemini-2.5-flash",
            "usageMetadata": {
                "promptTokenCount": 1000,
                "cachedContentTokenCount": 300,
                "candidatesTokenCount": 50,
                "thoughtsTokenCount": 70,
                "toolUsePromptTokenCount": 20,
                "totalTokenCount": 1140,
                "promptTokensDetails": [
                    {"modality": "TEXT", "tokenCount": 742},
                    {"modality": "IMAGE", "tokenCount": 158},
                    {"modality": "DOCUMENT", "tokenCount": 100},
                ],
                "cacheTokensDetails": [{"modality": "TEXT", "tokenCount": 300}],
                "trafficType": "ON_DEMAND_PRIORITY",
            },
        },
        {
            "input_tokens": 1020,
            "input_image_tokens": 258,
            "cache_read_tokens": 300,
            "input_tool_tokens": 20,
            "output_tokens": 120,
            "reasoning_tokens": 70,
        },
    ),
    "bedrock": (
        {
            "serviceTier": {"type": "priority"},
            "usage": {
                "inputTokens": 10,
                "outputTokens": 20,
                "totalTokens": 330,
                "cacheReadInputTokens": 200,
                "cacheWriteInputTokens": 100,
                "cacheDetails": [{"ttl": "1h", "inputTokens": 60}, {"ttl": "5m", "inputTokens": 40}],
            },
        },
        {
            "input_tokens": 310,
            "cache_read_tokens": 200,
            "cache_write_tokens": 100,
            "cache_write_1h_tokens": 60,
            "cache_write_5m_tokens": 40,
            "output_tokens": 20,
        },
    ),
    "deepseek": (
        {
            "usage": {
                "prompt_tokens": 100,
                "prompt_cache_hit_tokens": 64,
                "prompt_cache_miss_tokens": 36,
                "prompt_tokens_details": {"cached_tokens": 64},
                "completion_tokens": 30,
                "completion_tokens_details": {"reasoning_tokens": 12},
                "total_tokens": 130,
            }
        },
        {"input_tokens": 100, "cache_read_tokens": 64, "output_tokens": 30, "reasoning_tokens": 12},
    ),
    "mistral": (
        {"usage": {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12, "prompt_audio_seconds": {}}},
        {"input_tokens": 9, "output_tokens": 3},
    ),
    "mistral-ocr": ({"usage_info": {"pages_processed": 4, "doc_size_bytes": 9999}}, {"pages": 4}),
    "cohere": (
        {
            "usage": {
                "billed_units": {"input_tokens": 5, "output_tokens": 418},
                "tokens": {"input_tokens": 71, "output_tokens": 418},
            }
        },
        {"input_tokens": 5, "output_tokens": 418},
    ),
    "openrouter": (
        {
            "usage": {
                "prompt_tokens": 194,
                "prompt_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 100, "audio_tokens": 0},
                "completion_tokens": 2,
                "completion_tokens_details": {"reasoning_tokens": 0},
                "total_tokens": 196,
            }
        },
        {
            "input_tokens": 194,
            "cache_read_tokens": 0,
            "cache_write_tokens": 100,
            "input_audio_tokens": 0,
            "output_tokens": 2,
            "reasoning_tokens": 0,
        },
    ),
    "xai": (
        {
            "usage": {
                "prompt_tokens": 125,
                "prompt_tokens_details": {"text_tokens": 125, "cached_tokens": 98},
                "completion_tokens": 48,
                "completion_tokens_details": {"reasoning_tokens": 300},
                "total_tokens": 473,
            }
        },
        {"input_tokens": 125, "cache_read_tokens": 98, "output_tokens": 348, "reasoning_tokens": 300},
    ),
    "xai-responses": (
        {
            "usage": {
                "input_tokens": 125,
                "output_tokens": 348,
                "output_tokens_details": {"reasoning_tokens": 300},
                "num_server_side_tools_used": 5,
                "server_side_tool_usage_details": {"web_search_calls": 3, "x_search_calls": 2},
            }
        },
        {
            "input_tokens": 125,
            "output_tokens": 348,
            "reasoning_tokens": 300,
            "web_searches": 3,
            "social_searches": 2,
        },
    ),
    "groq": (
        {"usage": {"prompt_tokens": 18, "completion_tokens": 5, "total_tokens": 23, "queue_time": 0.04}},
        {"input_tokens": 18, "output_tokens": 5},
    ),
    "perplexity": (
        {
            "usage": {
                "prompt_tokens": 33,
                "completion_tokens": 7163,
                "total_tokens": 7196,
                "citation_tokens": 20016,
                "num_search_queries": 31,
                "reasoning_tokens": 103911,
                "search_context_size": "low",
            }
        },
        {
            "input_tokens": 33,
            "output_tokens": 131090,
            "reasoning_tokens": 103911,
            "citation_tokens": 20016,
            "web_searches": 31,
        },
    ),
    "moonshot": (
        {"usage": {"prompt_tokens": 19, "completion_tokens": 21, "total_tokens": 40, "cached_tokens": 10}},
        {"input_tokens": 19, "cache_read_tokens": 10, "output_tokens": 21},
    ),
    "cursor": (
        {"tokenUsage": {"inputTokens": 5, "cacheReadTokens": 90, "cacheWriteTokens": 5, "outputTokens": 7}},
        {"input_tokens": 100, "cache_read_tokens": 90, "cache_write_tokens": 5, "output_tokens": 7},
    ),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_body_is_read_whole(name: str) -> None:
    body, usage = BODIES[name]
    mapped = map_usage(name, body)
    assert mapped.usage == usage
    assert mapped.unused == ()
    assert all(quantity >= 0 for quantity in apart(mapped.usage).values())


def test_the_usage_object_alone_will_do() -> None:
    for name in ("anthropic", "openai-chat", "deepseek"):
        body, usage = BODIES[name]
        assert map_usage(name, body["usage"]).usage == usage
    assert map_usage("gemini", BODIES["gemini"][0]["usageMetadata"]).usage == BODIES["gemini"][1]


def test_terms_and_model_are_told() -> None:
    assert map_usage("openai-chat", BODIES["openai-chat"][0]).terms == {"service_tier": "flex"}
    assert map_usage("openai-chat", BODIES["openai-chat"][0]).model == "gpt-5"
    assert map_usage("anthropic", BODIES["anthropic"][0]).terms == {"service_tier": "fast", "region": "us"}
    assert map_usage("gemini", BODIES["gemini"][0]).terms == {"service_tier": "priority"}
    assert map_usage("bedrock", BODIES["bedrock"][0]).terms == {"service_tier": "priority"}
    assert map_usage("perplexity", BODIES["perplexity"][0]).terms == {"variant": "low"}


def test_fields_that_are_not_used_are_named_by_their_path() -> None:
    body = {
        "usage": {
            "prompt_tokens": 9,
            "completion_tokens": 1,
            "cost": 0.95,
            "cost_details": {"upstream_inference_cost": 19, "note": None},
            "prompt_tokens_details": {"file_tokens": 2},
        }
    }
    assert map_usage("openrouter", body).unused == (
        "provider_usage.body.usage.cost",
        "provider_usage.body.usage.cost_details.upstream_inference_cost",
        "provider_usage.body.usage.prompt_tokens_details.file_tokens",
    )
    sung = {"promptTokenCount": 9, "promptTokensDetails": [{"modality": "SMELL", "tokenCount": 4}]}
    assert map_usage("gemini", {"usageMetadata": sung}).unused == (
        "provider_usage.body.usageMetadata.promptTokensDetails[0].modality",
        "provider_usage.body.usageMetadata.promptTokensDetails[0].tokenCount",
    )


def test_tools_that_are_charged_beside_the_usage_are_named() -> None:
    output = [{"type": "reasoning"}, {"type": "web_search_call"}, {"type": "message"}, {"type": "web_search_call"}]
    answered = {"usage": {"input_tokens": 9, "output_tokens": 1}, "output": output}
    named = ("output[1]", "output[3]")
    assert map_usage("openai-responses", answered).unused == tuple(f"provider_usage.body.{place}" for place in named)
    streamed = {"type": "response.completed", "response": answered}
    assert map_usage("openai-responses", streamed).unused == tuple(
        f"provider_usage.body.response.{place}" for place in named
    )


def test_searches_that_grounded_an_answer_of_geminis_are_named() -> None:
    grounded, plain = {"groundingMetadata": {"webSearchQueries": ["a", "b"]}}, {"content": {}}
    empty = {"groundingMetadata": {"webSearchQueries": []}}
    body = {"candidates": [plain, grounded, empty], "usageMetadata": {"promptTokenCount": 5}}
    assert map_usage("gemini", body).unused == ("provider_usage.body.candidates[1].groundingMetadata.webSearchQueries",)
    assert map_usage("gemini", _as_python_writes_it(body)).unused == (
        "provider_usage.body.candidates[1].grounding_metadata.web_search_queries",
    )


def test_cached_tokens_and_a_modality_overlap_only_as_much_as_they_must() -> None:
    usage = {
        "promptTokenCount": 1000,
        "cachedContentTokenCount": 800,
        "promptTokensDetails": [{"modality": "IMAGE", "tokenCount": 258}, {"modality": "TEXT", "tokenCount": 742}],
    }
    mapped = map_usage("gemini", {"usageMetadata": usage}).usage
    assert mapped["cache_read_image_tokens"] == 58
    assert apart(mapped)["input_tokens"] == 0
    assert "cache_read_image_tokens" not in map_usage("gemini", {**usage, "promptTokenCount": 1058}).usage


@pytest.mark.parametrize(
    ("name", "body", "field", "says"),
    [
        ("openai-caht", {}, "provider_usage.format", "there is no format 'openai-caht'"),
        ("anthropic", [], "provider_usage.body", "is list; an object was expected"),
        ("anthropic", {"usage": {}}, "provider_usage.body.usage", "has no usage; fields such as input_tokens"),
        ("deepseek", {"id": 5}, "provider_usage.body", "has no usage; fields such as prompt_tokens"),
        (
            "anthropic",
            {"usage": {"input_tokens": "12"}},
            "provider_usage.body.usage.input_tokens",
            "is '12'; a number was expected",
        ),
        (
            "bedrock",
            {"usage": {"inputTokens": -1}},
            "provider_usage.body.usage.inputTokens",
            "is -1; a count from 0 to 10^18 was expected",
        ),
        (
            "gemini",
            {"usageMetadata": {"promptTokenCount": float("nan")}},
            "provider_usage.body.usageMetadata.promptTokenCount",
            "is NaN; a count from 0",
        ),
        (
            "groq",
            {"usage": {"prompt_tokens": 1.5}},
            "provider_usage.body.usage.prompt_tokens",
            "is 1.5; a whole number was expected",
        ),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(name: str, body: object, field: str, says: str) -> None:
    with pytest.raises(UsageError) as refused:
        map_usage(name, body)
    assert refused.value.field == field
    assert says in str(refused.value)


def _as_python_writes_it(value: Any) -> Any:
    """Keys as Google's Python library writes them; values stay."""
    if isinstance(value, list):
        return [_as_python_writes_it(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {re.sub("[A-Z]", lambda found: f"_{found[0].lower()}", k): _as_python_writes_it(v) for k, v in value.items()}


def test_geminis_fields_are_read_in_both_ways_of_writing_them() -> None:
    body, usage = BODIES["gemini"]
    mapped, plain = map_usage("gemini", _as_python_writes_it(body)), map_usage("gemini", body)
    assert (mapped.usage, mapped.unused) == (usage, ())
    assert (mapped.terms, mapped.model) == (plain.terms, plain.model)


def test_tier_that_nobody_foresaw_is_told_as_it_is() -> None:
    usage = {"prompt_tokens": 1, "completion_tokens": 1}
    assert map_usage("openai-chat", {"usage": usage, "service_tier": "Scale"}).terms == {"service_tier": "scale"}
    assert map_usage("openai-chat", {"usage": usage, "service_tier": "default"}).terms == {"service_tier": "standard"}
    traffic = {"promptTokenCount": 1, "trafficType": "PROVISIONED_THROUGHPUT"}
    assert map_usage("gemini", {"usageMetadata": traffic}).terms == {"service_tier": "provisioned_throughput"}


FLEX = {"model": "gpt-5", "service_tier": "flex", "usage": {"input_tokens": 9, "output_tokens": 1}}
SERVED = {"serviceTier": {"type": "flex"}, "usage": {"inputTokens": 9, "outputTokens": 1}}
CHAT = {"prompt_tokens": 9, "completion_tokens": 1}


@pytest.mark.parametrize(
    ("name", "body", "tier", "model"),
    [
        ("openai-responses", {"type": "response.completed", "response": FLEX}, "flex", "gpt-5"),
        ("xai-responses", {"type": "response.completed", "response": FLEX}, "flex", "gpt-5"),
        ("openai-realtime", {"type": "response.done", "response": FLEX}, "flex", "gpt-5"),
        ("bedrock", {"metadata": SERVED}, "flex", ""),
        ("bedrock", {"metadata": {"usage": SERVED["usage"]}, "serviceTier": SERVED["serviceTier"]}, "flex", ""),
        ("openai-responses", {"response": FLEX, "model": "gpt-4", "service_tier": "priority"}, "flex", "gpt-5"),
        (
            "openai-responses",
            {"response": {"usage": FLEX["usage"]}, "model": "o3", "service_tier": "flex"},
            "flex",
            "o3",
        ),
        ("openai-responses", {"response": {**FLEX, "service_tier": None}, "service_tier": "flex"}, "flex", "gpt-5"),
        ("anthropic", {"type": "message_start", "message": FLEX}, "", "gpt-5"),
        ("cloudflare", {"result": {"usage": CHAT, "model": "llama", "service_tier": "flex"}}, "flex", "llama"),
    ],
)
def test_event_says_its_tier_and_model_beside_its_usage(name: str, body: Any, tier: str, model: str) -> None:
    mapped = map_usage(name, body)
    assert (mapped.terms.get("service_tier", ""), mapped.model) == (tier, model)
    assert mapped.unused == ()


def test_cache_writes_told_only_by_their_lifetimes_add_up_to_their_total() -> None:
    parts = {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 20}
    written = {
        "input_tokens": 125,
        "cache_write_tokens": 120,
        "cache_write_5m_tokens": 100,
        "cache_write_1h_tokens": 20,
        "output_tokens": 1,
    }
    usage = {"input_tokens": 5, "cache_creation": parts, "output_tokens": 1}
    assert map_usage("anthropic", usage).usage == written
    assert map_usage("anthropic", {**usage, "cache_creation_input_tokens": None}).usage == written
    assert map_usage("anthropic", {**usage, "cache_creation_input_tokens": 120}).usage == written
    details = [{"ttl": "5m", "inputTokens": 100}, {"ttl": "1h", "inputTokens": 20}]
    mapped = map_usage("bedrock", {"inputTokens": 5, "cacheDetails": details, "outputTokens": 1})
    assert (mapped.usage, mapped.unused) == (written, ())


@pytest.mark.parametrize(
    ("billed", "usage"),
    [
        ({"image_tokens": 2716}, {"input_tokens": 2716, "input_image_tokens": 2716}),
        ({"image_tokens": 2716, "images": 1}, {"input_tokens": 2716, "input_image_tokens": 2716}),
        ({"image_tokens": 2716, "input_tokens": 100}, {"input_tokens": 2816, "input_image_tokens": 2716}),
        ({"images": 3}, {"input_images": 3}),
        ({"images": 3, "image_tokens": 0}, {"input_tokens": 0, "input_image_tokens": 0, "input_images": 3}),
    ],
)
def test_images_given_to_cohere_are_counted_by_their_tokens_or_else_by_number(
    billed: dict[str, int], usage: dict[str, int]
) -> None:
    mapped = map_usage("cohere", {"meta": {"billed_units": billed}})
    assert (mapped.usage, mapped.unused) == (usage, ())


def test_no_digit_of_a_bodys_counts_is_lost() -> None:
    seconds = Decimal("123456789012345678.123456789012345678")
    assert map_usage("mistral", {"prompt_audio_seconds": seconds}).usage == {"input_audio_seconds": seconds}


def test_every_alias_names_a_format() -> None:
    assert set(ALIASES.values()) <= set(FORMATS)
    assert not set(ALIASES) & set(FORMATS)
    assert map_usage("OpenAI_Chat", BODIES["openai-chat"][0]).usage == BODIES["openai-chat"][1]


# Which extractor of genai-prices reads the same bodies as each format of ours.
PEERS = {
    "openai-chat": ("openai", "chat"),
    "openai-responses": ("openai", "responses"),
    "openai-embeddings": ("openai", "embeddings"),
    "openai-images": ("openai", "images"),
    "openai-realtime": ("openai", "realtime"),
    "anthropic": ("anthropic", "default"),
    "gemini": ("google", "default"),
    "bedrock": ("aws", "default"),
    "deepseek": ("deepseek", "chat"),
    "mistral": ("mistral", "default"),
    "mistral-ocr": ("mistral", "ocr"),
    "cohere": ("cohere", "default"),
    "openrouter": ("openrouter", "chat"),
    "xai": ("x-ai", "chat"),
    "xai-responses": ("x-ai", "responses"),
    "groq": ("groq", "default"),
    "perplexity": ("perplexity", "default"),
    "perplexity-responses": ("perplexity", "responses"),
    "databricks": ("databricks", "chat"),
    "cloudflare": ("cloudflare", "default"),
    "cursor": ("cursor", "usage-event"),
}
OUR_NAMES = {
    "output_reasoning_tokens": "reasoning_tokens",
    "output_citation_tokens": "citation_tokens",
    "input_document_pages": "pages",
    "cache_audio_read_tokens": "cache_read_audio_tokens",
    "cache_image_read_tokens": "cache_read_image_tokens",
    "cache_video_read_tokens": "cache_read_video_tokens",
    **{f"output_{modality}_reasoning_tokens": f"reasoning_{modality}_tokens" for modality in ("audio", "image")},
}


def extractor_of(provider_id: str, flavor: str) -> UsageExtractor:
    provider = next(provider for provider in providers if provider.id == provider_id)
    return next(extractor for extractor in provider.extractors or () if extractor.api_flavor == flavor)


def steps(path: object) -> list[Any]:
    return [path] if isinstance(path, str) else list(path)  # type: ignore[call-overload]


def body_for(extractor: UsageExtractor) -> dict[str, Any]:
    """A body with every field that the extractor reads, each with a number of its own."""
    body: dict[str, Any] = {}
    for number, path in enumerate(distinct_paths(extractor), start=1):
        place: Any = body
        for step, following in zip(path, [*path[1:], None], strict=True):
            if isinstance(step, ArrayMatch):
                element = next((one for one in place if one[step.field] == step.match.equals), None)
                if element is None:
                    element = {step.field: step.match.equals}
                    place.append(element)
                place = element
            elif following is None:
                place[step] = 10**6 * 2 ** (2 - min(len(path), 2)) + number
            else:
                place = place.setdefault(step, [] if isinstance(following, ArrayMatch) else {})
    return body


def distinct_paths(extractor: UsageExtractor) -> Iterator[list[Any]]:
    seen: list[list[Any]] = []
    for mapping in extractor.mappings:
        path = [*steps(extractor.root), *steps(mapping.path)]
        if path not in seen:
            seen.append(path)
            yield path


@pytest.mark.parametrize("name", PEERS)
def test_counts_are_those_that_genai_prices_extracts(name: str) -> None:
    """Text aside, which is what remains of a total, and so is not counted by us."""
    extractor = extractor_of(*PEERS[name])
    body = body_for(extractor)
    theirs = {
        OUR_NAMES.get(key, key): value
        for key, value in extractor.extract(body)[1].__dict__.items()
        if "_text_" not in key
    }
    ours = map_usage(name, body).usage
    assert {key: ours.get(key) for key in theirs} == theirs
