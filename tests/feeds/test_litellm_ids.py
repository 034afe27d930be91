"""LiteLLM's ids, taken apart into the seller's own id and the conditions that the id fixes."""

from __future__ import annotations

import pytest

from feeds.adapters.litellm import SplitId, offering_id, split_id
from pricing.claims import Conditions
from tests.feeds.litellm_documents import amounts, offering


@pytest.mark.parametrize(
    ("key", "provider", "expected"),
    [
        ("gpt-4o", "openai", SplitId("gpt-4o")),
        ("azure/eu/gpt-4o", "azure", SplitId("gpt-4o", region="eu")),
        ("azure/global-standard/gpt-4o", "azure", SplitId("gpt-4o", region="global")),
        ("azure/speech/azure-tts", "azure", SplitId("speech/azure-tts")),
        ("azure/hd/1024-x-1792/dall-e-3", "azure", SplitId("dall-e-3", variant="hd/1024-x-1792")),
        ("1024-x-1024/dall-e-2", "openai", SplitId("dall-e-2", variant="1024-x-1024")),
        (
            "1024-x-1024/50-steps/bedrock/amazon.nova-canvas-v1:0",
            "bedrock",
            SplitId("amazon.nova-canvas-v1:0", variant="1024-x-1024/50-steps"),
        ),
        (
            "bedrock/us-west-2/6-month-commitment/anthropic.claude-v2:1",
            "bedrock",
            SplitId("anthropic.claude-v2:1", region="us-west-2", commitment="6-month"),
        ),
        (
            "bedrock/*/1-month-commitment/cohere.command-text-v14",
            "bedrock",
            SplitId("cohere.command-text-v14", commitment="1-month"),
        ),
        ("bedrock/invoke/anthropic.claude-v2", "bedrock", SplitId("anthropic.claude-v2")),
        ("us.anthropic.claude-opus-5", "bedrock_converse", SplitId("anthropic.claude-opus-5", region="us")),
        ("us-gov.xai.grok-4.6", "bedrock_converse", SplitId("xai.grok-4.6", region="us-gov")),
        ("amazon.nova-pro-v1:0", "bedrock_converse", SplitId("amazon.nova-pro-v1:0")),
        (
            "fast/us/claude-opus-4-6",
            "anthropic",
            SplitId("claude-opus-4-6", region="us", service_tier="fast"),
        ),
        ("openrouter/openai/gpt-5:batch", "openrouter", SplitId("openai/gpt-5", service_tier="batch")),
        ("openrouter/z-ai/glm-5.2:free", "openrouter", SplitId("z-ai/glm-5.2:free")),
        ("openrouter/openrouter/auto", "openrouter", SplitId("openrouter/auto")),
        ("fireworks_ai/accounts/fireworks/models/glm-4p7", "fireworks_ai", SplitId("glm-4p7")),
        ("fal_ai/fal-ai/flux/dev", "fal_ai", SplitId("fal-ai/flux/dev")),
        ("amazon-nova/nova-micro-v1", "amazon_nova", SplitId("nova-micro-v1")),
        ("vertex_ai/claude-opus-4@20250514", "vertex_ai-anthropic_models", SplitId("claude-opus-4@20250514")),
    ],
)
def test_an_id_is_taken_apart(key: str, provider: str, expected: SplitId) -> None:
    assert split_id(key, provider) == expected
    assert offering_id(provider, key) == expected.model


def test_what_the_id_fixes_is_on_every_claim_and_the_reference_keeps_the_whole_id() -> None:
    key = "bedrock/us-west-2/6-month-commitment/anthropic.claude-v2"
    found = offering(key, "bedrock", input_cost_per_second=0.01, output_cost_per_second=0.01, cost_per_second=0.01)
    assert found.model == key
    assert amounts(found) == {Conditions("compute_seconds", region="us-west-2", commitment="6-month"): "0.01"}


def test_the_variant_of_the_id_stands_before_that_of_the_field() -> None:
    found = offering("fal_ai/low/512-x-512/pictor", "fal_ai", mode="image_generation", output_cost_per_image_4K=1)
    assert amounts(found) == {Conditions("output_images", variant="low/512-x-512/4K"): "1"}
