"""An editor states, pins, withdraws, relists, undoes and takes back on the offering's pages, through the ledger."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from companies.models import AIModel, Company
from pricing import ledger
from pricing.models import Decision, Offering, Price, PricingChange, Statement
from tests.admin.conftest import World

CITATION = "https://api-docs.deepseek.com/quick_start/pricing"


def page(offering: Offering, name: str) -> str:
    return reverse(f"admin:pricing_offering_{name}", args=[offering.pk])


def price_form(**said: Any) -> dict[str, Any]:
    return {
        "meter": "output_tokens",
        "service_tier": "standard",
        "above_input_tokens": "0",
        "layer": "list",
        "amount": "0.42",
        "currency": "usd",
        "zero_means": "free",
        "citation_url": CITATION,
        "citation_title": "Models & Pricing",
        "note": "The page says so.",
        **said,
    }


def in_force(offering: Offering, meter: str) -> Price | None:
    rows = Price.objects.filter(line__offering=offering, line__meter=meter, known_until__isnull=True)
    return rows.filter(effective_from__lte=timezone.now()).exclude(effective_until__lte=timezone.now()).first()


def told(answer: Any) -> str:
    return answer.content.decode()


def test_a_stated_price_is_a_price_and_a_change_with_its_citation(browser: Client, world: World) -> None:
    answer = browser.post(page(world.chat, "state_price"), price_form(), follow=True)
    assert answer.redirect_chain == [(page(world.chat, "change"), 302)]
    price = in_force(world.chat, "output_tokens")
    assert price is not None and price.statement is not None
    assert (price.amount, price.currency) == (Decimal("0.42"), "USD")
    assert (price.statement.author, price.statement.citation_url) == (world.editor, CITATION)
    change = PricingChange.objects.get(decision__kind="state")
    assert change.kind == "decrease"
    assert change.decision is not None and change.decision.citation_url == CITATION
    assert change.headline.replace(">", "&gt;") in told(answer)


def test_a_price_ahead_is_announced(browser: Client, world: World) -> None:
    day = (timezone.now() + timedelta(days=9)).date()
    browser.post(page(world.chat, "state_price"), price_form(effective_from_0=day.isoformat()))
    change = PricingChange.objects.get(decision__kind="state")
    assert change.kind == "announced"
    assert change.announced_for == datetime(day.year, day.month, day.day, tzinfo=UTC)
    page_now = told(browser.get(page(world.chat, "change")))
    assert "To come" in page_now
    assert f"<td>{day.isoformat()}</td>" in page_now


def test_a_month_is_kept_as_its_first_moment(browser: Client, world: World) -> None:
    form = price_form(effective_from_0="2026-07-17", effective_from_1="10:00", precision="month")
    browser.post(page(world.chat, "state_price"), form)
    statement = Statement.objects.get(author=world.editor)
    assert statement.effective_from == datetime(2026, 7, 1, tzinfo=UTC)
    assert "July 2026" in told(browser.get(page(world.chat, "change")))


def test_times_are_read_in_utc(browser: Client, world: World) -> None:
    browser.post(
        page(world.chat, "state_price"), price_form(effective_from_0="2026-07-17", effective_from_1="10:30:00")
    )
    statement = Statement.objects.get(author=world.editor)
    assert statement.effective_from == datetime(2026, 7, 17, 10, 30, tzinfo=UTC)
    assert statement.precision == "exact"


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        ({"citation_url": ""}, "This field is required"),
        ({"amount": "-1"}, "greater than or equal to 0"),
        ({"amount": "0.1234567890123456789"}, "18 after"),
        ({"currency": "12"}, "is not a currency"),
        ({"effective_from_0": "2026-08-02", "effective_until_0": "2026-08-01"}, "a price must end after it starts"),
        ({"effective_from_1": "10:00"}, "a time needs a day"),
        ({"meter": "smells"}, "Select a valid choice"),
        ({"slot": "night"}, "state its hours first"),
    ],
)
def test_what_cannot_be_is_said_on_the_form_and_nothing_is_written(
    browser: Client, world: World, said: dict[str, str], complaint: str
) -> None:
    decisions = Decision.objects.count()
    answer = browser.post(page(world.chat, "state_price"), price_form(**said))
    assert answer.status_code == 200
    assert complaint in told(answer)
    assert Decision.objects.count() == decisions


def test_a_new_price_starts_from_the_line_it_is_for(browser: Client, world: World) -> None:
    line = world.chat.lines.get(meter="output_tokens")
    form = browser.get(page(world.chat, "state_price"), {"line": line.pk}).context["page"].form
    assert form["meter"].value() == "output_tokens"
    assert form["currency"].value() == "USD"


def test_a_pin_needs_a_reason_and_is_undone_with_one(browser: Client, world: World) -> None:
    form = price_form(amount="9", note="")
    assert "This field is required" in told(browser.post(page(world.chat, "pin_price"), form))
    browser.post(page(world.chat, "pin_price"), price_form(amount="9"))
    pin = Decision.objects.filter(kind="pin").latest("pk")
    assert in_force(world.chat, "output_tokens").amount == Decimal("9")
    undo = reverse("admin:pricing_decision_undo", args=[pin.pk])
    assert undo in told(browser.get(page(world.chat, "change")))
    browser.post(undo, {"note": "It was a typing error."})
    assert in_force(world.chat, "output_tokens").amount == Decimal("1.10")
    again = browser.post(undo, {"note": "Once more."})
    assert "the decision is undone already" in told(again)


def test_an_offering_is_withdrawn_and_relisted(browser: Client, world: World) -> None:
    browser.post(page(world.chat, "withdraw"), {"note": "The page is gone.", "at_0": "2026-08-01"})
    world.chat.refresh_from_db()
    assert world.chat.status == "withdrawn"
    withdrawn = told(browser.get(page(world.chat, "change")))
    assert page(world.chat, "relist") in withdrawn
    assert page(world.chat, "withdraw") not in withdrawn
    browser.post(page(world.chat, "relist"), {"note": "It is back."})
    world.chat.refresh_from_db()
    assert world.chat.status == "listed"


def test_relisting_what_nobody_withdrew_is_refused(browser: Client, world: World) -> None:
    answer = browser.post(page(world.chat, "relist"), {"note": "It is back."})
    assert "is not withdrawn by a decision" in told(answer)


def test_a_statement_is_taken_back_and_the_feed_speaks_again(browser: Client, world: World) -> None:
    browser.post(page(world.chat, "state_price"), price_form())
    statement = Statement.objects.get(author=world.editor)
    take_back = reverse("admin:pricing_statement_take_back", args=[statement.pk])
    assert take_back in told(browser.get(page(world.chat, "change")))
    browser.post(take_back, {"note": "Misread."})
    assert in_force(world.chat, "output_tokens").amount == Decimal("1.10")


def test_what_a_feed_says_cannot_be_taken_back(browser: Client, world: World) -> None:
    statement = Statement.objects.filter(source=world.models_dev).first()
    assert statement is not None
    answer = browser.post(reverse("admin:pricing_statement_take_back", args=[statement.pk]), {"note": "No."})
    assert "only an editor&#x27;s statement can be taken back" in told(answer)


def test_saying_what_is_already_believed_says_that_nothing_changed(browser: Client, world: World) -> None:
    browser.post(page(world.chat, "pin_price"), price_form(effective_from_0="2026-06-02"))
    answer = browser.post(page(world.chat, "pin_price"), price_form(effective_from_0="2026-06-02"), follow=True)
    assert "What is believed stays as it was" in told(answer)


def test_nothing_is_stated_of_what_was_merged_away(browser: Client, world: World) -> None:
    Offering.objects.filter(pk=world.resold.pk).update(merged_into=world.chat, status="merged")
    assert page(world.resold, "state_price") not in told(browser.get(page(world.resold, "change")))
    answer = browser.post(page(world.resold, "state_price"), price_form())
    assert "was merged into" in told(answer)


def test_an_editor_adds_a_company_an_offering_and_its_first_price(browser: Client, db: None) -> None:
    aliases = {"aliases-TOTAL_FORMS": "0", "aliases-INITIAL_FORMS": "0"}
    company = {"name": "Acme AI", "slug": "acme-ai", "kind": "lab", **aliases}
    assert browser.post(reverse("admin:companies_company_add"), company).status_code == 302
    acme = Company.objects.get(slug="acme-ai")
    offering = {"kind": "api", "seller": acme.pk, "external_id": "Acme_One", "name": "Acme One"}
    browser.post(reverse("admin:pricing_offering_add"), offering)
    added = Offering.objects.get(seller=acme)
    assert added.identity_key == "acme-one"
    assert "State the first one" in told(browser.get(page(added, "change")))
    browser.post(page(added, "state_price"), price_form())
    assert PricingChange.objects.get(offering=added).kind == "listed"


def test_a_second_offering_under_one_id_is_refused(browser: Client, world: World) -> None:
    twin = {"kind": "api", "seller": world.deepseek.pk, "external_id": "DeepSeek_Chat", "name": "Chat again"}
    answer = browser.post(reverse("admin:pricing_offering_add"), twin)
    assert "already sells this: DeepSeek Chat" in told(answer)
    assert Offering.objects.filter(seller=world.deepseek, identity_key="deepseek-chat").count() == 1


def test_a_link_that_a_person_makes_says_so(browser: Client, world: World) -> None:
    other = AIModel.objects.create(slug="deepseek-v4", name="DeepSeek-V4")
    browser.post(page(world.chat, "change"), {"name": "DeepSeek Chat", "model": other.pk})
    world.chat.refresh_from_db()
    assert (world.chat.model, world.chat.model_linked_by) == (other, "person")
    assert world.chat.history.first().history_user == world.editor


def test_the_id_and_seller_of_an_offering_stay(browser: Client, world: World) -> None:
    browser.post(page(world.chat, "change"), {"name": "Chat", "external_id": "else", "seller": world.openrouter.pk})
    world.chat.refresh_from_db()
    assert (world.chat.name, world.chat.external_id, world.chat.seller) == ("Chat", "deepseek-chat", world.deepseek)


def test_somebody_who_may_only_look_cannot_state(client: Client, world: World) -> None:
    reader = User.objects.create_user("rita", password="a long enough passphrase", is_staff=True)
    reader.user_permissions.add(Permission.objects.get(codename="view_offering"))
    client.force_login(reader)
    seen = told(client.get(page(world.chat, "change")))
    assert "Prices in force" in seen
    assert page(world.chat, "state_price") not in seen
    for ruling in ("state_price", "pin_price", "withdraw", "relist"):
        assert client.post(page(world.chat, ruling), price_form()).status_code == 403


def test_the_offerings_page_tells_what_was_believed_and_happened(browser: Client, world: World) -> None:
    seen = told(browser.get(page(world.chat, "change")))
    assert "input 0.5 -&gt; 0.27 USD per 1M tokens, -46.00%" in seen
    assert "between 2026-06-01 12:00 UTC and 2026-07-01 12:00 UTC" in seen
    assert 'class="is-disbelieved"' in seen
    assert "pinned by edith" in seen
    assert "deepseek/ds-chat-latest" in seen


def test_the_offerings_page_asks_as_often_for_a_long_history(
    browser: Client, world: World, django_assert_max_num_queries: Any
) -> None:
    for amount in range(5):
        claim = ledger_claim(amount)
        ledger.state(world.chat, claim, ledger.Ruling(world.editor, "again", CITATION))
    browser.get(page(world.chat, "change"))
    with django_assert_max_num_queries(24):
        browser.get(page(world.chat, "change"))


def ledger_claim(amount: int) -> Any:
    from pricing.claims import Claim, Conditions

    return Claim(Conditions("output_tokens"), Decimal(amount + 2))
