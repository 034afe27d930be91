"""Queries that ask for no order get none: SQLite mostly keeps one all the same, PostgreSQL does not."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from django.db.models import query

ITERABLES = (query.ModelIterable, query.ValuesIterable, query.ValuesListIterable, query.FlatValuesListIterable)


def shuffle_unordered(monkeypatch: pytest.MonkeyPatch, chance: Random) -> None:
    """Give the rows of every unordered query in an order of chance."""
    for iterable in ITERABLES:
        monkeypatch.setattr(iterable, "__iter__", _shuffling(iterable.__iter__, chance))


def _shuffling(in_order: Any, chance: Random) -> Any:
    def rows(self: Any) -> Iterator[Any]:
        if self.queryset.ordered:
            return iter(in_order(self))
        found = list(in_order(self))
        chance.shuffle(found)
        return iter(found)

    return rows
