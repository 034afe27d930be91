"""The rules of a calendar as a value: in one order, and as JSON that is the same for the same rules."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from pricing.claims import SlotRule

_EVERY_DAY = tuple(range(1, 8))
Rules = tuple[SlotRule, ...]
RuleFields = Mapping[str, object]


def normalised(rules: Iterable[SlotRule]) -> Rules:
    """The same rules, however they were listed: sorted, none twice, and every day of the week as no weekdays."""
    return tuple(sorted({_plain(rule) for rule in rules}, key=_order))


def _plain(rule: SlotRule) -> SlotRule:
    dates = (_utc(rule.effective_from), _utc(rule.effective_until))
    if rule.is_rest:
        return SlotRule(rule.slot, is_rest=True, effective_from=dates[0], effective_until=dates[1])
    weekdays = tuple(sorted(set(rule.weekdays)))
    return replace(
        rule,
        windows=tuple(sorted({(start, end) for start, end in rule.windows})),
        weekdays=() if weekdays == _EVERY_DAY else weekdays,
        effective_from=dates[0],
        effective_until=dates[1],
    )


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.astimezone(UTC)


def _order(rule: SlotRule) -> tuple[str, str]:
    return rule.slot, text_of([rule])


def as_json(rules: Iterable[SlotRule]) -> list[dict[str, object]]:
    """The rules as JSON keeps them; moments are ISO 8601 in UTC."""
    return [
        {
            "slot": rule.slot,
            "windows": [list(window) for window in rule.windows],
            "weekdays": list(rule.weekdays),
            "time_zone": rule.time_zone,
            "holidays": rule.holidays,
            "is_rest": rule.is_rest,
            "effective_from": rule.effective_from and rule.effective_from.isoformat(),
            "effective_until": rule.effective_until and rule.effective_until.isoformat(),
        }
        for rule in rules
    ]


def text_of(rules: Iterable[SlotRule]) -> str:
    """The rules as one text, by which calendars are compared."""
    return json.dumps(as_json(rules), sort_keys=True, separators=(",", ":"))


def from_json(kept: Sequence[Mapping[str, object]]) -> Rules:
    """The rules that ``as_json`` wrote."""
    return tuple(
        SlotRule(
            slot=str(fields["slot"]),
            windows=tuple((int(start), int(end)) for start, end in fields["windows"]),  # type: ignore[attr-defined]
            weekdays=tuple(int(day) for day in fields["weekdays"]),  # type: ignore[attr-defined]
            time_zone=str(fields["time_zone"]),
            holidays=str(fields["holidays"]),
            is_rest=bool(fields["is_rest"]),
            effective_from=_moment(fields["effective_from"]),
            effective_until=_moment(fields["effective_until"]),
        )
        for fields in kept
    )


def _moment(text: object) -> datetime | None:
    return datetime.fromisoformat(text) if isinstance(text, str) else None


def overruled(rules: Iterable[SlotRule], ruling: Sequence[SlotRule]) -> list[SlotRule]:
    """A source's rules until editors state a calendar, and theirs from then on."""
    since = min((rule.effective_from for rule in ruling if rule.effective_from), default=None)
    if since is None:
        return list(rules)
    kept = (rule for rule in rules if rule.effective_from is None or rule.effective_from < since)
    return [*(_ended_by(rule, since) for rule in kept), *ruling]


def _ended_by(rule: SlotRule, moment: datetime) -> SlotRule:
    ends_before = rule.effective_until is not None and rule.effective_until <= moment
    return rule if ends_before else replace(rule, effective_until=moment)
