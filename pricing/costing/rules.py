"""Which rules of an offering's slots count, when a source has given different ones over time.

A rule without dates of its own counts while its source gave it: until the reading without it, and where it took the
place of another, from the reading that brought it. So a call of last year is priced by last year's windows. A dated
rule counts by its dates; one that its source dropped before its end, or replaced by one of other dates, was taken back.
What a person's record no longer says is always taken back.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from pricing.claims import SlotRule


class GivenRule(NamedTuple):
    """A rule as its source gave it, known over [known_from, known_until)."""

    rule: SlotRule
    known_from: datetime
    known_until: datetime | None


def rules_as_known(given: Iterable[GivenRule], known_at: datetime | None, *, takes_back: bool) -> list[SlotRule]:
    """The rules of one source of one offering as known at a moment, None being now.

    ``takes_back`` says that the source unsays what it no longer gives (a person's record), where a feed moves on.
    """
    told = [each for each in given if known_at is None or each.known_from <= known_at]
    standing = [each for each in told if _stands(each, known_at)]
    ended = [] if takes_back else [each for each in told if not _stands(each, known_at)]
    first = min((each.known_from for each in ended), default=None)
    counting = [_since(each, first) for each in standing]
    return counting + [rule for each in ended if (rule := _until_dropped(each, standing))]


def _stands(given: GivenRule, known_at: datetime | None) -> bool:
    return given.known_until is None or (known_at is not None and known_at < given.known_until)


def _since(given: GivenRule, first: datetime | None) -> SlotRule:
    """A rule without a beginning, that came after others, begins with the reading that brought it."""
    rule, known_from = given.rule, given.known_from
    if rule.effective_from is not None or first is None or known_from <= first:
        return rule
    if rule.effective_until is not None and rule.effective_until <= known_from:
        return rule
    return replace(rule, effective_from=known_from)


def _until_dropped(given: GivenRule, standing: Sequence[GivenRule]) -> SlotRule | None:
    """What a rule that is given no longer says of the past; None where it was taken back."""
    rule, dropped = given.rule, given.known_until
    assert dropped is not None
    if rule.effective_until is not None:
        return rule if rule.effective_until <= dropped else None
    if rule.effective_from is None:
        return replace(rule, effective_until=dropped)
    replaced = any(_replaces(each.rule, rule, dropped) for each in standing)
    return None if replaced or rule.effective_from >= dropped else replace(rule, effective_until=dropped)


def _replaces(new: SlotRule, old: SlotRule, dropped: datetime) -> bool:
    return new.slot == old.slot and new.effective_from is not None and new.effective_from < dropped
