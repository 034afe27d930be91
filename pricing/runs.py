"""How one more reading of a source changes the runs of its statements, wherever in time it falls.

A source's readings, each a set of claims, are kept as runs: one for each stretch of consecutive
readings that hold the same claim. A reading older than others may lengthen a run backwards or
split it; the readings can always be told back from the runs, so no claim is lost. A reading that is read
again, by an adapter that was mended, takes its old claims out of the runs and puts the new ones in.
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


@dataclass(slots=True)
class Amendments(Edits[Key]):
    """What to write where one reading says otherwise than was thought, besides the edits of any reading.

    ``delayed`` runs begin at the next reading, ``lengthened`` ones go on until it, of two ``joined`` ones the
    first goes on as far as the second, which no reading holds any more, as none holds those ``emptied``.
    """

    delayed: list[Run[Key]] = field(default_factory=list)
    lengthened: list[Run[Key]] = field(default_factory=list)
    joined: list[tuple[Run[Key], Run[Key]]] = field(default_factory=list)
    emptied: list[Run[Key]] = field(default_factory=list)

    def __bool__(self) -> bool:
        taken_out = self.ended or self.split or self.delayed or self.emptied
        return bool(taken_out or self.opened or self.grown or self.lengthened or self.joined)


@dataclass(slots=True)
class _Around(Generic[Key]):
    """The runs that hold one claim at a reading and at those beside it; one run may be all three."""

    before: Run[Key] | None = None
    now: Run[Key] | None = None
    after: Run[Key] | None = None


def read_again(
    runs: Iterable[Run[Key]],
    claims: Collection[Key],
    at: datetime,
    previous: datetime | None,
    following: datetime | None,
) -> Amendments[Key]:
    """The edits by which the reading at ``at`` says exactly ``claims``, whatever it was taken to say before.

    ``runs`` are those that touch it or a neighbour. A reading that says what it said already makes no edits.
    """
    edits: Amendments[Key] = Amendments()
    wanted = claims if isinstance(claims, set | frozenset | dict) else set(claims)
    around: dict[Key, _Around[Key]] = {}
    for run in runs:
        place = around.setdefault(run.key, _Around())
        place.before = run if previous is not None and holds(run, previous) else place.before
        place.now = run if holds(run, at) else place.now
        place.after = run if following is not None and holds(run, following) else place.after
    for key, place in around.items():
        if place.now is not None and key not in wanted:
            _take_out(edits, place.now, place)
        elif place.now is None and key in wanted:
            _put_in(edits, key, place, (at, previous, following))
    edits.opened += [(key, at, previous, following) for key in claims if key not in around]
    return edits


def holds(run: Run[Key], moment: datetime) -> bool:
    """Whether a run holds at a reading; one that was emptied holds at none."""
    return run.first_observed_at <= moment and (run.ended_at is None or moment < run.ended_at)


def _take_out(edits: Amendments[Key], run: Run[Key], place: _Around[Key]) -> None:
    if place.before is not None and place.after is not None:
        edits.split.append(run)
    elif place.before is not None:
        edits.ended.append(run)
    elif place.after is not None:
        edits.delayed.append(run)
    else:
        edits.emptied.append(run)


def _put_in(
    edits: Amendments[Key],
    key: Key,
    place: _Around[Key],
    moments: tuple[datetime, datetime | None, datetime | None],
) -> None:
    if place.before is not None and place.after is not None:
        edits.joined.append((place.before, place.after))
    elif place.before is not None:
        edits.lengthened.append(place.before)
    elif place.after is not None:
        edits.grown.append(place.after)
    else:
        edits.opened.append((key, *moments))
