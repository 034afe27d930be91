"""Another order of sources is a decision: everything it touches is settled anew, and nothing else moves."""

from __future__ import annotations

from decimal import Decimal

from django.test import Client
from django.urls import reverse

from pricing.models import Decision, Price, PricingChange, Source, SourcePrecedence
from tests.admin.conftest import World


def believed(world: World) -> Decimal:
    rows = Price.objects.filter(line__offering=world.chat, line__meter="input_tokens", known_until__isnull=True)
    return rows.latest("effective_from").amount


def source_form(source: Source, **said: object) -> dict[str, object]:
    return {"name": source.name, "precedence": source.precedence, "reason": "", **said}


def test_a_source_that_comes_first_sets_the_price(browser: Client, world: World) -> None:
    assert believed(world) == Decimal("0.27")
    page = reverse("admin:pricing_source_change", args=[world.litellm.pk])
    browser.post(page, source_form(world.litellm, precedence=1, reason="It is read daily."))
    world.litellm.refresh_from_db()
    assert world.litellm.precedence == 1
    assert believed(world) == Decimal("0.50")
    decision = Decision.objects.get(kind="precedence")
    assert (decision.made_by, decision.note) == (world.editor, "It is read daily.")
    assert PricingChange.objects.get(decision=decision).nature == "correction"


def test_another_name_settles_nothing(browser: Client, world: World) -> None:
    page = reverse("admin:pricing_source_change", args=[world.litellm.pk])
    browser.post(page, source_form(world.litellm, name="LiteLLM's table"))
    world.litellm.refresh_from_db()
    assert world.litellm.name == "LiteLLM's table"
    assert not Decision.objects.filter(kind="precedence").exists()


def test_an_order_for_one_seller_holds_until_it_is_deleted(browser: Client, world: World) -> None:
    form = {"source": world.litellm.pk, "seller": world.deepseek.pk, "precedence": 3, "reason": "closer"}
    assert browser.post(reverse("admin:pricing_sourceprecedence_add"), form).status_code == 302
    assert believed(world) == Decimal("0.50")
    own = SourcePrecedence.objects.get(source=world.litellm)
    browser.post(reverse("admin:pricing_sourceprecedence_change", args=[own.pk]), {"precedence": 99})
    assert believed(world) == Decimal("0.27")
    browser.post(reverse("admin:pricing_sourceprecedence_delete", args=[own.pk]), {"post": "yes"})
    assert not SourcePrecedence.objects.filter(source=world.litellm).exists()
    assert Decision.objects.filter(kind="precedence").count() == 3


def test_a_source_that_was_heard_is_not_deleted(browser: Client, world: World) -> None:
    page = reverse("admin:pricing_source_delete", args=[world.litellm.pk])
    assert browser.post(page, {"post": "yes"}).status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": [world.litellm.pk], "post": "yes"}
    browser.post(reverse("admin:pricing_source_changelist"), chosen)
    assert Source.objects.filter(pk=world.litellm.pk).exists()
