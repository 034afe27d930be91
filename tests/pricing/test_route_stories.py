"""Reroutes as they happened: announced, put off and cancelled; a moving ``-latest``; one id that meant four models."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from companies.models import AIModel, Company
from pricing import ledger
from pricing.claims import Claim
from pricing.clock import follow_the_clock
from pricing.models import Offering, PricingChange, RouteStatement
from pricing.routes.targets import Target
from tests.costing.asking import call, results
from tests.pricing.stages import Stage, kinds, last_change
from tests.pricing.worlds import PLAIN

At = Callable[[str], None]


def moment(text: str) -> datetime:
    """``2026-09-14`` or ``2026-09-14 04:00`` in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> At:
    """Set what the wall clock shows."""

    def set_clock(text: str) -> None:
        monkeypatch.setattr(timezone, "now", lambda: moment(text))

    return set_clock


def sold(stage: Stage, name: str, *amounts: tuple[str, str], seller: Company | None = None) -> Offering:
    """An offering with prices from days on, as editors state them."""
    found = stage.offering(name, seller)
    for day, amount in amounts:
        claim = Claim(PLAIN, Decimal(amount), effective_from=moment(day), precision="day")
        ledger.state(found, claim, ledger.Ruling(by=None))
    return found


def aliases(client: Client, offering: Offering, **asked: str) -> list[tuple[str, str]]:
    """Where the history says that an id leads, and from when, as of and as known at the moments asked for."""
    found = client.get(f"/api/v1/offerings/{offering.pk}/history/", asked).json()["aliases"]
    return [(row["target"] or row["model"], row["effective_from"][:10]) for row in found]


def told(change: PricingChange) -> tuple[str, str | None]:
    return change.kind, change.announced_for.isoformat(" ")[:16] if change.announced_for else None


@pytest.fixture
def v4(stage: Stage, at: At, person: ledger.Ruling) -> tuple[Offering, Offering]:
    """V4 Pro, announced on 9 September to be rerouted on the 14th, put off on the 10th, cancelled on the 11th."""
    at("2026-09-01 00:00")
    Company.objects.filter(pk=stage.seller.pk).update(kind="lab")
    flash = sold(stage, "DeepSeek V4 Flash", ("2026-08-01", "0.22"))
    pro = sold(stage, "DeepSeek V4 Pro", ("2026-08-01", "0.66"))
    at("2026-09-09 08:00")
    ledger.reroute(pro, flash, person, at=moment("2026-09-14 04:00"))
    at("2026-09-10 08:00")
    ledger.reschedule_route(RouteStatement.objects.get(), person, at=moment("2026-09-21 04:00"))
    at("2026-09-11 08:00")
    ledger.retire_route(RouteStatement.objects.latest("pk"), person)
    return pro, flash


def test_a_reroute_that_was_announced_put_off_and_cancelled_is_told_on_each_day(
    v4: tuple[Offering, Offering], client: Client, at: At
) -> None:
    pro, _ = v4
    at("2026-11-20 00:00")
    believed = {day: aliases(client, pro, known_at=f"2026-09-{day}T12:00:00Z") for day in ("08", "09", "10", "11")}
    assert believed == {
        "08": [],
        "09": [("DeepSeek V4 Flash", "2026-09-14")],
        "10": [("DeepSeek V4 Flash", "2026-09-21")],
        "11": [],
    }
    assert len(aliases(client, pro)) == 2
    assert client.get(f"/api/v1/offerings/{pro.pk}/").json()["aliases"] == []


def test_its_changes_are_the_announcement_the_postponement_and_the_retraction(
    v4: tuple[Offering, Offering], client: Client, at: At
) -> None:
    pro, flash = v4
    at("2026-11-20 00:00")
    changes = list(pro.changes.order_by("sequence"))[-3:]
    assert [told(change) for change in changes] == [
        ("announced", "2026-09-14 04:00"),
        ("rescheduled", "2026-09-21 04:00"),
        ("retracted", "2026-09-21 04:00"),
    ]
    assert [change.headline for change in changes] == [
        "DeepSeek V4 Pro: rerouted to DeepSeek V4 Flash from 2026-09-14 04:00 UTC",
        "DeepSeek V4 Pro: reroute to DeepSeek V4 Flash rescheduled for 2026-09-21 04:00 UTC",
        "DeepSeek V4 Pro: reroute to DeepSeek V4 Flash announced for 2026-09-21 04:00 UTC taken back",
    ]
    asked = {"kind": ["announced", "rescheduled", "retracted"], "nature": "market"}
    shown = client.get("/api/v1/changes/", asked).json()["results"]
    target = {"offering": flash.pk, "external_id": "DeepSeek V4 Flash", "model": None, "name": "DeepSeek V4 Flash"}
    assert [row["route"] for row in shown] == [{"from": None, "to": target}] * 3
    assert all(row["lines"] == [] and row["superseded_by"] is None for row in shown)


