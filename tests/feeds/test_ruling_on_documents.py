"""A document that is held back is shown with what was counted, and ruled on where every other hold is."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from feeds.leases import LEASE
from feeds.models import Feed
from pricing import ledger
from pricing.models import Hold, PricingChange
from tests.api import factories as make
from tests.feeds.small_feeds import catalogue, day, read

HOLDS = "/api/v1/holds/"
NOTE = {"note": "looked at the page"}
pytestmark = pytest.mark.django_db


def models(factor: float = 1) -> bytes:
    return catalogue(**{f"model_{n}": {"input": n * factor, "output": 4 * n * factor} for n in range(1, 11)})


@pytest.fixture
def hold() -> Hold:
    """A document in which everything costs half."""
    read(models(), day(1))
    read(models(0.5), day(2))
    return Hold.objects.get()


def rule(client: Client, hold: Hold, act: str) -> Any:
    secret = make.token("edith", scopes=["read", "write"])
    User.objects.get(username="edith").user_permissions.add(Permission.objects.get(codename="add_decision"))
    headers = {"Authorization": f"Bearer {secret}", "If-Match": "*"}
    return client.post(f"{HOLDS}{hold.pk}/{act}/", NOTE, content_type="application/json", headers=headers)


def moves() -> list[str]:
    return list(PricingChange.objects.filter(initial=False).values_list("kind", flat=True))


def test_it_is_shown_with_what_was_counted(client: Client, hold: Hold) -> None:
    row = client.get(HOLDS).json()["results"][0]
    assert (row["reason"], row["source"], row["offering"]) == ("unit", hold.source.slug, None)
    assert row["details"] == {"offerings": 10, "of": 10, "factor": "0.5", "readings": [day(2).isoformat()]}


def test_released_over_the_api_its_moves_are_told(client: Client, hold: Hold) -> None:
    row = rule(client, hold, "release").json()
    assert (row["status"], row["outcome"], row["decision"]["note"]) == ("closed", "person", NOTE["note"])
    assert moves() == ["decrease"] * 10


def test_refused_over_the_api_it_never_counts(client: Client, hold: Hold) -> None:
    assert rule(client, hold, "refuse").json()["outcome"] == "refused"
    read(models(0.5), day(3))
    assert moves() == []


def test_released_by_the_ledger_as_any_other_hold(hold: Hold) -> None:
    ledger.release_hold(hold, ledger.Ruling(by=None, note="so it is"))
    assert (Hold.objects.get().outcome, len(moves())) == ("person", 10)


def test_while_the_feed_is_read_it_waits(client: Client, hold: Hold) -> None:
    Feed.objects.update(owner="another", locked_until=timezone.now() + LEASE)
    answer = rule(client, hold, "release")
    assert answer.status_code == 409
    assert "is being refreshed by another" in answer.json()["detail"]
    assert Hold.objects.get().is_open


def test_admin_releases_it_on_its_page(client: Client, hold: Hold) -> None:
    client.force_login(User.objects.create_superuser("root"))
    page = reverse("admin:pricing_hold_release", args=[hold.pk])
    assert client.post(page, NOTE).status_code == 302
    assert moves() == ["decrease"] * 10
