"""Lines priced as known at earlier moments, in portions of which the histories fit into memory together.

A history has all that was ever believed of an offering, which may be a hundred times its sheet. What alone is heavier
than the bound is read only as it was known at some of the moments asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import NamedTuple

from pricing.costing.memory import Memory
from pricing.costing.sheets import History


class Need(NamedTuple):
    """The place of a line, the offerings whose prices it may need, and the moment as known at which."""

    place: int
    offerings: tuple[int, ...]
    known_at: datetime


class Portion(NamedTuple):
    """The places of some lines, and the histories that these need."""

    places: list[int]
    histories: dict[int, History]


def portions(memory: Memory, needs: Iterable[Need]) -> Iterator[Portion]:
    """Lines with their histories, each portion within what the memory may hold; let go of one before the next."""
    most = memory.most_price_rows
    ordered = sorted(needs, key=lambda need: (need.offerings, need.known_at))
    weights = memory.weights({offering for need in ordered for offering in need.offerings})
    places: list[int] = []
    held: set[int] = set()
    for offerings, each in groupby(ordered, key=lambda need: need.offerings):
        alike = list(each)
        if _weight(offerings, weights) > most:
            yield from _by_moments(memory, alike, most)
            continue
        if _weight({*held, *offerings}, weights) > most:
            yield Portion(places, memory.histories(held))
            places, held = [], set()
        places += [need.place for need in alike]
        held |= set(offerings)
    if places:
        yield Portion(places, memory.histories(held))


def _weight(offerings: Iterable[int], weights: Mapping[int, int]) -> int:
    return sum(weights[offering] for offering in offerings)


def _by_moments(memory: Memory, needs: Sequence[Need], most: int) -> Iterator[Portion]:
    """Lines that need the same offerings, in the order of their moments, as few at a time as the bound demands."""
    offerings, moments = needs[0].offerings, sorted({need.known_at for need in needs})
    if len(moments) > 1 and memory.weight_between(offerings, moments[0], moments[-1]) > most:
        middle = moments[len(moments) // 2]
        yield from _by_moments(memory, [need for need in needs if need.known_at < middle], most)
        yield from _by_moments(memory, [need for need in needs if need.known_at >= middle], most)
    else:
        yield Portion([need.place for need in needs], memory.histories_between(offerings, moments[0], moments[-1]))
