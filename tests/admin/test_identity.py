"""People rule in the admin what is one offering: what is suspected is shown with its reasons, merged, split, linked."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from companies.models import AIModel, Company
from feeds.models import SellerAlias
from pricing import ledger
from pricing.models import Decision, Offering, Reference
from tests.admin.conftest import INPUT, JULY, World, read, referred, sold


@pytest.fixture
def twin(world: World) -> Offering:
    """The same thing as the world's chat model, under the id with its vendor."""
    found = sold(world.deepseek, "deepseek/deepseek-chat", "DeepSeek Chat again")
    reference = referred(world.litellm, "deepseek", "deepseek/deepseek-chat-again", found)
    read(world.litellm, JULY, {reference: {INPUT: "0.27"}})
    return found


def page(offering: Offering, name: str) -> str:
    return reverse(f"admin:pricing_offering_{name}", args=[offering.pk])


def test_what_may_be_one_offering_is_listed_with_its_reasons(browser: Client, world: World, twin: Offering) -> None:
    shown = browser.get(reverse("admin:feeds_identity")).content.decode()
    assert "deepseek/deepseek-chat" in shown
    assert "one names the vendor, or more of it" in shown
    assert f"{page(world.chat, 'merge')}?into={twin.pk}" in shown


def test_who_may_not_see_offerings_sees_no_identity(client: Client, world: World) -> None:
    outsider = User.objects.create_user("olga", "olga@example.org", "a long enough passphrase", is_staff=True)
    client.force_login(outsider)
    assert client.get(reverse("admin:feeds_identity")).status_code == 403


def test_a_merge_is_made_and_undone_in_the_admin(browser: Client, world: World, twin: Offering) -> None:
    assert "Into offering" in browser.get(page(twin, "merge") + f"?into={world.chat.pk}").content.decode()
    answered = browser.post(page(twin, "merge"), {"into": world.chat.pk, "note": "one thing"})
    assert answered.status_code == 302
    twin.refresh_from_db()
    assert twin.merged_into == world.chat
    decision = Decision.objects.get(kind="merge")
    assert (decision.made_by, decision.note) == (world.editor, "one thing")
    browser.post(reverse("admin:pricing_decision_undo", args=[decision.pk]), {"note": "a mistake"})
    twin.refresh_from_db()
    assert twin.merged_into is None


def test_what_the_ledger_refuses_stands_on_the_page(browser: Client, world: World) -> None:
    shown = browser.post(page(world.chat, "merge"), {"into": world.chat.pk, "note": "x"}).content.decode()
    assert "into itself" in shown
    shown = browser.post(page(world.chat, "merge"), {"into": 999999, "note": "x"}).content.decode()
    assert "there is no offering 999999" in shown


def test_references_are_split_off_in_the_admin(browser: Client, world: World) -> None:
    chosen = referred(world.litellm, "deepseek", "deepseek-chat-other", world.chat)
    answered = browser.post(page(world.chat, "split"), {"references": [chosen.pk], "note": "another model"})
    assert answered.status_code == 302
    chosen.refresh_from_db()
    assert chosen.offering.external_id == "deepseek-chat-other"


def test_a_model_is_linked_by_its_slug_and_a_wrong_slug_is_answered_with_the_nearest(
    browser: Client, world: World
) -> None:
    model = AIModel.objects.create(slug="deepseek-v9", name="DeepSeek V9")
    shown = browser.post(page(world.chat, "link"), {"model": "deepseek-v8", "note": "x"}).content.decode()
    assert "the nearest are" in shown and "deepseek-v9" in shown
    browser.post(page(world.chat, "link"), {"model": "deepseek-v9", "note": "it says so"})
    world.chat.refresh_from_db()
    assert (world.chat.model, world.chat.model_linked_by) == (model, "person")


def test_suggested_links_that_are_ticked_are_made_together_and_undone_together(browser: Client, world: World) -> None:
    AIModel.objects.create(slug="gpt-9", name="GPT-9")
    offerings = [sold(world.openrouter, f"gpt-9-{how}", how) for how in ("low", "high", "fast")]
    address = reverse("admin:feeds_identity")
    assert "gpt-9-low" in browser.get(address).content.decode()
    browser.post(address, {"offering": [offerings[0].pk, offerings[1].pk]})
    assert Offering.objects.filter(model__slug="gpt-9", model_linked_by="person").count() == 2
    ledger.undo(Decision.objects.filter(kind="link").earliest("pk"), ledger.Ruling(world.editor))
    assert not Offering.objects.filter(model__slug="gpt-9").exists()


def test_another_seller_for_a_provider_id_takes_what_was_said_under_it_along(browser: Client, world: World) -> None:
    elsewhere = Company.objects.create(slug="elsewhere", name="Elsewhere")
    reference = Reference.objects.filter(source=world.models_dev, offering=world.chat).earliest("pk")
    form = {"source": world.models_dev.pk, "provider": reference.provider, "company": elsewhere.pk}
    SellerAlias.objects.filter(source=world.models_dev, provider=reference.provider).delete()
    assert browser.post(reverse("admin:feeds_selleralias_add"), form).status_code == 302
    reference.refresh_from_db()
    assert reference.offering.seller == elsewhere
    decision = Decision.objects.filter(kind__in=["merge", "split"]).latest("pk")
    ledger.undo(decision, ledger.Ruling(world.editor))
    reference.refresh_from_db()
    assert reference.offering == world.chat
