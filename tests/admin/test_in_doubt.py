"""One page tells what is in doubt, and from it a person decides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from feeds.models import Feed
from pricing.models import Decision, Disagreement, Hold, Offering, Price, PricingChange, SourcePrecedence
from tests.pricing.believing import price
from tests.pricing.stages import Stage, believed

PAGE = "/admin/pricing/hold/in-doubt/"
NOTE = {"note": "their page says so"}


@dataclass
class Doubts:
    """What waits: two holds of models-dev, one of a document, and LiteLLM's disagreement."""

    chat: Offering
    agreed: Offering
    held: Hold
    also_held: Hold
    document: Hold
    disagreement: Disagreement


@pytest.fixture
def doubts(editor: User) -> Doubts:
    stage = Stage()
    stage.source("models-dev", 30)
    stage.source("litellm", 40)
    chat, coder, agreed = stage.offering("chat"), stage.offering("coder"), stage.offering("agreed")
    stage.read("models-dev", 0, {chat: [price("1")], coder: [price("3")], agreed: [price("5")]})
    stage.read("litellm", 1, {chat: [price("2")], agreed: [price("5")]})
    stage.read("models-dev", 7, {chat: [price("0")], coder: [price("0")], agreed: [price("5")]})
    document = Hold.objects.create(
        source=stage.source("models-dev"),
        seller=stage.seller,
        reason="unit",
        details={"offerings": 31, "of": 40, "factor": "1000", "references": [7], "readings": ["2026-01-08"]},
        observed_at=chat.created_at,
        raised_at=chat.created_at,
    )
    held, also_held = Hold.objects.get(offering=chat), Hold.objects.get(offering=coder)
    return Doubts(chat, agreed, held, also_held, document, Disagreement.objects.get())


def page_of(row: Any, name: str) -> str:
    return reverse(f"admin:pricing_{row._meta.model_name}_{name}", args=[row.pk])


def told(answer: Any) -> str:
    return answer.content.decode()


def test_page_shows_both_lists_with_what_each_says(browser: Client, doubts: Doubts) -> None:
    shown = told(browser.get(PAGE))
    assert "zero where there was a price" in shown and "much of a document moved by one factor" in shown
    assert "offerings 31, of 40, factor 1000, readings 1" in shown
    assert "litellm 2 USD" in shown and "1 USD, models-dev" in shown
    assert "+100.00%" in shown
    for row, act in ((doubts.held, "release"), (doubts.held, "refuse"), (doubts.disagreement, "pin_believed")):
        assert page_of(row, act) in shown


def test_page_is_in_the_navigation_and_on_the_overview(browser: Client, doubts: Doubts) -> None:
    home = told(browser.get("/admin/"))
    assert home.count(PAGE) >= 3
    assert "holds open" in home and "disagreements open" in home


@pytest.mark.parametrize(
    ("query", "holds", "disagreements"),
    [
        ("", 3, 1),
        ("?reason=zero", 2, 0),
        ("?reason=unit", 1, 0),
        ("?kind=amount", 0, 1),
        ("?source=litellm", 0, 1),
        ("?seller=deepseek", 3, 1),
        ("?seller=nobody", 0, 0),
        ("?q=coder", 1, 0),
        ("?q=deepseek", 3, 1),
    ],
)
def test_lists_are_narrowed(browser: Client, doubts: Doubts, query: str, holds: int, disagreements: int) -> None:
    shown = told(browser.get(PAGE + query))
    assert f"Held back: {holds}" in shown and f"Disagreements: {disagreements}" in shown


def test_counts_by_reason_and_source_lead_to_their_rows(browser: Client, doubts: Doubts) -> None:
    shown = told(browser.get(PAGE))
    assert f'href="{PAGE}?reason=zero">zero 2</a>' in shown
    assert f'href="{PAGE}?source=litellm">litellm 1</a>' in shown


def test_number_of_queries_does_not_grow_with_the_page(browser: Client, doubts: Doubts) -> None:
    with CaptureQueriesContext(connection) as few:
        browser.get(PAGE + "?q=coder")
    with CaptureQueriesContext(connection) as many:
        browser.get(PAGE + "?q=deepseek")
    assert len(many) <= len(few) + 1  # that of what others say, where there is a line of theirs


def test_a_hold_is_released_with_a_note(browser: Client, doubts: Doubts) -> None:
    assert "This field is required" in told(browser.post(page_of(doubts.held, "release"), {"note": ""}))
    answer = browser.post(page_of(doubts.held, "release"), NOTE, follow=True)
    assert "became free" in told(answer) or "-&gt; 0" in told(answer)
    assert (Hold.objects.get(pk=doubts.held.pk).outcome, Decision.objects.get().note) == ("person", NOTE["note"])
    assert PricingChange.objects.filter(kind="became_free", offering=doubts.chat).exists()


