"""Small price maps in LiteLLM's shape, and what the adapter makes of them, for the tests of that adapter."""

from __future__ import annotations

import json
from typing import Any

from feeds.adapters.litellm import parse
from pricing.claims import Conditions, ParsedDocument, ParsedOffering

GOOD_ROW = {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 1e-06}


def document(rows: dict[str, Any]) -> ParsedDocument:
    return parse(json.dumps(rows).encode())


def offering(key: str = "some-model", provider: str = "openai", mode: str = "chat", **fields: Any) -> ParsedOffering:
    parsed = document({key: {"litellm_provider": provider, "mode": mode, **fields}, "other": GOOD_ROW})
    assert not parsed.rejected
    assert not parsed.unrecognised
    return parsed.offerings[0]


def amounts(found: ParsedOffering) -> dict[Conditions, str]:
    assert len({claim.line for claim in found.claims}) == len(found.claims)
    return {claim.line: format(claim.amount, "f") for claim in found.claims}


def rejection(**fields: Any) -> str:
    parsed = document({"bad-row": {"litellm_provider": "openai", **fields}, "good-row": GOOD_ROW})
    assert [found.model for found in parsed.offerings] == ["good-row"]
    (rejected,) = parsed.rejected
    assert (rejected.provider, rejected.model) == ("openai", "bad-row")
    return rejected.reason
