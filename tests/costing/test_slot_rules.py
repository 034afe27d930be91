"""Calendar slots in costs/: whose rules count, and which of those that a source gave over time."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from pricing import claims
from pricing.costing.rules import GivenRule, rules_as_known
from pricing.models import Offering, Source
from pricing.slots import keep_slots
from tests.api import factories as make
from tests.costing.asking import call, results

JUNE, JULY, AUGUST = (make.moment(f"2026-0{month}-01") for month in (6, 7, 8))


def night(start: int, end: int, **dates: Any) -> claims.SlotRule:
    """The slot ``night`` from one full hour UTC to another."""
    return claims.SlotRule("night", ((start * 60, end * 60),), **dates)


@pytest.fixture
def nightly(db: None) -> Offering:
    """A model that costs 2, and 1 at night: from 0 to 8 as models-dev says."""
    offering, source = make.offering("nightly"), make.source("models-dev")
    make.price(make.line(offering), "2", source=source)
    make.price(make.line(offering, slot="night"), "1", source=source)
    keep_slots(source, {offering.pk: [night(0, 8)]}, make.TRACKED_SINCE)
    return offering


def totals(client: Client, *moments: str, **line: Any) -> list[str]:
    return [result["total"] for result in results(client, *(call("nightly", at=at, **line) for at in moments))]


def test_slot_holds_by_the_rules_of_the_source_that_set_the_price(client: Client, nightly: Offering) -> None:
    keep_slots(make.source("litellm"), {nightly.pk: [night(12, 20)]}, make.TRACKED_SINCE)
    assert totals(client, "2026-06-01T07:59:59Z", "2026-06-01T08:00:00Z", "2026-06-01T13:00:00Z") == ["1", "2", "2"]


def test_source_without_rules_follows_those_of_the_first_that_has_them(client: Client, nightly: Offering) -> None:
    editors = make.source("editors", kind=Source.Kind.EDITOR)
    nightly.lines.get(slot="night").prices.update(source=editors)
    assert totals(client, "2026-06-01T07:00:00Z", "2026-06-01T09:00:00Z") == ["1", "2"]


def test_call_of_the_past_follows_the_windows_of_its_day(client: Client, nightly: Offering) -> None:
    keep_slots(make.source("models-dev"), {nightly.pk: [night(0, 4)]}, JULY)
    assert totals(client, "2026-06-30T06:00:00Z", "2026-07-01T06:00:00Z") == ["1", "2"]
    assert totals(client, "2026-07-01T06:00:00Z", known_at="2026-06-30T00:00:00Z") == ["1"]


def test_slot_that_its_source_gives_no_longer_held_until_then(client: Client, nightly: Offering) -> None:
    keep_slots(make.source("models-dev"), {nightly.pk: []}, JULY)
    assert totals(client, "2026-06-30T06:00:00Z", "2026-07-01T06:00:00Z") == ["1", "2"]


class TestRulesAsKnown:
    def test_dated_rule_that_was_replaced_by_another_was_taken_back(self) -> None:
        old, new = night(0, 8, effective_from=JUNE), night(0, 4, effective_from=JUNE)
        given = [GivenRule(old, JUNE, AUGUST), GivenRule(new, AUGUST, None)]
        assert rules_as_known(given, None, takes_back=False) == [new]
        assert rules_as_known(given, JULY, takes_back=False) == [old]

    def test_rule_that_ran_out_before_it_was_dropped_still_says_what_held(self) -> None:
        ended = night(0, 8, effective_from=JUNE, effective_until=JULY)
        assert rules_as_known([GivenRule(ended, JUNE, AUGUST)], None, takes_back=False) == [ended]

    def test_rule_that_was_dropped_before_its_end_was_taken_back(self) -> None:
        announced = night(0, 8, effective_from=JUNE, effective_until=AUGUST)
        assert rules_as_known([GivenRule(announced, JUNE, JULY)], None, takes_back=False) == []

    def test_what_a_persons_record_no_longer_says_is_taken_back(self) -> None:
        assert rules_as_known([GivenRule(night(0, 8), JUNE, JULY)], None, takes_back=True) == []

    def test_first_rule_without_a_beginning_holds_from_ever(self) -> None:
        assert rules_as_known([GivenRule(night(0, 8), JUNE, None)], None, takes_back=False) == [night(0, 8)]
