"""Documents for the benchmark of refreshing: the newest LiteLLM map or one of like size, and weeks of models.dev."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

ROWS = 4500
WEEKS = 36
PROVIDERS = 40


def read(path: Path) -> bytes:
    """A document from a file, which may be gzipped."""
    raw = path.read_bytes()
    return gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw


def price_map() -> bytes:
    """A LiteLLM map of made-up models, as large as the newest, with its usual mixture of price fields."""
    chance = random.Random(1)
    rows = {f"seller-{n % PROVIDERS}/model-{n // 3}-{n % 3}": _row(chance, n) for n in range(ROWS)}
    return json.dumps(rows, indent=4).encode()


def _row(chance: random.Random, number: int) -> dict[str, Any]:
    cost = chance.randint(1, 5000) / 1e8
    row: dict[str, Any] = {
        "litellm_provider": f"seller-{number % PROVIDERS}",
        "mode": "chat",
        "max_input_tokens": 128000,
        "max_output_tokens": 8192,
        "max_tokens": 8192,
        "supports_function_calling": True,
        "supports_system_messages": True,
        "supports_tool_choice": True,
        "supports_response_schema": True,
        "input_cost_per_token": cost,
        "output_cost_per_token": cost * 4,
    }
    if chance.random() < 0.5:
        row |= {"cache_read_input_token_cost": cost / 10, "cache_creation_input_token_cost": cost * 1.25}
    if chance.random() < 0.3:
        row |= {"input_cost_per_token_batches": cost / 2, "output_cost_per_token_batches": cost * 2}
    if chance.random() < 0.2:
        row |= {"input_cost_per_token_above_200k_tokens": cost * 2, "output_cost_per_token_above_200k_tokens": cost * 6}
    return row


def with_moved_prices(body: bytes, share: float) -> bytes:
    """The same LiteLLM map with the input prices of a share of its rows a tenth higher."""
    rows = json.loads(body, parse_float=Decimal)
    priced = [row for row in rows.values() if isinstance(row, dict) and row.get("input_cost_per_token")]
    for row in random.Random(2).sample(priced, max(1, int(len(priced) * share))):
        row["input_cost_per_token"] = Decimal(str(row["input_cost_per_token"])) * Decimal("1.1")
    return json.dumps(rows, default=float).encode()


def write_weeks(folder: Path) -> None:
    """Weekly models.dev documents of made-up models, which grow and whose prices move a little."""
    chance = random.Random(3)
    costs: dict[str, dict[str, float]] = {}
    for day in _days():
        costs |= {f"{len(costs) + n}": {"input": chance.randint(1, 900) / 100} for n in range(80)}
        for name in chance.sample(sorted(costs), len(costs) // 50):
            costs[name]["input"] = round(costs[name]["input"] * 0.9, 4)
        (folder / f"{day:%Y-%m-%d}.json.gz").write_bytes(gzip.compress(_catalogue(costs)))


def _days() -> Iterator[datetime]:
    first = datetime(2025, 6, 22, tzinfo=UTC)
    return (first + timedelta(days=7 * week) for week in range(WEEKS))


def _catalogue(costs: dict[str, dict[str, float]]) -> bytes:
    providers: dict[str, Any] = {}
    for name, cost in costs.items():
        seller = f"seller-{int(name) % PROVIDERS}"
        provider = providers.setdefault(seller, {"id": seller, "name": seller.title(), "models": {}})
        cost_of = {"input": cost["input"], "output": cost["input"] * 4}
        provider["models"][f"model-{name}"] = {"id": f"model-{name}", "name": f"Model {name}", "cost": cost_of}
    return json.dumps(providers).encode()
