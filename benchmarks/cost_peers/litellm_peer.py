"""The engine against ``litellm.cost_per_token``, on every chat model of the installed LiteLLM's own document."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.cost_peers.differences import UNEXPLAINED, Comparison, Difference, Reason
from benchmarks.cost_peers.sheets import Sheets, litellm_sheets
from pricing.cost import Cost, PriceSheet, price
from pricing.meters import METERS
from pricing.tariffs import CostError, Terms

NAME = "litellm.cost_per_token"
_DOCUMENT = "model_prices_and_context_window_backup.json"
_MODES = ("chat", "completion", "responses")
# The tiers that a line may ask for, and the field by which a row prices each.
_TIERS = {
    "priority": "input_cost_per_token_priority",
    "flex": "input_cost_per_token_flex",
    "batch": "input_cost_per_token_batches",
}
_CACHE_FIELDS = {
    "cache_read_tokens": "cache_read_input_token_cost",
    "cache_write_tokens": "cache_creation_input_token_cost",
    "cache_write_1h_tokens": "cache_creation_input_token_cost_above_1hr",
}
_chosen: list[Path] = []
_loaded: dict[str, Any] = {}
# Floats: what is closer than this is one amount.
_NOISE = Decimal("1e-9")

USAGES: tuple[dict[str, int], ...] = (
    {"input_tokens": 1_000, "output_tokens": 200},
    {"input_tokens": 10_007, "cache_read_tokens": 4_001, "output_tokens": 501, "reasoning_tokens": 333},
    {"input_tokens": 10_007, "cache_read_tokens": 4_001, "cache_write_tokens": 2_003, "output_tokens": 501},
    {"input_tokens": 10_007, "cache_write_tokens": 5_003, "cache_write_1h_tokens": 2_001, "output_tokens": 501},
    {"input_tokens": 150_001, "cache_read_tokens": 40_001, "output_tokens": 200},
    {"input_tokens": 300_001, "output_tokens": 200},
    {"input_tokens": 300_001, "cache_read_tokens": 140_001, "cache_write_tokens": 2_003, "output_tokens": 200},
)

REQUEST_FEE = Reason("the document's price per request: cost_per_token leaves its own field out", "ours")
PERPLEXITY = Reason(
    "cost_per_token prices all of Perplexity's input as new and of any length, although the document prices its cache "
    "and long inputs",
    "ours",
)
FIREWORKS_CACHE = Reason(
    "where the document has no cache price for Fireworks, cost_per_token takes half of the input price", "theirs"
)
FIREWORKS_TIER = Reason(
    "cost_per_token leaves the service tier out for Fireworks, although the document prices it", "ours"
)
LONG_TIER = Reason(
    "the tier has no price above the threshold: cost_per_token takes the standard one for long inputs, the engine the "
    "tier's own for any length",
    "neither: sellers charge the tier's share of the long price, which the document lacks",
)
BATCH_HALF = Reason(
    "the document has a batch price for the input alone: batch_cost_calculator takes half of the standard price for "
    "the output, the engine all of it",
    "theirs: sellers halve both",
)
BATCH_CACHE = Reason(
    "the document has no batch price for the cache: batch_cost_calculator charges what was read or written as new "
    "input in the batch, the engine at the cache's own standard price",
    "ours: a cache that is priced is not charged as new input",
)
BATCH_HOUR = Reason(
    "batch_cost_calculator charges a write for an hour as one for five minutes, although the document prices both",
    "ours",
)
OTHER_ROW = Reason(
    "the document has two rows whose keys differ by the provider in front: cost_per_token prices the other one",
    "ours: the row that was asked for",
)


@dataclass(frozen=True, slots=True)
class Line:
    """One line to price, in our words; ``row`` is the document's."""

    key: str
    provider: str
    usage: Mapping[str, int]
    terms: Terms
    sheet: PriceSheet
    row: Mapping[str, Any]
    tier: str | None = None


def is_installed() -> bool:
    """Whether the peer is there; it is no dependency of the project."""
    return find_spec("litellm") is not None


def use_document(path: Path) -> None:
    """Compare on this document, which litellm is told to use as well, in place of the one in its package."""
    _chosen[:] = [path]


