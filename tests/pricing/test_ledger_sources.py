"""Several sources read into one ledger: who is believed, what is refined, and what falls."""

from __future__ import annotations

from companies.models import Company
from pricing.models import Observation, Price, PricingChangeLine, SourcePrecedence
from tests.pricing.believing import day, price
from tests.pricing.stages import Stage, believed, kinds, last_change
from tests.pricing.worlds import LONG, PEAK, REST


def test_a_seller_may_have_an_order_of_sources_of_its_own(stage: Stage) -> None:
    elsewhere = Company.objects.create(slug="azure", name="Azure")
    here, there = stage.offering("here"), stage.offering("there", elsewhere)
    stage.source("first", 10)
    SourcePrecedence.objects.create(source=stage.source("second", 20), seller=elsewhere, precedence=1)
    stage.read("second", 0, {here: [price("2")], there: [price("2")]})
    stage.read("first", 0, {here: [price("1")], there: [price("1")]})
    assert believed(here)[0][2] == "1"
    assert believed(there)[0][2] == "2"


def test_a_source_first_in_the_order_takes_over_by_a_correction(stage: Stage) -> None:
    offering = stage.offering()
    stage.source("first", 10)
    stage.read("second", 0, {offering: [price("2")]})
    stage.read("first", 7, {offering: [price("1")]})
    assert believed(offering) == [(0, 7, "2", "observed", None), (7, None, "1", "observed", None)]
    change = last_change(offering)
    assert (change.kind, change.nature, change.initial, change.source) == (
        "corrected",
        "correction",
        True,
        stage.source("first"),
    )


def test_lines_that_the_new_witness_does_not_state_go_by_the_same_correction(stage: Stage) -> None:
    offering = stage.offering()
    stage.source("first", 10)
    stage.read("second", 0, {offering: [price("2"), price("4", LONG)]})
    stage.read("first", 7, {offering: [price("1")]})
    assert believed(offering, LONG) == [(0, 7, "4", "observed", None)]
    assert kinds(offering) == ["listed", "corrected"]
    assert PricingChangeLine.objects.filter(change=last_change(offering)).count() == 2


def test_lines_of_a_witness_that_withdraws_go_by_the_same_correction(stage: Stage) -> None:
    offering = stage.offering()
    stage.source("first", 10)
    stage.read("first", 0, {offering: [price("1"), price("4", LONG)]})
    stage.read("second", 0, {offering: [price("2")]})
    for at in (7, 14, 21):
        stage.read("first", at, {})
    assert believed(offering)[-1] == (7, None, "2", "observed", None)
    assert believed(offering, LONG) == [(0, 7, "4", "observed", None)]
    assert kinds(offering) == ["listed", "corrected"]


def test_a_flat_source_that_leaves_the_slots_it_confirmed_reports_a_move(stage: Stage) -> None:
    offering = stage.offering()
    stage.source("flat", 10)
    stage.read("calendar", 0, {offering: [price("2", PEAK), price("1", REST)]})
    stage.read("flat", 0, {offering: [price("2")]})
    stage.read("flat", 7, {offering: [price("5")]})
    assert believed(offering) == [(7, None, "5", "observed", 0)]
    assert (last_change(offering).kind, last_change(offering).nature) == ("restructured", "market")


def test_a_refined_time_cites_who_dates_it_and_is_no_new_change(stage: Stage) -> None:
    offering = stage.offering()
    stage.source("looks", 10)
    stage.read("looks", 0, {offering: [price("1")]})
    stage.read("looks", 7, {offering: [price("2")]})
    stage.read("dates", 9, {offering: [price("2", since=4, precision="day")]})
    assert believed(offering) == [(0, 4, "1", "observed", None), (4, None, "2", "day", None)]
    assert kinds(offering) == ["listed", "increase"]
    refined = Price.objects.get(effective_from=day(4), known_until=None)
    assert refined.dated_by is not None and refined.dated_by.source == stage.source("dates")
    assert refined.source == stage.source("looks")


