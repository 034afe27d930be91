"""A promotion is a layer with an end: people extend it, end it, and make it permanent."""

from __future__ import annotations

import pytest

from pricing import ledger
from pricing.claims import Conditions
from pricing.clock import follow_the_clock
from pricing.models import Offering
from tests.pricing.believing import day, price
from tests.pricing.conftest import SetClock
from tests.pricing.stages import Stage, believed, claim, everything, kinds, last_change
from tests.pricing.worlds import PROMO

OUTPUT = Conditions("output_tokens")
OUTPUT_PROMO = Conditions("output_tokens", layer="promo")


@pytest.fixture
def by_feed(stage: Stage, clock: SetClock) -> Offering:
    """A feed lists input at 2 and output at 4, with a promotion at 0.5 and 1 until day 130; it is day 100."""
    offering = stage.offering()
    lists = [price("2"), price("4", OUTPUT)]
    stage.read("genai-prices", 0, {offering: lists})
    promos = [price("0.5", PROMO, until=130), price("1", OUTPUT_PROMO, until=130)]
    stage.read("genai-prices", 50, {offering: [*lists, *promos]})
    assert kinds(offering) == ["listed", "promo_started"]
    return offering


@pytest.fixture
def by_editor(stage: Stage, clock: SetClock, person: ledger.Ruling) -> Offering:
    """The same, stated by an editor."""
    offering = stage.offering()
    both = [claim("2", since=0), claim("4", OUTPUT, since=0)]
    ledger.state_together(offering, both, person)
    promos = [claim("0.5", PROMO, since=50, until=130), claim("1", OUTPUT_PROMO, since=50, until=130)]
    ledger.state_together(offering, promos, person)
    assert kinds(offering) == ["listed", "promo_started"]
    clock(100.5)
    return offering


@pytest.fixture(params=["by_feed", "by_editor"])
def offering(request: pytest.FixtureRequest) -> Offering:
    """Either of them."""
    return request.getfixturevalue(request.param)


def spans(offering: Offering, line: Conditions) -> list[tuple[float, float | None, str]]:
    return [row[:3] for row in believed(offering, line)]


def test_a_promotion_is_extended(offering: Offering, person: ledger.Ruling, clock: SetClock) -> None:
    ledger.extend_promotion(offering, day(160), person)
    assert kinds(offering)[2:] == ["promo_extended"]
    assert spans(offering, PROMO) == [(50, 160, "0.5")]
    assert spans(offering, OUTPUT) == [(0, None, "4")]
    clock(161)
    follow_the_clock()
    assert kinds(offering)[2:] == ["promo_extended", "promo_ended"]


def test_a_promotion_is_ended_at_once(offering: Offering, person: ledger.Ruling, clock: SetClock) -> None:
    clock(101)
    ledger.end_promotion(offering, person)
    assert kinds(offering)[2:] == ["promo_ended"]
    assert spans(offering, PROMO) == [(50, 101, "0.5")]
    assert spans(offering, Conditions("input_tokens")) == [(0, None, "2")]


def test_a_promotion_is_made_permanent_in_one_change(
    offering: Offering, person: ledger.Ruling, clock: SetClock
) -> None:
    clock(101)
    ledger.make_permanent(offering, person)
    assert kinds(offering)[2:] == ["promo_ended"]
    assert "promotion made permanent, input 2 -> 0.5 USD per 1M tokens, -75.00%" in last_change(offering).headline
    assert spans(offering, Conditions("input_tokens")) == [(0, 101, "2"), (101, None, "0.5")]
    assert spans(offering, OUTPUT) == [(0, 101, "4"), (101, None, "1")]
    assert spans(offering, PROMO) == [(50, 101, "0.5")]


def test_permanence_is_announced_for_the_end_of_the_promotion(
    offering: Offering, person: ledger.Ruling, clock: SetClock
) -> None:
    clock(101)
    ledger.make_permanent(offering, person, at=day(130))
    assert kinds(offering)[2:] == ["announced"]
    clock(131)
    follow_the_clock()
    assert kinds(offering)[2:] == ["announced", "promo_ended"]
    assert "promotion made permanent" in last_change(offering).headline
    assert spans(offering, OUTPUT) == [(0, 130, "4"), (130, None, "1")]


def test_a_promotion_cannot_be_extended_to_an_earlier_end(offering: Offering, person: ledger.Ruling) -> None:
    before = everything()
    with pytest.raises(ledger.LedgerError, match=r"runs until .* already"):
        ledger.extend_promotion(offering, day(120), person)
    assert everything() == before


def test_there_must_be_a_promotion(stage: Stage, clock: SetClock, person: ledger.Ruling) -> None:
    offering = stage.offering()
    stage.read("models-dev", 0, {offering: [price("2")]})
    with pytest.raises(ledger.LedgerError, match=r"no promotion of .* is in force"):
        ledger.end_promotion(offering, person)


def test_a_promotion_over_nothing_cannot_end_in_nothing(stage: Stage, clock: SetClock, person: ledger.Ruling) -> None:
    offering = stage.offering()
    ledger.state(offering, claim("0.5", PROMO, since=50, until=130), person)
    clock(101)
    with pytest.raises(ledger.LedgerError, match="state it first"):
        ledger.end_promotion(offering, person)
