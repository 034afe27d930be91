"""The formats of providers' usage bodies: one table of paths each.

Where a provider counts something outside the total that it belongs to, the path adds to both:
Anthropic's and Bedrock's input leaves out what is cached, Gemini's output leaves out thoughts, xAI's
chat and Perplexity's output leave out reasoning. Text is what remains of a total, so that counts of
text tokens are known and not read. Gemini's fields are written in two ways, as the API and as Google's
libraries write them. Facts are from the providers' API references, checked against the
extractors of genai-prices 0.2.3.
"""

from __future__ import annotations

import re

from pricing.provider_usage.reading import Format, Reading, TermReading

# A capital within a name, and none of a value such as AUDIO.
_CAPITAL = re.compile(r"(?<=[a-z])[A-Z]")
_OPENAI_TIERS = {"default": "standard", "standard": "standard", "flex": "flex", "priority": "priority"}
_OPENAI_TERMS = (
    TermReading("service_tier", "service_tier", _OPENAI_TIERS, in_body=True),
    TermReading("service_tier", "service_tier", _OPENAI_TIERS),
)


def _read(paths: str, *meters: str) -> Reading:
    """Paths with ``|`` between them: the first that is there counts; with ``+``, they count together."""
    return Reading(tuple(paths.split("|")), meters)


_CHAT_READINGS = (
    _read("prompt_tokens", "input_tokens"),
    _read("prompt_tokens_details.cached_tokens", "cache_read_tokens"),
    _read("prompt_tokens_details.cache_write_tokens", "cache_write_tokens"),
    _read("prompt_tokens_details.audio_tokens", "input_audio_tokens"),
    _read("prompt_tokens_details.image_tokens", "input_image_tokens"),
    _read("prompt_tokens_details.video_tokens", "input_video_tokens"),
    _read("completion_tokens", "output_tokens"),
    _read("completion_tokens_details.reasoning_tokens", "reasoning_tokens"),
    _read("completion_tokens_details.audio_tokens", "output_audio_tokens"),
    _read("completion_tokens_details.image_tokens", "output_image_tokens"),
)
_CHAT_KNOWN = (
    "total_tokens",
    "prompt_tokens_details.text_tokens",
    "completion_tokens_details.text_tokens",
    # Both are part of the completion, and charged like the rest of it.
    "completion_tokens_details.accepted_prediction_tokens",
    "completion_tokens_details.rejected_prediction_tokens",
)
_RESPONSES_READINGS = (
    _read("input_tokens", "input_tokens"),
    _read("input_tokens_details.cached_tokens", "cache_read_tokens"),
    _read("input_tokens_details.cache_write_tokens", "cache_write_tokens"),
    _read("input_tokens_details.audio_tokens", "input_audio_tokens"),
    _read("input_tokens_details.image_tokens", "input_image_tokens"),
    _read("output_tokens", "output_tokens"),
    _read("output_tokens_details.reasoning_tokens", "reasoning_tokens"),
    _read("output_tokens_details.audio_tokens", "output_audio_tokens"),
    _read("output_tokens_details.image_tokens", "output_image_tokens"),
)
_RESPONSES_KNOWN = ("total_tokens", "input_tokens_details.text_tokens", "output_tokens_details.text_tokens")

_CHAT = Format(("usage",), _CHAT_READINGS, _CHAT_KNOWN, _OPENAI_TERMS)
# Each has a fee of its own, by rules that its items do not settle: of web searches only some actions are charged.
_OPENAI_TOOLS = ("web_search_call", "file_search_call", "code_interpreter_call", "image_generation_call")
_RESPONSES = Format(
    ("response.usage", "usage"),
    _RESPONSES_READINGS,
    _RESPONSES_KNOWN,
    _OPENAI_TERMS,
    charged_too=tuple(f"output[type={tool}]" for tool in _OPENAI_TOOLS),
)
_EMBEDDINGS = Format(("usage",), (_read("prompt_tokens|total_tokens", "input_tokens"),))
_REALTIME = Format(
    ("response.usage", "usage"),
    (
        _read("input_tokens", "input_tokens"),
        _read("input_token_details.audio_tokens", "input_audio_tokens"),
        _read("input_token_details.image_tokens", "input_image_tokens"),
        _read("input_token_details.cached_tokens", "cache_read_tokens"),
        _read("input_token_details.cached_tokens_details.audio_tokens", "cache_read_audio_tokens"),
        _read("input_token_details.cached_tokens_details.image_tokens", "cache_read_image_tokens"),
        _read("output_tokens", "output_tokens"),
        _read("output_token_details.audio_tokens", "output_audio_tokens"),
    ),
    (
        "total_tokens",
        "input_token_details.text_tokens",
        "input_token_details.cached_tokens_details.text_tokens",
        "output_token_details.text_tokens",
    ),
    _OPENAI_TERMS,
)
# ``type`` is ``tokens`` or ``duration``, and only the fields of the one are there.
_TRANSCRIPTIONS = Format(
    ("usage",),
    (
        _read("input_tokens", "input_tokens"),
        _read("input_token_details.audio_tokens", "input_audio_tokens"),
        _read("output_tokens", "output_tokens"),
        _read("seconds", "input_audio_seconds"),
    ),
    ("total_tokens", "type", "input_token_details.text_tokens"),
)

