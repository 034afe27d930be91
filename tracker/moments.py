"""How moments are written for people: always in UTC, and never more exact than they are known."""

from __future__ import annotations

from datetime import UTC, datetime


def utc(moment: datetime | None, *, seconds: bool = False) -> str:
    """Such as ``2026-11-23 12:48 UTC``; nothing for no moment."""
    if moment is None:
        return ""
    return f"{moment.astimezone(UTC):{'%Y-%m-%d %H:%M:%S' if seconds else '%Y-%m-%d %H:%M'}} UTC"


def beginning(moment: datetime, precision: str, observed_after: datetime | None = None) -> str:
    """When something began, as exactly as it is known: a moment, a day, a month, a year, or a window.

    ``observed_after`` is the last reading before the beginning was seen at ``moment``.
    """
    moment = moment.astimezone(UTC)
    if precision in _WHOLE:
        return f"{moment:{_WHOLE[precision]}}"
    if precision == "exact":
        return utc(moment)
    if observed_after is not None:
        return f"between {utc(observed_after)} and {utc(moment)}"
    return f"by {utc(moment)}"


_WHOLE = {"day": "%Y-%m-%d", "month": "%B %Y", "year": "%Y"}
