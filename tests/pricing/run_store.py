"""The runs of one source kept in memory, by the same edits that the ledger writes to its tables."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Collection, Hashable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from random import Random

from pricing.runs import Edits, Run, read_between, read_latest


@dataclass
class Kept:
    """A run with the source's last reading before it that lacks it."""

    key: Hashable
    first: datetime
    absent_before: datetime | None
    ended: datetime | None


@dataclass
class RunStore:
    """What one source's readings leave behind, in whatever order they are read."""

    moments: list[datetime] = field(default_factory=list)
    kept: dict[int, Kept] = field(default_factory=dict)
    _ids: count[int] = field(default_factory=lambda: count(1))

    def read(self, at: datetime, claims: Collection[Hashable]) -> None:
        place = bisect_left(self.moments, at)
        previous = self.moments[place - 1] if place else None
        following = self.moments[place] if place < len(self.moments) else None
        runs = [Run(pk, kept.key, kept.first, kept.ended) for pk, kept in self.kept.items()]
        if following is None:
            edits = read_latest([run for run in runs if run.ended_at is None], claims, at, previous)
        else:
            edits = read_between(runs, claims, at, previous, following)
        self._apply(edits, at, previous, following)
        insort(self.moments, at)

    def _apply(
        self, edits: Edits[Hashable], at: datetime, previous: datetime | None, following: datetime | None
    ) -> None:
        for key, first, absent_before, ended in edits.opened:
            self.kept[next(self._ids)] = Kept(key, first, absent_before, ended)
        for run in edits.split:
            assert following is not None
            self.kept[next(self._ids)] = Kept(run.key, following, at, run.ended_at)
        for run in [*edits.ended, *edits.split]:
            self.kept[run.statement].ended = at
        for run in edits.grown:
            self.kept[run.statement].first = at
            self.kept[run.statement].absent_before = previous
        for run in edits.narrowed:
            self.kept[run.statement].absent_before = at

    def runs(self) -> list[tuple[Hashable, datetime, datetime | None, datetime | None]]:
        """All runs as plain values, in an order that does not depend on the arrival."""
        rows = [(kept.key, kept.first, kept.absent_before, kept.ended) for kept in self.kept.values()]
        return sorted(rows, key=lambda row: (repr(row[0]), row[1]))

    def shuffled(self, chance: Random) -> list[tuple[int, Kept]]:
        """The runs as a database might hand them out: in any order."""
        rows = list(self.kept.items())
        chance.shuffle(rows)
        return rows
