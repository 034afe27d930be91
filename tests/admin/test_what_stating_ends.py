"""The form that states a price says which other lines of the tariff would end with it, and they do."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from pricing import ledger
from pricing.claims import Claim, Conditions
from pricing.ledger import Ruling
from pricing.models import Offering, Price, PriceLine
from tests.admin.conftest import INPUT, JUNE, World, read, referred, sold

LONG = replace(INPUT, above_input_tokens=200_000)
PEAK = replace(INPUT, slot="peak")
BATCH = replace(INPUT, service_tier="batch")
ENDS = "from now on would end:"


@pytest.fixture
def tiered(world: World) -> Offering:
    """An offering of which one feed states three lines of one tariff, and lines of two others."""
    offering = sold(world.deepseek, "tiered", "Tiered")
    reference = referred(world.models_dev, "deepseek", "tiered", offering)
    amounts = {INPUT: "1", LONG: "2", PEAK: "3", BATCH: "0.5", Conditions("output_tokens"): "4"}
    read(world.models_dev, timezone.now(), {reference: amounts})
    return offering


def line_of(offering: Offering, conditions: Conditions) -> PriceLine:
    return next(line for line in offering.lines.all() if line.conditions == conditions)


def opened(browser: Client, offering: Offering, conditions: Conditions | None, name: str = "state_price") -> Any:
    asked = {"line": line_of(offering, conditions).pk} if conditions else {}
    return browser.get(reverse(f"admin:pricing_offering_{name}", args=[offering.pk]), asked)


def listed(answer: Any) -> list[str]:
    return [str(line).split(": ")[0] for line in answer.context["page"].consequences]


def in_force(offering: Offering) -> set[Conditions]:
    believed = Price.objects.filter(line__offering=offering, known_until__isnull=True)
    rows = believed.exclude(effective_until__lte=timezone.now()).select_related("line")
    return {price.line.conditions for price in rows}


def state(offering: Offering, conditions: Conditions, world: World) -> None:
    ledger.state(offering, Claim(conditions, Decimal("7")), Ruling(world.editor, "read on the page"))


def test_the_form_says_that_one_source_sets_the_sheet_whole(browser: Client, tiered: Offering) -> None:
    answer = opened(browser, tiered, None)
    assert "One source sets the sheet of a tariff whole" in answer.content.decode()
    assert ENDS not in answer.content.decode()


def test_the_lines_that_would_end_are_listed_and_end(browser: Client, tiered: Offering, world: World) -> None:
    answer = opened(browser, tiered, INPUT)
    assert listed(answer) == [str(line_of(tiered, PEAK)), str(line_of(tiered, LONG))]
    assert ENDS in answer.content.decode()
    assert f"{line_of(tiered, LONG)}: 2 USD, by models.dev" in answer.content.decode()
    before = in_force(tiered)
    state(tiered, INPUT, world)
    assert before - in_force(tiered) == {PEAK, LONG}


def test_what_editors_state_themselves_does_not_end(browser: Client, tiered: Offering, world: World) -> None:
    state(tiered, LONG, world)
    state(tiered, INPUT, world)
    assert listed(opened(browser, tiered, INPUT)) == []
    assert ENDS not in opened(browser, tiered, LONG).content.decode()


def test_a_pinned_line_does_not_end(browser: Client, tiered: Offering, world: World) -> None:
    pinned = Claim(LONG, Decimal("9"), effective_from=JUNE, precision="exact")
    ledger.pin(tiered, pinned, Ruling(world.editor, "sold so"))
    assert listed(opened(browser, tiered, INPUT)) == [str(line_of(tiered, PEAK))]


def test_a_pin_ends_no_other_line_and_says_so_by_listing_none(browser: Client, tiered: Offering) -> None:
    answer = opened(browser, tiered, INPUT, "pin_price")
    assert ENDS not in answer.content.decode()
    assert "One source sets" not in answer.content.decode()
