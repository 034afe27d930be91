"""Reading the evidence of calendars and what is believed of them, in the core's own values."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pricing.belief import LINE_COLUMNS, Readings, specificity_of
from pricing.calendar_history import HeldRule, SaidCalendar, Spell, read_rules, recorded_rules, stated_rules
from pricing.calendar_rules import from_json
from pricing.claims import Conditions, SlotRule
from pricing.continuations import Continuations
from pricing.models import EMPTIED, CalendarStatement, Price, Source, Statement
from pricing.models import SlotRule as SlotRuleRow
from pricing.timeline import Value

CalendarOf = tuple[int, int]
_NOBODY = (0, 0, "")
RULE_COLUMNS = (
    "slot",
    "windows",
    "weekdays",
    "time_zone",
    "holidays",
    "is_rest",
    "effective_from",
    "effective_until",
)


@dataclass(slots=True)
class BelievedRules:
    """What is believed of one source's calendar of one offering: the rules, and their rows."""

    held: list[HeldRule] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)


def resolved_calendars(offering_ids: Collection[int], readings: Readings) -> dict[CalendarOf, list[HeldRule]]:
    """The calendar of each (offering, source) as the evidence gives it."""
    said = _said(offering_ids)
    spells = _spells(offering_ids, said.values())
    found = {}
    for (offering, source_id), statements in said.items():
        source = readings.sources[source_id]
        if source.kind == Source.Kind.FEED:
            found[offering, source_id] = read_rules(statements, readings.moments(source_id), spells)
        elif source.kind == Source.Kind.EDITOR:
            found[offering, source_id] = stated_rules(statements)
        else:
            found[offering, source_id] = recorded_rules(statements)
    return found


def _said(offering_ids: Collection[int]) -> dict[CalendarOf, list[SaidCalendar]]:
    columns = ("rules", "first_observed_at", "ended_at", "effective_from")
    rows = CalendarStatement.objects.filter(offering__in=offering_ids).exclude(EMPTIED).order_by("pk")
    specificity, continuations = specificity_of(offering_ids), Continuations.load(offering_ids)
    said: dict[CalendarOf, list[SaidCalendar]] = {}
    for pk, offering, source, reference, rules, *times in rows.values_list(
        "pk", "offering_id", "source_id", "reference_id", *columns
    ):
        speaker = continuations.speaker(reference, times[0])
        rank = specificity.get(speaker, _NOBODY) if speaker else _NOBODY
        said.setdefault((offering, source), []).append(SaidCalendar(pk, speaker, rank, from_json(rules), *times))
    return said


def _spells(offering_ids: Collection[int], said: Iterable[Iterable[SaidCalendar]]) -> Mapping[int | None, list[Spell]]:
    """When each reference was stated at all, for those that once gave a calendar and do so no more."""
    stopped = {each.reference for group in said for each in group if each.ended_at is not None and each.reference}
    spells: dict[int | None, list[Spell]] = {}
    if stopped:
        stated = Statement.objects.filter(reference__in=stopped, line__offering__in=offering_ids)
        stated = stated.exclude(EMPTIED).order_by()
        for reference, first, ended in stated.values_list("reference_id", "first_observed_at", "ended_at").distinct():
            spells.setdefault(reference, []).append((first, ended))
    return spells


def believed_calendars(offering_ids: Collection[int]) -> dict[CalendarOf, BelievedRules]:
    """The calendar of each (offering, source) as it is believed now."""
    rows = SlotRuleRow.objects.filter(offering__in=offering_ids, known_until=None).order_by("pk")
    found: dict[CalendarOf, BelievedRules] = {}
    for pk, offering, source, statement, precision, after, *columns in rows.values_list(
        "pk", "offering_id", "source_id", "statement_id", "precision", "observed_after", *RULE_COLUMNS
    ):
        believed = found.setdefault((offering, source), BelievedRules())
        believed.held.append(HeldRule(rule_of(*columns), precision, after, statement or 0))
        believed.rows.append(pk)
    return found


def rule_of(
    slot: str,
    windows: Iterable[Iterable[int]],
    weekdays: Iterable[int],
    time_zone: str,
    holidays: str,
    is_rest: bool,
    effective_from: datetime | None,
    effective_until: datetime | None,
) -> SlotRule:
    """A row's columns as a rule."""
    pairs = tuple((start, end) for start, end in windows)
    return SlotRule(slot, pairs, tuple(weekdays), time_zone, holidays, is_rest, effective_from, effective_until)


@dataclass(frozen=True, slots=True)
class PricedLine:
    """A believed price of a line over time, and the source that set it."""

    line: Conditions
    value: Value
    effective_from: datetime
    effective_until: datetime | None
    source: int

    def covers(self, moment: datetime) -> bool:
        """Whether the price is in force at a moment."""
        return self.effective_from <= moment and (self.effective_until is None or moment < self.effective_until)


def priced_lines(offering_ids: Collection[int]) -> dict[int, list[PricedLine]]:
    """The believed prices of all tariffs that have slots, in the order of their lines."""
    rows = Price.objects.filter(line__offering__in=offering_ids, known_until=None).order_by()
    found: dict[int, list[PricedLine]] = {}
    values = ("amount", "currency", "zero_means", "effective_from", "effective_until", "source_id")
    columns = [f"line__{name}" for name in LINE_COLUMNS]
    for offering, *row in rows.values_list("line__offering_id", *columns, *values):
        *line, amount, currency, zero, begins, ends, source = row
        priced = PricedLine(Conditions(*line), (amount, currency, zero), begins, ends, source or 0)
        found.setdefault(offering, []).append(priced)
    return {offering: _of_slotted_tariffs(prices) for offering, prices in found.items()}


def _of_slotted_tariffs(prices: Collection[PricedLine]) -> list[PricedLine]:
    slotted = {price.line.tariff for price in prices if price.line.slot}
    return sorted((price for price in prices if price.line.tariff in slotted), key=lambda price: price.line)
