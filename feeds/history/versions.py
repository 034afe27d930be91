"""A version of a feed's document: when it was to be read, where it is, and how its bytes are had."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Version:
    """One old document; ``read`` gives its bytes or raises UnreadableDocument. ``name`` is for people.

    ``is_commit`` says that it is a version of a clone: it is one only where it differs from the one before.
    """

    name: str
    observed_at: datetime
    read: Callable[[], bytes]
    is_commit: bool = False


def rising(moments: Sequence[datetime], until: datetime) -> list[datetime]:
    """The moments of a history made to rise, where its order is sure and its clocks are not.

    The fewest are taken for wrong: those outside the longest run of moments that never falls, and those after
    ``until``. What is wrong, or equal to the one before, comes a microsecond after the one before.
    """
    right = _never_falling(moments, until)
    last = datetime.min.replace(tzinfo=UTC)
    risen: list[datetime] = []
    for place, moment in enumerate(moments):
        if place in right:
            last = max(moment, last + INSTANT)
        elif risen:
            last += INSTANT
        else:
            following = min((moments[later] for later in right), default=until)
            last = min(moment, following - INSTANT * len(moments))
        risen.append(last)
    return risen


def _never_falling(moments: Sequence[datetime], until: datetime) -> set[int]:
    """The places of the longest subsequence that never falls, by patience sorting."""
    tails: list[datetime] = []
    ends: list[int] = []
    before: dict[int, int | None] = {}
    for place, moment in enumerate(moments):
        if moment > until:
            continue
        pile = bisect_right(tails, moment)
        before[place] = ends[pile - 1] if pile else None
        tails[pile : pile + 1] = [moment]
        ends[pile : pile + 1] = [place]
    return set(_back(ends[-1] if ends else None, before))


def _back(place: int | None, before: dict[int, int | None]) -> Iterator[int]:
    while place is not None:
        yield place
        place = before[place]
