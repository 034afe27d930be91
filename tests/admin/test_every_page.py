"""Every model has its pages, they answer, and they ask the database as often for many rows as for few."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.admin.conftest import World
from tracker.admin_base import RecordAdmin

OURS = ("tracker", "accounts", "companies", "pricing", "feeds", "alerts", "web")
LEDGER_BACKED = (
    "pricing.offering",
    "pricing.reference",
    "pricing.alias",
    "pricing.priceline",
    "pricing.slotrule",
    "pricing.observation",
    "pricing.statement",
    "pricing.calendarstatement",
    "pricing.routestatement",
    "pricing.decision",
    "pricing.price",
    "pricing.pricingchange",
    "pricing.pricingchangeline",
    "pricing.exchangerate",
    "feeds.feed",
    "feeds.refresh",
    "feeds.payload",
    "feeds.takenrows",
)


def our_models() -> list[type[Model]]:
    found = [model for label in OURS for model in apps.get_app_config(label).get_models()]
    return [model for model in found if not model.__name__.startswith("Historical")]


def name_of(model: type[Model]) -> str:
    return model._meta.label_lower


def address(model: type[Model], page: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=args)


@pytest.mark.parametrize("model", our_models(), ids=name_of)
def test_every_model_is_registered_on_the_themed_base(model: type[Model]) -> None:
    assert admin.site.is_registered(model)
    assert isinstance(admin.site.get_model_admin(model), RecordAdmin)


@pytest.mark.parametrize("model", our_models(), ids=name_of)
def test_every_model_can_be_searched(model: type[Model], rf: Any) -> None:
    assert admin.site.get_model_admin(model).get_search_fields(rf.get("/"))


@pytest.mark.parametrize("model", our_models(), ids=name_of)
def test_every_page_answers(model: type[Model], browser: Client, world: World) -> None:
    row = model._default_manager.first()
    assert row is not None
    assert browser.get(address(model, "changelist")).status_code == 200
    assert browser.get(address(model, "changelist") + "?q=deepseek").status_code == 200
    assert browser.get(address(model, "change", row.pk)).status_code == 200
    assert browser.get(address(model, "history", row.pk)).status_code == 200
    may_add = admin.site.get_model_admin(model).has_add_permission(browser.get("/admin/").wsgi_request)
    assert browser.get(address(model, "add")).status_code == (200 if may_add else 403)


@pytest.mark.parametrize("model", our_models(), ids=name_of)
def test_links_to_other_rows_are_found_by_typing(model: type[Model], rf: Any) -> None:
    of_model = admin.site.get_model_admin(model)
    linked = {field.name for field in model._meta.fields if field.many_to_one or field.one_to_one}
    assert linked <= set(of_model.get_autocomplete_fields(rf.get("/")))


@pytest.mark.parametrize("model", our_models(), ids=name_of)
def test_a_list_asks_as_often_for_many_rows_as_for_one(
    model: type[Model], browser: Client, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser.get(address(model, "changelist"))
    with CaptureQueriesContext(connection) as many:
        browser.get(address(model, "changelist"))
    monkeypatch.setattr(admin.site.get_model_admin(model), "list_per_page", 1)
    with CaptureQueriesContext(connection) as one:
        browser.get(address(model, "changelist"))
    assert len(many) <= len(one), "\n".join(query["sql"][:200] for query in many)
    assert len(many) <= 14


@pytest.mark.parametrize("label", LEDGER_BACKED)
def test_what_the_ledger_keeps_is_never_deleted_here(label: str, browser: Client, world: World) -> None:
    model = apps.get_model(label)
    request = browser.get("/admin/").wsgi_request
    of_model = admin.site.get_model_admin(model)
    row = model._default_manager.first()
    assert not of_model.has_delete_permission(request, row)
    assert "delete_selected" not in of_model.get_actions(request)
    assert browser.post(address(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    assert model._default_manager.filter(pk=row.pk).exists()


@pytest.mark.parametrize("label", [label for label in LEDGER_BACKED if label not in ("pricing.offering", "feeds.feed")])
def test_what_the_ledger_keeps_is_neither_added_nor_edited_here(label: str, browser: Client, world: World) -> None:
    model = apps.get_model(label)
    row = model._default_manager.first()
    assert browser.post(address(model, "add"), {}).status_code == 403
    assert browser.post(address(model, "change", row.pk), {}).status_code == 403


def test_times_say_utc_in_lists_and_on_pages(browser: Client, world: World) -> None:
    listed = browser.get(address(apps.get_model("pricing.statement"), "changelist")).content.decode()
    assert "2026-06-01 12:00 UTC" in listed
    feed = browser.get(address(apps.get_model("feeds.feed"), "change", world.feed.pk)).content.decode()
    assert "In UTC." in feed


def test_a_stranger_is_sent_to_the_sign_in_page(client: Client, world: World) -> None:
    answer = client.get(address(apps.get_model("pricing.offering"), "change", world.chat.pk))
    assert answer.status_code == 302
    assert "/admin/login/" in answer["Location"]
