"""holds/ and disagreements/: what is in doubt, and what the others say of it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from pricing.models import Disagreement, Hold
from tests.api import factories as make
from tests.api.contract import DetailContract, ListContract

HOLDS = "/api/v1/holds/"
DISAGREEMENTS = "/api/v1/disagreements/"
JUNE = make.moment("2026-06-01")


@pytest.fixture
def held(db: None) -> dict[str, Any]:
    """A leap at DeepSeek, a zero at Azure, a document of OpenAI's with much gone, and one that was decided."""
    deepseek, azure, openai = make.company("deepseek"), make.company("azure"), make.company("openai")
    model = make.ai_model("deepseek-v4", developer=deepseek)
    own = make.offering("deepseek-chat", model=model, seller=deepseek)
    make.reference(own, provider="zai", external_id="glm-4.6")
    resold = make.offering("ds-v4", model=model, seller=azure)
    line, other = make.line(own), make.line(resold, "output_tokens")
    make.price(line, "0.5", source=make.source("models-dev"))
    make.statement(line, "0.5", source=make.source("litellm"))
    leap = make.hold(line, "7.5", instead=Decimal("0.5"), instead_currency="USD", refresh_id=41)
    zero = make.hold(other, "0", JUNE, source=make.source("litellm"), reason="zero")
    counted = {"offerings": 12, "of": 40, "readings": []}
    details = counted | {"references": [7], "returned": {"8": "2026-01-02T00:00:00+00:00"}}
    gone = make.hold(None, seller=openai, reason="vanished", details=details)
    decided = make.hold(make.line(own, "output_tokens"), outcome="refused", closed_at=JUNE)
    return {"leap": leap, "zero": zero, "gone": gone, "decided": decided, "line": line, "offering": own}


def with_value(value: Any, *names: str) -> Any:
    return lambda made: (value(made) if callable(value) else value, [made[name].pk for name in names])


