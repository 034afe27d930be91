"""Telling what becomes of calendars by time alone: hours that were announced, and whose moment came."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import datetime

from django.db.models import F

from pricing.belief import Readings, offering_names
from pricing.bookkeeping import Cause, Settled
from pricing.calendar_belief import believed_calendars, priced_lines
from pricing.calendar_bookkeeping import tell_hours
from pricing.calendar_moves import CalendarHappening, CalendarMove
from pricing.models import PricingChange, SlotRule, Source
from pricing.priced_hours import CalendarsOf, PricedHours

_OF_THE_FUTURE = ("announced", "rescheduled", "retracted")


def tell_hours_due(
    after: datetime, until: datetime, cause: Cause, settled: Settled, source: Source | None = None
) -> None:
    """Tell the hours that came into force in (after, until] and were believed before, each once.

    With a ``source``, those of its calendars. Must run under the ledger's lock, after the prices of the same time.
    """
    offerings = _foreseen(after, until, source)
    if not offerings:
        return
    believed, prices, names = believed_calendars(offerings), priced_lines(offerings), offering_names(offerings)
    readings = Readings.load()
    for offering in offerings:
        calendars = {source: rules.held for (of, source), rules in believed.items() if of == offering}
        priced = PricedHours(readings, prices.get(offering, []))
        for move in _untold(offering, priced.moves(calendars), after, until):
            happening = CalendarHappening("restructured", move)
            by_speaker = replace(cause, source_id=_speaker(calendars, move.at) or cause.source_id)
            tell_hours(offering, names[offering], [happening], by_speaker, settled)


def _foreseen(after: datetime, until: datetime, source: Source | None) -> list[int]:
    """The offerings with a rule that begins or ends in the time, and was believed before it did."""
    rows = SlotRule.objects.filter(known_until=None)
    if source is not None:
        rows = rows.filter(source=source)
    found: set[int] = set()
    for boundary in ("effective_from", "effective_until"):
        passed = {f"{boundary}__gt": after, f"{boundary}__lte": until, "known_from__lt": F(boundary)}
        found.update(rows.filter(**passed).values_list("offering_id", flat=True))
    return sorted(found)


def _untold(offering: int, moves: Collection[CalendarMove], after: datetime, until: datetime) -> Iterator[CalendarMove]:
    """The moves in the time that no change tells as having happened."""
    told = PricingChange.objects.filter(offering=offering).exclude(kind__in=_OF_THE_FUTURE)
    for move in moves:
        here = told.filter(effective_at=move.at)
        is_told = here.exclude(calendar=None).exists() or here.filter(lines__line__slot__gt="").exists()
        if after < move.at <= until and not is_told:
            yield move


def _speaker(calendars: CalendarsOf, moment: datetime) -> int | None:
    """Whose rule begins at a moment, or else ends then."""
    held = [(source, each.rule) for source, rules in calendars.items() for each in rules]
    beginning = (source for source, rule in held if rule.effective_from == moment)
    ending = (source for source, rule in held if rule.effective_until == moment)
    return next(beginning, next(ending, None))
