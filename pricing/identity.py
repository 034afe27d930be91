"""The normalised ids by which the references of all sources find one offering, and offerings one model."""

from __future__ import annotations

import re
from functools import lru_cache

_SEPARATORS = re.compile(r"[\s._]+")
_ROUTES = re.compile(r":(free|batch|thinking|extended|online|nitro|floor|beta|exacto|latest)$")
# Bedrock's "-v1:0" counts its own releases of one model; "-v2:0" does so after a date, and elsewhere is another model.
_VERSION_TAG = re.compile(r"(@(latest|default|\d{3}|\d{6,8})|-v1-0|-v1:\d+|(?<=-20\d{6})-v\d+:\d+|-\d:0|:0)$")
# Where a request is served, before the vendor: Bedrock's inference profiles.
_GEOGRAPHY = re.compile(r"^(us|eu|apac|jp|au|ca|us-gov|global|regional)\.(?=[a-z0-9]+\.)")
# Bedrock's "deepseek.r1" and "deepseek.v3" leave nothing of the name without the vendor.
_BARE_VERSION = re.compile(r"^[rv]\d")


# One document names some four thousand ids, and each is taken apart several times.
@lru_cache(maxsize=16_384)
def identity_key(external_id: str) -> str:
    """One form of an id, however a source writes its case, dots, underscores and spaces."""
    return _SEPARATORS.sub("-", external_id.strip().casefold())


@lru_cache(maxsize=16_384)
def model_key(external_id: str) -> str:
    """The id of the model behind a seller's id: without vendor path, route suffix and version tag."""
    name = external_id.strip().casefold().rsplit("/", 1)[-1]
    name = _ROUTES.sub("", name)
    name = _VERSION_TAG.sub("", name)
    name = _GEOGRAPHY.sub("", name)
    head, dot, tail = name.partition(".")
    if dot and head.isalpha() and not tail[:1].isdigit():
        name = f"{head}-{tail}" if _BARE_VERSION.match(tail) else tail
    return identity_key(name.replace(":", "-"))


def vendor(external_id: str) -> str:
    """The vendor part of an id (``anthropic/claude-…``, ``anthropic.claude-…``), or nothing."""
    path = _GEOGRAPHY.sub("", external_id.strip().casefold())
    if "/" in path:
        return path.rsplit("/", 2)[-2]
    head, dot, tail = path.partition(".")
    return head if dot and head.isalpha() and not tail[:1].isdigit() else ""