class TestHolds(ListContract):
    path = HOLDS
    template = HOLDS
    record = held
    filters = {
        "source": with_value("litellm", "zero"),
        "offering": with_value(lambda made: made["offering"].pk, "leap"),
        "status": lambda made: [
            ("open", [made[name].pk for name in ("leap", "zero", "gone")]),
            ("closed", [made["decided"].pk]),
            (["open", "closed"], [made[name].pk for name in ("leap", "zero", "gone", "decided")]),
        ],
        "reason": with_value(["zero", "vanished"], "zero", "gone"),
        "raised_after": with_value("2026-06-01T00:00:00Z", "zero"),
        "raised_before": with_value("2026-06-01T00:00:00Z", "leap", "gone"),
        "seller": lambda made: [("azure", [made["zero"].pk]), ("openai", [made["gone"].pk])],
        "model": with_value("deepseek-v4", "leap", "zero"),
        "company": lambda made: [("deepseek", [made["leap"].pk, made["zero"].pk]), ("openai", [made["gone"].pk])],
        "provider": with_value("zai", "leap"),
        "external_id": with_value("ds-v4", "zero"),
        "search": lambda made: [("glm", [made["leap"].pk]), ("openai", [made["gone"].pk])],
    }

    def test_newest_comes_first(self, client: Client, record: dict[str, Any]) -> None:
        assert self.keys(client) == [record[name].pk for name in ("zero", "gone", "leap")]

    def test_says_what_is_held_what_counts_instead_and_what_others_say(
        self, client: Client, record: dict[str, Any]
    ) -> None:
        row = client.get(HOLDS, {"reason": "leap"}).json()["results"][0]
        assert (row["amount"], row["currency"], row["percent"]) == ("7.5", "USD", "+1400.00")
        assert row["instead"] == {"amount": "0.5", "currency": "USD"}
        assert row["believed"] == {"source": "models-dev", "amount": "0.5", "currency": "USD"}
        others = [{"source": "litellm", "amount": "0.5", "currency": "USD", "since": "2026-01-01T00:00:00Z"}]
        assert row["others"] == others
        assert row["evidence"] == {"statement": record["leap"].statement_id, "refresh": 41}
        assert (row["meter"], row["unit"], row["layer"]) == ("input_tokens", "per 1M tokens", "list")
        assert (row["status"], row["outcome"], row["reason_text"]) == ("open", None, "a move beyond ten times")

    def test_whole_document_shows_its_seller_and_what_was_counted(self, client: Client) -> None:
        row = client.get(HOLDS, {"reason": "vanished"}).json()["results"][0]
        assert (row["seller"], row["details"]) == ("openai", {"offerings": 12, "of": 40, "readings": []})
        assert {row[name] for name in ("offering", "meter", "amount", "instead", "believed")} == {None}
        assert row["others"] == []

    def test_closing_is_seen_at_once(self, client: Client, record: dict[str, Any]) -> None:
        tag = client.get(HOLDS).headers["ETag"]
        assert client.get(HOLDS, headers={"If-None-Match": tag}).status_code == 304
        Hold.objects.filter(pk=record["zero"].pk).update(closed_at=timezone.now(), outcome="lapsed")
        again = client.get(HOLDS, headers={"If-None-Match": tag})
        assert again.status_code == 200
        assert again.json()["count"] == 2

    def test_age_turns_with_the_day_and_so_does_the_tag(self, client: Client, monkeypatch: Any) -> None:
        monkeypatch.setattr(timezone, "now", lambda: JUNE + timedelta(hours=23))
        first = client.get(HOLDS, {"reason": "zero"})
        assert first.json()["results"][0]["age_days"] == 0
        monkeypatch.setattr(timezone, "now", lambda: JUNE + timedelta(hours=25))
        again = client.get(HOLDS, {"reason": "zero"}, headers={"If-None-Match": first.headers["ETag"]})
        assert again.json()["results"][0]["age_days"] == 1

    def test_number_of_queries_does_not_grow_with_the_page(
        self, client: Client, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        for number in range(20):
            make.hold(make.line(make.offering(f"model-{number}")))
        # State, count, holds, opinions, prices in force, freshness.
        with django_assert_num_queries(6):
            assert len(client.get(HOLDS).json()["results"]) == 23


class TestHold(DetailContract):
    template = f"{HOLDS}{{id}}/"
    unknown = f"{HOLDS}99999999/"
    parameter = "id"

    @pytest.fixture
    def record(self, held: dict[str, Any]) -> dict[str, Any]:
        last = held["decided"].pk
        type(self).path, type(self).nearest = f"{HOLDS}{last}/", str(last)
        return held

    def test_what_was_decided_can_still_be_read(self, client: Client) -> None:
        row = client.get(self.path).json()
        assert (row["status"], row["outcome"], row["closed_at"]) == ("closed", "refused", "2026-06-01T00:00:00Z")


@pytest.fixture
def differing(db: None) -> dict[str, Any]:
    """LiteLLM on an amount, llm-prices on a structure, and one that ended."""
    deepseek, azure = make.company("deepseek"), make.company("azure")
    model = make.ai_model("deepseek-v4", developer=deepseek)
    own = make.offering("deepseek-chat", model=model, seller=deepseek)
    make.reference(own, provider="zai", external_id="glm-4.6")
    resold = make.offering("ds-v4", model=model, seller=azure)
    line, long = make.line(own), make.line(resold, above_input_tokens=200_000)
    make.statement(line, "1", source=make.source("models-dev"))
    nothing = {"believed_amount": None, "believed_currency": "", "source": make.source("llm-prices")}
    return {
        "amount": make.disagreement(line, "2"),
        "structure": make.disagreement(long, "3", JUNE, kind="structure", **nothing),
        "ended": make.disagreement(make.line(own, "output_tokens"), closed_at=JUNE),
        "offering": own,
    }


class TestDisagreements(ListContract):
    path = DISAGREEMENTS
    template = DISAGREEMENTS
    record = differing
    filters = {
        "source": with_value("litellm", "amount"),
        "offering": with_value(lambda made: made["offering"].pk, "amount"),
        "status": lambda made: [("closed", [made["ended"].pk]), ("open", [made["amount"].pk, made["structure"].pk])],
        "kind": with_value("structure", "structure"),
        "raised_after": with_value("2026-06-01T00:00:00Z", "structure"),
        "raised_before": with_value("2026-06-01T00:00:00Z", "amount"),
        "seller": with_value("azure", "structure"),
        "model": with_value("deepseek-v4", "amount", "structure"),
        "company": with_value("deepseek", "amount", "structure"),
        "provider": with_value("zai", "amount"),
        "external_id": with_value("ds-v4", "structure"),
        "search": with_value("glm", "amount"),
    }

    def test_says_what_each_says(self, client: Client) -> None:
        row = client.get(DISAGREEMENTS, {"kind": "amount"}).json()["results"][0]
        assert (row["source"], row["amount"], row["percent"]) == ("litellm", "2", "+100.00")
        assert row["believed"] == {"source": "models-dev", "amount": "1", "currency": "USD"}
        assert [(other["source"], other["amount"]) for other in row["others"]] == [("models-dev", "1")]

    def test_line_that_is_not_believed_has_no_amount_there(self, client: Client) -> None:
        row = client.get(DISAGREEMENTS, {"kind": "structure"}).json()["results"][0]
        assert row["believed"] == {"source": "models-dev", "amount": None, "currency": None}
        assert (row["percent"], row["above_input_tokens"]) == (None, 200_000)

    def test_closing_is_seen_at_once(self, client: Client, record: dict[str, Any]) -> None:
        tag = client.get(DISAGREEMENTS).headers["ETag"]
        Disagreement.objects.filter(pk=record["amount"].pk).update(closed_at=timezone.now())
        assert client.get(DISAGREEMENTS, headers={"If-None-Match": tag}).json()["count"] == 1


class TestDisagreement(DetailContract):
    template = f"{DISAGREEMENTS}{{id}}/"
    unknown = f"{DISAGREEMENTS}99999999/"
    parameter = "id"

    @pytest.fixture
    def record(self, differing: dict[str, Any]) -> dict[str, Any]:
        last = differing["ended"].pk
        type(self).path, type(self).nearest = f"{DISAGREEMENTS}{last}/", str(last)
        return differing


def test_offering_counts_what_is_open(client: Client, held: dict[str, Any]) -> None:
    make.disagreement(held["line"])
    row = client.get(f"/api/v1/offerings/{held['offering'].pk}/").json()
    assert (row["holds"], row["disagreements"]) == (1, 1)


def test_opinion_is_what_a_source_says_last_and_once(client: Client, held: dict[str, Any]) -> None:
    curated = make.source("curated", precedence=0)
    for since, amount in ((make.TRACKED_SINCE, "1"), (JUNE, "2"), (make.moment("2030-01-01"), "3")):
        make.statement(held["line"], amount, source=curated, effective_from=since)
    make.statement(held["line"], "9", source=make.source("gone"), ended_at=make.MAY)
    ids = [make.reference(held["offering"], external_id=text, source=make.source("twice")) for text in ("a", "b")]
    for each in ids:
        make.statement(held["line"], "4", source=make.source("twice"), reference=each)
    row = client.get(HOLDS, {"reason": "leap"}).json()["results"][0]
    said = [(other["source"], other["amount"]) for other in row["others"]]
    assert said == [("curated", "2"), ("litellm", "0.5"), ("twice", "4")]