def test_a_reroute_that_never_came_never_takes_effect(v4: tuple[Offering, Offering], at: At) -> None:
    at("2026-10-01 00:00")
    assert ledger.routes_taking_effect(moment("2026-09-01"), moment("2026-10-01")) == []
    assert ledger.settle_routes(moment("2026-09-01"), moment("2026-10-01")) == 0


@pytest.fixture
def mistral(stage: Stage, at: At, person: ledger.Ruling) -> Offering:
    """mistral-medium-latest, told on 10 June to move from Medium 3.1 to Medium 3.5 on the 16th."""
    at("2026-05-01 00:00")
    seller = Company.objects.create(slug="mistral", name="Mistral", kind="lab")
    latest = ledger.id_to_route(seller, "mistral-medium-latest")
    old = sold(stage, "mistral-medium-2508", ("2025-08-12", "0.4"), seller=seller)
    new = sold(stage, "mistral-medium-3-5", ("2026-04-29", "1.5"), seller=seller)
    ledger.reroute(latest, old, person, at=moment("2025-08-12"), precision="day")
    at("2026-06-10 00:00")
    ledger.reroute(latest, new, person, at=moment("2026-06-16"), precision="day")
    return latest


def cost(client: Client, at: str, **line: Any) -> dict[str, Any]:
    (found,) = results(client, call("mistral-medium-latest", seller="mistral", at=at, **line))
    return found


def test_a_call_costs_what_its_target_cost_when_it_was_made(client: Client, mistral: Offering, at: At) -> None:
    at("2026-07-01 00:00")
    before, after = cost(client, "2026-06-15T23:59:59Z"), cost(client, "2026-06-16T00:00:00Z")
    assert [(row["total"], row["alias"]["target"]) for row in (before, after)] == [
        ("0.4", "mistral-medium-2508"),
        ("1.5", "mistral-medium-3-5"),
    ]
    assert after["alias"]["effective_from"] == "2026-06-16T00:00:00Z"
    assert after["alias"]["id"] != before["alias"]["id"]
    # As it was believed before the move was known, the old target would have served the call.
    assert cost(client, "2026-06-20T00:00:00Z", known_at="2026-06-09T00:00:00Z")["total"] == "0.4"


def test_the_announcement_and_its_coming_true_are_told_with_money(client: Client, mistral: Offering, at: At) -> None:
    at("2026-06-16 00:05")
    window = (moment("2026-06-15 23:00"), moment("2026-06-16 00:05"))
    (effect,) = ledger.routes_taking_effect(*window)
    assert (effect.offering, effect.at) == (mistral.pk, moment("2026-06-16"))
    assert ledger.settle_routes(*window) == 1
    assert ledger.settle_routes(*window) == 0
    assert kinds(mistral) == ["rerouted", "announced", "rerouted"]
    change = last_change(mistral)
    assert (change.nature, change.decision, change.refresh_id, change.source) == ("market", None, None, None)
    assert change.headline == (
        "mistral-medium-latest: rerouted from mistral-medium-2508 to mistral-medium-3-5, "
        "input 0.4 -> 1.5 USD per 1M tokens, +275.00%"
    )
    (shown, *_) = client.get("/api/v1/changes/", {"external_id": "mistral-medium-latest"}).json()["results"]
    assert [(line["old"], line["new"], line["percent"]) for line in shown["lines"]] == [("0.4", "1.5", "+275.00")]
    assert shown["route"]["from"]["external_id"] == "mistral-medium-2508"


def test_the_tick_tells_a_reroute_once_beside_the_prices_that_move_with_it(
    mistral: Offering, at: At, person: ledger.Ruling
) -> None:
    at("2026-06-15 12:00")
    follow_the_clock()
    claim = Claim(PLAIN, Decimal("9"), effective_from=moment("2026-06-16"), precision="day")
    ledger.state(mistral, claim, person)
    for now in ("2026-06-16 00:05", "2026-06-16 00:10"):
        at(now)
        follow_the_clock()
    assert kinds(mistral) == ["rerouted", "announced", "announced", "listed", "rerouted"]


def test_the_tick_tells_it_also_where_a_change_with_the_targets_lines_stands_already(mistral: Offering, at: At) -> None:
    at("2026-06-16 00:05")
    assert ledger.settle_routes(moment("2026-06-15"), moment("2026-06-16 00:05")) == 1
    follow_the_clock()
    assert kinds(mistral)[-1] == "rerouted"


