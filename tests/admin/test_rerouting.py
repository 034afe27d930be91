"""An editor reroutes an id on the offering's page, puts that off, takes it back and undoes it, through the ledger."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from companies.models import AIModel
from pricing import ledger
from pricing.models import Alias, Decision, Offering, PricingChange, RouteStatement
from tests.admin.conftest import World, sold

CITATION = "https://api-docs.deepseek.com/news"


@pytest.fixture
def latest(world: World) -> Offering:
    """An id of DeepSeek's without a price of its own."""
    return sold(world.deepseek, "deepseek-latest", "DeepSeek Latest")


def page(offering: Offering, name: str = "reroute") -> str:
    return reverse(f"admin:pricing_offering_{name}", args=[offering.pk])


def of_statement(name: str) -> str:
    return reverse(f"admin:pricing_routestatement_{name}", args=[stated().pk])


def stated() -> RouteStatement:
    return RouteStatement.objects.latest("pk")


def form(**said: Any) -> dict[str, Any]:
    return {"note": "The news says so.", "citation_url": CITATION, **said}


def ahead(days: int) -> datetime:
    day = (timezone.now() + timedelta(days=days)).date()
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def told(answer: Any) -> str:
    return answer.content.decode()


def test_a_reroute_is_a_route_and_a_change_with_its_citation(browser: Client, world: World, latest: Offering) -> None:
    answer = browser.post(page(latest), form(target_offering=world.chat.pk), follow=True)
    assert answer.redirect_chain == [(page(latest, "change"), 302)]
    row = Alias.objects.get(offering=latest)
    assert (row.target_offering, row.citation_url, row.precision) == (world.chat, CITATION, "exact")
    assert stated().author == world.editor
    change = PricingChange.objects.get(offering=latest)
    assert change.headline.replace(">", "&gt;") in told(answer)
    assert "Where the id leads" in told(answer)
    assert CITATION in told(answer)


def test_a_day_ahead_announces_it_put_off_and_taken_back(browser: Client, world: World) -> None:
    first, second = ahead(5), ahead(12)
    browser.post(page(world.chat), form(target_model=AIModel.objects.get(slug="deepseek-1").pk, at_0=f"{first:%F}"))
    assert (stated().effective_from, stated().precision) == (first, "day")
    shown = told(browser.get(page(world.chat, "change")))
    assert "to come" in shown
    assert of_statement("reschedule") in shown
    browser.post(of_statement("reschedule"), form(at_0=f"{second:%F}", at_1="04:00"))
    assert (stated().effective_from, stated().precision) == (second + timedelta(hours=4), "exact")
    answer = browser.post(of_statement("take_back"), form(), follow=True)
    assert "taken back" in told(answer)
    changes = PricingChange.objects.filter(offering=world.chat).order_by("-sequence")[:3]
    assert [change.kind for change in changes] == ["retracted", "rescheduled", "announced"]
    assert "no longer believed" in told(browser.get(page(world.chat, "change")))


def test_a_reroute_is_undone_by_its_decision(browser: Client, world: World, latest: Offering) -> None:
    browser.post(page(latest), form(target_offering=world.chat.pk))
    decision = Decision.objects.get(kind="reroute", offering=latest)
    undo = reverse("admin:pricing_decision_undo", args=[decision.pk])
    assert undo in told(browser.get(page(latest, "change")))
    browser.post(undo, form())
    assert not Alias.objects.filter(offering=latest, known_until=None).exists()


def test_what_the_ledger_refuses_stands_on_the_form(browser: Client, world: World, latest: Offering) -> None:
    answer = browser.post(page(latest), form(target_offering=latest.pk))
    assert "cannot be routed to itself" in told(answer)
    answer = browser.post(page(latest), form(target_offering=world.resold.pk))
    assert "does not sell" in told(answer)
    assert not RouteStatement.objects.filter(offering=latest).exists()


@pytest.mark.parametrize("both", [True, False])
def test_exactly_one_target_is_chosen(browser: Client, world: World, latest: Offering, both: bool) -> None:
    model = AIModel.objects.get(slug="deepseek-1")
    targets = {"target_offering": world.chat.pk, "target_model": model.pk} if both else {}
    assert "choose either" in told(browser.post(page(latest), form(**targets)))


def test_the_target_is_found_by_typing(browser: Client, world: World, latest: Offering) -> None:
    shown = told(browser.get(page(latest)))
    assert 'data-field-name="target_offering"' in shown
    asked = {"app_label": "pricing", "model_name": "routestatement", "field_name": "target_offering", "term": "ds-chat"}
    found = browser.get(reverse("admin:autocomplete"), asked).json()["results"]
    assert [row["id"] for row in found] == [str(world.chat.pk)]


def test_a_plan_and_what_was_merged_away_are_not_rerouted(browser: Client, world: World) -> None:
    Offering.objects.filter(pk=world.resold.pk).update(kind="plan")
    assert page(world.resold) not in told(browser.get(page(world.resold, "change")))
    assert page(world.chat) in told(browser.get(page(world.chat, "change")))


def test_only_who_may_rule_may_reroute(client: Client, world: World, latest: Offering) -> None:
    viewer = User.objects.create_user("vera", is_staff=True)
    viewer.user_permissions.add(*Permission.objects.filter(codename__in=["view_offering", "view_routestatement"]))
    ledger.reroute(latest, world.chat, ledger.Ruling(world.editor))
    client.force_login(viewer)
    assert client.get(page(latest)).status_code == 403
    for name in ("reschedule", "take_back"):
        assert client.post(of_statement(name), form()).status_code == 403
        assert of_statement(name) not in told(client.get(page(latest, "change")))


def test_what_a_source_says_has_no_actions(browser: Client, world: World, latest: Offering) -> None:
    ledger.reroute(latest, world.chat, ledger.Ruling(world.editor))
    RouteStatement.objects.filter(pk=stated().pk).update(source=world.litellm)
    assert of_statement("take_back") not in told(browser.get(of_statement("change")))
