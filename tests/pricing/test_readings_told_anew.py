"""An archived document that is read again corrects the record: the market did not move, and nothing is forgotten."""

from __future__ import annotations

from random import Random

import pytest

from pricing import ledger
from pricing.claims import Conditions
from pricing.claims import SlotRule as SlotRuleClaim
from pricing.models import EMPTIED, CalendarStatement, Offering, Price, PricingChange, SlotRule, Statement
from tests.pricing.believing import day, price
from tests.pricing.conftest import SetClock
from tests.pricing.stages import Stage, believed, everything, kinds, last_change
from tests.pricing.worlds import LONG, PEAK, PLAIN, REST, Quote

OUTPUT = Conditions("output_tokens")


def test_a_price_that_was_read_wrong_in_every_document_is_one_correction(stage: Stage, clock: SetClock) -> None:
    offering = stage.offering()
    for at in (0, 7, 14):
        stage.read("models-dev", at, {offering: [price("1000")]})
    stage.tell_anew("models-dev", {at: {offering: [price("1")]} for at in (0, 7, 14)})
    assert believed(offering) == [(0, None, "1", "observed", None)]
    assert believed(offering, known_at=day(99)) == [(0, None, "1000", "observed", None)]
    assert Price.objects.get(known_until=None).known_from == day(100)
    change = last_change(offering)
    assert kinds(offering) == ["listed", "corrected"]
    assert (change.nature, change.refresh_id, change.initial) == ("correction", 99, False)


def test_a_price_that_two_documents_never_gave_is_taken_out_with_both_of_its_moves(stage: Stage) -> None:
    offering = stage.offering()
    for at, amount in ((0, "1"), (7, "2"), (14, "2"), (21, "1")):
        stage.read("models-dev", at, {offering: [price(amount)]})
    stage.tell_anew("models-dev", {at: {offering: [price("1")]} for at in (7, 14)})
    assert believed(offering) == [(0, None, "1", "observed", None)]
    held = Statement.objects.exclude(EMPTIED).values_list("first_observed_at", "ended_at")
    assert list(held) == [(day(0), None)]
    assert kinds(offering)[-1] == "corrected"
    assert not PricingChange.objects.filter(sequence__gt=3, nature="market").exists()


def test_what_was_said_by_mistake_stays_on_record_and_says_who_took_it_out(stage: Stage) -> None:
    offering = stage.offering()
    stage.read("models-dev", 0, {offering: [price("1000")]}, refresh=1)
    stage.tell_anew("models-dev", {0: {offering: [price("1")]}}, refresh=2)
    mistaken, mended = Statement.objects.order_by("pk")
    assert (mistaken.amount, mistaken.ended_at, mistaken.refresh_id, mistaken.ended_by_refresh_id) == (
        1000,
        mistaken.first_observed_at,
        1,
        2,
    )
    assert (mended.refresh_id, mended.ended_at) == (2, None)
    assert Price.objects.get(known_until=None).statement_id == mended.pk


def test_the_same_told_anew_a_second_time_changes_nothing(stage: Stage) -> None:
    offering = stage.offering()
    for at, amount in ((0, "1"), (7, "2"), (14, "2")):
        stage.read("models-dev", at, {offering: [price(amount)]})
    anew = {7: {offering: [price("3"), price("4", LONG)]}, 14: {offering: [price("3")]}}
    stage.tell_anew("models-dev", anew)
    before = everything()
    outcome = stage.tell_anew("models-dev", anew, refresh=100)
    assert everything() == before
    assert (outcome.put_in, outcome.taken_out) == ([0, 0], [0, 0])


def test_a_line_that_the_old_adapter_missed_is_there_from_the_document_on(stage: Stage) -> None:
    offering = stage.offering()
    for at in (0, 7):
        stage.read("models-dev", at, {offering: [price("1")]})
    stage.tell_anew("models-dev", {7: {offering: [price("1"), price("5", OUTPUT)]}})
    assert believed(offering, OUTPUT) == [(7, None, "5", "observed", 0)]
    assert last_change(offering).nature == "correction"


