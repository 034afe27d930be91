"""holds/{id}/release/ and holds/{id}/refuse/: a maintainer decides, once, on what was read."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from accounts.models import User
from pricing.models import Decision, Hold, Offering
from pricing.rulings import holds
from tests.api import factories as make
from tests.api.contract import problem_of
from tests.pricing.believing import price
from tests.pricing.stages import Stage, believed, last_change

HOLDS = "/api/v1/holds/"
NOTE = {"note": "their page says so"}
pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def offering(stage: Stage) -> Offering:
    """An offering whose price a source has just put to zero."""
    found = stage.offering()
    stage.read("models-dev", 0, {found: [price("1")]})
    stage.read("models-dev", 7, {found: [price("0")]})
    return found


@pytest.fixture
def hold(offering: Offering) -> Hold:
    return Hold.objects.get()


@pytest.fixture
def secret(db: None) -> str:
    """A token of somebody who may rule."""
    found = make.token("edith", scopes=["read", "write"])
    User.objects.get(username="edith").user_permissions.add(Permission.objects.get(codename="add_decision"))
    return found


def rule(client: Client, hold: Hold, act: str, secret: str, body: Any = None, **headers: str) -> Any:
    """Post a ruling, on whatever is there unless a tag is given."""
    named = {"If-Match": "*", **{name.replace("_", "-"): value for name, value in headers.items()}}
    path = f"{HOLDS}{hold.pk}/{act}/"
    sent = {"Authorization": f"Bearer {secret}", **{name: value for name, value in named.items() if value}}
    return client.post(path, NOTE if body is None else body, content_type="application/json", headers=sent)


def test_release_lets_it_count_and_answers_with_the_hold(
    client: Client, hold: Hold, offering: Offering, secret: str
) -> None:
    tag = client.get(f"{HOLDS}{hold.pk}/").headers["ETag"]
    answer = rule(client, hold, "release", secret, If_Match=tag)
    assert answer.status_code == 200
    row = answer.json()
    assert (row["status"], row["outcome"]) == ("closed", "person")
    assert (row["decision"]["kind"], row["decision"]["note"]) == ("release", NOTE["note"])
    assert last_change(offering).kind == "became_free"
    assert Decision.objects.get().made_by == User.objects.get(username="edith")
    read = client.get(f"{HOLDS}{hold.pk}/")
    assert (read.content, read.headers["ETag"]) == (answer.content, answer.headers["ETag"])


def test_refusal_leaves_the_price_as_it_was(client: Client, hold: Hold, offering: Offering, secret: str) -> None:
    row = rule(client, hold, "refuse", secret).json()
    assert (row["status"], row["outcome"], row["decision"]["kind"]) == ("closed", "refused", "refuse")
    assert believed(offering) == [(0, None, "1", "observed", None)]
    assert client.get(HOLDS).json()["count"] == 0


def test_what_was_decided_is_a_conflict(client: Client, hold: Hold, secret: str) -> None:
    tag = client.get(f"{HOLDS}{hold.pk}/").headers["ETag"]
    rule(client, hold, "refuse", secret)
    for held in (tag, "*"):
        assert "was decided" in problem_of(rule(client, hold, "release", secret, If_Match=held), 409)["detail"]
    assert Decision.objects.count() == 1


def test_it_takes_the_tag_of_what_was_read(client: Client, hold: Hold, offering: Offering, secret: str) -> None:
    problem_of(rule(client, hold, "release", secret, If_Match=""), 428)
    tag = client.get(f"{HOLDS}{hold.pk}/").headers["ETag"]
    make.statement(offering.lines.get(), "0.9", source=make.source("litellm"))
    stale = rule(client, hold, "release", secret, If_Match=tag)
    problem_of(stale, 412)
    assert stale.headers["ETag"] == client.get(f"{HOLDS}{hold.pk}/").headers["ETag"] != tag
    Hold.objects.get(pk=hold.pk, closed_at=None)
    type(offering.lines.get()).objects.get().statements.filter(source__slug="litellm").delete()


def test_it_takes_the_scope_and_the_right(client: Client, hold: Hold, secret: str) -> None:
    reader, powerless = make.token("edith", scopes=["read", "alerts"]), make.token("norman", scopes=["write"])
    problem_of(client.post(f"{HOLDS}{hold.pk}/release/", NOTE, content_type="application/json"), 401)
    problem_of(rule(client, hold, "release", reader), 403)
    problem_of(rule(client, hold, "release", powerless), 403)
    assert not Decision.objects.exists()


@pytest.mark.parametrize("body", [{}, {"note": ""}, {"note": " "}, {"note": 5}, {"nte": "x", "note": "y"}, ["note"]])
def test_note_has_to_say_why(client: Client, hold: Hold, secret: str, body: Any) -> None:
    assert problem_of(rule(client, hold, "release", secret, body), 400)["errors"][0]["pointer"].startswith("#")
    assert not Decision.objects.exists()


def test_unknown_hold_names_the_nearest(client: Client, hold: Hold, secret: str) -> None:
    unknown = Hold(pk=hold.pk + 1000)
    assert str(hold.pk) in problem_of(rule(client, unknown, "refuse", secret), 404)["errors"][0]["choices"]


def test_ruling_is_no_page_to_read(client: Client, hold: Hold) -> None:
    problem_of(client.get(f"{HOLDS}{hold.pk}/release/"), 405)


class TestWholeDocument:
    """Who reads documents rules on them; the ledger only hands the ruling on."""

    @pytest.fixture
    def document(self, stage: Stage) -> Hold:
        return make.hold(None, source=stage.source("models-dev"), seller=stage.seller, reason="vanished")

    def test_nobody_can_rule_on_it_where_nobody_reads_documents(
        self, client: Client, document: Hold, secret: str, monkeypatch: Any
    ) -> None:
        monkeypatch.setattr(holds, "_document_rulings", [])
        assert "document" in problem_of(rule(client, document, "release", secret), 409)["detail"]

    def test_ruling_is_handed_to_whoever_reads_documents(
        self, client: Client, document: Hold, secret: str, monkeypatch: Any
    ) -> None:
        told: list[tuple[int, str, str]] = []

        def close(hold: Hold, kind: Decision.Kind, ruling: Any) -> Any:
            told.append((hold.pk, kind.value, ruling.note))
            Hold.objects.filter(pk=hold.pk).update(closed_at=hold.raised_at, outcome="person")

        monkeypatch.setattr(holds, "_document_rulings", [])
        holds.tell_document_ruling(close)
        assert rule(client, document, "release", secret).json()["status"] == "closed"
        assert told == [(document.pk, "release", NOTE["note"])]
