"""What tests of the ledger share: a stage to play on, and a clock that they set."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.utils import timezone

from pricing.ledger import Ruling
from tests.pricing.believing import day
from tests.pricing.stages import Stage, assert_clean

SetClock = Callable[[float], None]


@pytest.fixture
def stage(db: None) -> Iterator[Stage]:
    """An empty stage; whatever a test plays on it has to leave a clean ledger."""
    yield Stage()
    assert_clean()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SetClock:
    """Set what the wall clock shows, in days."""

    def set_clock(number: float) -> None:
        monkeypatch.setattr(timezone, "now", lambda: day(number))

    set_clock(100)
    return set_clock


@pytest.fixture
def person() -> Ruling:
    """Somebody who says why."""
    return Ruling(by=None, note="as announced", citation_url="https://example.com/pricing")
