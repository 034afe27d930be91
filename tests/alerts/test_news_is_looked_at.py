"""What the ledger writes is matched as soon as it is committed, and the ledger knows nothing of it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from alerts.fan_out import fan_out_changes
from alerts.tasks import look_now
from pricing.claims import Claim, Conditions
from pricing.signals import news_written
from tests.alerts import people
from tests.pricing.stages import Stage
from tests.pricing.worlds import Quote

INPUT = Conditions("input_tokens")


def said(amount: str) -> list[Quote]:
    return [Quote("deepseek-chat", Claim(INPUT, Decimal(amount)))]


@pytest.mark.django_db
def test_a_first_load_is_no_news_and_a_move_is_told_once_with_its_commit(
    django_capture_on_commit_callbacks: Any,
) -> None:
    told: list[object] = []

    def listen(sender: object, **_: object) -> None:
        told.append(sender)

    news_written.connect(listen)
    stage = Stage()
    chat, watch = stage.offering(), people.watch()
    with django_capture_on_commit_callbacks(execute=True):
        stage.read("models-dev", 1, {chat: said("1")})
    assert not told
    with django_capture_on_commit_callbacks(execute=True):
        stage.read("models-dev", 2, {chat: said("2")})
    assert len(told) == 1
    assert fan_out_changes() == 1
    assert people.told(watch) == ["DeepSeek V4 at DeepSeek: input 1 -> 2 USD per 1M tokens, +100.00%"]


def test_who_matches_is_connected() -> None:
    assert any(receiver() is look_now for _, receiver, *_ in news_written.receivers)