def test_an_announcement_falls_when_the_speaker_reads_past_it_unchanged(stage: Stage) -> None:
    offering = stage.offering()
    stage.source("looks", 10)
    stage.read("looks", 0, {offering: [price("1")]})
    stage.read("announces", 7, {offering: [price("1", since=0, until=30), price("2", since=30)]})
    assert believed(offering)[-1] == (30, None, "2", "exact", None)
    stage.read_again("looks", 29)
    assert believed(offering)[-1] == (30, None, "2", "exact", None)
    stage.read_again("looks", 31)
    stage.read_again("looks", 32)
    assert believed(offering)[-1] == (30, None, "2", "exact", None)
    stage.read_again("looks", 33)
    assert believed(offering) == [(0, None, "1", "observed", None)]


def test_an_announced_restructuring_falls_when_the_speaker_reads_past_it_unchanged(stage: Stage) -> None:
    offering = stage.offering()
    stage.source("looks", 10)
    stage.read("looks", 0, {offering: [price("1")]})
    slots = [price("1", since=0, until=30), price("2", PEAK, since=30), price("0.5", REST, since=30)]
    stage.read("announces", 7, {offering: slots})
    assert believed(offering, PEAK) == [(30, None, "2", "exact", None)]
    for at in (31, 32, 33):
        stage.read_again("looks", at)
    assert believed(offering, PEAK) == []
    assert believed(offering) == [(0, None, "1", "observed", None)]


def test_an_announced_end_of_a_line_falls_when_the_speaker_reads_past_it_unchanged(stage: Stage) -> None:
    offering = stage.offering()
    stage.source("looks", 10)
    stage.read("looks", 0, {offering: [price("1"), price("4", LONG), price("9", PEAK)]})
    stage.read("announces", 7, {offering: [price("1", since=0), price("4", LONG, since=30)]})
    assert believed(offering, PEAK) == [(0, 30, "9", "observed", None)]
    for at in (31, 32, 33):
        stage.read_again("looks", at)
    assert believed(offering, PEAK) == [(0, None, "9", "observed", None)]


def test_an_older_first_reading_lets_a_feed_speak_for_the_time_since(stage: Stage) -> None:
    offering = stage.offering()
    stage.source("dated", 10)
    stage.read("dated", 20, {})
    stage.read("dated", 30, {offering: [price("1", since=0)]})
    stage.read("looks", 10, {offering: [price("2")]})
    assert [row[:3] for row in believed(offering)] == [(0, 10, "1"), (10, 20, "2"), (20, None, "1")]
    stage.read("dated", 5, {}, backfilled=True)
    assert [row[:3] for row in believed(offering)] == [(0, None, "1")]


def test_a_reading_of_another_source_at_the_same_moment_is_its_own(stage: Stage) -> None:
    offering = stage.offering()
    stage.read("a", 0, {offering: [price("1")]})
    stage.read("b", 0, {offering: [price("1")]})
    assert Observation.objects.count() == 2
    assert kinds(offering) == ["listed"]


def test_an_announcement_that_another_source_overrides_is_corrected_and_not_retracted(stage: Stage) -> None:
    offering = stage.offering()
    stage.source("looks", 10)
    stage.read("looks", 0, {offering: [price("1")]})
    stage.read("announces", 1, {offering: [price("1", since=0, until=30), price("2", since=30)]})
    stage.read("looks", 5, {offering: [price("1.5")]})
    assert kinds(offering) == ["listed", "announced", "increase", "corrected"]


def test_an_announcement_that_its_own_source_drops_is_retracted(stage: Stage) -> None:
    offering = stage.offering()
    stage.source("looks", 10)
    stage.read("looks", 0, {offering: [price("1")]})
    stage.read("announces", 1, {offering: [price("1", since=0, until=30), price("2", since=30)]})
    stage.read("announces", 5, {offering: [price("1", since=0)]})
    assert kinds(offering) == ["listed", "announced", "retracted"]
