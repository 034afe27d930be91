"""A document of which much is gone, or that moved by one factor, changes nothing until its source insists or a person
rules; then what happened has its own time and nature."""

from __future__ import annotations

from datetime import datetime

import pytest

from feeds.document_holds import refuse_document, release_document
from feeds.enrolment import feed_named
from feeds.replaying import readings_since, replay
from pricing.ledger import LedgerError, Ruling
from pricing.models import Hold, Offering, Price, PricingChange
from pricing.verification import findings
from tests.feeds.small_feeds import catalogue, day, read

pytestmark = pytest.mark.django_db
RULING = Ruling(by=None, note="looked at the page")


def models(count: int, factor: float = 1, first: int = 1) -> bytes:
    return catalogue(**{f"model_{n}": {"input": n * factor, "output": 4 * n * factor} for n in range(first, count + 1)})


def changes() -> list[tuple[str, str, datetime]]:
    rows = PricingChange.objects.filter(initial=False).order_by("sequence")
    return list(rows.values_list("kind", "nature", "effective_at"))


def listed() -> int:
    return Offering.objects.filter(status="listed").count()


def amounts() -> set[str]:
    rows = Price.objects.filter(known_until=None, effective_until=None, line__meter="input_tokens")
    return {f"{amount.normalize():f}" for amount in rows.values_list("amount", flat=True)}


def test_a_document_cut_to_a_tenth_withdraws_nothing_however_often_it_comes() -> None:
    read(models(20), day(1))
    report = read(models(2), day(2))
    assert report.counts["held"] == 1
    for number in range(3, 20):
        read(models(2), day(number))
    assert (listed(), changes()) == (20, [])
    hold = Hold.objects.get()
    assert (hold.reason, hold.seller, hold.details["offerings"], hold.details["of"]) == ("vanished", None, 18, 20)
    assert hold.is_open
    assert list(findings()) == []


def test_a_hold_lapses_when_all_is_back() -> None:
    read(models(20), day(1))
    read(models(2), day(2))
    read(models(20), day(3))
    assert (Hold.objects.get().outcome, listed(), changes()) == ("lapsed", 20, [])


def test_what_a_source_leaves_out_for_three_readings_over_two_days_is_withdrawn_from_the_first() -> None:
    read(models(20), day(1))
    for number in (2, 3, 4):
        assert listed() == 20
        read(models(20, first=8), day(number))
    assert Hold.objects.get().outcome == "persistence"
    assert listed() == 13
    assert set(changes()) == {("withdrawn", "market", day(2))}
    assert list(findings()) == []


def test_an_unchanged_document_insists_too() -> None:
    read(models(10), day(1))
    for number in (2, 3, 4):
        read(models(10, factor=5), day(number))
    assert Hold.objects.get().outcome == "persistence"
    assert "50" in amounts()
    assert set(changes()) == {("increase", "market", day(2))}


def test_what_goes_on_under_another_id_has_not_vanished() -> None:
    read(models(10), day(1))
    renamed = models(10).replace(b"model-", b"Model.")
    assert read(renamed, day(2)).counts.get("held", 0) == 0
    assert (Hold.objects.count(), listed(), changes()) == (0, 10, [])


def test_a_unit_slip_moves_nothing_and_lapses_when_it_is_mended() -> None:
    read(models(10), day(1))
    report = read(models(10, factor=0.5), day(2))
    assert report.counts["held"] == 1
    assert (Hold.objects.get().reason, Hold.objects.get().details["factor"]) == ("unit", "0.5")
    assert "0.5" not in amounts()
    read(models(10), day(3))
    assert (Hold.objects.get().outcome, changes()) == ("lapsed", [])
    assert list(findings()) == []


def test_a_person_releases_it_and_the_moves_are_news_of_their_own_day() -> None:
    read(models(10), day(1))
    read(models(10, factor=0.5), day(2))
    read(models(10, factor=0.5), day(3))
    release_document(Hold.objects.get(), RULING)
    assert set(changes()) == {("decrease", "market", day(2))}
    assert len(changes()) == 10
    assert "0.5" in amounts()
    assert list(findings()) == []


def test_a_person_refuses_it_for_good() -> None:
    read(models(10), day(1))
    read(models(10, factor=0.5), day(2))
    refuse_document(Hold.objects.get(), RULING)
    for number in range(3, 9):
        read(models(10, factor=0.5), day(number))
    assert (changes(), Hold.objects.count()) == ([], 1)
    with pytest.raises(LedgerError, match="was decided"):
        release_document(Hold.objects.get(), RULING)


def test_the_rest_of_the_document_is_taken() -> None:
    read(models(20), day(1))
    body = catalogue(**{f"model_{n}": {"input": n + 0.5, "output": 4 * n} for n in range(8, 21)})
    read(body, day(2))
    assert {kind for kind, _, _ in changes()} == {"increase"}
    assert (len(changes()), listed()) == (13, 20)


def test_what_came_back_before_the_rest_was_kept_back_until_then_also_when_readings_are_told_anew() -> None:
    read(models(10), day(1))
    read(models(10, first=4), day(2))
    read(models(10, first=3), day(3))
    read(models(10), day(4))
    assert Hold.objects.get().outcome == "lapsed"
    feed = feed_named("models-dev")
    reports = replay(feed, readings_since(feed))
    assert {report.note for report in reports} == {"it says what it was taken to say"}