def document() -> bytes:
    """The document that both price by."""
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    import litellm

    litellm.suppress_debug_info = True
    path = _chosen[0] if _chosen else Path(litellm.__file__).parent / _DOCUMENT
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    if _chosen and litellm.model_cost is not _loaded.get("rows"):
        _load(json.loads(content))
    return content


def _load(rows: dict[str, Any]) -> None:
    """Put a document in the place of the one that litellm began with."""
    import litellm

    litellm.model_cost.clear()
    litellm.model_cost.update({key: row for key, row in rows.items() if key != "sample_spec"})
    litellm.add_known_models()
    _loaded["rows"] = litellm.model_cost
    litellm.utils._invalidate_model_cost_lowercase_map()
    for name in ("_cached_get_model_info_helper", "get_model_info"):
        getattr(getattr(litellm.utils, name, None), "cache_clear", lambda: None)()


def all_lines() -> Iterator[Line]:
    """Every chat model priced by tokens, with every usage, in each tier that its row prices."""
    sheets = litellm_sheets(document())
    import litellm

    for (provider, key), sheet in sheets.items():
        row = litellm.model_cost.get(key, {})
        if row.get("mode") in _MODES and row.get("input_cost_per_token") is not None:
            fixed = fixed_terms(sheet)
            for usage in USAGES:
                yield Line(key, provider, usage, fixed, sheet, row)
                for tier, field in _TIERS.items():
                    if field in row:
                        yield Line(key, provider, usage, fixed._replace(service_tier=tier), sheet, row, tier)


def fixed_terms(sheet: PriceSheet) -> Terms:
    """The tier, region, variant and commitment that a key fixes: those that all its token prices share."""
    lines = [found.line for found in sheet.tariffs if METERS[found.line.meter].slug.endswith("_tokens")]
    shared = {field: {getattr(line, field) for line in lines} for field in Terms._fields}
    return Terms(**{field: values.pop() for field, values in shared.items() if len(values) == 1})


def compare() -> Comparison:
    """Price every line of the grid both ways, now."""
    comparison = Comparison(NAME)
    for line in all_lines():
        ours, theirs = _our_cost(line), _their_total(line)
        total = ours if isinstance(ours, str) else ours.total
        if _same(total, theirs):
            comparison.equal += 1
        else:
            asked = f"{dict(line.usage)} {' '.join(filter(None, line.terms))}"
            comparison.differences.append(Difference(line.key, asked, total, theirs, _reason(line, ours, theirs)))
    return comparison


def _our_cost(line: Line) -> Cost | str:
    try:
        return price(line.sheet, line.usage, datetime.now(UTC), **line.terms._asdict())
    except CostError as error:
        return str(error)


def _their_total(line: Line) -> Decimal | str:
    try:
        return Decimal(repr(float(sum(_their_costs(line)))))
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def _their_costs(line: Line) -> tuple[float, float]:
    """Of the input and the output; batches have a function of their own."""
    import litellm
    from litellm.cost_calculator import batch_cost_calculator

    usage = _their_usage(line.usage)
    if line.tier == "batch":
        return batch_cost_calculator(usage, line.key, line.row.get("litellm_provider"))
    costs: tuple[float, float] = litellm.cost_per_token(**_their_words(line), usage_object=usage)
    return costs


def _their_words(line: Line) -> dict[str, Any]:
    return {
        "model": line.key,
        "custom_llm_provider": line.row.get("litellm_provider"),
        "prompt_tokens": line.usage["input_tokens"],
        "completion_tokens": line.usage["output_tokens"],
        "cache_read_input_tokens": line.usage.get("cache_read_tokens", 0),
        "cache_creation_input_tokens": line.usage.get("cache_write_tokens", 0),
        "service_tier": line.tier,
    }


