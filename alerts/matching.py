"""Which watches catch which changes: plain values, and an index that asks each question once for many watches.

Filters of different kinds must all hold; of one kind, any. What a watch demands of the moved lines (meter, direction,
percent) one and the same line has to meet. A line that moves from zero has moved by more than any percent.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from pricing.costing.garbage import without_collections

UP, DOWN = "up", "down"
BEYOND_ANY_PERCENT = Decimal("Infinity")
_NO_PERCENT = Decimal(-1)
_NO_PERCENTS: list[Decimal] = []
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


# Whose changes, as the index files it: the sort of row and its id.
_Key = tuple[str, int]
_ANYBODY: _Key = ("", 0)
_ANY_METER = ("",)
# How far a change goes, by direction and meter written together ("up" and "input_tokens" are "upinput_tokens"; either
# may be empty, for any); -1 where no percent is.
_Reaches = dict[str, Decimal]


class _Group:
    """Watches filed in one place that differ in nothing but the percent that they want: one answer serves them all.

    Kinds need no check: a watch that names some is filed under each of them. A watch that names several meters is in a
    group of each, since a line counts that has one of them.
    """

    __slots__ = ("asks_more", "confirmed_only", "line", "most", "nature", "percents", "rest", "watches")

    def __init__(self, demands: Demands, meter: str, rest: Interest | None, watch: int, percent: Decimal) -> None:
        self.line = demands.direction + meter
        self.nature, self.confirmed_only, self.rest = demands.nature, demands.confirmed_only, rest
        self.asks_more = bool(demands.confirmed_only or rest)
        self.watches, self.most = [watch], percent
        # Each in its place beside its watch; empty while there is one watch, as in most groups.
        self.percents: list[Decimal] = _NO_PERCENTS

    def add(self, watch: int, percent: Decimal) -> None:
        """File another watch; ``seal`` comes when all are."""
        if not self.percents:
            self.percents = [self.most]
        self.percents.append(percent)
        self.watches.append(watch)

    def seal(self) -> None:
        """Put the watches in the order of the percents that they want; one alone is so already."""
        wanted = sorted(zip(self.percents, self.watches, strict=True))
        self.percents = [percent for percent, _ in wanted]
        self.watches = [watch for _, watch in wanted]
        self.most = self.percents[-1]

    def admits(self, caught: Caught) -> bool:
        """Whether the change meets what few watches ask."""
        if self.confirmed_only and not caught.is_confirmed:
            return False
        return self.rest is None or _concerns(self.rest, caught)


class Interests:
    """All watches, filed under the narrowest thing that each names, so that a change meets few that it misses."""

    def __init__(self, interests: Iterable[Interest]) -> None:
        self._by_key: dict[_Key, dict[str, list[_Group]]] = {}
        # Those who ask neither whose nor what it is; filed nowhere else, so each of them is met once.
        self._of_all: list[_Group] = []
        with without_collections():
            self._fill(interests)

    def _fill(self, interests: Iterable[Interest]) -> None:
        groups: dict[tuple[object, ...], _Group] = {}
        for interest in interests:
            demands = interest.demands
            least = _NO_PERCENT if demands.min_percent is None else demands.min_percent
            keys, rest, left = _keys(interest)
            for meter in demands.meters or _ANY_METER:
                alike = (left, meter, demands.kinds, demands.nature, demands.direction, demands.confirmed_only)
                for key in keys:
                    group = groups.get((key, alike))
                    if group is None:
                        group = groups[key, alike] = _Group(demands, meter, rest, interest.watch, least)
                        self._file(key, demands, meter, group)
                    else:
                        group.add(interest.watch, least)
        for group in groups.values():
            if group.percents:
                group.seal()

    def _file(self, key: _Key, demands: Demands, meter: str, group: _Group) -> None:
        """Under its kinds, else its meter, whose names differ; under the empty one it is asked by every change."""
        if key == _ANYBODY and not (demands.kinds or meter):
            self._of_all.append(group)
            return
        by_facet = self._by_key.setdefault(key, {})
        for facet in demands.kinds or (meter,):
            by_facet.setdefault(facet, []).append(group)

    def catching(self, caught: Caught) -> list[int]:
        """The watches that catch the change, each once, in no order."""
        if not caught.is_news:
            return []
        reaches, nature = _reaches(caught), caught.nature
        once: list[int] = []
        found: set[int] = set()
        for groups, take in ((self._of_all, once.extend), (self._groups(caught), found.update)):
            for group in groups:
                reach = reaches.get(group.line)
                if reach is None or (group.nature and group.nature != nature):
                    continue
                if group.asks_more and not group.admits(caught):
                    continue
                if reach >= group.most:
                    take(group.watches)
                elif group.percents:
                    take(group.watches[: bisect_right(group.percents, reach)])
        return [*once, *found]

    def _groups(self, caught: Caught) -> list[_Group]:
        facets = ("", caught.kind, *{line.meter for line in caught.lines})
        found: list[_Group] = []
        for key in _keys_of(caught):
            by_facet = self._by_key.get(key)
            if by_facet is not None:
                for facet in facets:
                    if facet in by_facet:
                        found += by_facet[facet]
        return found


def _keys_of(caught: Caught) -> list[_Key]:
    return [
        _ANYBODY,
        *[("offering", row) for row in caught.offerings],
        *[("model", row) for row in caught.models],
        *[("company", row) for row in caught.companies],
    ]


def _reaches(caught: Caught) -> _Reaches:
    """How far the change goes, as ``Demands.reach`` finds it, for all demands at once."""
    # A change of no lines at all is still caught by whoever demands nothing of lines.
    reaches: _Reaches = {"": _NO_PERCENT}
    for line in caught.lines:
        percent = _NO_PERCENT if line.percent is None else line.percent
        direction, meter = line.direction, line.meter
        for name in ("", meter, direction, direction + meter) if direction else ("", meter):
            if name not in reaches or reaches[name] < percent:
                reaches[name] = percent
    return reaches


def _keys(interest: Interest) -> tuple[list[_Key], Interest | None, tuple[frozenset[int], ...]]:
    """Where a watch is filed, and what is left to be asked there: as an interest, and as what makes two alike."""
    if interest.offerings:
        keys: list[_Key] = [("offering", row) for row in interest.offerings]
        left = (interest.companies, interest.models)
    elif interest.models:
        keys, left = [("model", row) for row in interest.models], (interest.companies, _NOBODY)
    elif interest.companies:
        return [("company", row) for row in interest.companies], None, ()
    else:
        return [_ANYBODY], None, ()
    if left == (_NOBODY, _NOBODY):
        return keys, None, ()
    return keys, Interest(0, companies=left[0], models=left[1]), left
