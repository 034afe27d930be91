"""A correction says what a price was in truth over an interval: all of it, or it is refused."""

from __future__ import annotations

import pytest

from pricing import ledger
from pricing.claims import Conditions
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


def test_a_move_that_another_dates_stays_when_a_correction_falls_before_its_sighting(
    stage: Stage, clock: SetClock, person: ledger.Ruling
) -> None:
    offering, promo = stage.offering(), Conditions("input_tokens", layer="promo")
    other = [price("1", until=5, external_id="other"), price("2", since=5, external_id="other")]
    for at, seen in ((0, "1"), (4, "1"), (10, "2")):
        own = [price(seen, external_id="vendor/model"), price("0.5", promo, external_id="vendor/model")]
        stage.read("models-dev", at, {offering: [*own, *other]})
    before = [row[:3] for row in believed(offering)]
    assert before == [(0, 5, "1"), (5, None, "2")]
    ledger.correct(offering, [claim("0.25", promo, since=7, until=8)], person)
    assert [row[:3] for row in believed(offering)] == before
    assert [row[:3] for row in believed(offering, promo)] == [(0, 7, "0.5"), (7, 8, "0.25"), (8, None, "0.5")]


@pytest.mark.parametrize(("since", "until"), [(10, 12), (3, 5)])
def test_a_move_that_another_dates_stays_when_a_price_begins_at_its_sighting_or_ends_at_its_date(
    stage: Stage, clock: SetClock, person: ledger.Ruling, since: float, until: float
) -> None:
    offering = stage.offering()
    other = [price("1", until=5, external_id="other"), price("2", since=5, external_id="other")]
    for at, seen in ((0, "1"), (4, "1"), (10, "2")):
        stage.read("models-dev", at, {offering: [price(seen, external_id="vendor/model"), *other]})
    stated = claim("3", since=since, until=until)
    ledger.state(offering, stated, person, keeps_rest=True)
    wanted = {3: [(0, 3, "1"), (3, 5, "3"), (5, None, "2")], 10: [(0, 5, "1"), (5, 10, "2"), (10, 12, "3")]}
    assert [row[:3] for row in believed(offering)][:3] == wanted[since]


def test_prices_said_again_beside_a_correction_date_no_move(
    stage: Stage, clock: SetClock, person: ledger.Ruling
) -> None:
    offering, promo = stage.offering(), Conditions("input_tokens", layer="promo")
    for at, seen in ((0, "1"), (10, "2")):
        stage.read("models-dev", at, {offering: [price(seen), price("0.5", promo)]})
    ledger.correct(offering, [claim("0.25", promo, since=12, until=14)], person)
    stage.read("models-dev", 20, {offering: [price("2"), price("0.5", promo)]})
    assert believed(offering) == [(0, 10, "1", "observed", None), (10, None, "2", "observed", 0)]
