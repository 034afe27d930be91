"""An editor states, announces and takes back when an offering's slots apply, on the offering's page."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from pricing import ledger
from pricing.claims import Claim, Conditions
from pricing.ledger import Ruling
from pricing.models import CalendarStatement, PricingChange, SlotRule
from tests.admin.conftest import World

CITATION = "https://api-docs.deepseek.com/quick_start/pricing"
CALENDAR = "peak: Mon-Fri 01:00-04:00, 06:00-10:00 UTC; holidays CN\noff-peak: rest"


@pytest.fixture
def by_the_hour(world: World) -> World:
    """The world with prices of DeepSeek Chat by the hour, which editors state."""
    SlotRule.objects.all().delete()
    CalendarStatement.objects.all().delete()
    for slot, amount in (("peak", "1"), ("off-peak", "0.5")):
        claim = Claim(Conditions("output_tokens", slot=slot), Decimal(amount), "USD", None, None, "exact")
        ledger.state(world.chat, claim, Ruling(world.editor))
    return world


def page(world: World, name: str) -> str:
    return reverse(f"admin:pricing_offering_{name}", args=[world.chat.pk])


def state(browser: Client, world: World, calendar: str = CALENDAR, **said: Any) -> str:
    form = {"calendar": calendar, "citation_url": CITATION, **said}
    answer = browser.post(page(world, "state_calendar"), form, follow=True)
    return answer.content.decode()


def test_a_stated_calendar_is_shown_with_its_hours_and_who_said_so(browser: Client, by_the_hour: World) -> None:
    shown = state(browser, by_the_hour)
    assert "Mon–Fri 01:00–04:00, 06:00–10:00 UTC; holidays CN" in shown
    assert f"stated by {by_the_hour.editor}" in shown
    statement = CalendarStatement.objects.get()
    assert (statement.author, statement.citation_url) == (by_the_hour.editor, CITATION)
    assert SlotRule.objects.filter(known_until=None, statement=statement).count() == 2


def test_form_begins_with_the_calendar_that_counts_now(browser: Client, by_the_hour: World) -> None:
    state(browser, by_the_hour)
    asked = browser.get(page(by_the_hour, "state_calendar")).content.decode()
    assert "peak: Mon–Fri 01:00–04:00, 06:00–10:00 UTC; holidays CN\noff-peak: rest" in asked.replace("\r", "") or (
        "off-peak: rest\npeak: Mon–Fri 01:00–04:00, 06:00–10:00 UTC; holidays CN" in asked.replace("\r", "")
    )


def test_an_announced_calendar_is_to_come_and_can_be_taken_back(browser: Client, by_the_hour: World) -> None:
    state(browser, by_the_hour)
    shown = state(browser, by_the_hour, "peak: 01:00-02:00\noff-peak: rest", effective_from_0="2099-01-01")
    assert "announced for 2099-01-01 00:00 UTC: peak hours then daily 01:00–02:00 UTC" in shown
    assert "to come" in shown
    statement = CalendarStatement.objects.latest("pk")
    take_back = reverse("admin:pricing_calendarstatement_take_back", args=[statement.pk])
    assert take_back in shown
    answer = browser.post(take_back, {"note": "It never came."}, follow=True).content.decode()
    assert "announced change taken back" in answer
    assert PricingChange.objects.filter(kind="retracted").count() == 1
    statement.refresh_from_db()
    assert statement.ended_at is not None


@pytest.mark.parametrize(
    ("calendar", "problem"),
    [
        ("peak: Mon-Fri\noff-peak: rest", "gives no hours"),
        ("peak 01:00-04:00", "does not begin with a slot"),
        ("peak: 25:00-26:00\noff-peak: rest", "is no window of hours"),
        ("peak: Mon-Fri 01:00-04:00 Mars/Base\noff-peak: rest", "unknown time zone"),
        ("peak: 01:00-04:00; vacations\noff-peak: rest", "was expected"),
        ("peak: 01:00-04:00\noff-peak: 02:00-05:00", "both hold from"),
        ("peak: 01:00-04:00\nnoon: rest", "no price line for the slot"),
    ],
)
def test_a_calendar_that_cannot_be_is_told_on_the_form(
    browser: Client, by_the_hour: World, calendar: str, problem: str
) -> None:
    assert problem in state(browser, by_the_hour, calendar)
    assert not CalendarStatement.objects.exists()
