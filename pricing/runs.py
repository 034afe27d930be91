"""How one more reading of a source changes the runs of its statements, wherever in time it falls.

A source's readings, each a set of claims, are kept as runs: one for each stretch of consecutive
readings that hold the same claim. A reading older than others may lengthen a run backwards or
split it; the readings can always be told back from the runs, so no claim is lost.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, TypeVar

Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class Run(Generic[Key]):
    """A stored run: the claim, its first reading, and the first reading without it (None: still said)."""

    statement: int
    key: Key
    first_observed_at: datetime
    ended_at: datetime | None


@dataclass(slots=True)
class Edits(Generic[Key]):
    """What to write: runs that open, grow backwards, end, split in two, or begin after a later reading."""

    opened: list[tuple[Key, datetime, datetime | None, datetime | None]] = field(default_factory=list)
    grown: list[Run[Key]] = field(default_factory=list)
    ended: list[Run[Key]] = field(default_factory=list)
    split: list[Run[Key]] = field(default_factory=list)
    narrowed: list[Run[Key]] = field(default_factory=list)


def read_latest(
    running: Iterable[Run[Key]], claims: Collection[Key], at: datetime, previous: datetime | None
) -> Edits[Key]:
    """The edits for a reading newer than all others; ``running`` are the runs not ended."""
    edits: Edits[Key] = Edits()
    said = set()
    wanted = claims if isinstance(claims, set | frozenset | dict) else set(claims)
    for run in running:
        said.add(run.key)
        if run.key not in wanted:
            edits.ended.append(run)
    edits.opened = [(key, at, previous, None) for key in claims if key not in said]
    return edits


def read_between(
    runs: Iterable[Run[Key]],
    claims: Collection[Key],
    at: datetime,
    previous: datetime | None,
    following: datetime,
) -> Edits[Key]:
    """The edits for a reading between two others; ``runs`` are those that touch either neighbour."""
    edits: Edits[Key] = Edits()
    wanted = set(claims)
    settled = set()
    for run in runs:
        held_before = previous is not None and run.first_observed_at <= previous
        held_before = held_before and (run.ended_at is None or previous is None or run.ended_at > previous)
        held_after = run.first_observed_at <= following and (run.ended_at is None or run.ended_at > following)
        if not held_before and not held_after:
            continue
        if run.key in wanted:
            settled.add(run.key)
            if not held_before:
                edits.grown.append(run)
        elif held_before and held_after:
            edits.split.append(run)
        elif held_before:
            edits.ended.append(run)
        else:
            edits.narrowed.append(run)
    edits.opened = [(key, at, previous, following) for key in claims if key not in settled]
    return edits
