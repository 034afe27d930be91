"""Keeping the calendar rules that a source gives for an offering's slots, on both time axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pricing import claims
from pricing.models import SlotRule, Source

BATCH = 500
RuleKey = tuple[Any, ...]


def keep_slots(source: Source, rules: Mapping[int, Sequence[claims.SlotRule]], observed_at: datetime) -> None:
    """Write the rules that are new and close those that the source gives no longer, offering by offering."""
    held: dict[int, dict[RuleKey, SlotRule]] = {}
    for row in SlotRule.objects.filter(source=source, known_until__isnull=True):
        held.setdefault(row.offering_id, {})[_row_key(row)] = row
    closed: list[int] = []
    opened: list[SlotRule] = []
    for offering_id, given in rules.items():
        wanted = {_key(rule): rule for rule in given}
        current = held.get(offering_id, {})
        closed += [row.pk for key, row in current.items() if key not in wanted]
        opened += [_row(source, offering_id, rule, observed_at) for key, rule in wanted.items() if key not in current]
    for start in range(0, len(closed), BATCH):
        rows = SlotRule.objects.filter(pk__in=closed[start : start + BATCH])
        rows.update(known_until=observed_at)
    SlotRule.objects.bulk_create(opened, batch_size=BATCH)


def _key(rule: claims.SlotRule) -> RuleKey:
    return (
        rule.slot,
        rule.time_zone,
        tuple(rule.weekdays),
        tuple(map(tuple, rule.windows)),
        rule.holidays,
        rule.is_rest,
        rule.effective_from,
        rule.effective_until,
    )


def _row_key(row: SlotRule) -> RuleKey:
    return (
        row.slot,
        row.time_zone,
        tuple(row.weekdays),
        tuple(map(tuple, row.windows)),
        row.holidays,
        row.is_rest,
        row.effective_from,
        row.effective_until,
    )


def _row(source: Source, offering_id: int, rule: claims.SlotRule, observed_at: datetime) -> SlotRule:
    return SlotRule(
        offering_id=offering_id,
        slot=rule.slot,
        time_zone=rule.time_zone,
        weekdays=list(rule.weekdays),
        windows=[list(window) for window in rule.windows],
        holidays=rule.holidays,
        is_rest=rule.is_rest,
        source=source,
        effective_from=rule.effective_from,
        effective_until=rule.effective_until,
        known_from=observed_at,
    )
