"""Lines that both the engine and genai-prices can price: every model, a grid of usages, moments and contexts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from genai_prices import Usage
from genai_prices.data import providers
from genai_prices.types import ConditionalPrice, ModelInfo, ModelPrice, PriceVariant, Provider, TieredPrices

from feeds.adapters.genai_prices.scopes import scopes

INSTANT = timedelta(microseconds=1)
TODAY = datetime.combine(datetime.now(UTC).date(), time(12), tzinfo=UTC)

# Their name of a count where it is not ours.
THEIR_NAMES = {
    "reasoning_tokens": "output_reasoning_tokens",
    "citation_tokens": "output_citation_tokens",
    "cache_read_audio_tokens": "cache_audio_read_tokens",
    "cache_read_image_tokens": "cache_image_read_tokens",
    "pages": "input_document_pages",
    "annotated_pages": "input_annotated_document_pages",
    "messages": "input_text_messages",
}
USAGES: tuple[dict[str, int], ...] = (
    {"input_tokens": 1_000, "output_tokens": 200},
    {
        "input_tokens": 10_007,
        "cache_read_tokens": 4_001,
        "cache_write_tokens": 2_003,
        "output_tokens": 501,
        "reasoning_tokens": 333,
    },
    {"input_tokens": 10_007, "cache_write_tokens": 2_003, "cache_write_1h_tokens": 999, "output_tokens": 1},
    {
        "input_tokens": 9_001,
        "input_audio_tokens": 2_001,
        "input_image_tokens": 1_007,
        "input_video_tokens": 503,
        "cache_read_tokens": 3_001,
        "cache_read_audio_tokens": 700,
        "cache_read_image_tokens": 70,
        "output_tokens": 4_001,
        "output_audio_tokens": 77,
        "output_image_tokens": 1_290,
        "output_video_tokens": 5,
    },
    {"input_tokens": 50, "output_tokens": 999, "citation_tokens": 20, "web_searches": 3, "storage_searches": 2},
    {"pages": 4, "annotated_pages": 7, "messages": 13, "input_characters": 1_234},
    {"audio_seconds": 61},
    {"input_audio_seconds": 61},
    {"input_audio_seconds": 4},
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line to price, in our words and in theirs."""

    provider: str
    model: str
    usage: Mapping[str, int]
    at: datetime
    terms: Mapping[str, str]
    context: Mapping[str, str]
    theirs: Usage
    peer: tuple[Provider, ModelInfo]


def all_lines() -> Iterator[Line]:
    """Every model with every usage, at today and around each moment at which its prices change."""
    for provider in providers:
        for model in provider.models:
            yield from lines_of(provider, model)


def lines_of(provider: Provider, model: ModelInfo) -> Iterator[Line]:
    contexts = _contexts(model)
    usages = [*USAGES, *_around_thresholds(model)]
    spoken = [_their_usage(usage) for usage in usages]
    for context, terms in contexts:
        for at in _moments(model):
            for usage, theirs in zip(usages, spoken, strict=True):
                yield Line(provider.id, model.id, usage, at, terms, context, theirs, (provider, model))


def _their_usage(usage: Mapping[str, int]) -> Usage:
    """Their pages include the annotated ones, and their audio that of either direction."""
    counts = {THEIR_NAMES.get(key, key): value for key, value in usage.items()}
    if "pages" in usage:
        counts["input_document_pages"] += usage.get("annotated_pages", 0)
    if "input_audio_seconds" in usage:
        counts["audio_seconds"] = usage["input_audio_seconds"]
    return Usage(**counts)


def _contexts(model: ModelInfo) -> list[tuple[dict[str, str], dict[str, str]]]:
    """The request contexts that the model's variants name, with our terms for each."""
    whens = (frozenset(variant.when.items()) for variant in model.price_variants or ())
    return [
        (dict(context), {"service_tier": scope.service_tier, "region": scope.region, "variant": scope.variant})
        for context, scope in scopes(whens).items()
    ]


def _moments(model: ModelInfo) -> list[datetime]:
    """Today, and both sides of every date and of every window's edges on the days after it."""
    conditions = [entry.constraint for entry in _conditional(model) if entry.constraint is not None]
    dates = {getattr(constraint, "start_date", None) for constraint in conditions} - {None}
    edges = {
        moment
        for constraint in conditions
        for moment in (getattr(constraint, "start_time", None), getattr(constraint, "end_time", None))
        if moment is not None
    }
    days = sorted({TODAY.date(), TODAY.date() + timedelta(days=5), *dates})
    moments = {TODAY, *(_at(day, edge) for day in days for edge in (time(), *edges))} if conditions else {TODAY}
    return sorted({moment - away for moment in moments for away in (INSTANT, timedelta())} if conditions else moments)


def _at(day: date, clock: time) -> datetime:
    return datetime.combine(day, clock if clock.tzinfo else clock.replace(tzinfo=UTC)).astimezone(UTC)


def _conditional(model: ModelInfo) -> Iterable[ConditionalPrice | PriceVariant]:
    entries = model.prices if isinstance(model.prices, list) else []
    return [*entries, *(model.price_variants or ())]


def _around_thresholds(model: ModelInfo) -> Iterator[dict[str, int]]:
    starts = {tier.start for price in _prices(model) for value in _amounts(price) for tier in value.tiers}
    for start in sorted(starts):
        for tokens in (start, start + 1):
            yield {"input_tokens": tokens, "cache_read_tokens": tokens // 3, "output_tokens": 2_000}


def _prices(model: ModelInfo) -> list[ModelPrice]:
    plain = [] if isinstance(model.prices, list) else [model.prices]
    return [*plain, *(entry.prices for entry in _conditional(model))]


def _amounts(price: ModelPrice) -> list[Any]:
    return [value for value in vars(price).values() if isinstance(value, TieredPrices)]