# Where the total of what was written to the cache is left out, its parts by lifetime make it up.
_ANTHROPIC_WRITTEN = (
    "cache_creation_input_tokens|cache_creation.ephemeral_5m_input_tokens+cache_creation.ephemeral_1h_input_tokens"
)
_BEDROCK_WRITTEN = "cacheWriteInputTokens|cacheDetails[ttl=5m].inputTokens+cacheDetails[ttl=1h].inputTokens"
_ANTHROPIC = Format(
    ("usage", "message.usage"),
    (
        _read("input_tokens", "input_tokens"),
        _read("cache_read_input_tokens", "input_tokens", "cache_read_tokens"),
        _read(_ANTHROPIC_WRITTEN, "input_tokens", "cache_write_tokens"),
        _read("cache_creation.ephemeral_5m_input_tokens", "cache_write_5m_tokens"),
        _read("cache_creation.ephemeral_1h_input_tokens", "cache_write_1h_tokens"),
        _read("output_tokens", "output_tokens"),
        _read("output_tokens_details.thinking_tokens", "reasoning_tokens"),
        _read("server_tool_use.web_search_requests", "web_searches"),
    ),
    # Fetching a page costs nothing beyond its tokens.
    ("server_tool_use.web_fetch_requests",),
    (
        TermReading("service_tier", "service_tier"),
        TermReading("speed", "service_tier", {"standard": "", "fast": "fast"}),
        TermReading("inference_geo", "region", {"us": "us", "eu": "eu", "global": "", "not_available": ""}),
    ),
)

_GEMINI_MODALITIES = {"AUDIO": "audio", "IMAGE": "image", "DOCUMENT": "image", "VIDEO": "video"}


def _both(path: str) -> str:
    """A path as Gemini's API writes it, and as its Python library does: ``promptTokenCount|prompt_token_count``."""
    return f"{path}|{_CAPITAL.sub(lambda found: f'_{found[0].lower()}', path)}"


def _by_modality(path: str, *meters: str) -> tuple[Reading, ...]:
    """A list of counts by modality; the pages of a document count as images."""
    return tuple(
        _read(_both(f"{path}[modality={name}].tokenCount"), *(meter.format(modality) for meter in meters))
        for name, modality in _GEMINI_MODALITIES.items()
    )


_GEMINI_LISTS = (
    "promptTokensDetails",
    "cacheTokensDetails",
    "toolUsePromptTokensDetails",
    "candidatesTokensDetails",
    "responseTokensDetails",
)
_GEMINI_TIERS = {"service_tier_unspecified": "", "unspecified": ""}
_GEMINI_TRAFFIC = {
    "on_demand": "standard",
    "on_demand_flex": "flex",
    "on_demand_priority": "priority",
    "traffic_type_unspecified": "",
}
_GEMINI = Format(
    ("usageMetadata", "usage_metadata"),
    (
        _read(_both("promptTokenCount"), "input_tokens"),
        *_by_modality("promptTokensDetails", "input_{}_tokens"),
        _read(_both("cachedContentTokenCount"), "cache_read_tokens"),
        *_by_modality("cacheTokensDetails", "cache_read_{}_tokens"),
        _read(_both("toolUsePromptTokenCount"), "input_tokens", "input_tool_tokens"),
        *_by_modality("toolUsePromptTokensDetails", "input_{}_tokens", "input_{}_tool_tokens"),
        _read(f"{_both('candidatesTokenCount')}|{_both('responseTokenCount')}", "output_tokens"),
        *_by_modality("candidatesTokensDetails", "output_{}_tokens"),
        *_by_modality("responseTokensDetails", "output_{}_tokens"),
        _read(_both("thoughtsTokenCount"), "output_tokens", "reasoning_tokens"),
    ),
    tuple(
        way
        for path in (
            "totalTokenCount",
            *(f"{path}[modality=TEXT].tokenCount" for path in _GEMINI_LISTS),
            *(f"{path}[modality={name}].modality" for path in _GEMINI_LISTS for name in ("TEXT", *_GEMINI_MODALITIES)),
        )
        for way in _both(path).split("|")
    ),
    (
        *(TermReading(path, "service_tier", _GEMINI_TIERS) for path in _both("serviceTier").split("|")),
        *(TermReading(path, "service_tier", _GEMINI_TRAFFIC) for path in _both("trafficType").split("|")),
    ),
    ("modelVersion", "model_version", "model"),
    # By the query with newer models, by the prompt that led to any with older ones.
    charged_too=tuple(_both("candidates[].groundingMetadata.webSearchQueries").split("|")),
)

