"""An announced price makes one change when it is announced and one when its moment comes, whoever notices first."""

from __future__ import annotations

import pytest

from pricing import ledger
from pricing.claims import Conditions
from pricing.clock import follow_the_clock
from pricing.models import Offering
from tests.pricing.believing import day, price
from tests.pricing.conftest import SetClock
from tests.pricing.stages import Stage, believed, claim, kinds, last_change
from tests.pricing.worlds import PLAIN, PROMO

OUTPUT = Conditions("output_tokens")
pytestmark = pytest.mark.django_db


@pytest.fixture
def offering(stage: Stage, clock: SetClock) -> Offering:
    """An offering that a feed lists on day 0 at 1 USD; it is day 10."""
    found = stage.offering()
    clock(10)
    stage.read("models-dev", 0, {found: [price("1")]})
    follow_the_clock()
    return found


def test_the_tick_tells_an_announced_price_when_its_moment_comes(
    offering: Offering, person: ledger.Ruling, clock: SetClock
) -> None:
    ledger.state(offering, claim("2", since=20), person)
    clock(19.9)
    follow_the_clock()
    assert kinds(offering) == ["listed", "announced"]
    clock(20)
    follow_the_clock()
    change = last_change(offering)
    assert (change.kind, change.nature, change.headline) == (
        "increase",
        "market",
        "DeepSeek V4 at DeepSeek: input 1 -> 2 USD per 1M tokens, +100.00%",
    )
    assert (change.effective_at, change.detected_at, change.announced_for) == (day(20), day(20), None)
    assert (change.refresh_id, change.decision, change.initial, change.backfilled) == (None, None, False, False)


def test_it_is_told_once(offering: Offering, person: ledger.Ruling, clock: SetClock, stage: Stage) -> None:
    ledger.state(offering, claim("2", since=20), person)
    for moment in (20, 20.1, 21, 50):
        clock(moment)
        follow_the_clock()
    stage.read("models-dev", 49, {offering: [price("2")]})
    follow_the_clock()
    assert kinds(offering) == ["listed", "announced", "increase"]


def test_nothing_is_lost_when_no_tick_ran_for_months(
    offering: Offering, person: ledger.Ruling, clock: SetClock
) -> None:
    ledger.state(offering, claim("2", since=20), person)
    ledger.state(offering, claim("3", since=60), person)
    clock(200)
    follow_the_clock()
    assert kinds(offering) == ["listed", "announced", "announced", "increase", "increase"]
    assert last_change(offering).effective_at == day(60)


def test_what_was_retracted_in_time_never_takes_effect(
    offering: Offering, person: ledger.Ruling, clock: SetClock
) -> None:
    ledger.state(offering, claim("2", since=20), person)
    clock(15)
    ledger.state(offering, claim("1", since=20), person)
    clock(21)
    follow_the_clock()
    assert kinds(offering) == ["listed", "announced", "retracted"]


def test_lines_that_were_announced_together_take_effect_together(
    offering: Offering, stage: Stage, clock: SetClock
) -> None:
    sheet = [
        each for line in (PLAIN, OUTPUT) for each in (price("1", line, since=-10, until=20), price("2", line, since=20))
    ]
    stage.read("genai-prices", 5, {offering: sheet})
    clock(20.5)
    follow_the_clock()
    assert last_change(offering).kind == "increase"
    assert {line.line.meter for line in last_change(offering).lines.all()} == {"input_tokens", "output_tokens"}


def test_a_promotion_that_reaches_its_known_end_has_ended(stage: Stage, clock: SetClock) -> None:
    offering = stage.offering()
    clock(10)
    stage.read("genai-prices", 0, {offering: [price("2")]})
    stage.read("genai-prices", 7, {offering: [price("2"), price("0.5", PROMO, until=30)]})
    follow_the_clock()
    assert kinds(offering) == ["listed", "promo_started"]
    clock(30)
    follow_the_clock()
    assert kinds(offering) == ["listed", "promo_started", "promo_ended"]
    assert believed(offering)[-1][:3] == (0, None, "2")


