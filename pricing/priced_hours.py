"""Which calendar an offering's prices follow, and when the hours moved that buyers pay by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pricing.belief import Readings
from pricing.calendar_belief import PricedLine
from pricing.calendar_history import HeldRule
from pricing.calendar_moves import Beginning, CalendarMove, Worth, calendar_moves
from pricing.calendar_rules import overruled
from pricing.models import Source

CalendarsOf = Mapping[int, Sequence[HeldRule]]


@dataclass(frozen=True, slots=True)
class PricedHours:
    """What one offering's calendars mean for its prices: at which moments buyers came to pay by other hours."""

    readings: Readings
    prices: Sequence[PricedLine]

    def moves(self, calendars: CalendarsOf) -> list[CalendarMove]:
        """When the hours moved by which the offering's plainest price with a slot is charged."""
        if not self.prices:
            return []
        editors = [held.rule for source in calendars if self._is_editor(source) for held in calendars[source]]
        found: list[CalendarMove] = []
        for source in self._speakers(calendars):
            rules = overruled([held.rule for held in calendars[source]], editors)
            beginnings = _beginnings([held for each in calendars.values() for held in each])
            moves = calendar_moves(rules, beginnings, self._worth)
            found += [move for move in moves if self.speaker(calendars, move.at) == source]
        return sorted(found, key=lambda move: move.at)

    def _is_editor(self, source: int) -> bool:
        return self.readings.sources[source].kind == Source.Kind.EDITOR

    def _speakers(self, calendars: CalendarsOf) -> list[int]:
        return sorted(calendars, key=lambda source: (self.readings.sources[source].precedence, source))

    def speaker(self, calendars: CalendarsOf, moment: datetime) -> int | None:
        """Whose calendar counts at a moment: that of the source that set the plainest price, else the first."""
        lead = next((price for price in self.prices if price.line.slot and price.covers(moment)), None)
        if lead is not None and any(held.rule.slot == lead.line.slot for held in calendars.get(lead.source, ())):
            return lead.source
        return next(iter(self._speakers(calendars)), None)

    def _worth(self, moment: datetime) -> Worth:
        """What each slot costs at a moment, over all tariffs that have slots."""
        costs: dict[str, list[object]] = {}
        for price in self.prices:
            if price.covers(moment):
                cell = (price.line.tariff, price.line.above_input_tokens, price.line.layer, price.value)
                costs.setdefault(price.line.slot, []).append(cell)
        return {slot: tuple(cells) for slot, cells in costs.items()}


def _beginnings(held: Iterable[HeldRule]) -> dict[datetime, Beginning]:
    """How exactly the moments are known at which rules begin."""
    begun = ((each.rule.effective_from, each) for each in held)
    return {at: (each.precision, each.observed_after) for at, each in begun if at is not None}
