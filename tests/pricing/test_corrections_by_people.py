"""A correction says what a price was in truth over an interval: all of it, or it is refused."""

from __future__ import annotations

import pytest

from pricing import ledger
from tests.pricing.believing import price
from tests.pricing.conftest import SetClock
from tests.pricing.stages import Stage, believed, claim


def test_a_correction_is_refused_where_a_later_price_of_editors_would_stand_over_it(
    stage: Stage, clock: SetClock, person: ledger.Ruling
) -> None:
    offering = stage.offering()
    stage.read("models-dev", 0, {offering: [price("1")]})
    ledger.state(offering, claim("2", since=20), person)
    clock(101)
    with pytest.raises(ledger.LedgerError, match=r"editors stated 2 USD from .* replace what they stated for later"):
        ledger.correct(offering, [claim("2.5", since=10)], person)
    ledger.correct(offering, [claim("2.5", since=10)], person, replaces_later=True)
    assert [row[:3] for row in believed(offering)] == [(0, 10, "1"), (10, None, "2.5")]


def test_what_is_announced_for_later_stays_after_a_correction(
    stage: Stage, clock: SetClock, person: ledger.Ruling
) -> None:
    offering = stage.offering()
    stage.read("models-dev", 0, {offering: [price("1")]})
    ledger.announce(offering, [claim("3", since=150)], person)
    clock(101)
    ledger.correct(offering, [claim("2.5", since=10)], person)
    assert [row[:3] for row in believed(offering)] == [(0, 10, "1"), (10, 150, "2.5"), (150, None, "3")]