def test_what_is_decided_offers_no_decision(browser: Client, doubts: Doubts) -> None:
    assert page_of(doubts.held, "refuse") in told(browser.get(page_of(doubts.held, "change")))
    browser.post(page_of(doubts.held, "refuse"), NOTE)
    assert page_of(doubts.held, "release") not in told(browser.get(page_of(doubts.held, "change")))
    assert "was decided" in told(browser.post(page_of(doubts.held, "release"), NOTE))


def test_chosen_holds_are_refused_together(browser: Client, doubts: Doubts) -> None:
    chosen = {"hold": [doubts.held.pk, doubts.also_held.pk], "ruling": "refuse", **NOTE}
    answer = browser.post(PAGE, chosen, follow=True)
    assert "2 refused." in told(answer)
    assert set(Hold.objects.exclude(closed_at=None).values_list("outcome", "decision__note")) == {
        ("refused", NOTE["note"])
    }


def test_one_that_cannot_be_ruled_on_leaves_the_others_standing(browser: Client, doubts: Doubts) -> None:
    Feed.objects.all().delete()
    chosen = {"hold": [doubts.document.pk, doubts.held.pk], "ruling": "release", **NOTE}
    shown = told(browser.post(PAGE, chosen, follow=True))
    assert "1 released." in shown and "has no feed" in shown
    assert Hold.objects.filter(closed_at=None).count() == 2


@pytest.mark.parametrize("said", [{"ruling": "release"}, {"hold": ["1"], "ruling": "release"}, {"hold": ["1"], **NOTE}])
def test_nothing_is_ruled_without_holds_a_ruling_and_a_note(browser: Client, doubts: Doubts, said: Any) -> None:
    assert browser.post(PAGE, said).status_code == 200
    assert not Decision.objects.exists()


def test_who_may_not_rule_sees_no_ruling_and_cannot_send_one(client: Client, doubts: Doubts) -> None:
    reader = User.objects.create_user("norman", is_staff=True)
    reader.user_permissions.add(Permission.objects.get(codename="view_hold"))
    client.force_login(reader)
    assert page_of(doubts.held, "release") not in told(client.get(PAGE))
    assert client.post(PAGE, {"hold": [doubts.held.pk], "ruling": "release", **NOTE}).status_code == 403
    client.force_login(User.objects.create_user("stranger", is_staff=True))
    assert client.get(PAGE).status_code == 403


def test_the_believed_price_is_pinned(browser: Client, doubts: Doubts) -> None:
    browser.post(page_of(doubts.disagreement, "pin_believed"), NOTE)
    assert believed(doubts.chat)[-1][2] == "1"
    assert Decision.objects.get().kind == "pin"


def test_what_the_other_says_is_pinned(browser: Client, doubts: Doubts) -> None:
    browser.post(page_of(doubts.disagreement, "pin_other"), NOTE)
    assert believed(doubts.chat)[-1][2] == "2"
    assert PricingChange.objects.latest("sequence").nature == "correction"


def test_the_other_source_is_preferred_for_the_seller(browser: Client, doubts: Doubts) -> None:
    browser.post(page_of(doubts.disagreement, "prefer"), NOTE)
    own = SourcePrecedence.objects.get()
    assert (own.source.slug, own.seller.slug, own.precedence) == ("litellm", "deepseek", 29)
    assert Price.objects.get(known_until=None, line__offering=doubts.chat, effective_until=None).amount == 2
    assert not Disagreement.objects.filter(closed_at=None).exists()


def test_offering_page_shows_its_own_doubts(browser: Client, doubts: Doubts) -> None:
    shown = told(browser.get(page_of(doubts.chat, "change")))
    assert page_of(doubts.held, "release") in shown
    assert page_of(doubts.disagreement, "pin_other") in shown
    assert page_of(doubts.also_held, "release") not in shown


def test_page_of_a_change_and_of_a_price_say_who_has_seen_it(browser: Client, doubts: Doubts) -> None:
    listed = PricingChange.objects.filter(offering=doubts.chat).earliest("sequence")
    assert "seen by 1 of 2 sources" in told(browser.get(page_of(listed, "change")))
    now = Price.objects.get(known_until=None, line__offering=doubts.agreed)
    assert "seen by 2 of 2" in told(browser.get(page_of(now, "why")))
