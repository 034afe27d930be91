"""What is too strange to count is held until a second source, its own persistence or a person speaks for it."""

from __future__ import annotations

import pytest

from pricing import ledger
from pricing.claims import Conditions
from pricing.models import Decision, Hold, Offering
from tests.pricing.believing import day, price
from tests.pricing.conftest import SetClock
from tests.pricing.stages import Stage, believed, claim, kinds, last_change, wrong

pytestmark = pytest.mark.usefixtures("clock")
CACHE = Conditions("cache_read_tokens")


@pytest.fixture
def offering(stage: Stage) -> Offering:
    """An offering that models-dev lists on day 0 at 1 USD."""
    found = stage.offering()
    stage.read("models-dev", 0, {found: [price("1")]})
    return found


def outcomes() -> list[str]:
    return list(Hold.objects.order_by("pk").values_list("outcome", flat=True))


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (price("11"), "leap"),
        (price("0.09"), "leap"),
        (price("0"), "zero"),
        (price("7", currency="CNY"), "currency"),
        (price("20000"), "ceiling"),
    ],
)
def test_a_strange_price_is_held_and_the_old_one_goes_on(
    offering: Offering, stage: Stage, said: object, reason: str
) -> None:
    stage.read("models-dev", 1, {offering: [said]})  # type: ignore[list-item]
    assert believed(offering) == [(0, None, "1", "observed", None)]
    hold = Hold.objects.get()
    assert (hold.reason, hold.is_open, hold.offering, hold.instead) == (reason, True, offering, 1)
    assert (hold.observed_at, hold.statement is not None) == (day(1), True)
    assert kinds(offering) == ["listed"]


@pytest.mark.parametrize("amount", ["10", "0.1", "2"])
def test_a_move_of_ten_times_or_less_is_not_held(offering: Offering, stage: Stage, amount: str) -> None:
    stage.read("models-dev", 1, {offering: [price(amount)]})
    assert not Hold.objects.exists()
    assert believed(offering)[-1][2] == amount


def test_an_absurd_first_price_is_never_believed(stage: Stage) -> None:
    offering = stage.offering()
    for at in (0, 1, 2, 3, 9):
        stage.read("litellm", at, {offering: [price("135000")]})
    assert believed(offering) == []
    assert Hold.objects.get().is_open
    assert kinds(offering) == []


def test_a_second_source_releases_a_hold_and_the_move_is_news_at_its_own_time(offering: Offering, stage: Stage) -> None:
    stage.read("models-dev", 7, {offering: [price("0.02")]})
    stage.read("litellm", 8, {offering: [price("0.02")]})
    assert believed(offering) == [(0, 7, "1", "observed", None), (7, None, "0.02", "observed", 0)]
    assert outcomes() == ["second source"]
    change = last_change(offering)
    assert (change.kind, change.nature, change.effective_at, change.detected_at) == (
        "decrease",
        "market",
        day(7),
        day(8),
    )


def test_a_second_source_releases_a_zero(offering: Offering, stage: Stage) -> None:
    stage.read("models-dev", 7, {offering: [price("0")]})
    stage.read("litellm", 8, {offering: [price("0")]})
    assert (last_change(offering).kind, outcomes()) == ("became_free", ["second source"])


def test_a_big_move_that_its_source_repeats_for_three_readings_over_two_days_is_released(
    offering: Offering, stage: Stage
) -> None:
    for at in (7, 7.5, 8.9):
        stage.read("models-dev", at, {offering: [price("0.02")]})
        assert kinds(offering) == ["listed"]
    stage.read_again("models-dev", 9)
    assert kinds(offering) == ["listed", "decrease"]
    assert (last_change(offering).effective_at, outcomes()) == (day(7), ["persistence"])


@pytest.mark.parametrize("said", [price("0"), price("20000"), price("7", currency="CNY")])
def test_neither_a_zero_nor_an_absurd_price_nor_another_currency_releases_itself(
    offering: Offering, stage: Stage, said: object
) -> None:
    for at in range(7, 40, 3):
        stage.read("models-dev", at, {offering: [said]})  # type: ignore[list-item]
    assert believed(offering) == [(0, None, "1", "observed", None)]
    assert outcomes() == [""]


