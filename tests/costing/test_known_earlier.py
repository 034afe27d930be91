"""costs/ as known earlier: however deep the record is, only so much of it is in memory at once."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from pricing.costing import memory, sheets
from pricing.costing.memory import forget
from pricing.costing.sheets import History
from pricing.models import Price
from tests.api import factories as make
from tests.costing.asking import call, results

HOUR = timedelta(hours=1)
BOUND = 60


def believed_hourly(name: str, hours: int) -> None:
    """A model whose price was believed to be one more every hour, all of it from the same moment."""
    line, start = make.line(make.offering(name)), make.TRACKED_SINCE
    for hour in range(hours):
        known = {"known_from": start + hour * HOUR, "known_until": start + (hour + 1) * HOUR}
        if hour == hours - 1:
            known["known_until"] = None  # type: ignore[assignment]
        make.price(line, str(hour + 1), **known)


def known(hour: int, model: str) -> dict[str, Any]:
    at: datetime = make.TRACKED_SINCE + hour * HOUR + HOUR / 2
    return call(model, known_at=at.isoformat().replace("+00:00", "Z"))


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many price rows each reading of histories brought into memory."""
    found: list[int] = []

    def histories(*arguments: Any) -> dict[int, History]:
        new = sheets.histories(*arguments)
        found.append(sum(map(len, new.values())))
        return new

    monkeypatch.setattr(memory, "PRICE_ROWS_KEPT", BOUND)
    monkeypatch.setattr(memory, "histories", histories)
    forget()
    return found


def totals(client: Client, lines: Collection[Any]) -> list[str]:
    return [result["total"] for result in results(client, *lines)]


@pytest.mark.django_db
def test_histories_of_many_models_are_read_in_portions_and_answered_in_order(client: Client, read: list[int]) -> None:
    for number in range(8):
        believed_hourly(f"model-{number}", 10)
    lines = [known(hour, f"model-{number}") for hour in (3, 7) for number in range(8)]
    lines.insert(5, call("model-0"))
    lines.insert(9, call("nobody", known_at="2026-01-01T00:00:00Z"))
    found = totals(client, lines)
    assert found == ["4"] * 5 + ["10"] + ["4"] * 3 + [None] + ["8"] * 8
    assert max(read) <= BOUND / 2
    assert sum(read) == Price.objects.count()


@pytest.mark.django_db
def test_history_that_alone_is_too_heavy_is_read_as_known_then(client: Client, read: list[int]) -> None:
    believed_hourly("model", 90)
    hours = [80, 2, 40, 79, 2, 3]
    assert totals(client, [known(hour, "model") for hour in hours]) == [str(hour + 1) for hour in hours]
    assert 0 < max(read) <= BOUND / 2


@pytest.mark.django_db
def test_histories_that_fit_are_kept_for_the_next_request(client: Client, read: list[int]) -> None:
    believed_hourly("model", 10)
    for _ in range(2):
        assert totals(client, [known(4, "model"), known(5, "model")]) == ["5", "6"]
    assert read == [10]
