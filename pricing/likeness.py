"""The names most like one that matched nothing, found fast enough for a request with thousands of misspelt ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import lru_cache

COUNT = 5
_LONGEST = 100
# Below it two names are no more alike than any two, and a hint would mislead.
_MISSPELT = 0.4


class Likeness:
    """Names by the groups of three characters in them."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = sorted(set(names))
        self._sizes: list[int] = []
        self._holding: dict[str, list[int]] = {}
        for place, name in enumerate(self._names):
            groups = _groups(name)
            self._sizes.append(len(groups))
            for group in groups:
                self._holding.setdefault(group, []).append(place)

    def nearest(self, wanted: str, count: int = COUNT, least: float = 0) -> list[str]:
        """Up to ``count`` names that share groups of characters with the wanted one, the likest first.

        ``least`` is the share of the groups of both that they have to have in common: 1 for all.
        """
        groups = _groups(wanted)
        shared: Counter[int] = Counter()
        for group in groups:
            shared.update(self._holding.get(group, ()))
        alike = {place: 2 * both / (len(groups) + self._sizes[place]) for place, both in shared.items()}
        ranked = sorted((place for place in alike if alike[place] >= least), key=lambda place: (-alike[place], place))
        return [self._names[place] for place in ranked[:count]]


def misspelt(wanted: str, names: tuple[str, ...], count: int = 1) -> list[str]:
    """The names of which the wanted one is probably a misspelling, the likest first.

    A request may ask it of thousands of words, each another, so that comparing them letter by letter took seconds.
    """
    return _likeness(names).nearest(wanted, count, _MISSPELT)


@lru_cache(maxsize=64)
def _likeness(names: tuple[str, ...]) -> Likeness:
    return Likeness(names)


def _groups(name: str) -> set[str]:
    text = f"  {name[:_LONGEST].casefold()} "
    return {text[start : start + 3] for start in range(len(text) - 2)}