def test_a_hold_lapses_when_its_source_goes_back(offering: Offering, stage: Stage) -> None:
    stage.read("models-dev", 7, {offering: [price("200000")]})
    stage.read("models-dev", 8, {offering: [price("1")]})
    assert outcomes() == ["lapsed"]
    assert kinds(offering) == ["listed"]


def test_a_person_releases_a_hold_with_a_note(
    offering: Offering, stage: Stage, person: ledger.Ruling, clock: SetClock
) -> None:
    stage.read("models-dev", 7, {offering: [price("0")]})
    ledger.release_hold(Hold.objects.get(), person)
    assert (last_change(offering).kind, last_change(offering).nature) == ("became_free", "market")
    assert last_change(offering).effective_at == day(7)
    assert outcomes() == ["person"]
    assert Decision.objects.get().note == "as announced"
    clock(101)
    stage.read("models-dev", 100.5, {offering: [price("0")]})
    assert kinds(offering) == ["listed", "became_free"]


def test_a_person_refuses_a_hold_for_good(offering: Offering, stage: Stage, person: ledger.Ruling) -> None:
    stage.read("models-dev", 7, {offering: [price("0.02")]})
    ledger.refuse_hold(Hold.objects.get(), person)
    for at in (8, 9, 10, 11):
        stage.read("models-dev", at, {offering: [price("0.02")]})
    assert believed(offering) == [(0, None, "1", "observed", None)]
    assert outcomes() == ["refused"]


def test_a_release_is_undone(offering: Offering, stage: Stage, person: ledger.Ruling, clock: SetClock) -> None:
    stage.read("models-dev", 7, {offering: [price("0")]})
    ledger.release_hold(Hold.objects.get(), person)
    clock(101)
    ledger.undo(Decision.objects.get(), person)
    assert believed(offering) == [(0, None, "1", "observed", None)]
    assert outcomes() == ["person", ""]


def test_what_was_decided_is_not_decided_again(offering: Offering, stage: Stage, person: ledger.Ruling) -> None:
    stage.read("models-dev", 7, {offering: [price("0.02")]})
    ledger.refuse_hold(Hold.objects.get(), person)
    with pytest.raises(ledger.LedgerError, match="was decided"):
        ledger.release_hold(Hold.objects.get(), person)


def test_a_real_move_of_forty_times_comes_through_when_others_list_it_too(stage: Stage) -> None:
    offering = stage.offering()
    stage.read("models-dev", 0, {offering: [price("1.74"), price("0.145", CACHE)]})
    stage.read("models-dev", 7, {offering: [price("0.435"), price("0.003625", CACHE)]})
    assert [row[2] for row in believed(offering, CACHE)] == ["0.145"]
    assert [row[2] for row in believed(offering)] == ["1.74", "0.435"]
    stage.read("openrouter", 8, {offering: [price("0.435"), price("0.003625", CACHE)]})
    assert [row[2] for row in believed(offering, CACHE)] == ["0.145", "0.003625"]
    assert last_change(offering).nature == "market"


def test_a_person_is_never_held(offering: Offering, stage: Stage) -> None:
    stage.source("curated", 10, kind=stage.source("x").Kind.CURATED)
    stage.read("curated", 1, {offering: [price("1")]})
    stage.read("curated", 2, {offering: [price("50")]})
    assert believed(offering)[-1][2] == "50"


def test_the_old_price_after_an_announced_change_is_held(stage: Stage) -> None:
    offering = stage.offering()
    stage.source("looks", 10)
    stage.read("looks", 0, {offering: [price("1")]})
    stage.read("announces", 7, {offering: [price("1", since=0, until=30), price("2", since=30)]})
    stage.read_again("looks", 31)
    assert (Hold.objects.get().reason, Hold.objects.get().source.slug) == ("denial", "looks")
    assert believed(offering)[-1] == (30, None, "2", "exact", None)
    stage.read_again("looks", 32)
    stage.read_again("looks", 33)
    assert outcomes() == ["persistence"]
    assert believed(offering) == [(0, None, "1", "observed", None)]
    assert kinds(offering) == ["listed", "announced", "increase", "corrected"]


