"""Old versions are read and never put back: neither by who may only look, nor past the ledger."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.db.models import Model
from django.forms.models import model_to_dict
from django.test import Client
from django.urls import reverse

from accounts.models import User
from pricing.models import Decision, Source
from tests.admin.conftest import World
from tracker.admin_base import HistoryAdmin

KEPT = [model for model, of_model in admin.site._registry.items() if isinstance(of_model, HistoryAdmin)]


def name_of(model: type[Model]) -> str:
    return model._meta.label_lower


def a_version(row: Any) -> str:
    """The page of the row's last version, made if there is none."""
    if not row.history.exists():
        row.save()
    args = [row.pk, row.history.latest().pk]
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_simple_history", args=args)


def every_field_otherwise(row: Model) -> dict[str, Any]:
    """What a form of the row would send, with other texts and numbers in it."""
    said = {name: value for name, value in model_to_dict(row).items() if value is not None}
    return {name: _otherwise(value) for name, value in said.items()} | {"reason": "so", "_save": "Revert"}


def _otherwise(value: Any) -> Any:
    if isinstance(value, str):
        return f"{value}x"
    return value + 1 if isinstance(value, int) and not isinstance(value, bool) else value


@pytest.fixture
def viewer(db: None) -> User:
    """Staff that may look at everything and change nothing."""
    user = User.objects.create_user("vera", password="a long enough passphrase", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    return user


def test_the_models_with_a_history_are_found() -> None:
    assert {"pricing.source", "feeds.feed", "pricing.reference", "companies.company"} <= {name_of(m) for m in KEPT}


@pytest.mark.parametrize("who", ["viewer", "editor"])
@pytest.mark.parametrize("model", KEPT, ids=name_of)
def test_no_version_is_put_back_by_anybody(
    model: Any, who: str, client: Client, world: World, request: pytest.FixtureRequest
) -> None:
    client.force_login(request.getfixturevalue(who))
    row = model._default_manager.first()
    page, before = a_version(row), model._default_manager.filter(pk=row.pk).values().get()
    versions, decisions = row.history.count(), Decision.objects.count()
    for form in (every_field_otherwise(row), {**every_field_otherwise(row), "_change_history": "1"}, {}):
        assert client.post(page, form).status_code == 403
    assert model._default_manager.filter(pk=row.pk).values().get() == before
    assert (row.history.count(), Decision.objects.count()) == (versions, decisions)


@pytest.mark.parametrize("who", ["viewer", "editor"])
@pytest.mark.parametrize("model", KEPT, ids=name_of)
def test_a_version_is_shown_without_a_button_that_puts_it_back(
    model: Any, who: str, client: Client, world: World, request: pytest.FixtureRequest
) -> None:
    client.force_login(request.getfixturevalue(who))
    answer = client.get(a_version(model._default_manager.first()))
    assert answer.status_code == 200
    assert answer.context["revert_disabled"]
    assert "The history is read only" in answer.content.decode()
    assert not re.search(r">\s*Revert\s*<", answer.content.decode())


def test_the_precedence_of_a_source_is_what_it_was(browser: Client, world: World) -> None:
    source = world.models_dev
    form = {"name": source.name, "slug": source.slug, "kind": source.kind, "precedence": 1, "reason": "so"}
    assert browser.post(a_version(source), form).status_code == 403
    assert Source.objects.get(pk=source.pk).precedence == source.precedence
