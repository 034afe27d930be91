"""Ids that are to lead elsewhere from a moment to come."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db.models import F, Q

from pricing.models import Alias
from pricing.syndication.texts import lasting_id
from pricing.upcoming.things import ROUTE, Coming, Scope, Versions, by_what_turns, called, identity, told_since

Key = tuple[int, datetime]


def coming_routes(scope: Scope, now: datetime) -> list[Coming]:
    """What begins or ends to be routed after ``now``, and what was to and was taken back; by one query."""
    to_come = Q(effective_from__gt=now) | Q(effective_until__gt=now)
    dropped = Q(effective_from__gt=F("known_until")) | Q(effective_until__gt=F("known_until"))
    rows = Alias.objects.filter(scope.of_offerings("offering__")).select_related(
        "offering__seller", "target_offering", "target_model", "statement", "source"
    )
    live = by_what_turns(rows.filter(to_come, known_until=None).order_by("pk"), now)
    closed = by_what_turns(rows.filter(dropped, known_until__isnull=False).order_by("pk"), None)
    found = [_thing(key, these, Versions.of([*these, *closed.get(key, ())])) for key, these in live.items()]
    for key, these in closed.items():
        versions = Versions.of(these)
        if key not in live and versions.last >= told_since(now):
            last = [row for row in these if row.known_until == versions.last]
            found.append(_thing(key, last, versions, is_cancelled=True))
    return found


def _thing(key: Key, rows: Sequence[Alias], versions: Versions, *, is_cancelled: bool = False) -> Coming:
    offering_id, at = key
    begins = next((row for row in rows if row.effective_from == at), None)
    ends = next((row for row in rows if row.effective_until == at), None)
    offering = rows[0].offering
    title = f"{called(offering)}: {_what(begins, ends)}"
    cited = [url for row in rows if (url := row.citation_url or (row.statement.citation_url if row.statement else ""))]
    return Coming(
        kind=ROUTE,
        uid=lasting_id(ROUTE, *identity(offering), at.timestamp()),
        at=at,
        precision=begins.precision if begins else "exact",
        known_at=versions.last,
        sequence=versions.sequence,
        title=title,
        seller=offering.seller.name,
        lines=tuple(f"{row.source.name} says so." for row in rows[:1]),
        evidence=tuple(dict.fromkeys(cited)),
        offering=offering_id,
        is_cancelled=is_cancelled,
    )


def _what(begins: Alias | None, ends: Alias | None) -> str:
    if begins is None:
        return f"no longer routed to {_target(ends)}" if ends else "rerouted"
    return f"rerouted to {_target(begins)}" + (f" from {_target(ends)}" if ends else "")


def _target(row: Alias) -> str:
    target = row.target_offering or row.target_model
    return target.name if target else ""
