"""costs/ as known before a merge was ruled: each offering still speaks with its own history."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from pricing import ledger
from pricing.claims import Conditions
from pricing.models import Decision, Offering, Price
from tests.pricing.believing import price
from tests.pricing.conftest import SetClock
from tests.pricing.stages import Stage

INPUT = Conditions("input_tokens")
OUTPUT = Conditions("output_tokens")
pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def kept(stage: Stage) -> Offering:
    offering = stage.offering("deepseek-chat")
    stage.read("models-dev", 0, {offering: [price("2", external_id="chat")]})
    return offering


@pytest.fixture
def absorbed(stage: Stage, kept: Offering) -> Offering:
    offering = stage.offering("ds-chat")
    stage.source("litellm", 40)
    prices = [price(amount, line, external_id="deepseek/ds-chat") for amount, line in (("3", INPUT), ("8", OUTPUT))]
    stage.read("litellm", 10, {offering: prices})
    return offering


def first_known(offering: Offering) -> datetime:
    return Price.objects.filter(line__offering=offering).earliest("known_from").known_from + timedelta(hours=1)


def told(client: Client, model: str, at: datetime, **line: Any) -> tuple[str, list[str]]:
    """The total of a million tokens each way, and what has no price."""
    usage = {"input_tokens": 10**6, "output_tokens": 10**6}
    asked = {"seller": "deepseek", "model": model, "at": at.isoformat(), "usage": usage, **line}
    response = client.post("/api/v1/costs/", json.dumps({"lines": [asked]}), content_type="application/json")
    (result,) = json.loads(b"".join(response.streaming_content))["results"]  # type: ignore[attr-defined]
    assert result["error"] is None
    return result["total"], [gap["meter"] for gap in result["unpriced"]]


@pytest.mark.parametrize("name", ["ds-chat", "DS_Chat", "deepseek/ds-chat"])
def test_merge_rewrites_nothing_that_was_known_before(
    client: Client, kept: Offering, absorbed: Offering, person: ledger.Ruling, name: str
) -> None:
    known = first_known(absorbed)
    before = told(client, name, known, known_at=known.isoformat())
    ledger.merge(absorbed, kept, person)
    assert before == ("11", [])
    assert told(client, name, known, known_at=known.isoformat()) == before
    assert told(client, "deepseek-chat", known, known_at=known.isoformat()) == ("2", ["output_tokens"])


def test_merge_counts_from_when_it_was_ruled_until_it_was_undone(
    client: Client, kept: Offering, absorbed: Offering, person: ledger.Ruling, clock: SetClock
) -> None:
    known = first_known(absorbed)
    ledger.merge(absorbed, kept, person)
    merged = told(client, "ds-chat", timezone.now())
    during = timezone.now()
    clock(101)
    decision = Decision.objects.get(kind=Decision.Kind.MERGE)
    ledger.undo(decision, person)
    assert told(client, "ds-chat", during, known_at=during.isoformat()) == merged
    assert told(client, "ds-chat", known, known_at=known.isoformat()) == ("11", [])
