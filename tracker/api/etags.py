"""Strong entity tags, and whether a reader's copy is still good (RFC 9110, sections 8.8.3 and 13.1.2)."""

from __future__ import annotations

import hashlib

from rest_framework.request import Request

# Part of every tag: raise it when the same record is written in another shape, so that old copies are not confirmed.
SHAPE_REVISION = 1


def tag_of(*parts: str | bytes) -> str:
    """A tag that is the same for the same parts only."""
    digest = hashlib.sha256(str(SHAPE_REVISION).encode())
    for part in parts:
        encoded = part if isinstance(part, bytes) else part.encode()
        digest.update(b"%d:" % len(encoded) + encoded)
    return f'"{digest.hexdigest()[:32]}"'


def is_current(request: Request, tag: str) -> bool:
    """Whether ``If-None-Match`` names the tag."""
    held = request.headers.get("If-None-Match", "")
    return any(candidate.strip().removeprefix("W/") == tag for candidate in held.split(",")) if held else False


def holds_any(request: Request) -> bool:
    """Whether ``If-None-Match`` is ``*``: any copy of what exists is good enough."""
    return request.headers.get("If-None-Match", "").strip() == "*"