def test_an_id_is_found_with_where_it_leads_and_will_lead(client: Client, mistral: Offering, at: At) -> None:
    at("2026-06-11 00:00")
    (row,) = client.get("/api/v1/offerings/", {"external_id": "mistral-medium-latest"}).json()["results"]
    assert (row["status"], row["prices"]) == ("unpriced", [])
    assert [alias["target"] for alias in row["aliases"]] == ["mistral-medium-2508", "mistral-medium-3-5"]


def test_a_route_known_only_after_its_moment_does_not_take_effect_once_more(mistral: Offering, at: At) -> None:
    since = moment("2026-04-01")
    assert ledger.settle_routes(moment("2025-08-01"), since) == 0


def test_an_end_that_was_told_before_takes_effect_too(mistral: Offering, at: At, person: ledger.Ruling) -> None:
    beta = ledger.id_to_route(mistral.seller, "mistral-medium-beta")
    new = Offering.objects.get(external_id="mistral-medium-3-5")
    ledger.reroute(beta, new, person, at=moment("2026-06-01"), until=moment("2026-06-18"))
    at("2026-06-20 00:00")
    assert ledger.settle_routes(moment("2026-06-17"), moment("2026-06-20")) == 1
    assert "mistral-medium-beta: no longer routed to mistral-medium-3-5" in last_change(beta).headline


def test_one_id_has_meant_four_models(stage: Stage, client: Client, at: At) -> None:
    at("2026-10-01 00:00")
    chat = sold(stage, "deepseek-chat", ("2024-12-26", "0.14"), ("2025-02-08", "0.27"), ("2025-09-05", "0.56"))
    served = ["2024-12-26 V3", "2025-08-21 V3.1", "2025-09-29 V3.2-Exp", "2026-04-24 V4 Flash"]
    ends = [moment(line[:10]) for line in served[1:]] + [moment("2026-07-24 15:59")]
    models = [
        AIModel.objects.create(slug=f"deepseek-v{n}", name=line[11:], developer=stage.seller)
        for n, line in enumerate(served)
    ]
    reference = stage._reference("curated", chat, "deepseek-chat")
    routes = [
        ledger.ToldRoute(reference, chat.pk, Target("model", model.pk), moment(line[:10]), end, "day")
        for line, model, end in zip(served, models, ends, strict=True)
    ]
    source = stage.source("curated", 10, kind="curated")  # type: ignore[arg-type]
    ledger.observe(ledger.Reading(source, moment("2026-10-01"), "digest"), [], routes=routes)
    said = {day: aliases(client, chat, as_of=f"{day}T00:00:00Z") for day in ("2024-12-01", "2025-09-06", "2026-07-24")}
    assert said == {
        "2024-12-01": [],
        "2025-09-06": [("deepseek-v1", "2025-08-21")],
        "2026-07-24": [("deepseek-v3", "2026-04-24")],
    }
    assert aliases(client, chat, as_of="2026-07-24T15:59:00Z") == []
    # Own price wins, so that the routes tell who answered, and no change tells of money.
    (found,) = results(client, call("deepseek-chat", at="2025-09-06T00:00:00Z"))
    assert (found["total"], found["alias"]) == ("0.56", None)
    changes = chat.changes.filter(source=source)
    assert {change.kind for change in changes} == {"rerouted"}
    assert all(change.initial and not change.lines.exists() for change in changes)


def test_a_reading_that_sees_an_id_lead_elsewhere_tells_since_when_it_may_have(stage: Stage, at: At) -> None:
    at("2026-06-30 00:00")
    latest = ledger.id_to_route(stage.seller, "latest")
    old, new = sold(stage, "V5", ("2026-01-01", "1")), sold(stage, "V6", ("2026-05-01", "2"))
    reference, source = stage._reference("openrouter", latest, "latest"), stage.source("openrouter")
    for day, to in ((1, old), (2, old), (5, new)):
        route = ledger.ToldRoute(reference, latest.pk, Target("offering", to.pk))
        ledger.observe(ledger.Reading(source, moment("2026-06-01") + timedelta(days=day), f"{day}"), [], routes=[route])
    change = last_change(latest)
    assert (change.kind, change.effective_at, change.observed_after) == (
        "rerouted",
        moment("2026-06-06"),
        moment("2026-06-03"),
    )
    assert change.headline.endswith("input 1 -> 2 USD per 1M tokens, +100.00%")
    ledger.observe_again(ledger.Reading(source, moment("2026-06-08"), "5"))
    assert kinds(latest) == ["rerouted", "rerouted"]
