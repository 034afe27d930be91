"""The price fields that hold more than a number: search context sizes, guardrail policies, tier lists."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal

from feeds.adapters.litellm.fields import join_variants
from feeds.adapters.litellm.readers import TIERED, FieldReader, PricedLine, count_unknown
from feeds.adapters.litellm.sheets import TIER_LIST_RANK, Quote
from pricing.claims import Claim, Conditions

_TOKENS = "range"
_RESULTS = "max_results_range"


def sized_quotes(structure: str, value: object, reader: FieldReader, unrecognised: Counter[str]) -> Iterator[Quote]:
    """The prices of an object by size or policy. Raises BadRow for a bad price."""
    if not isinstance(value, dict):
        count_unknown(unrecognised, structure, value)
        return
    for name, price in value.items():
        field = f"{structure}.{name}"
        if not isinstance(reader[field], PricedLine):
            count_unknown(unrecognised, field, price)
        elif price is not None:
            yield reader.quote(field, price)


def tiered_quotes(value: object, reader: FieldReader, unrecognised: Counter[str]) -> Iterator[Quote]:
    """The prices of a tier list. Raises BadRow for a bad price.

    A tier holds for the whole request when start < input tokens <= end, so its lines begin above
    its start. Tiers by the number of results become variants. A list with a tier of another shape
    is counted and left whole: without that tier the one below it would seem to go on.
    """
    entries = value if isinstance(value, list) else [value]
    tiers = [entry for entry in entries if isinstance(entry, dict) and _is_ranged(entry)]
    if len(tiers) < len(entries):
        unrecognised[TIERED] += 1
        return
    for tier in tiers:
        for quote in reader.nested_quotes(TIERED, tier, unrecognised):
            yield Quote(Claim(_in_tier(quote.claim.line, tier), quote.claim.amount), TIER_LIST_RANK)


def _in_tier(line: Conditions, tier: Mapping[str, object]) -> Conditions:
    if tokens := _whole_range(tier, _TOKENS):
        return replace(line, above_input_tokens=max(line.above_input_tokens, tokens[0]))
    results = _whole_range(tier, _RESULTS)
    return replace(line, variant=join_variants(line.variant, "results-{}-{}".format(*results))) if results else line


def _is_ranged(tier: Mapping[str, object]) -> bool:
    return bool(_whole_range(tier, _TOKENS) or _whole_range(tier, _RESULTS))


def _whole_range(tier: Mapping[str, object], field: str) -> tuple[int, int] | None:
    match tier.get(field):
        case [int() | Decimal() as start, int() | Decimal() as end] if 0 <= start < end < 10**12 and start % 1 == 0:
            return int(start), int(end)
    return None