def test_a_price_told_anew_under_another_id_cites_the_new_statement_and_does_not_move(stage: Stage) -> None:
    offering = stage.offering()
    stage.read("models-dev", 0, {offering: [price("1", external_id="old")]})
    changes = PricingChange.objects.count()
    stage.tell_anew("models-dev", {0: {offering: [price("1", external_id="new")]}})
    cited = Price.objects.get(known_until=None).statement
    assert cited is not None and cited.reference is not None
    assert cited.reference.external_id == "new"
    assert PricingChange.objects.count() == changes


def test_an_offering_that_the_document_never_named_is_unpriced_again(stage: Stage) -> None:
    kept, mistaken = stage.offering("kept"), stage.offering("mistaken")
    stage.read("models-dev", 0, {kept: [price("1")], mistaken: [price("2")]})
    stage.tell_anew("models-dev", {0: {kept: [price("1")]}})
    mistaken.refresh_from_db()
    assert mistaken.status == Offering.Status.UNPRICED
    assert believed(mistaken) == []


def test_a_moment_that_was_never_read_cannot_be_told_anew(stage: Stage) -> None:
    offering = stage.offering()
    stage.read("models-dev", 0, {offering: [price("1")]})
    before = everything()
    with pytest.raises(ledger.LedgerError, match="models-dev was not read at 2026-01-08"):
        stage.tell_anew("models-dev", {7: {offering: [price("2")]}})
    assert everything() == before


@pytest.mark.parametrize("seed", range(8))
def test_readings_told_anew_leave_what_would_be_believed_had_they_been_read_right(stage: Stage, seed: int) -> None:
    """The same true history is read right for one offering, and for its twin wrong first and then anew."""
    chance = Random(seed)
    right, twin = stage.offering("right"), stage.offering("twin")
    truth = {at: _sheet(chance) for at in range(0, 42, 7)}
    order = chance.sample(sorted(truth), len(truth))
    for at in order:
        stage.read("a", at, {right: truth[at]}, backfilled=True)
        stage.read("b", at, {twin: _sheet(chance)}, backfilled=True)
    for at in chance.sample(order, len(order)):
        stage.tell_anew("b", {at: {twin: truth[at]}}, refresh=at + 1)
    for line in (PLAIN, OUTPUT, LONG):
        assert believed(twin, line) == believed(right, line)


def _sheet(chance: Random) -> list[Quote]:
    amounts = [chance.choice([None, "1", "2", "3"]) for _ in range(3)]
    lines = (PLAIN, OUTPUT, LONG)
    return [price(amount, line) for amount, line in zip(amounts, lines, strict=True) if amount is not None]


def test_calendars_are_told_anew_with_the_prices_of_their_slots(stage: Stage) -> None:
    offering = stage.offering()
    quotes = [price("2", PEAK), price("1", REST)]
    wrong, right = _hours(9), _hours(10)
    for at in (0, 7):
        _give(stage, offering, at, quotes, wrong)
    retold = ledger.observe_anew(
        ledger.Retelling(
            ledger.Reading(stage.source("models-dev"), day(at), "again", 99), [_told(stage, offering, quotes, right)]
        )
        for at in (0, 7)
    )
    assert (retold.put_in, retold.taken_out) == ([1, 1], [1, 1])
    believed_rules = SlotRule.objects.filter(known_until=None, slot="peak")
    assert [row.windows for row in believed_rules] == [[[600, 720]]]
    assert CalendarStatement.objects.exclude(EMPTIED).count() == 1
    before = everything()
    again = [
        ledger.Retelling(
            ledger.Reading(stage.source("models-dev"), day(7), "again", 100), [_told(stage, offering, quotes, right)]
        )
    ]
    assert ledger.observe_anew(again).put_in == [0]
    assert everything() == before


def _hours(begins: int) -> tuple[SlotRuleClaim, ...]:
    return (SlotRuleClaim("peak", ((begins * 60, 720),)), SlotRuleClaim("off-peak", is_rest=True))


def _told(stage: Stage, offering: Offering, quotes: list[Quote], slots: tuple[SlotRuleClaim, ...]) -> ledger.Told:
    reference = stage._reference("models-dev", offering, "model")
    return ledger.Told(reference, offering.pk, [quote.claim for quote in quotes], slots=slots)


def _give(stage: Stage, offering: Offering, at: float, quotes: list[Quote], slots: tuple[SlotRuleClaim, ...]) -> None:
    reading = ledger.Reading(stage.source("models-dev"), day(at), f"digest {at}", 1)
    ledger.observe(reading, [_told(stage, offering, quotes, slots)])
