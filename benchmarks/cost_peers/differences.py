"""Totals that differ between the engine and a peer, each with the reason and with who is right."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

SHOWN_MODELS = 6


@dataclass(frozen=True, slots=True)
class Reason:
    """Why totals differ; ``right`` is ``ours``, ``theirs`` or ``neither``."""

    text: str
    right: str


UNEXPLAINED = Reason("no reason known: to be looked into", "unknown")


@dataclass(frozen=True, slots=True)
class Difference:
    """One line with two totals; a refusal stands as its text."""

    model: str
    asked: str
    ours: Decimal | str
    theirs: Decimal | str
    reason: Reason


@dataclass(slots=True)
class Comparison:
    """How many lines had one total, and those that had two."""

    peer: str
    equal: int = 0
    differences: list[Difference] = field(default_factory=list)

    def by_reason(self) -> dict[Reason, list[Difference]]:
        groups: dict[Reason, list[Difference]] = {}
        for difference in self.differences:
            groups.setdefault(difference.reason, []).append(difference)
        return dict(sorted(groups.items(), key=lambda group: -len(group[1])))

    def report(self, every: bool) -> Iterable[str]:
        """The comparison for people, with each line when ``every``."""
        lines = self.equal + len(self.differences)
        yield f"totals against {self.peer}: {self.equal:,} of {lines:,} lines equal, {len(self.differences):,} differ"
        for reason, found in self.by_reason().items():
            models = list(dict.fromkeys(difference.model for difference in found))
            more = f" and {len(models) - SHOWN_MODELS} more" if len(models) > SHOWN_MODELS else ""
            yield f"  {len(found):5,} lines, {len(models)} models; right: {reason.right}. {reason.text}"
            yield f"        {', '.join(models[:SHOWN_MODELS])}{more}"
            for difference in found if every else found[:1]:
                yield f"        e.g. {difference.model} {difference.asked}"
                yield f"             ours {difference.ours}, theirs {difference.theirs}"
