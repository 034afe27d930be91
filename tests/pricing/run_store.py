"""The runs of one source kept in memory, by the same edits that the ledger writes to its tables."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Collection, Hashable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from random import Random

from pricing.runs import Amendments, Edits, Run, read_again, read_between, read_latest


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

    def read_again(self, at: datetime, claims: Collection[Hashable]) -> Amendments[Hashable]:
        """Let a reading that was taken say something else; what was written for it."""
        place = self.moments.index(at)
        previous = self.moments[place - 1] if place else None
        following = self.moments[place + 1] if place + 1 < len(self.moments) else None
        runs = [Run(pk, kept.key, kept.first, kept.ended) for pk, kept in self.shuffled(Random(0))]
        edits = read_again(runs, claims, at, previous, following)
        self._apply(edits, at, previous, following)
        for run in edits.delayed:
            assert following is not None
            self.kept[run.statement].first, self.kept[run.statement].absent_before = following, at
        for run in edits.lengthened:
            self.kept[run.statement].ended = following
        for run, taken_in in edits.joined:
            self.kept[run.statement].ended = self.kept[taken_in.statement].ended
            self.kept[taken_in.statement].ended = taken_in.first_observed_at
        for run in edits.emptied:
            self.kept[run.statement].ended = at
        return edits

    def runs(self) -> list[tuple[Hashable, datetime, datetime | None, datetime | None]]:
        """All runs as plain values, in an order that does not depend on the arrival."""
        rows = [(kept.key, kept.first, kept.absent_before, kept.ended) for kept in self._held()]
        return sorted(rows, key=lambda row: (repr(row[0]), row[1]))

    def _held(self) -> list[Kept]:
        """The runs that a reading holds; one that was emptied ends where it begins."""
        return [kept for kept in self.kept.values() if kept.ended != kept.first]

    def shuffled(self, chance: Random) -> list[tuple[int, Kept]]:
        """The runs as a database might hand them out: in any order."""
        rows = list(self.kept.items())
        chance.shuffle(rows)
        return rows
