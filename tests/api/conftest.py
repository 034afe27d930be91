"""The ledger's stage, clock and person, for tests that ask the API about what was played."""

from __future__ import annotations

from tests.pricing.conftest import clock, person, stage

__all__ = ["clock", "person", "stage"]
