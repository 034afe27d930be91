"""Readings of sources become statements, prices on two axes, and changes; each reading at most once."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.db import transaction
from pytest_django import DjangoAssertNumQueries

from pricing import ledger
from pricing.claims import Conditions
from pricing.locks import lock_ledger
from pricing.models import (
    Offering,
    Price,
    PricingChange,
    PricingChangeLine,
    Source,
    Statement,
)
from tests.pricing.believing import day, price
from tests.pricing.conftest import SetClock
from tests.pricing.stages import Stage, believed, everything, kinds, last_change
from tests.pricing.worlds import LONG, PEAK, PLAIN, REST
from tracker.amounts import AmountOutOfRange

OUTPUT = Conditions("output_tokens")


def test_a_first_reading_lists_an_offering_with_its_evidence(stage: Stage, clock: SetClock) -> None:
    offering = stage.offering()
    outcome = stage.read("models-dev", 0, {offering: [price("1"), price("2", OUTPUT)]}, refresh=7)
    assert (outcome.statements_opened, outcome.settled.opened, outcome.settled.kinds) == (2, 2, {"listed": 1})
    row = Price.objects.get(line__meter="input_tokens")
    assert (row.amount, row.currency, row.effective_from, row.effective_until) == (Decimal("1"), "USD", day(0), None)
    assert (row.known_from, row.known_until, row.recorded_at) == (day(0), None, day(100))
    statement = Statement.objects.get(line=row.line)
    assert (row.statement, row.source, row.decision) == (statement, stage.source("models-dev"), None)
    assert (statement.first_observed_at, statement.ended_at, statement.refresh_id) == (day(0), None, 7)
    offering.refresh_from_db()
    assert offering.status == Offering.Status.LISTED


def test_changes_of_a_sources_first_load_are_initial_and_later_ones_are_not(stage: Stage) -> None:
    offering = stage.offering()
    stage.read("models-dev", 0, {offering: [price("1")]}, refresh=7)
    stage.read("models-dev", 7, {offering: [price("2")]}, refresh=8)
    first, second = PricingChange.objects.order_by("sequence")
    assert (first.initial, first.refresh_id, first.source, first.detected_at) == (
        True,
        7,
        stage.source("models-dev"),
        day(0),
    )
    assert (second.initial, second.refresh_id, second.detected_at) == (False, 8, day(7))


def test_a_move_closes_the_old_row_and_writes_two(stage: Stage) -> None:
    offering = stage.offering()
    stage.read("models-dev", 0, {offering: [price("0.435")]})
    old = Price.objects.get()
    outcome = stage.read("models-dev", 7, {offering: [price("0.66")]})
    assert (outcome.settled.closed, outcome.settled.opened) == (1, 2)
    old.refresh_from_db()
    assert (old.effective_until, old.known_until) == (None, day(7))
    assert believed(offering) == [(0, 7, "0.435", "observed", None), (7, None, "0.66", "observed", 0)]
    assert set(Price.objects.exclude(pk=old.pk).values_list("known_from", flat=True)) == {day(7)}


def test_a_move_is_one_change_with_its_lines_window_and_headline(stage: Stage) -> None:
    offering = stage.offering("DeepSeek V4 Pro")
    stage.read("models-dev", 0, {offering: [price("0.435"), price("1", OUTPUT)]})
    stage.read("models-dev", 7, {offering: [price("0.66"), price("2", OUTPUT)]})
    change = last_change(offering)
    assert (change.kind, change.nature, change.effective_at, change.observed_after) == (
        "increase",
        "market",
        day(7),
        day(0),
    )
    assert "DeepSeek V4 Pro" in change.headline
    assert "input 0.435 -> 0.66 USD per 1M tokens, +51.72% (and 1 more)" in change.headline
    lines = PricingChangeLine.objects.filter(change=change).order_by("old")
    assert [(row.old, row.new, row.currency, row.percent) for row in lines] == [
        (Decimal("0.435"), Decimal("0.66"), "USD", Decimal("51.72")),
        (Decimal("1"), Decimal("2"), "USD", Decimal("100")),
    ]


def test_what_was_believed_stays_readable_at_every_known_moment(stage: Stage) -> None:
    offering = stage.offering()
    stage.read("models-dev", 0, {offering: [price("1"), price("2", since=40)]})
    stage.read("models-dev", 7, {offering: [price("1"), price("2", since=60)]})
    stage.read("models-dev", 14, {offering: [price("1")]})
    ahead = [believed(offering, known_at=day(known))[-1][:3] for known in (0, 6, 7, 14, 90)]
    assert ahead == [(40, None, "2"), (40, None, "2"), (60, None, "2"), (0, None, "1"), (0, None, "1")]
    assert believed(offering, known_at=day(-1)) == []
    assert kinds(offering) == ["listed", "announced", "rescheduled", "retracted"]


def test_the_same_reading_again_writes_nothing_but_that_it_was_read(stage: Stage) -> None:
    offering = stage.offering()
    said = {offering: [price("1"), price("2", LONG)]}
    stage.read("models-dev", 0, said)
    before = everything()
    outcome = stage.read("models-dev", 7, said)
    assert (outcome.statements_opened, outcome.settled.opened, outcome.settled.changes) == (0, 0, 0)
    stage.read_again("models-dev", 14)
    after = everything()
    assert len(after.pop("Observation")) == len(before.pop("Observation")) + 2
    assert after == before


def test_noise_is_kept_as_said_but_moves_no_price(stage: Stage) -> None:
    offering = stage.offering()
    stage.read("models-dev", 0, {offering: [price("1")]})
    outcome = stage.read("models-dev", 7, {offering: [price("1.0000005")]})
    assert (outcome.statements_opened, outcome.settled.opened, outcome.settled.changes) == (1, 0, 0)


def test_a_reading_older_than_the_last_is_refused_with_what_is_right_and_writes_nothing(stage: Stage) -> None:
    offering = stage.offering()
    stage.read("models-dev", 7, {offering: [price("1")]})
    before = everything()
    with pytest.raises(ledger.StaleObservation, match=r"models-dev was last read at 2026-01-08.*backfill"):
        stage.read("models-dev", 0, {offering: [price("2"), price("3", LONG)]})
    assert everything() == before


@pytest.mark.parametrize("backfilled", [False, True])
def test_a_moment_is_read_once(stage: Stage, backfilled: bool) -> None:
    offering = stage.offering()
    stage.read("models-dev", 7, {offering: [price("1")]})
    before = everything()
    with pytest.raises(ledger.StaleObservation, match="models-dev was already read at 2026-01-08"):
        stage.read("models-dev", 7, {offering: [price("2")]}, backfilled=backfilled)
    assert everything() == before


def test_an_unchanged_document_cannot_be_older_than_the_last(stage: Stage) -> None:
    stage.read("models-dev", 7, {stage.offering(): [price("1")]})
    before = everything()
    with pytest.raises(ledger.StaleObservation):
        stage.read_again("models-dev", 0)
    assert everything() == before


def test_a_reading_with_an_amount_that_cannot_be_kept_writes_nothing_of_it(stage: Stage) -> None:
    offering = stage.offering()
    stage.read("models-dev", 0, {offering: [price("1")]})
    before = everything()
    with pytest.raises(AmountOutOfRange), transaction.atomic():
        stage.read("models-dev", 7, {offering: [price("2"), price("1e-19", LONG)]})
    assert everything() == before


@pytest.mark.django_db(transaction=True)
def test_the_ledger_is_written_only_inside_a_transaction() -> None:
    with pytest.raises(transaction.TransactionManagementError, match="inside a transaction"):
        lock_ledger()


def test_known_time_is_the_observation_while_that_goes_forward(stage: Stage, clock: SetClock) -> None:
    offering = stage.offering()
    for at, amount in ((0, "1"), (7, "2"), (14, "3")):
        stage.read("models-dev", at, {offering: [price(amount)]})
    moments = Price.objects.order_by("known_from").values_list("known_from", flat=True).distinct()
    assert list(moments) == [day(0), day(7), day(14)]
    assert set(Price.objects.values_list("recorded_at", flat=True)) == {day(100)}


def test_an_older_document_is_known_from_the_moment_it_was_recorded(stage: Stage, clock: SetClock) -> None:
    offering = stage.offering()
    stage.read("models-dev", 14, {offering: [price("1")]})
    stage.read("models-dev", 0, {offering: [price("1")]}, backfilled=True)
    assert believed(offering) == [(0, None, "1", "observed", None)]
    assert believed(offering, known_at=day(99)) == [(14, None, "1", "observed", None)]
    assert Price.objects.get(known_until=None).known_from == day(100)


def test_known_time_never_stands_still_even_where_the_clock_does(stage: Stage, clock: SetClock) -> None:
    offering = stage.offering()
    stage.read("models-dev", 14, {offering: [price("1")]})
    for at in (12, 10, 8):
        stage.read("models-dev", at, {offering: [price("1")]}, backfilled=True)
    rows = Price.objects.order_by("known_from")
    assert [row.known_until for row in rows][:-1] == [row.known_from for row in rows][1:]
    assert believed(offering) == [(8, None, "1", "observed", None)]


def test_another_line_keeps_its_own_known_time(stage: Stage, clock: SetClock) -> None:
    offering = stage.offering()
    stage.read("models-dev", 14, {offering: [price("1")]})
    stage.read("models-dev", 0, {offering: [price("1"), price("5", OUTPUT)]}, backfilled=True)
    assert Price.objects.get(line__meter="output_tokens").known_from == day(0)


def test_a_line_missing_from_three_readings_over_two_days_is_withdrawn_from_the_first(stage: Stage) -> None:
    offering = stage.offering()
    stage.read("models-dev", 0, {offering: [price("1")]})
    for at in (7, 14):
        stage.read("models-dev", at, {})
        assert believed(offering) == [(0, None, "1", "observed", None)]
    stage.read("models-dev", 21, {})
    assert believed(offering) == [(0, 7, "1", "observed", None)]
    change = last_change(offering)
    assert (change.kind, change.effective_at, change.detected_at) == ("withdrawn", day(7), day(21))
    offering.refresh_from_db()
    assert offering.status == Offering.Status.WITHDRAWN


def test_unchanged_readings_count_towards_a_withdrawal(stage: Stage) -> None:
    offering = stage.offering()
    stage.read("models-dev", 0, {offering: [price("1")]})
    stage.read("models-dev", 7, {})
    stage.read_again("models-dev", 14)
    stage.read_again("models-dev", 21)
    assert kinds(offering) == ["listed", "withdrawn"]


def test_three_readings_in_one_day_withdraw_nothing_until_two_days_have_passed(stage: Stage) -> None:
    offering = stage.offering()
    stage.read("models-dev", 0, {offering: [price("1")]})
    for at in (1, 1.25, 1.5, 2.75):
        stage.read("models-dev", at, {})
    assert kinds(offering) == ["listed"]
    stage.read("models-dev", 3, {})
    assert kinds(offering) == ["listed", "withdrawn"]


def test_what_comes_back_after_a_withdrawal_is_listed_again(stage: Stage) -> None:
    offering = stage.offering()
    stage.read("models-dev", 0, {offering: [price("1")]})
    for at in (7, 14, 21):
        stage.read("models-dev", at, {})
    stage.read("models-dev", 28, {offering: [price("1")]})
    assert kinds(offering) == ["listed", "withdrawn", "relisted"]
    offering.refresh_from_db()
    assert offering.status == Offering.Status.LISTED


def test_slots_that_replace_a_flat_price_restructure_the_tariff_at_once(stage: Stage) -> None:
    offering = stage.offering()
    stage.read("models-dev", 0, {offering: [price("2"), price("3", OUTPUT)]})
    stage.read("models-dev", 7, {offering: [price("2", PEAK), price("1", REST), price("3", OUTPUT)]})
    assert kinds(offering) == ["listed", "restructured"]
    assert believed(offering) == [(0, 7, "2", "observed", None)]


def test_a_line_of_another_tariff_that_comes_does_not_end_one_that_is_missing(stage: Stage) -> None:
    offering = stage.offering()
    stage.read("models-dev", 0, {offering: [price("2")]})
    stage.read("models-dev", 7, {offering: [price("3", OUTPUT)]})
    assert believed(offering) == [(0, None, "2", "observed", None)]


def test_what_an_id_means_by_zero_decides_what_becomes_paid(stage: Stage) -> None:
    free, included = stage.offering("free"), stage.offering("included")
    stage.read("a", 0, {free: [price("0")]}, zero="free")
    stage.read("b", 0, {included: [price("0")]}, zero="included")
    stage.read("a", 7, {free: [price("1")]}, zero="free")
    stage.read("b", 7, {included: [price("1")]}, zero="included")
    assert (last_change(free).kind, last_change(included).kind) == ("became_paid", "increase")
    assert set(Price.objects.filter(amount=Decimal(0)).values_list("zero_means", flat=True)) == {"free", "included"}


def test_an_older_reading_narrows_the_window_of_a_move_across_a_gap(stage: Stage) -> None:
    offering = stage.offering()
    for at, said in ((0, [price("1")]), (14, []), (21, [price("2")])):
        stage.read("models-dev", at, {offering: said})
    assert believed(offering)[-1] == (21, None, "2", "observed", 0)
    stage.read("models-dev", 7, {offering: [price("1")]}, backfilled=True)
    assert believed(offering)[-1] == (21, None, "2", "observed", 7)
    assert kinds(offering) == ["listed", "increase"]


def test_a_reading_that_splits_a_run_keeps_both_ends_of_it(stage: Stage) -> None:
    offering = stage.offering()
    stage.read("models-dev", 0, {offering: [price("1")]}, refresh=1)
    stage.read("models-dev", 14, {offering: [price("1")]}, refresh=2)
    stage.read("models-dev", 21, {offering: [price("2")]}, refresh=3)
    stage.read("models-dev", 7, {offering: [price("3")]}, refresh=4, backfilled=True)
    rows = Statement.objects.order_by("first_observed_at")
    found = [(row.amount, row.first_observed_at, row.absent_before, row.ended_at) for row in rows]
    assert found == [
        (Decimal(1), day(0), None, day(7)),
        (Decimal(3), day(7), day(0), day(14)),
        (Decimal(1), day(14), day(7), day(21)),
        (Decimal(2), day(21), day(14), None),
    ]
    assert [(row.refresh_id, row.ended_by_refresh_id) for row in rows] == [(1, 4), (4, 2), (2, 3), (3, None)]


def test_changes_are_numbered_in_the_order_of_recording_without_a_gap(stage: Stage) -> None:
    offerings = [stage.offering(f"model {number}") for number in range(3)]
    stage.read("models-dev", 0, {offering: [price("1")] for offering in offerings})
    stage.read("models-dev", 7, {offering: [price("2")] for offering in offerings})
    rows = PricingChange.objects.order_by("sequence").values_list("sequence", "offering_id")
    ids = [offering.pk for offering in offerings]
    assert list(rows) == list(zip(range(1, 7), ids * 2, strict=True))


def test_an_unchanged_reading_costs_a_handful_of_queries(
    stage: Stage, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    said = {stage.offering(f"model {number}"): [price("1"), price("2", OUTPUT)] for number in range(30)}
    stage.read("models-dev", 0, said)
    with django_assert_max_num_queries(60):
        stage.read("models-dev", 7, said)
    with django_assert_max_num_queries(18):
        stage.read_again("models-dev", 14)


def test_times_are_kept_to_the_microsecond(stage: Stage) -> None:
    offering = stage.offering()
    moment = datetime(2026, 1, 1, 12, 34, 56, 789012, tzinfo=UTC)
    ledger.observe(
        ledger.Reading(Source.objects.create(slug="x", name="x"), moment, "d"),
        [ledger.Told(stage._reference("models-dev", offering, "m"), offering.pk, [price("1").claim])],
    )
    assert Price.objects.get().effective_from == moment
    assert Price.objects.get().line.conditions == PLAIN


def test_a_run_that_grows_backwards_names_the_refresh_that_observes_it_first(stage: Stage) -> None:
    offering = stage.offering()
    stage.read("models-dev", 7, {offering: [price("1")]}, refresh=70)
    stage.read("models-dev", 0, {offering: [price("1")]}, backfilled=True, refresh=1)
    statement = Statement.objects.get()
    assert (statement.first_observed_at, statement.refresh_id) == (day(0), 1)
