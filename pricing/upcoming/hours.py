"""Price calendars whose hours move at a moment to come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import F, Q

from pricing.api.shapes.calendars import calendar_shapes
from pricing.models import SlotRule
from pricing.syndication.texts import lasting_id
from pricing.upcoming.things import CALENDAR, Coming, Scope, Versions, by_what_turns, called, identity, told_since
from tracker.api.moments import moment_text

Key = tuple[int, datetime]


def coming_hours(scope: Scope, now: datetime) -> list[Coming]:
    """What hours move after ``now``, by the calendar that prices follow, and what was to and was taken back."""
    rows = SlotRule.objects.filter(scope.of_offerings("offering__")).select_related(
        "offering__seller", "statement", "source"
    )
    to_come = Q(effective_from__gt=now) | Q(effective_until__gt=now)
    dropped = Q(effective_from__gt=F("known_until")) | Q(effective_until__gt=F("known_until"))
    believed = by_what_turns(rows.filter(to_come, known_until=None).order_by("pk"), now)
    closed = by_what_turns(rows.filter(dropped, known_until__isnull=False).order_by("pk"), None)
    shapes = calendar_shapes({offering for offering, _ in believed}, now)
    hours = {key: _hours(shapes.get(key[0], ()), key[1]) for key in believed}
    found = [
        _thing(key, these, Versions.of([*these, *closed.get(key, ())]), hours[key])
        for key, these in believed.items()
        if hours[key]
    ]
    for key, these in closed.items():
        versions = Versions.of(these)
        if key not in believed and versions.last >= told_since(now):
            found.append(_thing(key, these, versions, (), is_cancelled=True))
    return found


def _hours(shapes: Sequence[Mapping[str, Any]], at: datetime) -> tuple[str, ...]:
    """Each slot that begins or ends at a moment, with its hours from then on.

    Nothing where none of them counts, and where all hours end: what comes then is not known.
    """
    edge = moment_text(at)
    if not any(_holds_at(rule, at) for rule in shapes):
        return ()
    moving = {rule["slot"] for rule in shapes if edge in (rule["effective_from"], rule["effective_until"])}
    told: dict[str, list[str]] = {slot: [] for slot in sorted(moving)}
    for rule in shapes:
        if rule["slot"] in told and _holds_at(rule, at):
            told[rule["slot"]].append(rule["hours"])
    return tuple(f"{slot}: {' and '.join(hours) or 'never'}" for slot, hours in told.items())


def _holds_at(rule: Mapping[str, Any], at: datetime) -> bool:
    begins, ends = rule["effective_from"], rule["effective_until"]
    begun = begins is None or datetime.fromisoformat(begins) <= at
    return begun and (ends is None or datetime.fromisoformat(ends) > at)


def _thing(
    key: Key, rows: Sequence[SlotRule], versions: Versions, hours: Sequence[str], *, is_cancelled: bool = False
) -> Coming:
    offering_id, at = key
    offering = rows[0].offering
    begins = next((row for row in rows if row.effective_from == at), None)
    cited = [row.statement.citation_url for row in rows if row.statement and row.statement.citation_url]
    return Coming(
        kind=CALENDAR,
        uid=lasting_id(CALENDAR, *identity(offering), at.timestamp()),
        at=at,
        precision=begins.precision if begins else "exact",
        known_at=versions.last,
        sequence=versions.sequence,
        title=f"{called(offering)}: new hours" + (f", {'; '.join(hours)}" if hours else ""),
        seller=offering.seller.name,
        lines=tuple(hours),
        evidence=tuple(dict.fromkeys(cited)),
        offering=offering_id,
        is_cancelled=is_cancelled,
    )
