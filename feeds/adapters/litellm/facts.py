"""What a LiteLLM row says of the model besides prices."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import lru_cache

from pricing.claims import ModelFacts

_INPUT_FLAGS = (
    ("supports_vision", "image"),
    ("supports_image_input", "image"),
    ("supports_embedding_image_input", "image"),
    ("supports_audio_input", "audio"),
    ("supports_video_input", "video"),
    ("supports_pdf_input", "pdf"),
)
_OUTPUT_FLAGS = (("supports_audio_output", "audio"),)
_TEXT_MODES = frozenset({"chat", "completion", "responses", "embedding", "realtime"})

Row = Mapping[str, object]


def model_facts(row: Row, mode: str) -> ModelFacts:
    """The facts of a row; what is missing or of the wrong kind stays empty."""
    limit = row.get("max_input_tokens")
    return _facts(
        mode,
        _modalities(row, mode, "supported_modalities", _INPUT_FLAGS),
        _modalities(row, mode, "supported_output_modalities", _OUTPUT_FLAGS),
        (_tokens(row.get("max_tokens") if limit is None else limit), _tokens(row.get("max_output_tokens"))),
        _date(row.get("deprecation_date")),
    )


# Many rows say the same, and looking that up is cheaper than filling fourteen fields.
@lru_cache(maxsize=8192)
def _facts(
    mode: str,
    incoming: tuple[str, ...],
    outgoing: tuple[str, ...],
    limits: tuple[int | None, int | None],
    deprecated_on: date | None,
) -> ModelFacts:
    return ModelFacts(
        mode=mode,
        input_modalities=incoming,
        output_modalities=outgoing,
        context_tokens=limits[0],
        max_output_tokens=limits[1],
        deprecated_on=deprecated_on,
    )


def _tokens(value: object) -> int | None:
    if type(value) is int:
        return value if value > 0 else None
    if isinstance(value, Decimal) and value > 0 and abs(value.adjusted()) < 20 and value == int(value):
        return int(value)
    return None


def _date(value: object) -> date | None:
    return _parsed_date(value) if isinstance(value, str) else None


@lru_cache(maxsize=1024)
def _parsed_date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _modalities(row: Row, mode: str, list_field: str, flags: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    """The row's own list, with what its flags add; flags alone add to text where the mode is one of text."""
    flagged = [modality for field, modality in flags if row.get(field) is True]
    listed = row.get(list_field)
    stated = [item for item in listed if isinstance(item, str)] if isinstance(listed, list) else []
    if not flagged:
        return tuple(stated)
    base = stated or (["text"] if mode in _TEXT_MODES else [])
    return tuple(dict.fromkeys([*base, *flagged]))
