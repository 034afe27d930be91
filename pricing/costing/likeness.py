"""The names most like one that matched nothing, found fast enough for a request with thousands of misspelt ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

COUNT = 5
_LONGEST = 100


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

    def nearest(self, wanted: str, count: int = COUNT) -> list[str]:
        """Up to ``count`` names that share groups of characters with the wanted one, the likest first."""
        groups = _groups(wanted)
        shared: Counter[int] = Counter()
        for group in groups:
            shared.update(self._holding.get(group, ()))
        ranked = sorted(shared, key=lambda place: (-shared[place] / (len(groups) + self._sizes[place]), place))
        return [self._names[place] for place in ranked[:count]]


def _groups(name: str) -> set[str]:
    text = f"  {name[:_LONGEST].casefold()} "
    return {text[start : start + 3] for start in range(len(text) - 2)}