_BEDROCK = Format(
    ("usage", "metadata.usage"),
    (
        _read("inputTokens", "input_tokens"),
        _read("cacheReadInputTokens", "input_tokens", "cache_read_tokens"),
        _read(_BEDROCK_WRITTEN, "input_tokens", "cache_write_tokens"),
        _read("cacheDetails[ttl=5m].inputTokens", "cache_write_5m_tokens"),
        _read("cacheDetails[ttl=1h].inputTokens", "cache_write_1h_tokens"),
        _read("outputTokens", "output_tokens"),
    ),
    ("totalTokens", "cacheDetails[ttl=5m].ttl", "cacheDetails[ttl=1h].ttl"),
    (
        TermReading(
            "serviceTier.type",
            "service_tier",
            {"default": "standard", "flex": "flex", "priority": "priority", "reserved": "reserved"},
            in_body=True,
        ),
    ),
)

_DEEPSEEK = Format(
    ("usage",),
    (
        _read("prompt_tokens", "input_tokens"),
        _read("prompt_cache_hit_tokens|prompt_tokens_details.cached_tokens", "cache_read_tokens"),
        _read("completion_tokens", "output_tokens"),
        _read("completion_tokens_details.reasoning_tokens", "reasoning_tokens"),
        _read("completion_tokens_details.audio_tokens", "output_audio_tokens"),
    ),
    ("total_tokens", "prompt_cache_miss_tokens"),
    _OPENAI_TERMS,
)
_MISTRAL = Format(
    ("usage",),
    (
        _read("prompt_tokens", "input_tokens"),
        _read(
            "prompt_tokens_details.cached_tokens|prompt_token_details.cached_tokens|num_cached_tokens",
            "cache_read_tokens",
        ),
        _read("prompt_audio_seconds", "input_audio_seconds"),
        _read("completion_tokens", "output_tokens"),
        _read("completion_tokens_details.reasoning_tokens", "reasoning_tokens"),
    ),
    ("total_tokens",),
)
_MISTRAL_OCR = Format(("usage_info",), (_read("pages_processed", "pages"),), ("doc_size_bytes",))
# What Cohere bills leaves out the tokens of its own templates, which ``tokens`` counts too.
_COHERE = Format(
    ("usage", "meta"),
    (
        _read("billed_units.input_tokens|tokens.input_tokens", "input_tokens"),
        _read("billed_units.output_tokens|tokens.output_tokens", "output_tokens"),
        _read("billed_units.search_units", "queries"),
        # Newer models are charged by the tokens of their images, and older ones by the image.
        _read("billed_units.image_tokens", "input_tokens", "input_image_tokens"),
        Reading(("billed_units.images",), ("input_images",), unless="billed_units.image_tokens"),
    ),
    ("api_version.version",),
)
_OPENROUTER = Format(
    ("usage",),
    (*_CHAT_READINGS, _read("server_tool_use.web_search_requests", "web_searches")),
    _CHAT_KNOWN,
    _OPENAI_TERMS,
)
_XAI = Format(
    ("usage",),
    (
        *(reading for reading in _CHAT_READINGS if "reasoning_tokens" not in reading.meters),
        _read("completion_tokens_details.reasoning_tokens", "output_tokens", "reasoning_tokens"),
    ),
    _CHAT_KNOWN,
    _OPENAI_TERMS,
)
_XAI_RESPONSES = Format(
    ("response.usage", "usage"),
    (
        *_RESPONSES_READINGS,
        _read("server_side_tool_usage_details.web_search_calls", "web_searches"),
        _read("server_side_tool_usage_details.x_search_calls", "social_searches"),
        _read("server_side_tool_usage_details.code_interpreter_calls", "code_executions"),
        _read("server_side_tool_usage_details.file_search_calls", "storage_searches"),
    ),
    # The sum of the calls by tool.
    (*_RESPONSES_KNOWN, "num_server_side_tools_used"),
    _OPENAI_TERMS,
)
_GROQ = Format(
    ("usage",),
    _CHAT_READINGS,
    (*_CHAT_KNOWN, "queue_time", "prompt_time", "completion_time", "total_time"),
    (
        TermReading(
            "service_tier",
            "service_tier",
            {"on_demand": "standard", "flex": "flex", "performance": "performance"},
            in_body=True,
        ),
    ),
)
_PERPLEXITY = Format(
    ("usage",),
    (
        _read("prompt_tokens", "input_tokens"),
        _read("completion_tokens", "output_tokens"),
        _read("reasoning_tokens", "output_tokens", "reasoning_tokens"),
        _read("citation_tokens", "output_tokens", "citation_tokens"),
        _read("num_search_queries", "web_searches"),
    ),
    ("total_tokens",),
    (TermReading("search_context_size", "variant"),),
    defaults={"variant": "low"},
    within_request=("web_searches",),
)
_PERPLEXITY_RESPONSES = Format(
    ("response.usage", "usage"),
    (
        _read("input_tokens", "input_tokens"),
        _read("input_tokens_details.cache_read_input_tokens", "cache_read_tokens"),
        _read("input_tokens_details.cache_creation_input_tokens", "cache_write_tokens"),
        _read("output_tokens", "output_tokens"),
        _read("output_tokens_details.reasoning_tokens", "reasoning_tokens"),
        _read("tool_calls_details.search_web.invocation", "web_searches"),
    ),
    ("total_tokens",),
)
_DATABRICKS = Format(
    ("usage",),
    (
        _read("prompt_tokens", "input_tokens"),
        _read("cache_read_input_tokens", "cache_read_tokens"),
        _read("cache_creation_input_tokens", "cache_write_tokens"),
        _read("completion_tokens", "output_tokens"),
        _read("reasoning_tokens", "reasoning_tokens"),
    ),
    ("total_tokens",),
)
_MOONSHOT = Format(
    ("usage",),
    (
        _read("cached_tokens|prompt_tokens_details.cached_tokens", "cache_read_tokens"),
        *(reading for reading in _CHAT_READINGS if reading.meters != ("cache_read_tokens",)),
    ),
    _CHAT_KNOWN,
    _OPENAI_TERMS,
)
_CLOUDFLARE = Format(("result.usage", "usage"), _CHAT_READINGS, _CHAT_KNOWN, _OPENAI_TERMS)
_CURSOR = Format(
    ("tokenUsage",),
    (
        _read("inputTokens", "input_tokens"),
        _read("cacheReadTokens", "input_tokens", "cache_read_tokens"),
        _read("cacheWriteTokens", "input_tokens", "cache_write_tokens"),
        _read("outputTokens", "output_tokens"),
    ),
)

FORMATS: dict[str, Format] = {
    "openai-chat": _CHAT,
    "openai-responses": _RESPONSES,
    "openai-embeddings": _EMBEDDINGS,
    "openai-images": _RESPONSES,
    "openai-realtime": _REALTIME,
    "openai-transcriptions": _TRANSCRIPTIONS,
    "anthropic": _ANTHROPIC,
    "gemini": _GEMINI,
    "bedrock": _BEDROCK,
    "deepseek": _DEEPSEEK,
    "mistral": _MISTRAL,
    "mistral-ocr": _MISTRAL_OCR,
    "cohere": _COHERE,
    "openrouter": _OPENROUTER,
    "xai": _XAI,
    "xai-responses": _XAI_RESPONSES,
    "groq": _GROQ,
    "perplexity": _PERPLEXITY,
    "perplexity-responses": _PERPLEXITY_RESPONSES,
    "moonshot": _MOONSHOT,
    "databricks": _DATABRICKS,
    "cloudflare": _CLOUDFLARE,
    "cursor": _CURSOR,
}
