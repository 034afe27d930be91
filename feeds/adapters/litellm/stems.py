"""The words that LiteLLM's price fields begin with, and the meter that each counts."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

CLOCK_METERS = frozenset(
    {"input_audio_seconds", "output_audio_seconds", "input_video_seconds", "output_video_seconds", "audio_seconds"}
)
SIZED_METERS = CLOCK_METERS | {"input_images", "output_images", "input_pixels", "output_pixels"}

# Suffix -> (service tier, rank); "batches" and "batch_requests" are one tier under two names.
SERVICE_TIERS = {
    "batches": ("batch", 0),
    "batch_requests": ("batch", 10),
    "flex": ("flex", 0),
    "priority": ("priority", 0),
    "ultrafast": ("ultrafast", 0),
    "balanced": ("balanced", 0),
    "fast": ("fast", 0),
}

# Databricks' price per token in its own units (DBU). Every row that has one also states the price
# in US dollars, which is the DBU figure times the dollar price of a DBU: taking both would say
# everything twice, once in no currency. "output_db_…" is a misspelling that lived until 2025-11.
DUPLICATES_IN_OTHER_UNITS = frozenset(
    {"input_dbu_cost_per_token", "output_dbu_cost_per_token", "output_db_cost_per_token"}
)


class Stem(NamedTuple):
    """The meter of a stem, the quantity of it that the source's amount is for, and its rank among synonyms."""

    meter: str
    quantity: int = 1
    rank: int = 0
    variant: str = ""


_COMMON = {
    "input_cost_per_token": Stem("input_tokens"),
    "output_cost_per_token": Stem("output_tokens"),
    "cache_read_input_token_cost": Stem("cache_read_tokens"),
    "input_cost_per_token_cache_hit": Stem("cache_read_tokens", rank=1),
    "cache_creation_input_token_cost": Stem("cache_write_tokens"),
    "output_cost_per_reasoning_token": Stem("reasoning_tokens"),
    "citation_cost_per_token": Stem("citation_tokens"),
    "computer_use_input_cost_per_1k_tokens": Stem("input_tokens", 1000, variant="computer-use"),
    "computer_use_output_cost_per_1k_tokens": Stem("output_tokens", 1000, variant="computer-use"),
    "input_cost_per_request": Stem("requests"),
    "input_cost_per_query": Stem("queries"),
    "google_maps_grounding_cost_per_query": Stem("map_searches"),
    "ocr_cost_per_page": Stem("pages"),
    "annotation_cost_per_page": Stem("annotated_pages"),
    "ocr_cost_per_credit": Stem("credits"),
    "code_interpreter_cost_per_session": Stem("sessions"),
    "file_search_cost_per_1k_calls": Stem("storage_searches", 1000),
    "file_search_cost_per_gb_per_day": Stem("storage_gb_days", variant="file-search"),
    "vector_store_cost_per_gb_per_day": Stem("storage_gb_days"),
    "search_context_cost_per_query.search_context_size_low": Stem("web_searches", variant="low"),
    "search_context_cost_per_query.search_context_size_medium": Stem("web_searches", variant="medium"),
    "search_context_cost_per_query.search_context_size_high": Stem("web_searches", variant="high"),
}

# Inside this object each name is a policy, with the price of a unit.
GUARDRAIL_POLICY = "guardrail_cost_per_unit."
GUARDRAIL_UNIT = Stem("guardrail_units")


def _by_direction() -> dict[str, Stem]:
    """The stems that exist for input and output alike."""
    stems: dict[str, Stem] = {}
    for way in ("input", "output"):
        stems |= {f"{way}_cost_per_{what}_token": Stem(f"{way}_{what}_tokens") for what in ("audio", "image", "video")}
        stems |= {f"{way}_cost_per_{what}": Stem(f"{way}_{what}s") for what in ("character", "pixel", "image")}
        stems |= {f"{way}_cost_per_{what}_per_second": Stem(f"{way}_{what}_seconds") for what in ("audio", "video")}
    return stems


def _of_cached() -> dict[str, Stem]:
    media = ("audio", "image", "video")
    read = {f"cache_read_input_{what}_token_cost": Stem(f"cache_read_{what}_tokens") for what in media}
    return read | {f"cache_creation_input_{what}_token_cost": Stem(f"cache_write_{what}_tokens") for what in media}


def _clock(either: str, incoming: str, outgoing: str) -> dict[str, Stem]:
    """What a bare second is one of. The bare names yield to those that name the medium."""
    return {
        "cost_per_second": Stem(either, rank=1),
        "input_cost_per_second": Stem(incoming, rank=2),
        "output_cost_per_second": Stem(outgoing, rank=3),
    }


# What a bare "second" and, for pictures, a bare "input" mean depends on how the model is billed.
# A transcription has one clock, that of the audio sent in, whichever way the field is named. A
# model that is rented, such as Bedrock's committed units, is billed by the second it is held.
_BY_BILLING: Mapping[str, Mapping[str, Stem]] = {
    "rented": _clock("compute_seconds", "compute_seconds", "compute_seconds"),
    "heard": _clock("input_audio_seconds", "input_audio_seconds", "input_audio_seconds"),
    "spoken": _clock("audio_seconds", "input_audio_seconds", "output_audio_seconds"),
    "filmed": _clock("output_video_seconds", "input_video_seconds", "output_video_seconds"),
    # LiteLLM books the picture made as "input" where a row has no output price for pictures.
    "drawn": {
        "input_cost_per_image": Stem("output_images", rank=1),
        "input_cost_per_pixel": Stem("output_pixels", rank=1),
    },
}
_BILLING_OF_MODE = {
    "audio_transcription": "heard",
    "audio_speech": "spoken",
    "realtime": "spoken",
    "video_generation": "filmed",
}
_PICTURE_MODES = frozenset({"image_generation", "image_edit"})
_PICTURE_MADE = "output_cost_per_image"


def billing_of(mode: str, row: Mapping[str, object]) -> str:
    """How the model of a row is billed, as far as the meaning of its fields depends on it."""
    if mode in _PICTURE_MODES and not any(field.startswith(_PICTURE_MADE) for field in row):
        return "drawn"
    return _BILLING_OF_MODE.get(mode, "rented")


@cache
def stems_of(billing: str) -> tuple[tuple[str, Stem], ...]:
    """All stems in rows of that billing, longest first, so that the longest that fits is the right one."""
    stems = _COMMON | _by_direction() | _of_cached() | dict(_BY_BILLING["rented"]) | dict(_BY_BILLING[billing])
    return tuple(sorted(stems.items(), key=lambda named: -len(named[0])))
