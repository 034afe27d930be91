"""The grammar of LiteLLM's price fields: a stem that names the meter, then thresholds, sizes and service tiers."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache

from feeds.adapters.litellm.stems import (
    CLOCK_METERS,
    DUPLICATES_IN_OTHER_UNITS,
    GUARDRAIL_POLICY,
    GUARDRAIL_UNIT,
    SERVICE_TIERS,
    SIZED_METERS,
    Stem,
    stems_of,
)
from pricing.claims import STANDARD_TIER
from pricing.meters import METERS

_PRICE_WORDS = re.compile(r"cost|price|pricing|multiplier|uplift")
_UPLIFT = re.compile(r"regional_(?:processing|endpoint)_uplift_multiplier(?:_([a-z0-9]+(?:_[a-z0-9]+)*))?")
_REGION_WITHOUT_NAME = "regional"

_SUFFIX = re.compile(
    r"_above_(?P<tokens>\d+)(?P<thousands>k?)_tokens"
    r"|_above_(?P<hours>\d+)hr"
    r"|_above_(?P<seconds>\d+)s_interval"
    r"|_above_(?P<width>\d+)_and_(?P<height>\d+)_pixels"
    r"|(?:_and)?_(?P<quality>premium)_image"
    r"|_(?P<size>\d+(?:\.\d+)?[kK]|\d+p|\d{3,4})(?=_|$)"
    rf"|_(?P<tier>{'|'.join(sorted(SERVICE_TIERS, key=len, reverse=True))})(?=_|$)"
)


@dataclass(frozen=True, slots=True)
class PriceField:
    """What a field's name says of the price in it.

    ``times`` turns the source's amount into one for the meter's canonical quantity. ``rank``
    orders the fields that can name one line: the lowest is the most explicit.
    """

    meter: str
    times: Decimal
    rank: int = 0
    service_tier: str = STANDARD_TIER
    variant: str = ""
    above_input_tokens: int = 0


@dataclass(frozen=True, slots=True)
class UpliftField:
    """A field that holds a factor on every token price, for requests bound to a region."""

    region: str


def looks_like_price(field: str) -> bool:
    """Whether a field's name promises a price, so that not to understand it has to be reported."""
    return _PRICE_WORDS.search(field) is not None


@lru_cache(maxsize=4096)
def understand(field: str, billing: str) -> PriceField | UpliftField | None:
    """What a field's name says in a row of that ``billing`` (see ``stems``); None when no rule fits."""
    if uplift := _UPLIFT.fullmatch(field):
        return UpliftField((uplift.group(1) or _REGION_WITHOUT_NAME).replace("_", "-"))
    if field.startswith(GUARDRAIL_POLICY):
        return replace(_base(GUARDRAIL_UNIT), variant=field.removeprefix(GUARDRAIL_POLICY))
    for name, stem in stems_of(billing):
        if field.startswith(name) and field[len(name) : len(name) + 1] in ("", "_"):
            return _with_suffixes(_base(stem), field[len(name) :])
    return None


def is_duplicate(field: str) -> bool:
    """Whether a field repeats, in a unit of the seller's own, what the row also says in US dollars."""
    return field in DUPLICATES_IN_OTHER_UNITS


def _base(stem: Stem) -> PriceField:
    return PriceField(stem.meter, Decimal(METERS[stem.meter].per) / stem.quantity, stem.rank, variant=stem.variant)


def _with_suffixes(price: PriceField, rest: str) -> PriceField | None:
    """Read the suffixes one by one; None as soon as one is unknown or makes no sense on this meter."""
    while rest:
        suffix = _SUFFIX.match(rest)
        changed = suffix and _with_suffix(price, suffix)
        if not suffix or changed is None:
            return None
        price, rest = changed, rest[suffix.end() :]
    return price


def _with_suffix(price: PriceField, suffix: re.Match[str]) -> PriceField | None:
    said = {name: text for name, text in suffix.groupdict().items() if text}
    if "tokens" in said:
        return _above(price, int(said["tokens"]) * (1000 if "thousands" in said else 1))
    if "hours" in said:
        return _kept_for(price, said["hours"])
    if "tier" in said:
        return _in_tier(price, said["tier"])
    return _in_variant(price, said)


def _above(price: PriceField, tokens: int) -> PriceField | None:
    """LiteLLM applies a threshold to requests whose prompt is strictly longer, as the ledger does."""
    return None if price.above_input_tokens else replace(price, above_input_tokens=tokens)


def _kept_for(price: PriceField, hours: str) -> PriceField | None:
    """A cache write that is kept for hours is a meter of its own."""
    meter = f"cache_write_{hours}h_tokens"
    return replace(price, meter=meter) if price.meter == "cache_write_tokens" and meter in METERS else None


def _in_tier(price: PriceField, suffix: str) -> PriceField | None:
    tier, rank = SERVICE_TIERS[suffix]
    if price.service_tier != STANDARD_TIER:
        return None
    return replace(price, service_tier=tier, rank=price.rank + rank)


def _in_variant(price: PriceField, said: dict[str, str]) -> PriceField | None:
    if "seconds" in said:
        part, fits = f"over-{said['seconds']}s", price.meter in CLOCK_METERS
    elif "width" in said:
        part, fits = f"over-{said['width']}x{said['height']}", price.meter in SIZED_METERS
    else:
        part, fits = said.get("quality") or said["size"], price.meter in SIZED_METERS
    return replace(price, variant=join_variants(price.variant, part)) if fits else None


def join_variants(*parts: str) -> str:
    """The parts that say something, joined as the ids join theirs."""
    return "/".join(part for part in parts if part)
