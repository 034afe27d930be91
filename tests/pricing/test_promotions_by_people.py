"""A promotion is a layer with an end: people extend it, end it, and make it permanent."""

from __future__ import annotations

from typing import Any

import pytest

from pricing import ledger
from pricing.claims import Conditions
from pricing.clock import follow_the_clock
from pricing.models import Decision, Offering
from tests.pricing.believing import day, price
from tests.pricing.conftest import SetClock
from tests.pricing.stages import Stage, believed, claim, everything, kinds, last_change
from tests.pricing.worlds import PEAK, PROMO, REST

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


def test_a_promotion_without_an_end_stays_so_when_another_beside_it_is_extended(
    stage: Stage, clock: SetClock, person: ledger.Ruling
) -> None:
    offering = stage.offering()
    lists = [claim("2", since=0), claim("4", OUTPUT, since=0)]
    promos = [claim("0.5", PROMO, since=50), claim("1", OUTPUT_PROMO, since=50, until=130)]
    ledger.state_together(offering, [*lists, *promos], person)
    clock(101)
    ledger.extend_promotion(offering, day(160), person)
    assert spans(offering, PROMO) == [(50, None, "0.5")]
    assert spans(offering, OUTPUT_PROMO) == [(50, 160, "1")]


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


@pytest.mark.parametrize("operation", [ledger.end_promotion, ledger.make_permanent])
def test_the_end_of_a_promotion_of_several_prices_is_undone_whole(
    by_editor: Offering, person: ledger.Ruling, clock: SetClock, operation: Any
) -> None:
    clock(101)
    operation(by_editor, person)
    clock(102)
    ledger.undo(Decision.objects.filter(kind=Decision.Kind.STATE).latest("pk"), person)
    assert spans(by_editor, PROMO) == [(50, 130, "0.5")]
    assert spans(by_editor, OUTPUT_PROMO) == [(50, 130, "1")]
    assert spans(by_editor, OUTPUT) == [(0, None, "4")]


def test_a_list_price_that_is_announced_outlives_the_end_of_the_promotion(
    offering: Offering, person: ledger.Ruling, clock: SetClock
) -> None:
    clock(101)
    ledger.announce(offering, [claim("3", since=200)], person)
    clock(102)
    ledger.end_promotion(offering, person)
    assert spans(offering, Conditions("input_tokens")) == [(0, 200, "2"), (200, None, "3")]


def test_a_promotion_over_a_feeds_list_prices_is_extended_beside_them(
    stage: Stage, clock: SetClock, person: ledger.Ruling
) -> None:
    offering = stage.offering()
    stage.read("models-dev", 0, {offering: [price("2")]})
    ledger.state(offering, claim("0.5", PROMO, since=100.5, until=130), person, keeps_rest=True)
    clock(101)
    ledger.extend_promotion(offering, day(160), person)
    assert spans(offering, Conditions("input_tokens")) == [(0, None, "2")]
    assert spans(offering, PROMO) == [(100.5, 160, "0.5")]


def test_a_list_price_that_moves_during_an_extended_promotion_holds_after_it(
    by_feed: Offering, stage: Stage, clock: SetClock, person: ledger.Ruling
) -> None:
    clock(101)
    ledger.extend_promotion(by_feed, day(160), person)
    clock(120)
    stage.read("genai-prices", 120, {by_feed: [price("3"), price("4", OUTPUT)]})
    assert spans(by_feed, Conditions("input_tokens"))[-1] == (160, None, "3")


def test_a_promotion_cannot_be_ended_after_its_end(offering: Offering, person: ledger.Ruling) -> None:
    before = everything()
    with pytest.raises(ledger.LedgerError, match=r"ends at .* already"):
        ledger.end_promotion(offering, person, at=day(140))
    assert everything() == before


def test_a_permanent_promotion_takes_the_place_of_the_hours_that_it_went_before(
    stage: Stage, clock: SetClock, person: ledger.Ruling
) -> None:
    offering = stage.offering()
    hours = [claim("4", PEAK, since=0), claim("2", REST, since=0), claim("0.5", PROMO, since=50, until=130)]
    ledger.state_together(offering, hours, person)
    clock(101)
    ledger.make_permanent(offering, person)
    assert [spans(offering, line)[-1][1] for line in (PEAK, REST)] == [101, 101]
    assert spans(offering, Conditions("input_tokens")) == [(101, None, "0.5")]


def test_a_promotion_cannot_be_extended_over_its_own_next_price(
    offering: Offering, person: ledger.Ruling, clock: SetClock
) -> None:
    clock(101)
    ledger.announce(offering, [claim("0.7", PROMO, since=130, until=140)], person)
    before = everything()
    with pytest.raises(ledger.LedgerError, match="another price of the promotion is announced"):
        ledger.extend_promotion(offering, day(160), person)
    assert everything() == before


def test_what_a_later_ruling_says_again_is_undone_after_it(
    by_editor: Offering, clock: SetClock, person: ledger.Ruling
) -> None:
    first = Decision.objects.filter(kind="state").order_by("pk").first()
    assert first is not None
    clock(111)
    ledger.make_permanent(by_editor, person, at=day(120))
    clock(112)
    before = everything()
    with pytest.raises(ledger.LedgerError, match=r"a later ruling, decision \d+ of .* undo that one first"):
        ledger.undo(first, person)
    assert everything() == before
    clock(113)
    last = Decision.objects.filter(kind="state").order_by("-pk").first()
    assert last is not None
    ledger.undo(last, person)
    clock(114)
    assert ledger.undo(first, person).settled.changes > 0


def test_a_promotion_that_lay_under_another_does_not_come_back_where_that_ends_earlier(
    stage: Stage, clock: SetClock, person: ledger.Ruling
) -> None:
    offering = stage.offering()
    ledger.state_together(offering, [claim("2", since=0), claim("0.5", PROMO, since=50, until=140)], person)
    clock(101)
    ledger.state(offering, claim("0.4", PROMO, since=60, until=150), person, keeps_rest=True)
    clock(102)
    ledger.make_permanent(offering, person, at=day(150))
    clock(103)
    ledger.reschedule(offering, day(150), day(130), person)
    assert spans(offering, PROMO) == [(50, 60, "0.5"), (60, 130, "0.4")]
    assert spans(offering, Conditions("input_tokens")) == [(0, 130, "2"), (130, None, "0.4")]
