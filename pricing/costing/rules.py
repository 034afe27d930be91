"""Which rules of an offering's calendars count at a known moment, source by source.

The rows say when each rule is in force and when that was believed (``pricing.calendar_history``); what is left to do
is to let the calendar that editors state go before that of every other source, from its moment on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from pricing.calendar_rules import overruled
from pricing.claims import SlotRule


class BelievedRule(NamedTuple):
    """A rule, believed over [known_from, known_until)."""

    rule: SlotRule
    known_from: datetime
    known_until: datetime | None


class SourceRules(NamedTuple):
    """All that was ever believed of one source's calendar; ``is_ruling`` marks that of editors."""

    source: int
    is_ruling: bool
    believed: list[BelievedRule]


def calendars_as_known(sources: Iterable[SourceRules], known_at: datetime | None) -> dict[int, Sequence[SlotRule]]:
    """The rules of each source as known at a moment, None being now; in the order of the sources."""
    known = [(each, _known(each.believed, known_at)) for each in sources]
    ruling = [rule for each, rules in known if each.is_ruling for rule in rules]
    return {each.source: overruled(rules, ruling) for each, rules in known}


def _known(believed: Iterable[BelievedRule], known_at: datetime | None) -> list[SlotRule]:
    if known_at is None:
        return [each.rule for each in believed if each.known_until is None]
    return [
        each.rule
        for each in believed
        if each.known_from <= known_at and (each.known_until is None or known_at < each.known_until)
    ]