def test_a_source_between_denies_an_announcement_with_its_third_reading(stage: Stage) -> None:
    offering = stage.offering()
    stage.source("silent", 10)
    stage.source("between", 15)
    stage.read("silent", 0, {offering: [price("1")]})
    stage.read("between", 0, {offering: [price("1")]})
    stage.read("announces", 7, {offering: [price("1", since=0, until=30), price("2", since=30)]})
    for at in (29, 31, 32):
        stage.read_again("between", at)
    assert believed(offering)[-1][:3] == (30, None, "2")
    stage.read_again("between", 33)
    assert believed(offering) == [(0, None, "1", "observed", None)]


@pytest.mark.parametrize("back_at", [10, 40])
def test_a_price_that_goes_and_comes_back_at_once_was_a_slip_and_both_moves_are_one_correction(
    offering: Offering, stage: Stage, back_at: float
) -> None:
    stage.read("models-dev", 9, {offering: [price("2")]})
    assert kinds(offering) == ["listed", "increase"]
    stage.read("models-dev", back_at, {offering: [price("1")]})
    assert kinds(offering) == ["listed", "increase", "corrected"]
    assert believed(offering) == [(0, None, "1", "observed", None)]


def test_several_documents_within_three_days_can_slip(offering: Offering, stage: Stage) -> None:
    for at in (9, 10, 11):
        stage.read("models-dev", at, {offering: [price("2")]})
    stage.read("models-dev", 12, {offering: [price("1")]})
    assert believed(offering) == [(0, None, "1", "observed", None)]


def test_what_lasted_for_longer_moved_twice(offering: Offering, stage: Stage) -> None:
    for at in (9, 11):
        stage.read("models-dev", at, {offering: [price("2")]})
    stage.read("models-dev", 12.5, {offering: [price("1")]})
    assert kinds(offering) == ["listed", "increase", "decrease"]


def test_what_another_source_stated_too_was_no_slip(offering: Offering, stage: Stage) -> None:
    stage.read("models-dev", 9, {offering: [price("2")]})
    stage.read("litellm", 9, {offering: [price("2")]})
    stage.read("models-dev", 10, {offering: [price("1")]})
    assert [row[2] for row in believed(offering)] == ["1", "2", "1"]


def test_who_says_the_same_of_another_time_is_no_second_source(
    offering: Offering, stage: Stage, person: ledger.Ruling
) -> None:
    stage.read("models-dev", 7, {offering: [price("30")]})
    stage.read("models-dev", 14, {offering: [price("2")]})
    ledger.announce(offering, [claim("30", since=120, until=121)], person)
    assert [row[:3] for row in believed(offering)][:2] == [(0, 14, "1"), (14, 120, "2")]


def test_who_says_the_same_of_a_later_moment_speaks_for_the_readings_since_then(
    offering: Offering, stage: Stage, person: ledger.Ruling, clock: SetClock
) -> None:
    stage.read("models-dev", 7, {offering: [price("30")]})
    ledger.announce(offering, [claim("30", since=120)], person)
    assert outcomes() == [""]
    assert [row[:3] for row in believed(offering)] == [(0, 120, "1"), (120, None, "30")]
    clock(121)
    stage.read("models-dev", 121, {offering: [price("30")]})
    assert outcomes() == ["second source"]
    assert [row[:3] for row in believed(offering)] == [(0, 120, "1"), (120, None, "30")]


def test_under_the_word_of_a_person_there_is_nothing_to_deny(stage: Stage, person: ledger.Ruling) -> None:
    offering = stage.offering()
    stage.source("looks", 10)
    stage.read("looks", 0, {offering: [price("1")]})
    stage.read("announces", 7, {offering: [price("1", since=0, until=30), price("2", since=30)]})
    ledger.state(offering, claim("3", since=8), person)
    stage.read_again("looks", 31)
    assert not Hold.objects.exists()
    assert believed(offering)[-1][:3] == (8, None, "3")


def test_of_what_was_withdrawn_there_is_nothing_to_deny(stage: Stage, person: ledger.Ruling) -> None:
    offering = stage.offering()
    stage.source("looks", 10)
    stage.read("looks", 0, {offering: [price("1")]})
    stage.read("announces", 7, {offering: [price("1", since=0, until=30), price("2", since=30)]})
    ledger.withdraw(offering, person, at=day(8))
    stage.read_again("looks", 31)
    assert not wrong()
    assert not Hold.objects.exists()
    ledger.undo(Decision.objects.get(), person)
    assert [hold.reason for hold in Hold.objects.all()] == ["denial"]
    assert not wrong()
