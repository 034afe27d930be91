"""What a person saves stays theirs, every version is kept, and what the record rests on is not deleted."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django.test import Client
from django.urls import reverse

from companies.models import AIModel, BusinessMetric, Company, MonetizationEvent
from tests.admin.conftest import World

NO_ALIASES = {"aliases-TOTAL_FORMS": "0", "aliases-INITIAL_FORMS": "0"}


def company_form(company: Company, **said: Any) -> dict[str, Any]:
    return {"name": company.name, "kind": company.kind, "country": company.country, **NO_ALIASES, **said}


def test_an_edited_company_is_left_alone_by_reloads(browser: Client, world: World) -> None:
    page = reverse("admin:companies_company_change", args=[world.deepseek.pk])
    browser.post(page, company_form(world.deepseek))
    world.deepseek.refresh_from_db()
    assert not world.deepseek.edited
    browser.post(page, company_form(world.deepseek, summary="A lab in Hangzhou."))
    world.deepseek.refresh_from_db()
    assert world.deepseek.edited
    assert world.deepseek.history.first().history_user == world.editor


def test_a_new_name_is_an_edit_too(browser: Client, world: World) -> None:
    names = {"aliases-TOTAL_FORMS": "1", "aliases-0-name": "DS", "aliases-0-company": world.deepseek.pk}
    page = reverse("admin:companies_company_change", args=[world.deepseek.pk])
    assert browser.post(page, company_form(world.deepseek, **names)).status_code == 302
    world.deepseek.refresh_from_db()
    assert world.deepseek.edited


def test_a_row_is_given_back_to_the_curated_record(browser: Client, world: World) -> None:
    Company.objects.filter(pk=world.deepseek.pk).update(edited=True, curated_digest="x")
    chosen = {"action": "follow_the_record", "_selected_action": [world.deepseek.pk]}
    browser.post(reverse("admin:companies_company_changelist"), chosen)
    world.deepseek.refresh_from_db()
    assert (world.deepseek.edited, world.deepseek.curated_digest) == (False, "")


def test_companies_are_marked_as_reviewed(browser: Client, world: World) -> None:
    chosen = {"action": "mark_reviewed", "_selected_action": [world.openrouter.pk]}
    browser.post(reverse("admin:companies_company_changelist"), chosen)
    world.openrouter.refresh_from_db()
    assert not world.openrouter.needs_review


def test_the_slug_of_a_company_stays(browser: Client, world: World) -> None:
    page = reverse("admin:companies_company_change", args=[world.deepseek.pk])
    browser.post(page, company_form(world.deepseek, slug="deeper"))
    world.deepseek.refresh_from_db()
    assert world.deepseek.slug == "deepseek"


def test_a_company_that_sells_cannot_be_deleted_and_the_page_says_why(browser: Client, world: World) -> None:
    page = reverse("admin:companies_company_delete", args=[world.deepseek.pk])
    assert "stays: the record rests on it" in browser.get(page).content.decode()
    browser.post(page, {"post": "yes"})
    chosen = {"action": "delete_selected", "_selected_action": [world.deepseek.pk], "post": "yes"}
    browser.post(reverse("admin:companies_company_changelist"), chosen)
    assert Company.objects.filter(pk=world.deepseek.pk).exists()


def test_an_editor_adds_an_event_with_its_sources(browser: Client, world: World) -> None:
    form = {
        "company": world.deepseek.pk,
        "title": "Peak prices begin",
        "key": "peak-prices",
        "kind": "pricing_model_changed",
        "precision": "day",
        "effective_on": "2026-08-16",
        "affected": "V4 Pro\n V4 Flash \n",
        "source_url": "https://example.org/peak",
        "confidence": "high",
        "extra_sources": "https://example.org/more The second page\nhttps://example.org/third",
    }
    answer = browser.post(reverse("admin:companies_monetizationevent_add"), form)
    assert answer.status_code == 302
    event = MonetizationEvent.objects.get(key="peak-prices")
    assert event.affected == ["V4 Pro", "V4 Flash"]
    assert event.extra_sources == [
        {"url": "https://example.org/more", "title": "The second page"},
        {"url": "https://example.org/third"},
    ]
    assert event.edited
    page = reverse("admin:companies_monetizationevent_change", args=[event.pk])
    assert "https://example.org/more The second page" in browser.get(page).content.decode()


def test_a_source_without_an_address_is_refused(browser: Client, world: World) -> None:
    form = {"company": world.deepseek.pk, "title": "T", "key": "t", "kind": "k", "extra_sources": "the paper"}
    answer = browser.post(reverse("admin:companies_monetizationevent_add"), form)
    assert "is not an address" in answer.content.decode()


def test_an_editor_adds_a_metric_exactly(browser: Client, world: World) -> None:
    form = {
        "company": world.deepseek.pk,
        "metric": "annualised_revenue",
        "key": "revenue-2026",
        "value": "123456789012.3456789012345678912",
        "currency": "USD",
        "as_of": "2026-09-30",
        "precision": "month",
        "confidence": "low",
    }
    answer = browser.post(reverse("admin:companies_businessmetric_add"), form)
    assert "18 after" in answer.content.decode()
    browser.post(reverse("admin:companies_businessmetric_add"), form | {"value": "220000000.5"})
    metric = BusinessMetric.objects.get(key="revenue-2026")
    assert (metric.value, metric.as_of) == (Decimal("220000000.5"), date(2026, 9, 30))
    page = reverse("admin:companies_businessmetric_change", args=[metric.pk])
    assert 'value="220000000.5"' in browser.get(page).content.decode()


def test_an_editor_adds_a_model_with_its_modalities(browser: Client, world: World) -> None:
    form = {"name": "V5", "slug": "v5", "input_modalities": "text\nimage", "release_precision": "unknown"}
    browser.post(reverse("admin:companies_aimodel_add"), form)
    assert AIModel.objects.get(slug="v5").input_modalities == ["text", "image"]


def test_the_history_of_a_row_says_who_changed_what_and_when_in_utc(browser: Client, world: World) -> None:
    page = reverse("admin:companies_company_change", args=[world.deepseek.pk])
    browser.post(page, company_form(world.deepseek, summary="A lab in Hangzhou."))
    seen = browser.get(reverse("admin:companies_company_history", args=[world.deepseek.pk])).content.decode()
    assert "edith" in seen
    assert "A lab in Hangzhou." in seen
    assert " UTC</a>" in seen
    version = world.deepseek.history.first()
    old = reverse("admin:companies_company_simple_history", args=[world.deepseek.pk, version.pk])
    assert browser.get(old).status_code == 200
