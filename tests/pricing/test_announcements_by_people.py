"""People announce prices, move announcements, take them back and correct the record; contradictions are refused."""

from __future__ import annotations

import pytest

from pricing import ledger
from pricing.claims import Conditions
from pricing.clock import follow_the_clock
from pricing.models import Decision, Offering, Price, Statement
from tests.pricing.believing import day, price
from tests.pricing.conftest import SetClock
from tests.pricing.stages import Stage, believed, claim, everything, kinds, last_change
from tests.pricing.worlds import LONG

OUTPUT = Conditions("output_tokens")


@pytest.fixture
def offering(stage: Stage, clock: SetClock) -> Offering:
    """An offering that a feed lists since day 0, input at 1 (above a threshold 3) and output at 4; it is day 100."""
    found = stage.offering()
    stage.read("models-dev", 0, {found: [price("1"), price("3", LONG), price("4", OUTPUT)]})
    return found


@pytest.fixture
def announced_by_feed(offering: Offering, stage: Stage) -> Offering:
    """The same, with a feed that announces 2 instead of 1 for input, and 8 for output, from day 120 on."""
    said = [
        *(price("1", until=120), price("2", since=120)),
        *(price("3", LONG), price("4", OUTPUT, until=120), price("8", OUTPUT, since=120)),
    ]
    stage.read("models-dev", 50, {offering: said})
    assert last_change(offering).kind == "announced"
    return offering


def test_prices_announced_together_make_one_change(offering: Offering, person: ledger.Ruling) -> None:
    ledger.announce(offering, [claim("2", since=120), claim("8", OUTPUT, since=120)], person)
    assert kinds(offering) == ["listed", "announced"]
    assert last_change(offering).lines.count() == 2
    assert last_change(offering).announced_for == day(120)


@pytest.mark.parametrize("since", [None, 99, 100])
def test_what_has_begun_cannot_be_announced(offering: Offering, person: ledger.Ruling, since: float | None) -> None:
    before = everything()
    with pytest.raises(ledger.LedgerError, match="moment ahead"):
        ledger.announce(offering, [claim("2", since=since)], person)
    assert everything() == before


def test_one_line_has_one_price_from_one_moment_on(offering: Offering, person: ledger.Ruling) -> None:
    with pytest.raises(ledger.LedgerError, match="two prices of input_tokens"):
        ledger.announce(offering, [claim("2", since=120), claim("3", since=120)], person)


@pytest.mark.parametrize("to", [110, 140])
def test_an_editors_announcement_is_rescheduled(
    offering: Offering, person: ledger.Ruling, clock: SetClock, to: float
) -> None:
    ledger.announce(offering, [claim("2", since=120), claim("8", OUTPUT, since=120)], person)
    clock(101)
    ledger.reschedule(offering, day(120), day(to), person)
    assert kinds(offering) == ["listed", "announced", "rescheduled"]
    assert (last_change(offering).announced_for, last_change(offering).lines.count()) == (day(to), 2)
    assert [row[:3] for row in believed(offering)] == [(0, to, "1"), (to, None, "2")]
    assert [row[:3] for row in believed(offering, OUTPUT)] == [(0, to, "4"), (to, None, "8")]
    assert believed(offering, known_at=day(100.5))[-1] == (120, None, "2", "exact", None)


@pytest.mark.parametrize("to", [110, 140])
def test_a_feeds_announcement_is_rescheduled_and_the_rest_of_the_tariff_stays(
    announced_by_feed: Offering, person: ledger.Ruling, to: float
) -> None:
    ledger.reschedule(announced_by_feed, day(120), day(to), person)
    assert kinds(announced_by_feed) == ["listed", "announced", "rescheduled"]
    assert [row[:3] for row in believed(announced_by_feed)] == [(0, to, "1"), (to, None, "2")]
    assert [row[:3] for row in believed(announced_by_feed, LONG)] == [(0, None, "3")]


def test_an_editors_announcement_is_retracted(offering: Offering, person: ledger.Ruling, clock: SetClock) -> None:
    ledger.announce(offering, [claim("2", since=120), claim("8", OUTPUT, since=120)], person)
    clock(101)
    ledger.retract(offering, day(120), person)
    assert kinds(offering) == ["listed", "announced", "retracted"]
    assert last_change(offering).lines.count() == 2
    assert [row[:3] for row in believed(offering)] == [(0, None, "1")]


def test_a_postponed_announcement_is_retracted_for_good(
    offering: Offering, person: ledger.Ruling, clock: SetClock
) -> None:
    ledger.announce(offering, [claim("2", since=120)], person)
    clock(101)
    ledger.reschedule(offering, day(120), day(140), person)
    clock(102)
    ledger.retract(offering, day(140), person)
    assert kinds(offering) == ["listed", "announced", "rescheduled", "retracted"]
    assert [row[:3] for row in believed(offering)] == [(0, None, "1")]


