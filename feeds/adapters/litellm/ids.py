"""What a LiteLLM key says besides the model: seller, region, size, commitment, service tier."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from pricing.claims import STANDARD_TIER

_SIZE = re.compile(r"(\d+|max)-x-(\d+|max)")
_STEPS = re.compile(r"(\d+|max)-steps")
_COMMITMENT = re.compile(r"(\d+-(?:month|year))-commitment")
_AWS_REGION = re.compile(r"[a-z]{2}(-gov|-iso[a-z]?)?-[a-z]+-\d|\*")
_INFERENCE_PROFILE = re.compile(r"(us-gov|us|eu|apac|ap|jp|au|ca|sa|me|af|in|uk|global)\.(?=[a-z0-9-]+\.)")
_QUALITIES = frozenset({"auto", "low", "medium", "high", "xhigh", "max", "standard", "hd"})
_BEDROCK_ROUTES = frozenset({"invoke", "converse"})
_ANTHROPIC_SPEEDS = frozenset({"fast"})
_FIREWORKS_FOLDER = "accounts/fireworks/models/"
_OPENROUTER_BATCH = ":batch"

# "global-standard" is Azure's name of the deployment type that its price list calls global.
_AZURE_REGIONS = {"eu": "eu", "us": "us", "us-gov": "us-gov", "global": "global", "global-standard": "global"}
GEOGRAPHIES = frozenset({"us", "eu", "apac", "jp", "au", "uk", "in", "ca", "global", "us-gov"})


class SplitId(NamedTuple):
    """A key taken apart: the model as the seller names it, and the conditions that the key fixes.

    ``variant`` joins the key's own segments (``hd/1024-x-1024``); ``commitment`` is a term such
    as ``6-month``; ``region`` is a cloud's region, a geography, or ``global``.
    """

    model: str
    region: str = ""
    variant: str = ""
    commitment: str = ""
    service_tier: str = STANDARD_TIER

    @property
    def without_model(self) -> SplitId:
        """The conditions alone."""
        return self._replace(model="") if self[1:] != _NO_CONDITIONS[1:] else _NO_CONDITIONS


_NO_CONDITIONS = SplitId("")


def offering_id(provider: str, key: str) -> str:
    """The seller's own id of what the key prices, shared by all its regions, sizes and terms."""
    return split_id(key, provider).model


@lru_cache(maxsize=16_384)
def split_id(key: str, provider: str) -> SplitId:
    """Take a key apart, knowing the ``litellm_provider`` of its row.

    The seller's prefix goes, once; a reseller's vendor part stays, as do ``:free`` and the like,
    for they name another product. Only the sellers that are known to put a region in the path
    have one taken from it.
    """
    path, found = _leading_conditions(key.split("/"), provider)
    model = "/".join(path).removeprefix(_FIREWORKS_FOLDER) if provider.startswith("fireworks") else "/".join(path)
    if provider.startswith("bedrock") and (profile := _INFERENCE_PROFILE.match(model)):
        model = model[profile.end() :]
        found.setdefault("region", profile.group(1))
    if provider == "openrouter" and model.endswith(_OPENROUTER_BATCH):
        model = model.removesuffix(_OPENROUTER_BATCH)
        found["service_tier"] = "batch"
    return SplitId(model, **found)


def _leading_conditions(path: list[str], provider: str) -> tuple[list[str], dict[str, str]]:
    """Drop the leading segments that are not the model, and tell what they fixed."""
    found: dict[str, str] = {}
    prefix_seen = False
    while len(path) > 1:
        if not prefix_seen and _names_seller(path[0], provider):
            prefix_seen = True
        else:
            condition = _condition(path[0], path[1], provider)
            if condition is None:
                break
            name, value = condition
            if value:
                found[name] = f"{found[name]}/{value}" if name in found else value
        path = path[1:]
    return path, found


def _names_seller(segment: str, provider: str) -> bool:
    """Whether a segment is the row's seller: ``bedrock`` for bedrock_converse, ``amazon-nova`` for amazon_nova."""
    prefix = segment.replace("-", "_")
    seller = provider.replace("-", "_")
    return prefix == seller or seller.startswith(f"{prefix}_")


def _condition(segment: str, following: str, provider: str) -> tuple[str, str] | None:
    """The condition that one path segment fixes, as (name, value), or None when it is part of the model."""
    if _SIZE.fullmatch(segment) or _STEPS.fullmatch(segment):
        return "variant", segment
    if segment in _QUALITIES and _SIZE.fullmatch(following):
        return "variant", segment
    if term := _COMMITMENT.fullmatch(segment):
        return "commitment", term.group(1)
    return _place_or_speed(segment, provider)


def _place_or_speed(segment: str, provider: str) -> tuple[str, str] | None:
    if provider.startswith("azure") and segment in _AZURE_REGIONS:
        return "region", _AZURE_REGIONS[segment]
    if provider.startswith("bedrock"):
        if _AWS_REGION.fullmatch(segment):
            return "region", segment.removeprefix("*")
        return ("region", "") if segment in _BEDROCK_ROUTES else None
    if provider == "anthropic":
        if segment in _ANTHROPIC_SPEEDS:
            return "service_tier", segment
        return ("region", segment) if segment in GEOGRAPHIES else None
    return None
