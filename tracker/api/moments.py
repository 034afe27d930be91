"""Moments as the API reads and writes them: RFC 3339, written in UTC with a final Z."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache

EXAMPLE = "2026-05-01T00:00:00Z"
# A plus sign that was not percent-encoded arrives as a space; before an offset it can mean nothing else.
_LOST_PLUS = re.compile(r" (?=\d\d:?\d\d$)")


class UnreadableMoment(ValueError):
    """Text that is not one moment; the message says what is wrong and what is right."""


@lru_cache(maxsize=8192)
def moment_text(moment: datetime | None) -> str | None:
    """The moment as RFC 3339 in UTC, ``2026-05-01T00:00:00Z``. The rows of a page share most of theirs."""
    return None if moment is None else moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def parse_moment(text: str) -> datetime:
    """The moment that ISO 8601 text with a zone names, in UTC. Raises UnreadableMoment, also for naive times."""
    try:
        moment = datetime.fromisoformat(_LOST_PLUS.sub("+", text))
    except ValueError:
        raise UnreadableMoment(f"{text!r} is not a moment; write it as {EXAMPLE}") from None
    if moment.tzinfo is None:
        raise UnreadableMoment(f"{text!r} has no time zone; write it as {EXAMPLE} or with an offset such as %2B02:00")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise UnreadableMoment(f"{text!r} lies outside the years 1 to 9999") from None