def test_an_editors_price_goes_on_when_the_one_after_it_is_retracted(
    offering: Offering, person: ledger.Ruling, clock: SetClock
) -> None:
    ledger.state(offering, claim("1.5", since=50, until=120), person)
    ledger.announce(offering, [claim("2", since=120)], person)
    clock(101)
    ledger.retract(offering, day(120), person)
    assert kinds(offering)[-1] == "retracted"
    assert [row[:3] for row in believed(offering)] == [(0, 50, "1"), (50, None, "1.5")]


def test_a_feeds_announcement_is_retracted_and_never_takes_effect(
    announced_by_feed: Offering, person: ledger.Ruling, clock: SetClock
) -> None:
    ledger.retract(announced_by_feed, day(120), person)
    clock(130)
    follow_the_clock()
    assert kinds(announced_by_feed) == ["listed", "announced", "retracted"]
    assert [row[:3] for row in believed(announced_by_feed)] == [(0, None, "1")]
    assert [row[:3] for row in believed(announced_by_feed, LONG)] == [(0, None, "3")]


def test_a_retraction_is_undone_whole(announced_by_feed: Offering, person: ledger.Ruling, clock: SetClock) -> None:
    ledger.retract(announced_by_feed, day(120), person)
    clock(101)
    ledger.undo(Decision.objects.filter(kind=Decision.Kind.STATE).latest("pk"), person)
    assert kinds(announced_by_feed) == ["listed", "announced", "retracted", "announced"]
    assert [row[:3] for row in believed(announced_by_feed)] == [(0, 120, "1"), (120, None, "2")]
    assert [row[:3] for row in believed(announced_by_feed, OUTPUT)] == [(0, 120, "4"), (120, None, "8")]


@pytest.mark.parametrize("operation", ["retract", "reschedule"])
def test_a_price_in_force_cannot_be_retracted_or_rescheduled(
    announced_by_feed: Offering, person: ledger.Ruling, clock: SetClock, operation: str
) -> None:
    clock(121)
    before = everything()
    arguments = (day(120),) if operation == "retract" else (day(120), day(130))
    with pytest.raises(ledger.LedgerError, match="has been in force since"):
        getattr(ledger, operation)(announced_by_feed, *arguments, person)
    assert everything() == before


def test_what_is_announced_is_named_where_nothing_is_announced_for_a_moment(
    announced_by_feed: Offering, person: ledger.Ruling
) -> None:
    with pytest.raises(ledger.LedgerError, match=r"announced are prices for 2026-05-01"):
        ledger.retract(announced_by_feed, day(119), person)


def test_an_announcement_cannot_be_moved_into_the_past_or_beyond_its_own_end(
    offering: Offering, person: ledger.Ruling
) -> None:
    ledger.announce(offering, [claim("2", since=120, until=130)], person)
    before = everything()
    for to, reason in ((99, "has passed"), (130, "it cannot start"), (120, "already")):
        with pytest.raises(ledger.LedgerError, match=reason):
            ledger.reschedule(offering, day(120), day(to), person)
    assert everything() == before


def test_a_correction_is_no_news_of_the_market(offering: Offering, person: ledger.Ruling) -> None:
    ledger.correct(offering, [claim("1.5", since=20), claim("5", OUTPUT, since=20)], person)
    assert (last_change(offering).kind, last_change(offering).nature) == ("corrected", "correction")
    assert last_change(offering).lines.count() == 2
    assert [row[:3] for row in believed(offering)] == [(0, 20, "1"), (20, None, "1.5")]


def test_there_is_nothing_to_correct_where_no_price_is_believed(offering: Offering, person: ledger.Ruling) -> None:
    with pytest.raises(ledger.LedgerError, match="none to correct"):
        ledger.correct(offering, [claim("1.5", since=-50, until=-40)], person)


def test_prices_stated_together_are_undone_together(offering: Offering, person: ledger.Ruling, clock: SetClock) -> None:
    both = [claim("2", since=50), claim("8", OUTPUT, since=50)]
    ledger.state_together(offering, both, person, keeps_rest=True)
    clock(101)
    ledger.undo(Decision.objects.earliest("pk"), person)
    assert kinds(offering) == ["listed", "increase", "corrected"]
    assert [row[:3] for row in believed(offering, OUTPUT)] == [(0, None, "4")]


def test_a_restated_zero_keeps_its_meaning(stage: Stage, person: ledger.Ruling, clock: SetClock) -> None:
    offering = stage.offering()
    stage.read("models-dev", 0, {offering: [price("1"), price("0", LONG)]}, zero="included")
    ledger.announce(offering, [claim("2", since=120)], person)
    clock(121)
    follow_the_clock()
    zeros = Price.objects.filter(line__offering=offering, amount=0, known_until=None)
    assert list(zeros.values_list("zero_means", flat=True)) == ["included"]


def test_prices_announced_for_different_moments_leave_no_gap(offering: Offering, person: ledger.Ruling) -> None:
    ledger.announce(offering, [claim("2", since=120), claim("5", LONG, since=130)], person)
    assert [row[:3] for row in believed(offering, LONG)] == [(0, 130, "3"), (130, None, "5")]


