"""One row of OpenRouter's list: the offering, its facts, and what its id says besides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from feeds.adapters.amounts import BadRow, check_fields, shape_name
from feeds.adapters.openrouter.prices import read_pricing
from pricing.claims import STANDARD_TIER, Claim, ModelFacts, ParsedDocument, ParsedOffering, Rejection

SELLER = "openrouter"
_BATCH = ":batch"
_NEVER = date(2098, 12, 31)
_PRICE_WORDS = ("price", "pricing", "cost")
_PRICING = "pricing"

Row = Mapping[str, Any]


def offering_id(_provider: str, external_id: str) -> str:
    """The id of what is sold: batch processing is a service tier of it.

    ``:free``, ``:thinking`` and the like stay, for they are products with prices of their own.
    """
    return external_id.removesuffix(_BATCH)


def read_row(model: str, row: Row, document: ParsedDocument) -> ParsedOffering:
    """What a row says; what it leaves open or what no rule understands is told of in ``document``.

    Raises BadRow for a bad price.
    """
    pricing = row.get(_PRICING)
    if not isinstance(pricing, dict):
        raise BadRow(f"{_PRICING} is {shape_name(pricing)}, but the prices stand in an object")
    check_fields(pricing, _PRICING)
    found = read_pricing(pricing)
    document.unrecognised.update(found.unknown)
    document.unrecognised.update(_strange_prices(row))
    if found.at_run_time:
        reason = f"{', '.join(found.at_run_time)}: -1, a price that is decided at run time and states none"
        document.set_aside.append(Rejection(SELLER, model, reason))
    tier = "batch" if model.endswith(_BATCH) else STANDARD_TIER
    claims = tuple(_in_tier(claim, tier) for claim in found.claims)
    return ParsedOffering(SELLER, model, claims, model_facts(model, row), found.slots)


def _in_tier(claim: Claim, tier: str) -> Claim:
    return claim if tier == STANDARD_TIER else replace(claim, line=replace(claim.line, service_tier=tier))


def _strange_prices(row: Row) -> list[str]:
    return [field for field in row if field != _PRICING and any(word in field.lower() for word in _PRICE_WORDS)]


def model_facts(model: str, row: Row) -> ModelFacts:
    """What a row says besides prices; a value of the wrong kind counts as not said.

    ``created`` is when OpenRouter listed the id, which is no release date, and one ``canonical_slug``
    stands under several ids, so that it names the model and not the offering.
    """
    architecture = _object(row.get("architecture"))
    return ModelFacts(
        name=_without_vendor(_text(row.get("name"))),
        developer=model.partition("/")[0] if "/" in model else "",
        base_model=_text(row.get("canonical_slug")),
        input_modalities=_words(architecture.get("input_modalities")),
        output_modalities=_words(architecture.get("output_modalities")),
        context_tokens=_count(row.get("context_length")),
        max_output_tokens=_count(_object(row.get("top_provider")).get("max_completion_tokens")),
        retired_on=_retirement(_text(row.get("expiration_date"))),
    )


def _without_vendor(name: str) -> str:
    """The model's own name: a listing is called "OpenAI: GPT-5"."""
    vendor, colon, own = name.partition(": ")
    return own if colon and vendor and own.strip() else name


def _retirement(text: str) -> date | None:
    """The day from which the id is gone; a day at the end of the century is said of what stays."""
    try:
        day = date.fromisoformat(text[:10])
    except ValueError:
        return None
    return day if day < _NEVER else None


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _words(value: object) -> tuple[str, ...]:
    return tuple(value) if isinstance(value, list) and all(isinstance(word, str) for word in value) else ()


def _count(value: object) -> int | None:
    return value if type(value) is int and value > 0 else None
