"""The installed genai-prices package as a feed: its snapshot, its release date, and the library as a witness."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from feeds.adapters.genai_prices.parse import parse
from feeds.adapters.genai_prices.releases import installed_version, release_moment
from feeds.adapters.genai_prices.scopes import Scope, scope_of
from feeds.adapters.genai_prices.snapshot import snapshot
from feeds.adapters.genai_prices.units import UNITS
from pricing.claims import Claim, ParsedDocument, ParsedOffering, SlotRule
from pricing.meters import METERS


@pytest.fixture(scope="module")
def packaged() -> ParsedDocument:
    return parse(snapshot())


def test_the_snapshot_is_the_same_every_time_and_in_any_order(monkeypatch):
    from genai_prices import data

    before = snapshot()
    monkeypatch.setattr(data, "providers", list(reversed(data.providers)))
    prices = next(model.prices for model in data.providers[0].models if hasattr(model.prices, "input_mtok"))
    stated = dict(vars(prices))
    monkeypatch.setattr(prices, "__dict__", dict(reversed(stated.items())))
    assert snapshot() == before


def test_the_snapshot_keeps_every_model_and_price_key():
    from genai_prices.data import providers

    content = json.loads(snapshot())
    assert sum(len(provider["models"]) for provider in content) == sum(len(provider.models) for provider in providers)
    assert {key for provider in content for key in provider} >= {"id", "name", "models"}
    assert "match" not in content[0]["models"][0]


def test_everything_in_the_installed_package_is_understood(packaged):
    assert len(packaged.offerings) > 2_000
    assert not packaged.rejected
    assert not packaged.unrecognised


def test_no_two_claims_of_the_installed_package_overlap_on_one_line(packaged):
    for row in packaged.offerings:
        by_line = defaultdict(list)
        for claim in row.claims:
            by_line[claim.line].append(claim)
        for claims in by_line.values():
            for earlier, later in pairwise(claims):
                assert earlier.effective_until and later.effective_from
                assert earlier.effective_until <= later.effective_from


def test_every_slot_of_the_installed_package_has_its_rule(packaged):
    for row in packaged.offerings:
        assert {claim.line.slot for claim in row.claims} - {""} == {rule.slot for rule in row.slots}


def test_claims_cost_what_the_library_charges(packaged):
    """Every tenth model, and all with a calendar, on both sides of each date of its own."""
    from genai_prices.data import providers

    rows = {(row.provider, row.model): row for row in packaged.offerings}
    models = [(provider, model) for provider in providers for model in provider.models]
    compared = 0
    for number, (provider, model) in enumerate(models):
        row = rows[provider.id, model.id]
        if number % 10 and not row.slots:
            continue
        for moment in moments_of(row):
            for when in [{}, *(variant.when for variant in model.price_variants or ())]:
                for tokens in (1_000, 200_000, 200_001, 300_000):
                    assert charged(row, moment, scope_of(when), tokens) == library_charge(
                        provider, model, moment, when, tokens
                    ), (provider.id, model.id, moment, when, tokens)
                    compared += 1
    assert compared > 2_000


def moments_of(row: ParsedOffering) -> list[datetime]:
    """From the last change of its calendar on, since the library opens undated windows at all times."""
    begun = max(
        (rule.effective_from for rule in row.slots if rule.effective_from), default=datetime(2024, 1, 1, tzinfo=UTC)
    )
    dates = {claim.effective_from for claim in row.claims if claim.effective_from} | {
        begun,
        datetime(2030, 1, 1, tzinfo=UTC),
    }
    edges = [moment + step for moment in dates for step in (timedelta(minutes=-1), timedelta(0))]
    clocks = [time(0), time(0, 30), time(3, 59), time(4), time(9, 59), time(16, 29), time(16, 30)] if row.slots else []
    days = [datetime.combine(date(2030, 1, 1), clock, tzinfo=UTC) for clock in clocks]
    return sorted(moment for moment in {*edges, *days} if moment >= begun)


def library_charge(provider: Any, model: Any, moment: datetime, when: dict[str, str], tokens: int) -> Decimal:
    from genai_prices import Usage

    usage = Usage(input_tokens=tokens, output_tokens=1_000)
    charge = model.calc_price(usage, provider, genai_request_timestamp=moment, price_context=when or None)
    return charge.input_price + charge.output_price


def charged(row: ParsedOffering, moment: datetime, scope: Scope, tokens: int) -> Decimal:
    """What the claims say that so many input tokens and 1,000 output tokens cost."""
    amounts = {meter: price_at(row, moment, scope, meter, tokens) for meter in ("input_tokens", "output_tokens")}
    return (amounts["input_tokens"] * tokens + amounts["output_tokens"] * 1_000) / 1_000_000


def price_at(row: ParsedOffering, moment: datetime, scope: Scope, meter: str, tokens: int) -> Decimal:
    slot = slot_at(row, moment)
    for tier, region, variant in ((scope.service_tier, scope.region, scope.variant), ("standard", "", "")):
        lines = {
            claim.line.above_input_tokens: claim.amount
            for claim in row.claims
            if claim.line.tariff == (meter, tier, region, variant, "")
            and claim.line.slot in ("", slot)
            and in_force(claim, moment)
        }
        if lines:
            return lines[max(above for above in lines if above == 0 or tokens > above)]
    return Decimal(0)


def slot_at(row: ParsedOffering, moment: datetime) -> str:
    minute = moment.hour * 60 + moment.minute
    rules = [rule for rule in row.slots if in_force(rule, moment)]
    for rule in rules:
        for start, end in rule.windows:
            if (start <= minute < end) if start < end else (minute >= start or minute < end):
                return rule.slot
    return next((rule.slot for rule in rules if rule.is_rest), "")


def in_force(dated: Claim | SlotRule, moment: datetime) -> bool:
    begun = dated.effective_from is None or dated.effective_from <= moment
    return begun and (dated.effective_until is None or moment < dated.effective_until)


def test_every_unit_of_the_installed_package_has_a_meter_of_its_own():
    from genai_prices.data_units import unit_data

    assert {unit["price_key"]: unit["per"] for unit in unit_data.values()} == {
        key: unit.quantity for key, unit in UNITS.items()
    }
    assert {unit.meter for unit in UNITS.values()} <= METERS.keys()
    assert len({unit.meter for unit in UNITS.values()}) == len(UNITS)


def test_the_installed_release_has_its_date():
    assert release_moment(installed_version()) is not None
    assert release_moment("0.2.3") == datetime(2026, 11, 10, 21, 51, 41, tzinfo=UTC)


def test_a_release_that_is_not_listed_has_none():
    assert release_moment("99.0.0") is None
