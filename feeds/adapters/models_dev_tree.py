"""models.dev's ``api.json`` as its site makes it of the TOML files in its repository.

``<provider>/provider.toml`` holds what a provider is, ``<provider>/models/**/<id>.toml`` each model, whose id is its
path: see packages/core/src/generate.ts in github.com/anomalyco/models.dev. A model may extend another provider's
(``[extends] from = "<provider>/<id>"``, less what ``omit`` names).
"""

from __future__ import annotations

import json
import math
import tomllib
from collections.abc import Mapping
from datetime import date, time
from functools import lru_cache
from typing import Any

from pricing.claims import UnreadableDocument

_PROVIDER = "provider.toml"
_MODELS = "models/"
_SUFFIX = ".toml"
Table = Mapping[str, Any]
ModelKey = tuple[str, str]


def assemble(files: Mapping[str, bytes]) -> bytes:
    """The ``api.json`` of a tree of files, by path within ``providers/``.

    A model whose file cannot be read stands there as the reason, so that it is rejected by name and the rest goes on.
    Raises UnreadableDocument for a tree without providers, or with one that cannot be read.
    """
    providers = {path.partition("/")[0]: body for path, body in files.items() if _is_provider(path)}
    if not providers:
        raise UnreadableDocument("the tree holds no <provider>/provider.toml; models.dev's providers/ was expected")
    tables = {key: _model_table(body) for path, body in files.items() if (key := _model_key(path)) is not None}
    catalogue = {name: _provider(name, body) for name, body in sorted(providers.items())}
    for (provider, model), table in sorted(tables.items()):
        if provider in catalogue:
            catalogue[provider]["models"][model] = _model(model, table, tables)
    return json.dumps(catalogue, ensure_ascii=False, separators=(",", ":")).encode()


def _is_provider(path: str) -> bool:
    return path.count("/") == 1 and path.endswith(f"/{_PROVIDER}")


def _model_key(path: str) -> ModelKey | None:
    provider, _, rest = path.partition("/")
    is_model = rest.startswith(_MODELS) and rest.endswith(_SUFFIX)
    return (provider, rest[len(_MODELS) : -len(_SUFFIX)]) if is_model else None


def _provider(name: str, body: bytes) -> dict[str, Any]:
    try:
        table = _read(body)
    except ValueError as error:
        raise UnreadableDocument(f"{name}/{_PROVIDER} cannot be read: {error}") from None
    return {**table, "id": name, "models": {}}


def _model_table(body: bytes) -> Table | str:
    """A model's own table, or why it cannot be read."""
    try:
        return _read(body)
    except ValueError as error:
        return f"the file cannot be read: {error}"


@lru_cache(maxsize=8192)
def _read(body: bytes) -> Table:
    """One file; from version to version most stay as they were. Raises ValueError."""
    try:
        table: Table = _as_json(tomllib.loads(body.decode("utf-8"), parse_float=_finite))
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    return table


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is not a number that JSON can hold")
    return number


def _as_json(value: Any) -> Any:
    """TOML's values as JSON has them: its dates and times become text."""
    if isinstance(value, dict):
        return {name: _as_json(held) for name, held in value.items()}
    if isinstance(value, list):
        return [_as_json(held) for held in value]
    return value.isoformat() if isinstance(value, date | time) else value


def _model(model: str, table: Table | str, tables: Mapping[ModelKey, Table | str]) -> Table | str:
    whole = _extended(table, tables, frozenset())
    return whole if isinstance(whole, str) else {**whole, "id": model}


def _extended(table: Table | str, tables: Mapping[ModelKey, Table | str], seen: frozenset[ModelKey]) -> Table | str:
    """A model's table over the one that it extends; why it cannot be had where that one is not there."""
    if isinstance(table, str) or not isinstance(table.get("extends"), dict):
        return table
    extends = table["extends"]
    provider, _, model = str(extends.get("from", "")).partition("/")
    key = (provider, model)
    if key not in tables or key in seen:
        return f"it extends {provider}/{model}, which {'extends it' if key in seen else 'is not there'}"
    base = _extended(tables[key], tables, seen | {key})
    if isinstance(base, str):
        return f"it extends {provider}/{model}: {base}"
    own = {name: value for name, value in table.items() if name != "extends"}
    return _without(_over(base, own), extends.get("omit", ()))


def _over(base: Table, own: Table) -> Table:
    merged = dict(base)
    for name, value in own.items():
        held = merged.get(name)
        merged[name] = _over(held, value) if isinstance(held, dict) and isinstance(value, dict) else value
    return merged


def _without(table: Table, names: Any) -> Table:
    """A table less the fields named by dotted paths."""
    for name in names if isinstance(names, list | tuple) else ():
        table = _less(table, str(name).split("."))
    return table


def _less(table: Table, path: list[str]) -> Table:
    first, *rest = path
    held = table.get(first)
    if not rest or not isinstance(held, dict):
        return table if rest else {name: value for name, value in table.items() if name != first}
    return {**table, first: _less(held, rest)}
