"""Asking ``costs/``, and reading its answer, as a client does."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from django.test import Client

from pricing import ledger
from pricing.claims import Claim, Conditions, SlotRule
from pricing.models import Offering
from tests.api import factories as make

PATH = "/api/v1/costs/"


def post(client: Client, body: Any, **how: Any) -> Any:
    """The response to a body: JSON text, or what is written as JSON."""
    text = body if isinstance(body, str | bytes) else json.dumps(body)
    return client.post(PATH, text, **{"content_type": "application/json", **how})


def answer(response: Any) -> dict[str, Any]:
    """The body of a good answer, whose length has to be as it says."""
    assert response.status_code == 200, response.content
    body = b"".join(response.streaming_content)
    assert len(body) == int(response.headers["Content-Length"])
    parsed: dict[str, Any] = json.loads(body, parse_float=Decimal)
    return parsed


def results(client: Client, *lines: Any, **body: Any) -> list[dict[str, Any]]:
    """The results of some lines."""
    found: list[dict[str, Any]] = answer(post(client, {**body, "lines": list(lines)}))["results"]
    return found


def call(model: str = "deepseek-chat", **line: Any) -> dict[str, Any]:
    """A line: a call of one of DeepSeek's models in June 2026, a million tokens in unless it says more."""
    usage = {} if "provider_usage" in line else {"usage": {"input_tokens": 1_000_000}}
    return {"seller": "deepseek", "model": model, "at": "2026-06-01T00:00:00Z", **usage, **line}


def sold_by_the_hour(external_id: str, rule: SlotRule, **amounts: str) -> Offering:
    """A model of which a source says what each meter costs, by day and in a slot (``night_input_tokens``)."""
    offering, source = make.offering(external_id), make.source("litellm")
    reference = make.reference(offering, source=source)
    claims = []
    for name, amount in amounts.items():
        meter = name.removeprefix(f"{rule.slot}_")
        claims.append(Claim(Conditions(meter, slot="" if meter == name else rule.slot), Decimal(amount)))
    told = [ledger.Told(reference.pk, offering.pk, claims, slots=(rule,))]
    ledger.observe(ledger.Reading(source, make.TRACKED_SINCE, "d"), told)
    return offering


def fault(result: dict[str, Any]) -> dict[str, Any]:
    """What is wrong with the one line of a result that has nothing else to say."""
    problem = result["error"]
    assert problem is not None, result
    assert {"type", "title", "status", "detail", "errors"} == set(problem)
    assert (result["total"], result["currency"], result["items"], result["unpriced"]) == (None, None, [], [])
    (only,) = problem["errors"]
    assert only["detail"] in problem["detail"]
    return {"status": problem["status"], **only}
