"""What is found when the ledger is held against its own evidence and rules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: which rule it breaks, where, and how."""

    check: str
    where: str
    problem: str

    def __str__(self) -> str:
        return f"{self.check}: {self.where}: {self.problem}"


def no_progress(what: str, done: int, total: int) -> None:
    """For callers that do not watch."""
