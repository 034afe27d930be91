"""Calendar slots in costs/: whose rules count, and which of those that a source gave over time."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from pricing import claims, ledger
from pricing.claims import Claim, Conditions
from pricing.models import Offering, Reference, Source
from tests.api import factories as make
from tests.costing.asking import call, results

JUNE, JULY, AUGUST = (make.moment(f"2026-0{month}-01") for month in (6, 7, 8))
PRICES = {Conditions("input_tokens"): "2", Conditions("input_tokens", slot="night"): "1"}


def night(start: int, end: int, **dates: Any) -> claims.SlotRule:
    """The slot ``night`` from one full hour UTC to another."""
    return claims.SlotRule("night", ((start * 60, end * 60),), **dates)


def read(
    offering: Offering, at: datetime, *rules: claims.SlotRule, source: str = "models-dev", is_named: bool = True
) -> None:
    """Let a source be read: it gives the offering's prices with these rules, or does not name it."""
    reader = make.source(source)
    reference, _ = Reference.objects.get_or_create(
        source=reader, provider="deepseek", external_id="nightly", offering=offering, defaults={"first_seen_at": at}
    )
    said = [Claim(line, Decimal(amount)) for line, amount in PRICES.items()]
    told = [ledger.Told(reference.pk, offering.pk, said, slots=rules)] if is_named else []
    ledger.observe(ledger.Reading(reader, at, f"{at}"), told)


@pytest.fixture
def nightly(db: None) -> Offering:
    """A model that costs 2, and 1 at night: from 0 to 8 as models-dev says."""
    offering = make.offering("nightly")
    read(offering, make.TRACKED_SINCE, night(0, 8))
    return offering


def totals(client: Client, *moments: str, **line: Any) -> list[str]:
    return [result["total"] for result in results(client, *(call("nightly", at=at, **line) for at in moments))]


def test_slot_holds_by_the_rules_of_the_source_that_set_the_price(client: Client, nightly: Offering) -> None:
    read(nightly, make.TRACKED_SINCE, night(12, 20), source="litellm")
    assert totals(client, "2026-06-01T07:59:59Z", "2026-06-01T08:00:00Z", "2026-06-01T13:00:00Z") == ["1", "2", "2"]


def test_source_without_rules_follows_those_of_the_first_that_has_them(client: Client, nightly: Offering) -> None:
    editors = make.source("editors", kind=Source.Kind.EDITOR)
    nightly.lines.get(slot="night").prices.update(source=editors)
    assert totals(client, "2026-06-01T07:00:00Z", "2026-06-01T09:00:00Z") == ["1", "2"]


def test_call_of_the_past_follows_the_windows_of_its_day(client: Client, nightly: Offering) -> None:
    read(nightly, JULY, night(0, 4))
    assert totals(client, "2026-06-30T06:00:00Z", "2026-07-01T06:00:00Z") == ["1", "2"]
    assert totals(client, "2026-07-01T06:00:00Z", known_at="2026-06-30T00:00:00Z") == ["1"]


def test_slot_that_its_source_gives_no_longer_held_until_then(client: Client, nightly: Offering) -> None:
    read(nightly, JULY)
    assert totals(client, "2026-06-30T06:00:00Z", "2026-07-01T06:00:00Z") == ["1", "2"]


def test_slot_goes_on_where_a_reading_lacks_the_offering_altogether(client: Client, nightly: Offering) -> None:
    read(nightly, JULY, is_named=False)
    assert totals(client, "2026-07-01T06:00:00Z", "2026-07-01T09:00:00Z") == ["1", "2"]


def test_calendar_that_editors_state_goes_before_that_of_the_source_of_the_price(
    client: Client, nightly: Offering
) -> None:
    stated = [night(20, 22)]
    with pytest.raises(ledger.LedgerError, match="no price line for the slot 'evening'"):
        ledger.state_calendar(nightly, [claims.SlotRule("evening", ((0, 60),))], ledger.Ruling(None))
    ledger.state_calendar(nightly, stated, ledger.Ruling(None), effective_from=JULY)
    assert totals(client, "2026-06-30T06:00:00Z", "2026-07-01T06:00:00Z", "2026-07-01T21:00:00Z") == ["1", "2", "1"]
