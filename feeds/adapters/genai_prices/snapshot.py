"""The prices inside the installed genai-prices package as canonical JSON bytes.

The package carries Python objects and no document. These bytes have the shape of the repository's v2
``data.json``, less what finds models in requests and usage in responses, so that one ``parse`` reads both.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, time
from decimal import Decimal
from typing import Any

# Matching and usage extraction are code rather than prices.
_LEFT_OUT = frozenset({"match", "model_match", "provider_match", "api_pattern", "extractors"})


def snapshot() -> bytes:
    """The installed package's providers, models and prices; the same data gives the same bytes.

    Objects are sorted by key, providers and models by id; lists whose order has a meaning keep it.
    """
    from genai_prices.data import providers
    from genai_prices.types import ModelPrice

    return f"{_Writer(ModelPrice).text(_by_id(providers))}\n".encode()


def _by_id(items: Iterable[Any]) -> list[Any]:
    return sorted(items, key=lambda item: item.id)


class _Writer:
    def __init__(self, price_class: type) -> None:
        self._price_class = price_class

    def text(self, value: object) -> str:
        """The canonical JSON of a value; numbers keep their digits. Raises TypeError for an unknown kind."""
        if value is None or isinstance(value, str | bool | int | float):
            return json.dumps(value)
        if isinstance(value, Decimal):
            return str(value)
        if isinstance(value, date | time):
            return json.dumps(value.isoformat())
        if isinstance(value, list | tuple):
            return f"[{','.join(map(self.text, value))}]"
        return self._object(self._fields(value))

    def _fields(self, value: object) -> Mapping[str, object]:
        """What an object says, without what it leaves unsaid."""
        if isinstance(value, Mapping):
            return value
        if isinstance(value, self._price_class):
            return {key: price for key, price in vars(value).items() if not key.startswith("_")}
        if is_dataclass(value):
            stated = {field.name: getattr(value, field.name) for field in fields(value)}
            return {**stated, "models": _by_id(stated["models"])} if "models" in stated else stated
        raise TypeError(f"{type(value).__name__} has no place in a price document")

    def _object(self, values: Mapping[str, object]) -> str:
        stated = sorted(key for key, value in values.items() if value is not None and key not in _LEFT_OUT)
        return f"{{{','.join(f'{json.dumps(key)}:{self.text(values[key])}' for key in stated)}}}"
