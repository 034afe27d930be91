"""A watch in plain words."""

from __future__ import annotations

from datetime import UTC, datetime, time
from decimal import Decimal

import pytest

from alerts.summaries import Words, in_words

NOW = datetime(2026, 6, 1, tzinfo=UTC)
OPS = ["Ops room"]
CASES = [
    (Words(), "Price changes on anything, at once, to no channel yet"),
    (
        Words(
            companies=["DeepSeek", "OpenAI"],
            direction="up",
            min_percent=Decimal(5),
            channels=OPS,
            quiet_from=time(22),
            quiet_until=time(7),
            time_zone="Europe/Berlin",
        ),
        "Price increases of at least 5% on any offering of DeepSeek or OpenAI, at once, to Ops room; "
        "quiet 22:00-07:00 Europe/Berlin",
    ),
    (
        Words(
            models=["DeepSeek-V4"], meters=["input_tokens", "output_tokens"], cadence="daily", channels=["Mail", "Ops"]
        ),
        "Price changes in input tokens or output tokens on DeepSeek-V4 at any seller, in a daily digest at 08:00, "
        "to Mail and Ops; times of UTC",
    ),
    (
        Words(
            offerings=["Chat at Azure"],
            nature="",
            kinds=["became_paid", "withdrawn"],
            confirmed_only=True,
            channels=OPS,
        ),
        "Price changes and corrections (became paid or withdrawn) on Chat at Azure, "
        "once a second source confirms them, at once, to Ops room",
    ),
    (
        Words(
            nature="correction", models=["V4"], companies=["Azure"], cadence="weekly", digest_weekday=5, channels=OPS
        ),
        "Corrections of prices on V4, sold or made by Azure, in a weekly digest on Friday at 08:00, to Ops room; "
        "times of UTC",
    ),
    (
        Words(
            profile="Production", currency="EUR", bill_percent=Decimal(5), bill_amount=Decimal("99.50"), channels=OPS
        ),
        "The monthly bill of Production moving by at least 5% or 99.5 EUR, at once, to Ops room",
    ),
    (
        Words(profile="Production", paused_until=datetime(2026, 7, 1, tzinfo=UTC), channels=OPS),
        "Price changes on anything, at once, to Ops room; with what it means for Production; "
        "paused until 2026-07-01 00:00 UTC",
    ),
    (
        Words(companies=[f"C{number}" for number in range(7)], channels=OPS),
        "Price changes on any offering of C0, C1, C2, C3, C4 or 2 more, at once, to Ops room",
    ),
]


@pytest.mark.parametrize(("words", "expected"), CASES, ids=range(len(CASES)))
def test_says_what_it_catches_and_when_and_whom_it_tells(words: Words, expected: str) -> None:
    assert in_words(words, NOW) == expected
