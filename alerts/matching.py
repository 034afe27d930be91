"""Which watches catch which changes: plain values, and an index that asks each question once for many watches.

Filters of different kinds must all hold; of one kind, any. What a watch demands of the moved lines (meter, direction,
percent) one and the same line has to meet. A line that moves from zero has moved by more than any percent.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal

UP, DOWN = "up", "down"
BEYOND_ANY_PERCENT = Decimal("Infinity")
_NO_PERCENT = Decimal(-1)
_HUNDRED = Decimal(100)
_NOBODY: frozenset[int] = frozenset()
_NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class MovedLine:
    """One line of a change: its meter, which way it moved, and by how many percent either way; None is unknown."""

    meter: str
    direction: str = ""
    percent: Decimal | None = None


def moved_line(meter: str, old: Decimal | None, new: Decimal | None, *, same_currency: bool = True) -> MovedLine:
    """The line that went from one amount to another; what came, went or changed currency has no direction."""
    if old is None or new is None or not same_currency or old == new:
        return MovedLine(meter)
    percent = abs(new - old) / abs(old) * _HUNDRED if old else BEYOND_ANY_PERCENT
    return MovedLine(meter, UP if new > old else DOWN, percent)


@dataclass(frozen=True, slots=True)
class Caught:
    """A change as watches see it.

    ``offerings`` are the offering and what it was merged into, ``companies`` who sells it and who developed its model.
    ``is_news`` is false for what was already so when tracking began, and for old documents: nobody hears of that.
    """

    change: int
    offerings: frozenset[int]
    companies: frozenset[int]
    models: frozenset[int]
    kind: str
    nature: str
    lines: tuple[MovedLine, ...] = ()
    is_news: bool = True
    is_confirmed: bool = False


@dataclass(frozen=True, slots=True)
class Demands:
    """What a watch asks of a change besides whose it is; what is left empty lets all pass."""

    meters: frozenset[str] = _NOTHING
    kinds: frozenset[str] = _NOTHING
    nature: str = ""
    direction: str = ""
    min_percent: Decimal | None = None
    confirmed_only: bool = False

    def reach(self, caught: Caught) -> Decimal | None:
        """How far the change goes on a line that counts, whatever ``min_percent`` is; None where nothing counts."""
        if self.kinds and caught.kind not in self.kinds:
            return None
        if (self.nature and caught.nature != self.nature) or (self.confirmed_only and not caught.is_confirmed):
            return None
        counting = [line for line in caught.lines if self._counts(line)]
        if not counting:
            return None if self.meters or self.direction else _NO_PERCENT
        return max((line.percent for line in counting if line.percent is not None), default=_NO_PERCENT)

    def _counts(self, line: MovedLine) -> bool:
        if self.meters and line.meter not in self.meters:
            return False
        return not self.direction or line.direction == self.direction


@dataclass(frozen=True, slots=True)
class Interest:
    """A watch: whose changes it looks at, and what it demands of them."""

    watch: int
    companies: frozenset[int] = _NOBODY
    models: frozenset[int] = _NOBODY
    offerings: frozenset[int] = _NOBODY
    demands: Demands = field(default_factory=Demands)


def catches(interest: Interest, caught: Caught) -> bool:
    """Whether the watch catches the change."""
    if not caught.is_news or not _concerns(interest, caught):
        return False
    demands = interest.demands
    reach = demands.reach(caught)
    return reach is not None and (demands.min_percent is None or reach >= demands.min_percent)


def _concerns(interest: Interest, caught: Caught) -> bool:
    if interest.companies and interest.companies.isdisjoint(caught.companies):
        return False
    if interest.models and interest.models.isdisjoint(caught.models):
        return False
    return not interest.offerings or not interest.offerings.isdisjoint(caught.offerings)


# Whose changes, as the index files it: the sort of row and its id; ("", 0) is anybody's.
_Key = tuple[str, int]
_ANYBODY: _Key = ("", 0)


class _Group:
    """Watches that differ in nothing but the percent that they want: one answer serves them all."""

    __slots__ = ("_percents", "_sample", "_watches")

    def __init__(self, sample: Interest) -> None:
        self._sample = sample
        self._watches: list[int] = []
        self._percents: list[Decimal] = []

    def fill(self, wanted: Iterable[tuple[Decimal, int]]) -> None:
        """Take the watches, each with its percent (any: -1)."""
        pairs = sorted(wanted)
        self._percents = [percent for percent, _ in pairs]
        self._watches = [watch for _, watch in pairs]

    def caught(self, caught: Caught) -> list[int]:
        """The watches of this group that catch the change."""
        if not _concerns(self._sample, caught):
            return []
        reach = self._sample.demands.reach(caught)
        return [] if reach is None else self._watches[: bisect_right(self._percents, reach)]


class Interests:
    """All watches, filed under the narrowest thing that each names, so that a change meets few that it misses."""

    def __init__(self, interests: Iterable[Interest]) -> None:
        filed: dict[tuple[_Key, Interest], list[tuple[Decimal, int]]] = {}
        for interest in interests:
            least = interest.demands.min_percent
            alike = replace(interest, watch=0, demands=replace(interest.demands, min_percent=None))
            for key, rest in _keys(alike):
                filed.setdefault((key, rest), []).append((_NO_PERCENT if least is None else least, interest.watch))
        self._by_key: dict[_Key, dict[str, list[_Group]]] = {}
        for (key, rest), wanted in filed.items():
            group = _Group(rest)
            group.fill(wanted)
            for facet in _facets(rest.demands):
                self._by_key.setdefault(key, {}).setdefault(facet, []).append(group)

    def catching(self, caught: Caught) -> list[int]:
        """The watches that catch the change, each once, in no order."""
        if not caught.is_news:
            return []
        groups = list(self._groups(caught))
        if len(groups) == 1:
            return groups[0].caught(caught)
        found: list[int] = []
        for group in groups:
            found += group.caught(caught)
        return list(set(found))

    def _groups(self, caught: Caught) -> Iterator[_Group]:
        keys = [
            _ANYBODY,
            *(("offering", row) for row in caught.offerings),
            *(("model", row) for row in caught.models),
            *(("company", row) for row in caught.companies),
        ]
        facets = ["", f"kind {caught.kind}", *{f"meter {line.meter}" for line in caught.lines}]
        for key in keys:
            if by_facet := self._by_key.get(key):
                for facet in facets:
                    yield from by_facet.get(facet, ())


def _keys(interest: Interest) -> Iterator[tuple[_Key, Interest]]:
    """Where a watch is filed, and what is left to be asked there."""
    for sort, named in (("offering", "offerings"), ("model", "models"), ("company", "companies")):
        rows: frozenset[int] = getattr(interest, named)
        if rows:
            rest = replace(interest, **{named: _NOBODY})  # type: ignore[arg-type]
            return iter([((sort, row), rest) for row in sorted(rows)])
    return iter([(_ANYBODY, interest)])


def _facets(demands: Demands) -> list[str]:
    """Under which kinds or meters a group is filed; the empty one is asked by every change."""
    if demands.kinds:
        return [f"kind {kind}" for kind in sorted(demands.kinds)]
    if demands.meters:
        return [f"meter {meter}" for meter in sorted(demands.meters)]
    return [""]