def test_the_rest_outlives_the_retraction_of_one_of_two_moments(
    offering: Offering, person: ledger.Ruling, clock: SetClock
) -> None:
    ledger.announce(offering, [claim("2", since=120), claim("2.5", since=140)], person)
    clock(101)
    ledger.retract(offering, day(120), person)
    assert [row[:3] for row in believed(offering)] == [(0, 140, "1"), (140, None, "2.5")]
    assert [row[:3] for row in believed(offering, LONG)] == [(0, None, "3")]


def test_a_rest_that_moves_later_is_retracted_with_its_announcement(
    offering: Offering, stage: Stage, person: ledger.Ruling, clock: SetClock
) -> None:
    stage.read("models-dev", 50, {offering: [price("1"), price("3", LONG, until=130), price("4", LONG, since=130)]})
    ledger.announce(offering, [claim("2", since=120)], person)
    clock(101)
    ledger.retract(offering, day(120), person)
    assert [row[:3] for row in believed(offering)] == [(0, None, "1")]
    assert not Statement.objects.filter(source__slug="editors", ended_at=None).exists()


def test_a_feeds_other_announcements_survive_a_rescheduling(
    offering: Offering, stage: Stage, person: ledger.Ruling
) -> None:
    moves = [price("1", until=120), price("2", since=120), price("3", LONG, until=140), price("6", LONG, since=140)]
    stage.read("models-dev", 50, {offering: moves})
    ledger.reschedule(offering, day(120), day(130), person)
    assert [row[:3] for row in believed(offering)] == [(0, 130, "1"), (130, None, "2")]
    assert [row[:3] for row in believed(offering, LONG)] == [(0, 140, "3"), (140, None, "6")]


def test_an_announcement_is_not_moved_across_another(offering: Offering, person: ledger.Ruling) -> None:
    ledger.announce(offering, [claim("2", since=120), claim("3", since=140)], person)
    before = everything()
    with pytest.raises(ledger.LedgerError, match="another move is announced for 2026-05-01"):
        ledger.reschedule(offering, day(140), day(110), person)
    assert everything() == before


def test_what_is_announced_during_a_withdrawal_keeps_the_rest_for_its_return(
    offering: Offering, person: ledger.Ruling, clock: SetClock
) -> None:
    ledger.withdraw(offering, person)
    clock(101)
    ledger.announce(offering, [claim("2", since=120)], person)
    clock(102)
    ledger.relist(offering, person)
    assert believed(offering, LONG)[-1][1:3] == (None, "3")


def test_an_editor_is_heard_over_a_source_that_announced_a_price(
    stage: Stage, person: ledger.Ruling, clock: SetClock
) -> None:
    offering = stage.offering()
    stage.source("looks", 10)
    stage.read("looks", 0, {offering: [price("1")]})
    stage.read("announces", 7, {offering: [price("1", since=0, until=30), price("2", since=30)]})
    ledger.announce(offering, [claim("5", since=120)], person)
    assert [row[:3] for row in believed(offering)] == [(0, 30, "1"), (30, 120, "2"), (120, None, "5")]


def test_what_a_source_announced_for_an_editors_time_holds_after_it(
    stage: Stage, person: ledger.Ruling, clock: SetClock
) -> None:
    offering = stage.offering()
    stage.source("looks", 10)
    stage.read("looks", 0, {offering: [price("1")]})
    stage.read("announces", 7, {offering: [price("1", since=0, until=120), price("2", since=120)]})
    ledger.announce(offering, [claim("5", since=110, until=130)], person)
    assert [row[:3] for row in believed(offering)] == [(0, 110, "1"), (110, 130, "5"), (130, None, "2")]


def test_a_rescheduled_rest_goes_on_over_what_was_said_of_its_line_before(
    offering: Offering, stage: Stage, person: ledger.Ruling, clock: SetClock
) -> None:
    announced = [price("1"), price("3", LONG, until=130), price("6", LONG, since=130)]
    stage.read("models-dev", 50, {offering: announced})
    ledger.announce(offering, [claim("2", since=130)], person)
    clock(101)
    ledger.state(offering, claim("5", LONG, since=110), person, keeps_rest=True)
    assert [row[:3] for row in believed(offering, LONG)] == [(0, 110, "3"), (110, 130, "5"), (130, None, "6")]
    clock(102)
    ledger.reschedule(offering, day(130), day(140), person)
    assert [row[:3] for row in believed(offering, LONG)] == [(0, 110, "3"), (110, 140, "5"), (140, None, "6")]
    assert [row[:3] for row in believed(offering)] == [(0, 140, "1"), (140, None, "2")]


def test_a_price_that_only_kept_another_company_keeps_its_own_end_when_that_moves(
    offering: Offering, stage: Stage, person: ledger.Ruling, clock: SetClock
) -> None:
    stage.read("models-dev", 50, {offering: [price("1", until=150), price("3", LONG), price("4", OUTPUT)]})
    ledger.announce(offering, [claim("6", LONG, since=110, until=130)], person)
    clock(101)
    ledger.reschedule(offering, day(130), day(160), person)
    assert [row[:3] for row in believed(offering, LONG)] == [(0, 110, "3"), (110, 160, "6"), (160, None, "3")]
    assert [row[:3] for row in believed(offering)] == [(0, 150, "1")]
