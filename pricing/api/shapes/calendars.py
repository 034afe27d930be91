"""Calendars as the API writes them: the hours that count for an offering's slots, and every rule ever believed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from pricing.calendar_belief import RULE_COLUMNS, rule_of
from pricing.calendar_text import hours
from pricing.claims import SlotRule as Rule
from pricing.costing.rules import BelievedRule, SourceRules, calendars_as_known
from pricing.models import Price, SlotRule, Source
from tracker.api.moments import moment_text

_SPEAKER = ("offering_id", "source_id", "source__slug", "source__kind", "known_from", "known_until")
_VERSION = ("id", "source__slug", "precision", "observed_after", "known_from", "known_until", "recorded_at")
_EVIDENCE = ("statement_id", "statement__citation_url", "statement__citation_title")
Slugs = Mapping[int, str]
CALENDAR_HISTORY_SCHEMA: dict[str, Any] = {
    "type": "array",
    "description": (
        "Every rule ever believed of when the offering's slots apply, superseded ones included: the fields of a rule "
        "as in `offerings/{id}/`, with `precision`, `observed_after`, `known_from`, `known_until`, `recorded_at` and "
        "the `evidence` that it rests on."
    ),
    "items": {"type": "object"},
    "example": [],
}


def calendar_shapes(
    offering_ids: Collection[int], as_of: datetime, known_at: datetime | None = None
) -> dict[int, list[dict[str, Any]]]:
    """The rules of each offering that count at ``as_of`` or later, by the source whose calendar its prices follow.

    Two queries where any offering has a calendar, else one.
    """
    by_offering, slugs = _sources(SlotRule.objects.filter(_known(known_at), offering__in=offering_ids))
    setters = _setters(by_offering.keys(), known_at) if by_offering else {}
    return {
        offering: _shapes(calendars_as_known(sources, known_at), setters.get(offering, []), slugs, as_of)
        for offering, sources in by_offering.items()
    }


def _known(known_at: datetime | None) -> Q:
    if known_at is None:
        return Q(known_until=None)
    return Q(known_from__lte=known_at) & (Q(known_until=None) | Q(known_until__gt=known_at))


def _sources(rows: QuerySet[SlotRule]) -> tuple[dict[int, list[SourceRules]], Slugs]:
    """The believed rules of each offering by source in the order of precedence, and the sources' slugs."""
    found: dict[int, dict[int, SourceRules]] = {}
    slugs: dict[int, str] = {}
    ordered = rows.order_by("source__precedence", "source__slug", "slot", "effective_from", "id")
    for offering, source, slug, kind, known_from, known_until, rule in _with_rules(ordered, _SPEAKER):
        slugs[source] = slug
        rules = found.setdefault(offering, {})
        rules.setdefault(source, SourceRules(source, kind == Source.Kind.EDITOR, []))
        rules[source].believed.append(BelievedRule(rule, known_from, known_until))
    return {offering: list(sources.values()) for offering, sources in found.items()}, slugs


def _with_rules(rows: QuerySet[SlotRule], columns: Sequence[str]) -> list[tuple[Any, ...]]:
    """Columns of rows, with the rule itself at the end."""
    size = len(columns)
    return [(*row[:size], rule_of(*row[size:])) for row in rows.values_list(*columns, *RULE_COLUMNS)]


def _setters(offering_ids: Collection[int], known_at: datetime | None) -> dict[int, list[tuple[str, int]]]:
    """Which source set prices of which slot, offering by offering."""
    priced = Price.objects.filter(_known(known_at), line__offering__in=offering_ids).exclude(line__slot="")
    rows = priced.order_by("line__offering_id", "line__slot", "source__precedence", "source_id")
    found: dict[int, list[tuple[str, int]]] = {}
    for offering, slot, source in rows.values_list("line__offering_id", "line__slot", "source_id"):
        pairs = found.setdefault(offering, [])
        if (slot, source or 0) not in pairs:
            pairs.append((slot, source or 0))
    return found


def _shapes(
    calendars: Mapping[int, Sequence[Rule]], setters: Sequence[tuple[str, int]], slugs: Slugs, as_of: datetime
) -> list[dict[str, Any]]:
    """The rules by which prices are charged; all rules where no price has a slot."""
    speaking: dict[tuple[str, int], None] = {}
    for slot, source in setters:
        named = [key for key, rules in calendars.items() if any(rule.slot == slot for rule in rules)]
        if named:
            speaking[slot, source if source in named else named[0]] = None
    if not setters:
        speaking = {(rule.slot, source): None for source, rules in calendars.items() for rule in rules}
    return [
        {**rule_shape(rule), "source": slugs[source]}
        for slot, source in sorted(speaking)
        for rule in calendars[source]
        if rule.slot == slot and (rule.effective_until is None or rule.effective_until > as_of)
    ]


def rule_shape(rule: Rule) -> dict[str, Any]:
    """One rule, also in words."""
    return {
        "slot": rule.slot,
        "hours": hours(rule),
        "time_zone": rule.time_zone,
        "weekdays": list(rule.weekdays),
        "windows": [list(window) for window in rule.windows],
        "holidays": rule.holidays,
        "is_rest": rule.is_rest,
        "effective_from": moment_text(rule.effective_from),
        "effective_until": moment_text(rule.effective_until),
    }


def calendar_history_shapes(
    offering_ids: Collection[int], as_of: datetime | None, known_at: datetime | None
) -> list[dict[str, Any]]:
    """Every rule ever believed of some offerings' calendars, superseded ones included, with its evidence."""
    rows = SlotRule.objects.filter(offering__in=offering_ids).order_by("source__precedence", "slot", "known_from", "id")
    if known_at is not None:
        rows = rows.filter(_known(known_at))
    if as_of is not None:
        begun = Q(effective_from=None) | Q(effective_from__lte=as_of)
        rows = rows.filter(begun & (Q(effective_until=None) | Q(effective_until__gt=as_of)))
    return [_version_shape(row) for row in _with_rules(rows, ("offering_id", *_VERSION, *_EVIDENCE))]


def _version_shape(row: tuple[Any, ...]) -> dict[str, Any]:
    offering, pk, source, precision, after, known_from, known_until, recorded_at, statement, url, title, rule = row
    return {
        "id": pk,
        "offering": offering,
        **rule_shape(rule),
        "precision": precision,
        "observed_after": moment_text(after),
        "known_from": moment_text(known_from),
        "known_until": moment_text(known_until),
        "recorded_at": moment_text(recorded_at),
        "evidence": {
            "source": source,
            "statement": statement,
            "citation_url": url or "",
            "citation_title": title or "",
        },
    }
