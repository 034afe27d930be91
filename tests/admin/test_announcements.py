"""An editor moves and takes back what is announced, rules on promotions, and corrects the record."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from pricing.models import Decision, Offering, Price, PricingChange
from tests.admin.conftest import World
from tests.admin.test_stating_prices import page, price_form, told


def in_days(number: int) -> datetime:
    return (timezone.now() + timedelta(days=number)).astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def moment(name: str, at: datetime) -> dict[str, str]:
    return {f"{name}_0": f"{at:%Y-%m-%d}", f"{name}_1": f"{at:%H:%M:%S}"}


def stated(browser: Client, offering: Offering, **said: Any) -> None:
    assert browser.post(page(offering, "state_price"), price_form(**said)).status_code == 302


def last(offering: Offering) -> PricingChange:
    return PricingChange.objects.filter(offering=offering).latest("sequence")


def test_nothing_is_offered_where_nothing_is_announced(browser: Client, world: World) -> None:
    shown = told(browser.get(page(world.chat, "change")))
    assert page(world.chat, "retract") not in shown
    assert page(world.chat, "make_permanent") not in shown


def test_an_announcement_is_rescheduled_and_retracted(browser: Client, world: World) -> None:
    stated(browser, world.chat, **moment("effective_from", in_days(30)))
    shown = told(browser.get(page(world.chat, "change")))
    assert page(world.chat, "retract") in shown and page(world.chat, "reschedule") in shown
    said = {"announcement": in_days(30).isoformat(), "note": "postponed", **moment("to", in_days(40))}
    assert browser.post(page(world.chat, "reschedule"), said).status_code == 302
    assert (last(world.chat).kind, last(world.chat).announced_for) == ("rescheduled", in_days(40))
    said = {"announcement": in_days(40).isoformat(), "note": "cancelled"}
    assert browser.post(page(world.chat, "retract"), said).status_code == 302
    assert last(world.chat).kind == "retracted"


def test_moving_an_announcement_into_the_past_is_refused_on_the_form(browser: Client, world: World) -> None:
    stated(browser, world.chat, **moment("effective_from", in_days(30)))
    said = {"announcement": in_days(30).isoformat(), "note": "oops", **moment("to", in_days(-3))}
    answer = browser.post(page(world.chat, "reschedule"), said)
    assert answer.status_code == 200
    assert "has passed" in told(answer)
    assert last(world.chat).kind == "announced"


def test_a_promotion_is_extended_and_made_permanent(browser: Client, world: World) -> None:
    stated(browser, world.chat)
    stated(browser, world.chat, layer="promo", amount="0.1", **moment("effective_until", in_days(5)))
    shown = told(browser.get(page(world.chat, "change")))
    assert page(world.chat, "extend_promotion") in shown
    browser.post(page(world.chat, "extend_promotion"), {"note": "longer", **moment("until", in_days(9))})
    assert last(world.chat).kind == "promo_extended"
    browser.post(page(world.chat, "make_permanent"), {"note": "for good"})
    assert (last(world.chat).kind, "made permanent" in last(world.chat).headline) == ("promo_ended", True)


def test_a_promotion_is_ended(browser: Client, world: World) -> None:
    stated(browser, world.chat)
    stated(browser, world.chat, layer="promo", amount="0.1", **moment("effective_until", in_days(5)))
    browser.post(page(world.chat, "end_promotion"), {"note": "over"})
    assert last(world.chat).kind == "promo_ended"


def test_a_correction_is_told_as_one(browser: Client, world: World) -> None:
    stated(browser, world.chat, meter="input_tokens", tells="correction")
    assert (last(world.chat).kind, last(world.chat).nature) == ("corrected", "correction")


def test_a_stated_price_is_undone_from_its_decision(browser: Client, world: World) -> None:
    stated(browser, world.chat)
    decision = Decision.objects.get(kind="state")
    address = reverse("admin:pricing_decision_undo", args=[decision.pk])
    assert address in told(browser.get(page(world.chat, "change")))
    assert browser.post(address, {"note": "mistaken"}).status_code == 302
    assert not Price.objects.filter(known_until=None, source__kind="editor").exists()
