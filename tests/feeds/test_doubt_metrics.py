"""Operators see how much waits for somebody."""

from __future__ import annotations

import pytest

from tests.api import factories as make
from tracker.health.metrics import render_metrics

pytestmark = pytest.mark.django_db


def value_of(metric: str) -> str:
    return next(line for line in render_metrics().decode().splitlines() if line.startswith(metric)).split()[-1]


def test_open_holds_are_told_by_reason_and_disagreements_together() -> None:
    line = make.line(make.offering())
    make.hold(line, reason="zero")
    make.hold(None, seller=make.company(), reason="vanished")
    make.hold(line, "6", reason="leap", closed_at=make.MAY, outcome="lapsed")
    make.disagreement(line)
    told = {reason: value_of(f'tracker_holds_open{{reason="{reason}"}}') for reason in ("zero", "vanished", "leap")}
    assert told == {"zero": "1.0", "vanished": "1.0", "leap": "0.0"}
    assert value_of("tracker_disagreements_open") == "1.0"
