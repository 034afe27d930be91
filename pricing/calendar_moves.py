"""From two beliefs about a calendar to what happened: moments at which the hours moved that buyers pay for."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from pricing.calendar_rules import Rules, normalised, text_of
from pricing.calendar_text import slot_hours
from pricing.calendars import Calendar, UnknownCalendar
from pricing.claims import SlotRule
from pricing.timeline import INSTANT

# Holidays and the changes of clocks come once a year.
_WEEKS_COMPARED = 53
LONGEST = 300
Worth = Mapping[str, Hashable]
WorthAt = Callable[[datetime], Worth]
Beginning = tuple[str, datetime | None]


@dataclass(frozen=True, slots=True)
class CalendarMove:
    """A moment at which other hours came into force; ``slots`` are those that have a price then.

    ``precision`` and ``observed_after`` are those of a price's move.
    """

    at: datetime
    old: Rules
    new: Rules
    slots: tuple[str, ...]
    precision: str = "exact"
    observed_after: datetime | None = None

    @property
    def hours(self) -> tuple[str, str]:
        """Which hours were left, and which came."""
        return text_of(self.old), text_of(self.new)


@dataclass(frozen=True, slots=True)
class CalendarHappening:
    """One thing that happened to a calendar, ready to be written as a pricing change."""

    kind: str
    move: CalendarMove
    announced_for: datetime | None = None

    @property
    def nature(self) -> str:
        """A correction mends the record; everything else moved the market."""
        return "correction" if self.kind == "corrected" else "market"

    @property
    def calendar(self) -> dict[str, dict[str, str]]:
        """The hours of each slot in words, before and after."""
        old, new = self.move.old, self.move.new
        return {
            "old": {slot: slot_hours(old, slot) for slot in self.move.slots},
            "new": {slot: slot_hours(new, slot) for slot in self.move.slots},
        }


def calendar_moves(
    rules: Sequence[SlotRule], beginnings: Mapping[datetime, Beginning], worth: WorthAt
) -> list[CalendarMove]:
    """The moments at which the hours of slots with different prices moved, in order.

    ``worth`` tells what each slot costs at a moment (the empty slot: whatever no slot holds for). Where slots had no
    prices before, or have none after, the prices moved and not the calendar.
    """
    edges = {moment for rule in rules for moment in (rule.effective_from, rule.effective_until) if moment}
    found = []
    for edge in sorted(edges):
        costs = worth(edge)
        if not (_matters(costs) and _matters(worth(edge - INSTANT))):
            continue
        old, new = in_force(rules, edge - INSTANT), in_force(rules, edge)
        if not same_hours(old, new, edge, costs):
            found.append(CalendarMove(edge, old, new, tuple(sorted(filter(None, costs))), *beginnings.get(edge, ())))
    return found


def _matters(costs: Worth) -> bool:
    return len(set(costs.values())) > 1


def in_force(rules: Iterable[SlotRule], moment: datetime) -> Rules:
    """The rules that count at a moment, without their dates."""
    return normalised(
        SlotRule(rule.slot, rule.windows, rule.weekdays, rule.time_zone, rule.holidays, rule.is_rest)
        for rule in rules
        if (rule.effective_from is None or rule.effective_from <= moment)
        and (rule.effective_until is None or moment < rule.effective_until)
    )


def same_hours(old: Rules, new: Rules, since: datetime, costs: Worth) -> bool:
    """Whether a call costs the same by two calendars at every moment of the year from ``since`` on."""
    if old == new:
        return True
    try:
        before, after = Calendar(old), Calendar(new)
    except UnknownCalendar:
        return False
    weeks = (since + timedelta(weeks=week) for week in range(_WEEKS_COMPARED))
    return all(_week(before, week, costs) == _week(after, week, costs) for week in weeks)


def _week(calendar: Calendar, instant: datetime, costs: Worth) -> list[tuple[datetime, Hashable]]:
    """From when on a call costs what, in the week of an instant."""
    steps: list[tuple[datetime, Hashable]] = []
    for span in calendar.week_of(instant, costs):
        cost = costs.get(span.slot)
        if not steps or steps[-1][1] != cost:
            steps.append((span.start, cost))
    return steps


def calendar_happenings(
    before: Sequence[CalendarMove], after: Sequence[CalendarMove], moment: datetime, ruled: bool
) -> list[CalendarHappening]:
    """What happened between two beliefs about one calendar, seen at ``moment``; all corrections are one.

    ``ruled`` says that a decision about the record made the difference.
    """
    gone, come = _differing(before, after)
    found: list[CalendarHappening] = []
    for move in list(gone):
        twin = next((other for other in come if other.hours == move.hours), None)
        if twin is not None and not ruled:
            gone.remove(move)
            come.remove(twin)
            found += _shifted(move, twin, moment)
    replaced = {move.at for move in come}
    found += [_lost(move, moment, ruled) for move in gone if move.at not in replaced]
    latest = max((move.at for move in before if move.at <= moment), default=None)
    amended = {move.at for move in gone}
    for move in come:
        corrects = move.at in amended or (latest or move.at) > move.at
        found.append(CalendarHappening("corrected", move) if ruled else _come(move, moment, corrects))
    return _as_one_correction(found)


def _differing(
    before: Sequence[CalendarMove], after: Sequence[CalendarMove]
) -> tuple[list[CalendarMove], list[CalendarMove]]:
    """What went and what came; the same hours coming at the same time are the same, whatever they replace."""
    old, new = {(m.at, m.hours[1]) for m in before}, {(m.at, m.hours[1]) for m in after}
    return [m for m in before if (m.at, m.hours[1]) not in new], [m for m in after if (m.at, m.hours[1]) not in old]


def _shifted(old: CalendarMove, new: CalendarMove, moment: datetime) -> Iterator[CalendarHappening]:
    """The same move at another time: rescheduled, a better date of what was only observed, or a correction."""
    if old.at > moment:
        is_ahead = new.at > moment
        yield CalendarHappening("rescheduled" if is_ahead else "restructured", new, new.at if is_ahead else None)
    elif not _allows(old, new.at):
        yield CalendarHappening("corrected", new)


def _allows(move: CalendarMove, moment: datetime) -> bool:
    if move.precision != "observed" or moment > move.at:
        return False
    return move.observed_after is None or move.observed_after < moment


def _lost(move: CalendarMove, moment: datetime, ruled: bool) -> CalendarHappening:
    """A move that is believed no more: what is told are the hours that go on."""
    back = CalendarMove(move.at, move.new, move.old, move.slots, move.precision, move.observed_after)
    if move.at > moment and not ruled:
        return CalendarHappening("retracted", back, move.at)
    return CalendarHappening("corrected", back)


def _come(move: CalendarMove, moment: datetime, corrects: bool) -> CalendarHappening:
    if move.at > moment:
        return CalendarHappening("announced", move, move.at)
    return CalendarHappening("corrected" if corrects else "restructured", move)


def _as_one_correction(found: Sequence[CalendarHappening]) -> list[CalendarHappening]:
    corrections = [each for each in found if each.kind == "corrected"]
    others = [each for each in found if each.kind != "corrected"]
    latest = sorted(corrections, key=lambda each: each.move.at)[-1:]
    return sorted([*others, *latest], key=lambda each: (each.move.at, each.kind))


def calendar_headline(name: str, happening: CalendarHappening) -> str:
    """Such as ``DeepSeek V4 Pro: peak hours now Mon–Fri 01:00–04:00 UTC (was daily 01:00–04:00 UTC)``."""
    told = _told(happening)
    day = happening.announced_for
    opening = {
        "announced": f"announced for {day:%Y-%m-%d %H:%M} UTC: " if day else "",
        "rescheduled": f"rescheduled for {day:%Y-%m-%d %H:%M} UTC: " if day else "",
        "retracted": "announced change taken back: ",
        "corrected": "corrected: ",
    }.get(happening.kind, "")
    text = f"{name}: {opening}{'; '.join(told)}"
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _told(happening: CalendarHappening) -> list[str]:
    """The slots whose hours moved."""
    old, new = happening.calendar["old"], happening.calendar["new"]
    moved = [slot for slot in happening.move.slots if old[slot] != new[slot]]
    verb = {"announced": "then", "rescheduled": "then", "retracted": "stay"}.get(happening.kind, "now")
    if verb == "stay":
        return [f"{slot} hours stay {new[slot]}" for slot in moved]
    return [f"{slot} hours {verb} {new[slot]} (was {old[slot]})" for slot in moved]
