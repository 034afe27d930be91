"""When a server that refused a call wants to be asked again."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

MAX_RETRY_AFTER_SECONDS = 24 * 60 * 60.0


def retry_after_seconds(value: str | None, *, now: datetime | None = None) -> float | None:
    """Return the seconds that a Retry-After header asks for, between 0 and a day; None if it says nothing readable.

    Seconds and dates are both read (RFC 9110, section 10.2.3); `now` defaults to the wall clock.
    """
    text = (value or "").strip()
    if text.isascii() and text.isdecimal():
        # int() refuses numbers of thousands of digits.
        return MAX_RETRY_AFTER_SECONDS if len(text) > 9 else min(float(text), MAX_RETRY_AFTER_SECONDS)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    wait = (aware - (now or datetime.now(UTC))).total_seconds()
    return min(max(wait, 0.0), MAX_RETRY_AFTER_SECONDS)
