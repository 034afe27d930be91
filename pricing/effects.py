"""What happens at a moment that was foreseen, when it comes: by the market, or by another witness alone."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from pricing.claims import Conditions, Tariff
from pricing.moves import Happening, History, LineMove, changed_line, moves, told_together
from pricing.timeline import Segment


def taking_effect(history: History, at: datetime, told: Collection[Conditions]) -> list[Happening]:
    """What happens at a moment that belief had foreseen, and is left to tell: by the market, or by another witness.

    ``told`` are the lines whose move at that moment stands in a change already.
    """
    stepping = _changing_hands(history, at)
    group = [
        LineMove("correction" if line.tariff in stepping else "market", line, move)
        for line, rows in sorted(history.items())
        if line not in told
        for move in moves(rows)
        if move.at == at and not move.relabels
    ]
    market = [each for each in group if each.sort == "market"]
    steps = tuple(changed_line(each) for each in group if each.sort == "correction")
    found = [told_together("market", market, history)] if market else []
    return [*found, Happening("corrected", "correction", at, "observed", None, None, steps)] if steps else found


def _changing_hands(history: History, at: datetime) -> set[Tariff]:
    """The tariffs of which another source speaks from a moment on, that dates no move there: nobody says they moved."""
    ended: dict[Tariff, set[int | None]] = {}
    begun: dict[Tariff, list[Segment]] = {}
    for line, rows in history.items():
        for row in rows:
            if row.end == at:
                ended.setdefault(line.tariff, set()).add(row.source)
            if row.start == at:
                begun.setdefault(line.tariff, []).append(row)
    return {
        tariff
        for tariff, rows in begun.items()
        if tariff in ended
        and all(
            row.precision == "observed" and row.observed_after is None and row.source not in ended[tariff]
            for row in rows
        )
    }
