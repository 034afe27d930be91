"""From what one source said of an offering's calendar, reading by reading, to which rules were in force when.

A document speaks for the time from its reading on, and for the past that it dates. So a rule without dates holds from
the reading that brought it until the first one without it; the first calendar that a source gives has no beginning.
A dated rule holds by its dates; a later document that dates the same slot replaces it from its own first date on. One
that had ended when it was read, and has no beginning, was in force immediately before its end, and says no more. What
was announced and is no longer stated when its moment has come never came. A reading that lacks the offering altogether
says nothing of its hours.

A record that people keep (``recorded_rules``, ``stated_rules``) means what it says now: what it says no more is unsaid.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import zip_longest

from pricing.claims import SlotRule
from pricing.timeline import INSTANT

OBSERVED, EXACT, UNKNOWN = "observed", "exact", "unknown"
_ALWAYS = datetime.min.replace(tzinfo=UTC)
_NEVER = datetime.max.replace(tzinfo=UTC)
Spell = tuple[datetime, datetime | None]
Specificity = tuple[int, int, str]


@dataclass(frozen=True, slots=True)
class SaidCalendar:
    """One run of one reference of a source giving one calendar; see ``pricing.timeline.Said``.

    ``effective_from`` is set where a person says from when on the whole calendar holds.
    """

    statement: int
    reference: int | None
    specificity: Specificity
    rules: tuple[SlotRule, ...]
    first_observed_at: datetime
    ended_at: datetime | None
    effective_from: datetime | None = None


@dataclass(frozen=True, slots=True)
class HeldRule:
    """A rule, dated by when it is in force, and where it comes from.

    ``precision`` and ``observed_after`` tell of its beginning what they tell of a price's; ``unknown`` is that of a
    rule without a beginning.
    """

    rule: SlotRule
    precision: str
    observed_after: datetime | None
    statement: int


def bare(rule: SlotRule) -> SlotRule:
    """The rule without its dates: which hours it names."""
    return replace(rule, effective_from=None, effective_until=None)


def recorded_rules(said: Iterable[SaidCalendar]) -> list[HeldRule]:
    """What a record that people keep says now: each rule by its own dates."""
    spoken = _most_specific([each for each in said if each.ended_at is None])
    return [] if spoken is None else [_dated(rule, spoken.statement) for rule in dict.fromkeys(spoken.rules)]


def stated_rules(said: Iterable[SaidCalendar]) -> list[HeldRule]:
    """The calendars that editors state: each whole, from its moment on until that of the next."""
    standing = [each for each in said if each.ended_at is None and each.effective_from is not None]
    standing.sort(key=lambda each: (each.effective_from or _ALWAYS, each.first_observed_at, each.statement))
    ends = (each.effective_from for each in standing[1:])
    return [
        _dated(replace(rule, effective_from=each.effective_from, effective_until=end), each.statement)
        for each, end in zip_longest(standing, ends)
        if each.effective_from != end
        for rule in dict.fromkeys(map(bare, each.rules))
    ]


def read_rules(
    said: Iterable[SaidCalendar], readings: Sequence[datetime], spells: Mapping[int | None, Sequence[Spell]]
) -> list[HeldRule]:
    """What a feed's documents make of the calendar, whatever the order in which they arrived.

    ``readings`` are all those of the feed, in order; ``spells`` the times in which each reference was stated at all,
    from a reading until before another.
    """
    runs = [_Run(each, _goes_on_until(each, spells.get(each.reference, ()))) for each in said]
    points = {run.said.first_observed_at for run in runs} | {run.until for run in runs if run.until is not None}
    first_point = min(points, default=_NEVER)
    painted: list[HeldRule] = []
    for point in sorted(points):
        spoken = _most_specific([run.said for run in runs if run.covers(point)])
        index = bisect_left(readings, point)
        document = _Document(
            rules=spoken.rules if spoken else (),
            statement=spoken.statement if spoken else 0,
            at=point,
            previous=readings[index - 1] if index else None,
            last_seen=_last_seen(runs, point, readings),
            first_point=first_point,
            is_first=not painted,
        )
        painted = document.paint(painted)
    return sorted(painted, key=_order)


@dataclass(frozen=True, slots=True)
class _Run:
    said: SaidCalendar
    until: datetime | None

    def covers(self, point: datetime) -> bool:
        return self.said.first_observed_at <= point and (self.until is None or point < self.until)


def _goes_on_until(said: SaidCalendar, spells: Sequence[Spell]) -> datetime | None:
    """The first reading from a run's end on that names the reference: until then nothing says that the hours ended."""
    if said.ended_at is None:
        return None
    speaks_again = [max(start, said.ended_at) for start, end in spells if end is None or said.ended_at < end]
    return min(speaks_again, default=None)


def _last_seen(runs: Iterable[_Run], point: datetime, readings: Sequence[datetime]) -> datetime | None:
    """The last reading before ``point`` that showed a calendar."""
    shown = [min(run.said.ended_at or point, point) for run in runs if run.said.first_observed_at < point]
    index = bisect_left(readings, max(shown)) if shown else 0
    return readings[index - 1] if index else None


def _most_specific(said: Sequence[SaidCalendar]) -> SaidCalendar | None:
    return max(said, key=lambda each: (each.specificity, each.first_observed_at, each.statement), default=None)


def _dated(rule: SlotRule, statement: int) -> HeldRule:
    return HeldRule(rule, EXACT if rule.effective_from else UNKNOWN, None, statement)


