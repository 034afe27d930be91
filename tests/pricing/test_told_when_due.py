"""Each move is told once when its moment comes, whatever was said, ruled or read around that moment."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from django.test import Client

from pricing import ledger
from pricing.claims import SlotRule
from pricing.clock import follow_the_clock
from pricing.models import CalendarStatement, Offering
from tests.pricing.believing import day, price
from tests.pricing.conftest import SetClock
from tests.pricing.stages import Stage, believed, claim, kinds, last_change
from tests.pricing.worlds import PEAK, PROMO, REST


@pytest.fixture
def offering(stage: Stage, clock: SetClock) -> Offering:
    """An offering that a feed lists at 1 since day 0; time is settled, and it is day 10."""
    found = stage.offering()
    clock(10)
    stage.read("models-dev", 0, {found: [price("1")]})
    follow_the_clock()
    return found


def test_a_pin_that_came_and_went_hides_no_announced_move(
    offering: Offering, person: ledger.Ruling, clock: SetClock
) -> None:
    ledger.announce(offering, [claim("2", since=20)], person)
    clock(11)
    ledger.pin(offering, claim("5"), person)
    clock(12)
    ledger.undo(offering.decisions.get(kind="pin"), person)
    clock(20.1)
    follow_the_clock()
    assert kinds(offering)[-1] == "increase"
    follow_the_clock()
    assert kinds(offering).count("increase") == 1


def test_a_corrected_announcement_is_told_when_it_takes_effect(
    offering: Offering, person: ledger.Ruling, clock: SetClock
) -> None:
    ledger.announce(offering, [claim("2", since=20)], person)
    clock(11)
    ledger.correct(offering, [claim("3", since=20)], person)
    clock(20.1)
    follow_the_clock()
    assert kinds(offering)[-1] == "increase"
    assert [(str(line.old.normalize()), str(line.new.normalize())) for line in last_change(offering).lines.all()] == [
        ("1", "3")
    ]


def test_a_correction_between_the_moment_and_the_tick_hides_no_move(
    offering: Offering, person: ledger.Ruling, clock: SetClock
) -> None:
    ledger.announce(offering, [claim("2", since=20)], person)
    clock(20.001)
    ledger.correct(offering, [claim("3", since=20)], person)
    clock(20.002)
    follow_the_clock()
    assert kinds(offering)[-2:] == ["corrected", "increase"]


def test_the_announcement_of_an_absorbed_offering_is_told_when_it_takes_effect(
    offering: Offering, stage: Stage, person: ledger.Ruling, clock: SetClock
) -> None:
    other = stage.offering("DeepSeek-V4")
    ledger.announce(other, [claim("2", since=20)], person)
    clock(11)
    ledger.merge(other, offering, person)
    clock(20.1)
    follow_the_clock()
    assert kinds(offering)[-1] == "increase"


def test_a_promotion_that_a_feed_extends_before_time_is_settled_still_starts(
    offering: Offering, stage: Stage, clock: SetClock
) -> None:
    clock(11)
    stage.read("models-dev", 11, {offering: [price("1"), price("0.5", PROMO, since=20, until=30)]})
    clock(21)
    stage.read("models-dev", 21, {offering: [price("1"), price("0.5", PROMO, since=20, until=40)]})
    follow_the_clock()
    assert kinds(offering).count("promo_started") == 1


def test_a_promotion_that_a_person_extends_before_the_tick_still_starts(
    offering: Offering, person: ledger.Ruling, clock: SetClock
) -> None:
    ledger.state(offering, claim("0.5", PROMO, since=20, until=30), person, keeps_rest=True)
    clock(20.0001)
    ledger.extend_promotion(offering, day(40), person)
    clock(20.001)
    follow_the_clock()
    assert kinds(offering).count("promo_started") == 1


def test_a_first_price_is_told_although_more_was_announced_before_the_tick(
    stage: Stage, person: ledger.Ruling, clock: SetClock
) -> None:
    clock(10)
    new = stage.offering()
    ledger.announce(new, [claim("2", since=20)], person)
    clock(20.0001)
    ledger.announce(new, [claim("3", since=30)], person)
    clock(20.001)
    follow_the_clock()
    assert kinds(new).count("listed") == 1


def test_a_document_that_was_on_its_way_at_a_moment_retracts_nothing_that_came(
    offering: Offering, stage: Stage, clock: SetClock
) -> None:
    clock(11)
    stage.read("models-dev", 11, {offering: [price("1", until=20), price("2", since=20)]})
    clock(20.001)
    follow_the_clock()
    assert kinds(offering)[-1] == "increase"
    clock(20.002)
    stage.read("models-dev", 19.999, {offering: [price("1")]})
    assert last_change(offering).nature == "correction"


def test_what_a_document_on_its_way_announces_for_a_settled_moment_is_told_at_once(
    offering: Offering, stage: Stage, clock: SetClock
) -> None:
    clock(20.001)
    follow_the_clock()
    clock(20.002)
    stage.read("models-dev", 19.999, {offering: [price("1", until=20), price("2", since=20)]})
    assert kinds(offering)[-1] == "increase"


@pytest.mark.parametrize("precision", ["observed", "unknown"])
def test_an_announcement_without_a_date_is_refused(offering: Offering, person: ledger.Ruling, precision: str) -> None:
    undated = replace(claim("2", since=20), precision=precision)
    with pytest.raises(ledger.LedgerError, match="has a date"):
        ledger.announce(offering, [undated], person)
    assert believed(offering)[-1][2] == "1"


def test_prices_stated_together_that_replace_later_ones_do_not_replace_each_other(
    offering: Offering, person: ledger.Ruling
) -> None:
    ledger.state_together(offering, [claim("3", since=30), claim("2", since=20)], person, replaces_later=True)
    assert [row[2] for row in believed(offering)] == ["1", "2", "3"]


def test_nothing_is_ruled_on_an_offering_that_was_merged_since_it_was_read(
    offering: Offering, stage: Stage, person: ledger.Ruling, clock: SetClock
) -> None:
    read_before = Offering.objects.get(pk=offering.pk)
    ledger.merge(offering, stage.offering("DeepSeek-V4"), person)
    clock(11)
    for rule in (
        lambda: ledger.state(read_before, claim("7"), person),
        lambda: ledger.pin(read_before, claim("7"), person),
        lambda: ledger.withdraw(read_before, person),
    ):
        read_before.merged_into = None
        with pytest.raises(ledger.LedgerError, match="merged"):
            rule()


def test_a_pinned_zero_keeps_what_it_means(offering: Offering, person: ledger.Ruling) -> None:
    ledger.pin(offering, replace(claim("0"), zero_means="included"), person)
    assert offering.lines.get().prices.get(amount=0, known_until=None).zero_means == "included"


def test_a_moment_that_nobody_means_is_refused(offering: Offering, person: ledger.Ruling) -> None:
    far = datetime(9999, 12, 31, 23, 59, tzinfo=UTC)
    with pytest.raises(ledger.LedgerError, match="before the year 2200"):
        ledger.announce(offering, [replace(claim("2"), effective_from=far)], person)
    with pytest.raises(ledger.LedgerError, match="before the year 2200"):
        ledger.withdraw(offering, person, at=far)


def test_the_stream_survives_a_change_at_the_end_of_the_calendar(offering: Offering, client: Client) -> None:
    far = datetime(9999, 12, 31, 23, 59, tzinfo=UTC)
    offering.changes.update(effective_at=far)
    assert client.get("/api/v1/changes/?initial=true").status_code == 200


def test_hours_that_prices_need_cannot_be_taken_back(
    offering: Offering, person: ledger.Ruling, clock: SetClock
) -> None:
    hours = [SlotRule("peak", ((60, 240),)), SlotRule("off-peak", is_rest=True)]
    ledger.state_calendar(offering, hours, person)
    clock(11)
    ledger.state_together(offering, [claim("1", REST), claim("2", PEAK)], person)
    clock(12)
    with pytest.raises(ledger.LedgerError, match="no calendar would say when the prices of off-peak, peak apply"):
        ledger.retire_calendar(CalendarStatement.objects.get(), person)
    assert CalendarStatement.objects.get().ended_at is None
