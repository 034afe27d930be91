"""One small document in the shape of each feed, as text, so that any JSON can stand where an id or a price is."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

Rows = Mapping[str, str]


def _models_dev(rows: Rows) -> str:
    models = ", ".join(f'{json.dumps(key)}: {{"cost": {{"input": {price}}}}}' for key, price in rows.items())
    return f'{{"deepseek": {{"name": "DeepSéek", "models": {{{models}}}}}}}'


def _litellm(rows: Rows) -> str:
    row = '"litellm_provider": "deepseek", "source": "Séek", "input_cost_per_token"'
    return "{" + ", ".join(f"{json.dumps(key)}: {{{row}: {price}}}" for key, price in rows.items()) + "}"


def _openrouter(rows: Rows) -> str:
    listed = (
        f'{{"id": {json.dumps(key)}, "name": "Séek", "pricing": {{"prompt": {price}}}}}' for key, price in rows.items()
    )
    return f'{{"data": [{", ".join(listed)}]}}'


def _genai_prices(rows: Rows) -> str:
    models = (f'{{"id": {json.dumps(key)}, "prices": {{"input_mtok": {price}}}}}' for key, price in rows.items())
    return f'[{{"id": "deepseek", "name": "DeepSéek", "models": [{", ".join(models)}]}}]'


def _llm_prices(rows: Rows) -> str:
    row = '"vendor": "deepseek", "name": "Séek"'
    listed = (f'{{"id": {json.dumps(key)}, {row}, "input": {price}}}' for key, price in rows.items())
    return f'{{"prices": [{", ".join(listed)}]}}'


SHAPES: dict[str, Callable[[Rows], str]] = {
    "models-dev": _models_dev,
    "litellm": _litellm,
    "openrouter": _openrouter,
    "genai-prices": _genai_prices,
    "llm-prices": _llm_prices,
}


def text(slug: str, **rows: str) -> str:
    """A feed's document with these prices by id; without any, one good row."""
    return SHAPES[slug](rows or {"good": "0.000002"})


def body(slug: str, rows: Rows) -> bytes:
    """A feed's document with these prices by id, beside one good row."""
    return SHAPES[slug]({**rows, "good": "0.000002"}).encode()
