"""Ids of one seller that name one thing, and those that only look like it."""

from __future__ import annotations

import pytest

from pricing.alike import Likeness, alike, name_of


@pytest.mark.parametrize(
    ("one", "other", "likeness"),
    [
        ("meta-llama%2Fllama-4-scout", "meta-llama/llama-4-scout", Likeness.SPELLING),
        ("openAi/gpt-5", "openai/gpt-5", Likeness.SPELLING),
        ("deepseek-ai-deepseek-r1", "deepseek-ai/DeepSeek-R1", Likeness.SPELLING),
        ("anthropic/claude-3-5-haiku", "anthropic/claude-3.5-haiku", Likeness.SPELLING),
        ("google/gemini-3.0-pro", "google/gemini-3-pro", Likeness.SPELLING),
        ("qwen-3-32b", "Qwen3-32B", Likeness.SPELLING),
        ("deepseek-r1-0528", "deepseek-ai/DeepSeek-R1-0528", Likeness.VENDOR_LEFT_OUT),
        ("Qwen/Qwen3-32B", "hf:Qwen/Qwen3-32B", Likeness.VENDOR_LEFT_OUT),
        ("accounts/fireworks/gpt-oss-20b", "accounts/fireworks/models/gpt-oss-20b", Likeness.VENDOR_LEFT_OUT),
        ("claude-sonnet-4-5-20250929", "claude-sonnet-4-5", Likeness.DATE_LEFT_OUT),
        ("gpt-4o-2024-05-13", "gpt-4o", Likeness.DATE_LEFT_OUT),
        ("z-ai/glm-4.6", "zai-org/glm-4.6", Likeness.LOOSE),
        ("claude-4-opus", "claude-opus-4", Likeness.LOOSE),
        ("gpt-5.2-chat-latest", "gpt-5.2-chat", Likeness.LOOSE),
        ("llama3:latest", "llama3", Likeness.LOOSE),
        ("gemini-2.5-flash-preview-05-20", "gemini-2.5-flash", Likeness.LOOSE),
    ],
)
def test_ids_that_may_name_one_thing(one: str, other: str, likeness: Likeness) -> None:
    assert alike(one, other) is alike(other, one) is likeness
    assert name_of(one).keys & name_of(other).keys


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("gpt-5", "gpt-5.1"),
        ("gpt-5", "gpt-5-mini"),
        ("zai-org/GLM-4.6", "zai-org/GLM-4.7"),
        ("qwen2-57b", "qwen2.5-7b"),
        ("claude-3-5-sonnet-20240620", "claude-3-5-sonnet-20241022"),
        ("kimi-k2-0711", "kimi-k2-0905"),
        ("gemini-2.5-flash-preview-04-17", "gemini-2.5-flash-preview-05-20"),
        ("o1-preview", "o1-2024-12-17"),
        ("deepseek-r1", "deepseek-r1:free"),
        ("glm-4.6", "glm-4.6:thinking"),
        ("DeepSeek-V3.2", "DeepSeek-V3.2-TEE"),
        ("llama-3.3-70b-instruct-base", "llama-3.3-70b-instruct"),
        ("bytedance/seedance-2.5/text-to-video", "bytedance/seedance-2.0/text-to-video"),
        ("mistral-large", "mistral-large-3"),
    ],
)
def test_ids_that_name_two_things(one: str, other: str) -> None:
    assert alike(one, other) is alike(other, one) is None