def test_documents_read_in_order_tell_an_announcement_and_its_effect_between_two_readings(
    stage: Stage, clock: SetClock
) -> None:
    offering = stage.offering()
    clock(400)
    plan = [price("1", since=-100, until=40), price("2", since=40)]
    for at, said in ((0, [price("1", since=-100)]), (7, plan), (30, plan), (50, plan), (60, plan)):
        stage.read("genai-prices", at, {offering: said}, backfilled=True)
    assert kinds(offering) == ["listed", "announced", "increase"]
    change = last_change(offering)
    assert (change.effective_at, change.detected_at, change.backfilled) == (day(40), day(50), True)
    clock(500)
    follow_the_clock()
    assert kinds(offering) == ["listed", "announced", "increase"]


def test_an_unchanged_document_tells_it_too(stage: Stage, clock: SetClock) -> None:
    offering = stage.offering()
    clock(400)
    stage.read("genai-prices", 0, {offering: [price("1", since=-100, until=40), price("2", since=40)]})
    stage.read_again("genai-prices", 39)
    assert kinds(offering) == ["listed", "announced"]
    stage.read_again("genai-prices", 41)
    assert kinds(offering) == ["listed", "announced", "increase"]


def test_what_an_old_document_announced_is_told_a_day_after_no_other_denied_it(stage: Stage, clock: SetClock) -> None:
    offering = stage.offering()
    clock(100)
    follow_the_clock()
    stage.read("genai-prices", 0, {offering: [price("1", since=-100, until=40), price("2", since=40)]})
    clock(100.5)
    follow_the_clock()
    assert kinds(offering) == ["listed", "announced"]
    for moment in (101.1, 102.5):
        clock(moment)
        follow_the_clock()
    assert kinds(offering) == ["listed", "announced", "increase"]
    assert (last_change(offering).effective_at, last_change(offering).initial) == (day(40), True)


def test_a_better_date_that_is_learnt_later_is_no_second_change(stage: Stage, clock: SetClock) -> None:
    offering = stage.offering()
    clock(100)
    stage.read("models-dev", 0, {offering: [price("1")]})
    stage.read("models-dev", 14, {offering: [price("2")]})
    stage.read("llm-prices", 8, {})
    stage.read("llm-prices", 16, {offering: [price("1", until=10), price("2", since=10)]})
    stage.read("litellm", 9, {})
    stage.read("litellm", 20, {offering: [price("2")]})
    stage.read("litellm", 21, {offering: [price("2")]})
    follow_the_clock()
    assert believed(offering)[-1][0] == 10
    assert kinds(offering) == ["listed", "increase"]


def test_another_witness_that_takes_over_when_a_dated_price_ends_is_a_correction(stage: Stage, clock: SetClock) -> None:
    offering = stage.offering()
    clock(10)
    stage.source("curated", 10, kind=stage.source("models-dev").Kind.CURATED)
    stage.read("models-dev", 0, {offering: [price("1")]})
    stage.read("curated", 5, {offering: [price("2", since=3, until=20)]})
    before = kinds(offering)
    clock(21)
    follow_the_clock()
    assert kinds(offering)[len(before) :] == ["corrected"]
    assert (last_change(offering).nature, last_change(offering).effective_at) == ("correction", day(20))


def test_a_move_that_went_and_came_back_with_old_readings_is_told_once(
    stage: Stage, person: ledger.Ruling, clock: SetClock
) -> None:
    offering = stage.offering()
    clock(20)
    stage.read("models-dev", 15, {offering: [price("2", since=10)]})
    ledger.announce(offering, [claim("1", since=30)], person)
    clock(31)
    follow_the_clock()
    told = kinds(offering)
    assert told[-1] == "decrease"
    stage.read("models-dev", 12, {offering: []}, backfilled=True)
    stage.tell_anew("models-dev", {15: {offering: []}})
    assert believed(offering) == [(30, None, "1", "exact", None)]
    stage.read("llm-prices", 32, {offering: [price("2", since=10)]})
    assert [row[:3] for row in believed(offering)] == [(10, 30, "2"), (30, None, "1")]
    assert set(kinds(offering)[len(told) :]) == {"corrected"}