def _their_usage(usage: Mapping[str, int]) -> Any:
    from litellm.types.utils import (
        CacheCreationTokenDetails,
        CompletionTokensDetailsWrapper,
        PromptTokensDetailsWrapper,
        Usage,
    )

    read, written = usage.get("cache_read_tokens", 0), usage.get("cache_write_tokens", 0)
    for_an_hour = usage.get("cache_write_1h_tokens", 0)
    by_age = CacheCreationTokenDetails(
        ephemeral_5m_input_tokens=written - for_an_hour, ephemeral_1h_input_tokens=for_an_hour
    )
    return Usage(
        prompt_tokens=usage["input_tokens"],
        completion_tokens=usage["output_tokens"],
        total_tokens=usage["input_tokens"] + usage["output_tokens"],
        prompt_tokens_details=PromptTokensDetailsWrapper(
            cached_tokens=read,
            cache_creation_tokens=written,
            cache_creation_token_details=by_age if for_an_hour else None,
        ),
        completion_tokens_details=CompletionTokensDetailsWrapper(reasoning_tokens=usage.get("reasoning_tokens", 0)),
        cache_read_input_tokens=read,
        cache_creation_input_tokens=written,
    )


def _same(ours: Decimal | str, theirs: Decimal | str) -> bool:
    if isinstance(ours, str) or isinstance(theirs, str):
        return False
    return abs(ours - theirs) <= _NOISE * max(abs(ours), abs(theirs))


def _reason(line: Line, ours: Cost | str, theirs: Decimal | str) -> Reason:
    if isinstance(ours, str) or isinstance(theirs, str):
        return UNEXPLAINED
    is_batch, row = line.tier == "batch", line.row
    cached = [key for key in line.usage if key.startswith("cache_")]
    reasons = (
        (REQUEST_FEE, any(item.meter == "requests" for item in ours.items)),
        (FIREWORKS_TIER, line.provider == "fireworks_ai" and line.tier),
        (FIREWORKS_CACHE, line.provider == "fireworks_ai"),
        (BATCH_HALF, is_batch and "output_cost_per_token_batches" not in row),
        (BATCH_HOUR, is_batch and "cache_write_1h_tokens" in cached and _has_batch_cache(row)),
        (BATCH_CACHE, is_batch and cached and not all(f"{_CACHE_FIELDS[key]}_batches" in row for key in cached)),
        (LONG_TIER, line.tier and _is_short_of_long_prices(line, ours)),
        (OTHER_ROW, _prices_other_row(line)),
        (PERPLEXITY, line.provider == "perplexity" and (cached or line.sheet.thresholds)),
    )
    return next((reason for reason, holds in reasons if holds), UNEXPLAINED)


def _has_batch_cache(row: Mapping[str, Any]) -> bool:
    return f"{_CACHE_FIELDS['cache_write_tokens']}_batches" in row


def _is_short_of_long_prices(line: Line, ours: Cost) -> bool:
    """Whether the input is above a threshold of the document, and some item's price is not."""
    above = [threshold for threshold in line.sheet.thresholds if line.usage["input_tokens"] > threshold]
    return bool(above) and any(not item.price.line.above_input_tokens for item in ours.items)


def _prices_other_row(line: Line) -> bool:
    import litellm

    provider = line.row.get("litellm_provider")
    others = {f"{provider}/{line.key}", line.key.removeprefix(f"{provider}/")} - {line.key}
    return any(litellm.model_cost.get(key, line.row) != line.row for key in others)


def timed_lines(count: int) -> list[Line]:
    """Lines to take the time of, in the standard tier, whose totals are equal and not 0."""
    same = []
    for line in all_lines():
        cost = _our_cost(line)
        if line.tier is None and not isinstance(cost, str) and cost.total and _same(cost.total, _their_total(line)):
            same.append(line)
    return Random(0).choices(same, k=count)


def our_loop(lines: Sequence[Line]) -> Callable[[], None]:
    """Price the lines by the engine, finding each sheet by its key."""
    sheets: Sheets = {(line.provider, line.key): line.sheet for line in lines}
    asked = [(line.provider, line.key, line.usage, line.terms.region) for line in lines]
    at = datetime.now(UTC)

    def run() -> None:
        for provider, key, usage, region in asked:
            price(sheets[provider, key], usage, at, region=region)

    return run


def their_loop(lines: Sequence[Line]) -> Callable[[], None]:
    """Price the lines by the public function, with its usage objects made before."""
    import litellm

    asked = [{**_their_words(line), "usage_object": _their_usage(line.usage)} for line in lines]

    def run() -> None:
        for words in asked:
            litellm.cost_per_token(**words)

    return run