def _order(held: HeldRule) -> tuple[object, ...]:
    rule = held.rule
    return (rule.slot, rule.effective_from or _ALWAYS, rule.effective_until or _NEVER, repr(bare(rule)))


@dataclass(frozen=True, slots=True)
class _Document:
    """One reading's word: the calendar that it gives, none where it shows the offering without one."""

    rules: tuple[SlotRule, ...]
    statement: int
    at: datetime
    previous: datetime | None
    last_seen: datetime | None
    first_point: datetime
    is_first: bool

    def paint(self, painted: Sequence[HeldRule]) -> list[HeldRule]:
        """The history so far, with this document's word over it."""
        before = self._without_what_never_came(painted)
        begins = {rule: self._beginning(rule, before) for rule in self.rules}
        kept = [part for held in before for part in self._left_of(held, begins)]
        return _joined([*kept, *(self._own(rule, begins[rule]) for rule in self.rules if not _is_over(rule, begins))])

    def _without_what_never_came(self, painted: Sequence[HeldRule]) -> list[HeldRule]:
        """Drop the dated beginnings since the previous reading that this one lacks; what was before them goes on."""
        kept = [held for held in painted if not self._never_came(held)]
        dropped = {(held.rule.slot, held.rule.effective_from) for held in painted if self._never_came(held)}
        return [_until(held, self.at) if self._end_never_came(held.rule, dropped) else held for held in kept]

    def _never_came(self, held: HeldRule) -> bool:
        start = held.rule.effective_from
        return held.precision == EXACT and self._is_news(start) and not self._states(held.rule, start)

    def _end_never_came(self, rule: SlotRule, dropped: set[tuple[str, datetime | None]]) -> bool:
        end = rule.effective_until
        return self._is_news(end) and ((rule.slot, end) in dropped or self._states(rule, end))

    def _is_news(self, moment: datetime | None) -> bool:
        return moment is not None and self.previous is not None and self.previous < moment <= self.at

    def _states(self, rule: SlotRule, moment: datetime | None) -> bool:
        assert moment is not None
        return any(bare(own) == bare(rule) and _in_force(own, moment) for own in self.rules)

    def _beginning(self, rule: SlotRule, painted: Sequence[HeldRule]) -> datetime:
        """From when on this document tells of a rule; at its end, where what was said before goes on until then."""
        end = rule.effective_until
        if rule.effective_from is not None:
            return rule.effective_from
        if end is None or end > self.at:
            return _ALWAYS if self.is_first else self.at
        if any(bare(held.rule) == bare(rule) and _in_force(held.rule, end - INSTANT) for held in painted):
            return end
        return _ALWAYS if self.first_point >= end else end - INSTANT

    def _left_of(self, held: HeldRule, begins: Mapping[SlotRule, datetime]) -> list[HeldRule]:
        """What an earlier word still says: all before the past that this document tells of its slot."""
        rule = held.rule
        goes_on = any(bare(own) == bare(rule) and self._is_only_seen(own) for own in self.rules)
        edge = min([self.at, *(at for own, at in begins.items() if own.slot == rule.slot and not goes_on)])
        if edge <= (rule.effective_from or _ALWAYS):
            return []
        ends = rule.effective_until
        return [held if ends is not None and ends <= edge else _until(held, edge)]

    def _is_only_seen(self, rule: SlotRule) -> bool:
        """Whether a rule has no beginning and had not ended when it was read: it is only known to hold then."""
        return rule.effective_from is None and (rule.effective_until is None or rule.effective_until > self.at)

    def _own(self, rule: SlotRule, begins: datetime) -> HeldRule:
        if begins == _ALWAYS or rule.effective_from is not None:
            return _dated(rule, self.statement)
        dated = replace(rule, effective_from=begins)
        if self._is_only_seen(rule):
            return HeldRule(dated, OBSERVED, self.last_seen, self.statement)
        return HeldRule(dated, UNKNOWN, None, self.statement)


def _is_over(rule: SlotRule, begins: Mapping[SlotRule, datetime]) -> bool:
    """Whether a document adds nothing of a rule to what was said before it."""
    return begins[rule] == rule.effective_until


def _in_force(rule: SlotRule, moment: datetime) -> bool:
    begun = rule.effective_from is None or rule.effective_from <= moment
    return begun and (rule.effective_until is None or moment < rule.effective_until)


def _until(held: HeldRule, moment: datetime) -> HeldRule:
    return replace(held, rule=replace(held.rule, effective_until=moment))


def _joined(held: Iterable[HeldRule]) -> list[HeldRule]:
    """The same hours one after the other, or twice at once, are one rule that began as the first did."""
    by_hours: dict[SlotRule, list[HeldRule]] = {}
    for each in held:
        by_hours.setdefault(bare(each.rule), []).append(each)
    return [joined for group in by_hours.values() for joined in _joined_hours(group)]


def _joined_hours(group: list[HeldRule]) -> list[HeldRule]:
    joined: list[HeldRule] = []
    for each in sorted(group, key=_order):
        start, end = each.rule.effective_from or _ALWAYS, each.rule.effective_until
        reached = (joined[-1].rule.effective_until or _NEVER) if joined else None
        if reached is None or start > reached:
            joined.append(each)
        elif end is None or end > reached:
            joined[-1] = replace(joined[-1], rule=replace(joined[-1].rule, effective_until=end))
    return joined
