"""The normalised ids by which the references of all sources find one offering, and offerings one model."""

from __future__ import annotations

import re

_SEPARATORS = re.compile(r"[\s._]+")
_ROUTES = re.compile(r":(free|thinking|extended|online|nitro|floor|beta|exacto|latest)$")
_VERSION_TAG = re.compile(r"(@(latest|default|\d{6,8})|-v\d+-\d+|-v\d+:\d+|:\d+)$")


def identity_key(external_id: str) -> str:
    """One form of an id, however a source writes its case, dots, underscores and spaces."""
    return _SEPARATORS.sub("-", external_id.strip().casefold())


def model_key(external_id: str) -> str:
    """The id of the model behind a seller's id: without vendor path, route suffix and version tag."""
    name = external_id.strip().casefold().rsplit("/", 1)[-1]
    name = _ROUTES.sub("", name)
    name = _VERSION_TAG.sub("", name)
    head, dot, tail = name.partition(".")
    if dot and head.isalpha() and not tail[:1].isdigit():
        name = tail
    return identity_key(name)


def vendor(external_id: str) -> str:
    """The vendor part of an id (``anthropic/claude-…``, ``anthropic.claude-…``), or nothing."""
    path = external_id.strip().casefold()
    if "/" in path:
        return path.rsplit("/", 2)[-2]
    head, dot, tail = path.partition(".")
    return head if dot and head.isalpha() and not tail[:1].isdigit() else ""
