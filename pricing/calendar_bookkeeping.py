"""Writing the difference between the calendars believed and those that resolve, and the changes that this makes.

The only module that writes ``SlotRule`` rows; called by ``pricing.ledger`` alone, after the prices are settled.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from django.db.models import Max

from pricing.belief import Readings, offering_names
from pricing.bookkeeping import Cause, Settled, detected_at
from pricing.calendar_belief import (
    BelievedRules,
    CalendarOf,
    believed_calendars,
    priced_lines,
    resolved_calendars,
)
from pricing.calendar_history import HeldRule
from pricing.calendar_moves import (
    CalendarHappening,
    calendar_happenings,
    calendar_headline,
)
from pricing.claims import SlotRule
from pricing.models import PricingChange
from pricing.models import SlotRule as SlotRuleRow
from pricing.priced_hours import PricedHours

CHUNK = 400
_MICROSECOND = timedelta(microseconds=1)


def settle_calendars(offering_ids: Iterable[int], cause: Cause, settled: Settled) -> None:
    """Resolve the calendars of offerings afresh, write what differs, and count the changes in ``settled``.

    Must run inside a transaction that holds the ledger's lock, after the prices of the same cause were settled.
    """
    ordered = sorted(set(offering_ids))
    readings = Readings.load() if ordered else Readings()
    for start in range(0, len(ordered), CHUNK):
        _settle(ordered[start : start + CHUNK], cause, readings, settled)


def _settle(offering_ids: Sequence[int], cause: Cause, readings: Readings, settled: Settled) -> None:
    believed = believed_calendars(offering_ids)
    resolved = resolved_calendars(offering_ids, readings)
    moved = [key for key in sorted({*believed, *resolved}) if _write(key, believed.get(key), resolved.get(key), cause)]
    differing = sorted({offering for offering, _ in moved})
    if not differing:
        return
    prices, names = priced_lines(differing), offering_names(differing)
    for offering in differing:
        before = {source: rules.held for (of, source), rules in believed.items() if of == offering}
        after = {source: held for (of, source), held in resolved.items() if of == offering}
        priced = PricedHours(readings, prices.get(offering, []))
        horizon = max([cause.moment, *(m[-1] for source in after if (m := readings.moments(source)))])
        happened = calendar_happenings(priced.moves(before), priced.moves(after), horizon, cause.ruled)
        tell_hours(offering, names[offering], happened, cause, settled)


def told_of(held: HeldRule) -> tuple[SlotRule, str, datetime | None]:
    """What of a rule is settled by its evidence."""
    return held.rule, held.precision, held.observed_after


def _write(key: CalendarOf, believed: BelievedRules | None, resolved: Sequence[HeldRule] | None, cause: Cause) -> bool:
    """Close the rows of one calendar that are believed no more and open those that are now; whether any differed."""
    before, after = believed or BelievedRules(), resolved or []
    kept = set(map(told_of, before.held)) & set(map(told_of, after))
    close = [pk for pk, held in zip(before.rows, before.held, strict=True) if told_of(held) not in kept]
    opens = [held for held in after if told_of(held) not in kept]
    if not close and not opens:
        return False
    moment = _known_moment(key, cause)
    SlotRuleRow.objects.filter(pk__in=close, known_until=None).update(known_until=moment)
    SlotRuleRow.objects.bulk_create(_row(key, held, moment) for held in opens)
    return True


def _known_moment(key: CalendarOf, cause: Cause) -> datetime:
    """When new rows begin to be known: the observation, or the clock where that would go back."""
    offering, source = key
    rows = SlotRuleRow.objects.filter(offering_id=offering, source_id=source)
    boundaries = rows.aggregate(opened=Max("known_from"), closed=Max("known_until")).values()
    boundary = max((moment for moment in boundaries if moment is not None), default=None)
    if boundary is None or cause.moment > boundary:
        return cause.moment
    return max(cause.recorded_at, boundary + _MICROSECOND)


def _row(key: CalendarOf, held: HeldRule, known_from: datetime) -> SlotRuleRow:
    rule = held.rule
    return SlotRuleRow(
        offering_id=key[0],
        source_id=key[1],
        slot=rule.slot,
        time_zone=rule.time_zone,
        weekdays=list(rule.weekdays),
        windows=[list(window) for window in rule.windows],
        holidays=rule.holidays,
        is_rest=rule.is_rest,
        statement_id=held.statement,
        effective_from=rule.effective_from,
        effective_until=rule.effective_until,
        precision=held.precision,
        observed_after=held.observed_after,
        known_from=known_from,
    )


def tell_hours(
    offering_id: int, name: str, happened: Sequence[CalendarHappening], cause: Cause, settled: Settled
) -> None:
    """Write what happened to a calendar as changes, next in the sequence, but for what changes of prices tell."""
    told = [each for each in happened if cause.is_told and not _is_told_by_prices(offering_id, each, cause)]
    last = PricingChange.objects.aggregate(last=Max("sequence"))["last"] or 0
    for sequence, happening in enumerate(told, start=last + 1):
        move = happening.move
        PricingChange.objects.create(
            sequence=sequence,
            offering_id=offering_id,
            kind=happening.kind,
            nature=happening.nature,
            headline=calendar_headline(name, happening),
            initial=cause.initial,
            backfilled=cause.backfilled,
            source_id=cause.source_id,
            refresh_id=cause.refresh_id,
            decision_id=cause.decision_id,
            effective_at=move.at,
            observed_after=move.observed_after,
            precision=move.precision,
            announced_for=happening.announced_for,
            detected_at=detected_at(move.at, happening.announced_for, cause),
            recorded_at=cause.recorded_at,
            calendar=happening.calendar,
        )
        settled.changes += 1
        settled.kinds[happening.kind] = settled.kinds.get(happening.kind, 0) + 1


def _is_told_by_prices(offering_id: int, happening: CalendarHappening, cause: Cause) -> bool:
    """Whether the same cause wrote a change of prices by the hour at the same moment: one thing, told once."""
    written = PricingChange.objects.filter(
        offering_id=offering_id,
        recorded_at=cause.recorded_at,
        refresh_id=cause.refresh_id,
        decision=cause.decision_id,
        nature=happening.nature,
        effective_at=happening.move.at,
    )
    return written.filter(lines__line__slot__gt="").exists()


def calendar_differences(
    offering_ids: Sequence[int], readings: Readings
) -> Iterator[tuple[CalendarOf, list[HeldRule], list[HeldRule]]]:
    """The calendars whose rows are not what the evidence gives: what is believed too much, and too little."""
    believed, resolved = believed_calendars(offering_ids), resolved_calendars(offering_ids, readings)
    for key in sorted({*believed, *resolved}):
        rows, afresh = believed.get(key, BelievedRules()).held, resolved.get(key, [])
        told_rows, told_afresh = set(map(told_of, rows)), set(map(told_of, afresh))
        if told_rows != told_afresh:
            yield (
                key,
                [held for held in rows if told_of(held) not in told_afresh],
                [held for held in afresh if told_of(held) not in told_rows],
            )
