"""Matching 5,000 changes against 10,000 watches: the index of ``alerts.matching`` against a loop over all pairs.

The loop asks the same rules of each pair. The index's time includes making it. One watch in a hundred catches all
that happens, which is one pair in a hundred; the others name what people name, and catch little.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from random import Random
from statistics import median
from typing import Any

from alerts.matching import Caught, Demands, Interest, Interests, MovedLine, catches

WORK = "match 5,000 changes against 10,000 watches"
PEER = "nested loop"
GOAL = 50
CHANGES, WATCHES = 5_000, 10_000
_COMPANIES, _MODELS, _OFFERINGS = 200, 1_000, 6_000
_METERS = ("input_tokens", "output_tokens", "cache_read_tokens", "requests", "web_searches", "input_images")
_KINDS = ("increase", "decrease", "mixed", "listed", "announced", "promo_started", "withdrawn", "restructured")
_RARE_KINDS = ("became_paid", "currency_changed", "relisted")
_PERCENTS = tuple(map(Decimal, (1, 2, 5, 10, 25, 50)))


def rows(rounds: int) -> list[dict[str, Any]]:
    """Measure, print for people, and give the row."""
    chance = Random(7)
    watches, changes = make_watches(chance), make_changes(chance)
    _compare(watches, changes)
    ours, theirs = _in_turn(lambda: indexed(watches, changes), lambda: looped(watches, changes), rounds)
    ratio = theirs / ours
    print(f"matching: {1000 * ours:.0f} ms with the index, {theirs:.1f} s in a loop over all pairs: x{ratio:.0f}")
    figures = {"ours": round(1000 * ours, 1), "theirs": round(1000 * theirs, 1), "unit": "ms"}
    verdict = {"ratio": round(ratio, 1), "goal": GOAL, "ok": ratio >= GOAL}
    return [{"work": WORK, "peer": PEER, "database": None, **figures, **verdict}]


def indexed(watches: list[Interest], changes: list[Caught]) -> int:
    """How many pairs the index finds."""
    interests = Interests(watches)
    return sum(len(interests.catching(change)) for change in changes)


def looped(watches: list[Interest], changes: list[Caught]) -> int:
    """How many pairs a loop over all of them finds."""
    return sum(1 for change in changes for watch in watches if catches(watch, change))


def make_watches(chance: Random) -> list[Interest]:
    """One in a hundred without any filter; the rest by company, model, offering, meter or kind, and by percent."""
    return [Interest(1 + n) if n % 100 == 0 else _watch(1 + n, chance) for n in range(WATCHES)]


def _watch(number: int, chance: Random) -> Interest:
    demands = Demands(
        meters=frozenset(chance.sample(_METERS, chance.choice([0, 0, 1, 2]))),
        kinds=frozenset(chance.sample(_KINDS, chance.choice([0, 0, 0, 2]))),
        nature="market",
        direction=chance.choice(["", "", "up", "down"]),
        min_percent=chance.choice([None, *_PERCENTS]),
    )
    named = chance.random()
    if named < 0.45:
        return Interest(number, companies=_some(chance, _COMPANIES, 1), demands=demands)
    if named < 0.75:
        return Interest(number, models=_some(chance, _MODELS, 3), demands=demands)
    if named < 0.95:
        return Interest(number, offerings=_some(chance, _OFFERINGS, 5), demands=demands)
    return Interest(number, demands=replace(demands, kinds=frozenset({chance.choice(_RARE_KINDS)})))


def _some(chance: Random, count: int, most: int) -> frozenset[int]:
    return frozenset(chance.randrange(count) for _ in range(chance.randint(1, most)))


def make_changes(chance: Random) -> list[Caught]:
    """Changes of one to four lines, of offerings of which each has a seller, and most a model with its developer."""
    return [_change(1 + number, chance) for number in range(CHANGES)]


def _change(number: int, chance: Random) -> Caught:
    offering = chance.randrange(_OFFERINGS)
    model = offering % _MODELS
    return Caught(
        change=number,
        offerings=frozenset({offering}),
        companies=frozenset({offering % _COMPANIES, model % 20}),
        models=frozenset({model}),
        kind=chance.choice(_KINDS),
        nature="market",
        lines=tuple(_line(chance) for _ in range(chance.randint(1, 4))),
    )


def _line(chance: Random) -> MovedLine:
    return MovedLine(chance.choice(_METERS), chance.choice(["up", "down"]), Decimal(chance.randint(1, 8000)) / 100)


def _compare(watches: list[Interest], changes: list[Caught]) -> None:
    """The index has to find what the loop finds, pair by pair, on a share of the changes."""
    interests, pairs = Interests(watches), 0
    sample = changes[::50]
    for change in sample:
        found = sorted(interests.catching(change))
        assert found == [watch.watch for watch in watches if catches(watch, change)], change
        pairs += len(found)
    share = pairs / (len(sample) * len(watches))
    print(f"{len(changes):,} changes, {len(watches):,} watches, {share:.2%} of the pairs hit; both find the same")


def _in_turn(ours: Callable[[], int], theirs: Callable[[], int], rounds: int) -> tuple[float, float]:
    """The median seconds of each; the loop, which takes long, is run half as often."""
    taken: tuple[list[float], list[float]] = ([], [])
    expected: set[int] = set()
    for number in range(rounds):
        for run, seconds in zip((ours, theirs), taken, strict=True):
            if run is theirs and number % 2:
                continue
            gc.collect()
            started = time.perf_counter()
            expected.add(run())
            seconds.append(time.perf_counter() - started)
    assert len(expected) == 1, "both find as many pairs"
    return median(taken[0]), median(taken[1])
