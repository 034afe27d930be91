"""Reading only the rows that are new ends in the very record that reading every row ends in, whatever happens.

``ROWS_LIVES`` asks for more lives than are played by default, ``ROWS_FIRST_SEED`` for others.
"""

from __future__ import annotations

import os
from random import Random
from uuid import UUID

import pytest
from django.db import transaction
from django.utils import timezone

from tests.any_order import shuffle_unordered
from tests.feeds.rows_at_random import Life, Record, count_from_the_start, feeds, on_record
from tests.pricing.believing import day
from tests.pricing.conftest import SetClock
from tests.pricing.stages import assert_clean

pytestmark = pytest.mark.django_db
STEPS = 30
FIRST_SEED = int(os.environ.get("ROWS_FIRST_SEED", "0"))
LIVES = int(os.environ.get("ROWS_LIVES", "10"))


def lived(seed: int, set_clock: SetClock, *, in_full: bool) -> tuple[list[str], Record]:
    """What is on record after a life; nothing of it stays."""
    with transaction.atomic():
        count_from_the_start()
        set_clock(0)
        feeds()
        life = Life(Random(seed), set_clock, in_full=in_full)
        for _ in range(STEPS):
            life.go_on()
        found = on_record()
        assert_clean()
        transaction.set_rollback(True)
    return life.log, found


@pytest.fixture
def set_clock(monkeypatch: pytest.MonkeyPatch) -> SetClock:
    """Set what the wall clock shows, in days."""
    return lambda number: monkeypatch.setattr(timezone, "now", lambda: day(number))


@pytest.fixture(autouse=True)
def unvaried_operations(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let operations that several rulings share be called alike in both lives."""
    monkeypatch.setattr("feeds.repointing.uuid4", lambda: UUID(int=1))


@pytest.mark.parametrize("seed", range(FIRST_SEED, FIRST_SEED + LIVES))
def test_reading_new_rows_alone_ends_in_the_same_record(
    seed: int, set_clock: SetClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    shuffle_unordered(monkeypatch, Random(seed))
    log, found = lived(seed, set_clock, in_full=False)
    log_in_full, found_in_full = lived(seed, set_clock, in_full=True)
    assert log == log_in_full
    for table, rows in found_in_full.items():
        assert found[table] == rows, "\n".join([table, *log])
