"""When a calendar slot applies, held against a reading of the clock minute by minute."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import pairwise
from random import Random
from zoneinfo import ZoneInfo

import pytest

from pricing.calendars import Calendar, UnknownCalendar, applies, partition, slot_at
from pricing.claims import SlotRule

ZONES = ("UTC", "Asia/Shanghai", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca")
# Weeks with and without a change of clocks, a turn of the year, and the Chinese holidays of October.
MONDAYS = (
    datetime(2026, 3, 2, tzinfo=UTC),
    datetime(2026, 3, 30, tzinfo=UTC),
    datetime(2026, 10, 26, tzinfo=UTC),
    datetime(2026, 9, 28, tzinfo=UTC),
    datetime(2025, 12, 29, tzinfo=UTC),
)
CHINESE_HOLIDAYS = {date(2026, *day) for day in ((1, 1), (1, 2), (4, 5), (4, 6))} | {
    date(2026, 10, day) for day in (1, 2, 3, 5, 6, 7)
}
SHANGHAI_PEAK = (
    SlotRule("peak", ((540, 720), (840, 1080)), (1, 2, 3, 4, 5), "Asia/Shanghai"),
    SlotRule("off-peak", is_rest=True),
)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def is_in_force(rule: SlotRule, instant: datetime) -> bool:
    begun = rule.effective_from is None or rule.effective_from <= instant
    return begun and (rule.effective_until is None or instant < rule.effective_until)


def window_holds(rule: SlotRule, instant: datetime) -> bool:
    """Read the wall clock, and look for a window of today or of yesterday that holds it."""
    wall = instant.astimezone(ZoneInfo(rule.time_zone)).replace(tzinfo=None)
    for days_ago in (0, 1):
        day = wall.date() - timedelta(days=days_ago)
        if rule.weekdays and day.isoweekday() not in rule.weekdays:
            continue
        if rule.holidays == "CN" and day in CHINESE_HOLIDAYS:
            continue
        midnight = datetime.combine(day, datetime.min.time())
        for start, end in rule.windows:
            length = end - start if end > start else end - start + 1440
            begins = midnight + timedelta(minutes=start)
            if begins <= wall < begins + timedelta(minutes=length):
                return True
    return False


@cache
def minutes_of_a_week(rules: tuple[SlotRule, ...]) -> int:
    held = set()
    for rule in rules:
        for weekday in rule.weekdays or (1, 2, 3, 4, 5, 6, 7):
            for start, end in rule.windows:
                length = end - start if end > start else end - start + 1440
                held |= {((weekday - 1) * 1440 + start + minute) % 10080 for minute in range(length)}
    return len(held)


def slots_by_the_clock(rules: Sequence[SlotRule], instant: datetime) -> list[str]:
    in_force = [rule for rule in rules if is_in_force(rule, instant)]
    windowed = [rule for rule in in_force if not rule.is_rest]
    holding = {rule.slot for rule in windowed if window_holds(rule, instant)}
    rest = {rule.slot for rule in in_force if rule.is_rest} - holding
    width = {slot: minutes_of_a_week(tuple(r for r in windowed if r.slot == slot)) for slot in holding}
    return sorted(holding, key=lambda slot: (width[slot], slot)) + sorted(rest)


def random_rules(random: Random, monday: datetime) -> list[SlotRule]:
    zones = random.sample(ZONES, 2)
    rules = [
        SlotRule(
            slot=random.choice(("peak", "night", "short")),
            windows=tuple(
                (start, random.choice((*range(0, 1441, 15), start)))
                for start in random.sample(range(0, 1440, 15), random.choice((1, 1, 2)))
            ),
            weekdays=tuple(sorted(random.sample(range(1, 8), random.choice((0, 0, 2, 5))))),
            time_zone=random.choice(zones),
            holidays=random.choice(("", "", "CN")),
            effective_from=random.choice((None, None, monday + timedelta(hours=random.randrange(168)))),
        )
        for _ in range(random.choice((1, 2, 4)))
    ]
    rules = [replace(rule, effective_until=_after(rule, random)) for rule in rules]
    return rules + [SlotRule("rest", is_rest=True)] * random.choice((0, 1))


def _after(rule: SlotRule, random: Random) -> datetime | None:
    if rule.effective_from is None or random.random() < 0.5:
        return None
    return rule.effective_from + timedelta(minutes=random.randrange(1, 4000))


@pytest.mark.parametrize("seed", range(60))
def test_slots_are_what_the_wall_clock_says(seed: int) -> None:
    random = Random(seed)
    monday = random.choice(MONDAYS)
    rules = random_rules(random, monday)
    calendar = Calendar(rules)
    for minute in range(-1440, 10080 + 1440, 1 if seed == 0 else 15):
        instant = monday + timedelta(minutes=minute)
        assert list(calendar.slots_at(instant)) == slots_by_the_clock(rules, instant), (instant, rules)


@pytest.mark.parametrize("zone", ["America/New_York", "Australia/Lord_Howe"])
def test_every_minute_around_a_change_of_clocks(zone: str) -> None:
    rules = [SlotRule("night", ((75, 150),), time_zone=zone), SlotRule("rest", is_rest=True)]
    calendar = Calendar(rules)
    for day in (datetime(2026, 3, 8, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 4, 4, tzinfo=UTC)):
        for minute in range(2 * 1440):
            instant = day + timedelta(minutes=minute, seconds=59 * (minute % 2))
            assert list(calendar.slots_at(instant)) == slots_by_the_clock(rules, instant)


def test_weekday_is_that_of_the_local_day_on_which_the_window_starts() -> None:
    friday_night = [SlotRule("night", ((22 * 60, 6 * 60),), (5,), "Asia/Shanghai"), SlotRule("day", is_rest=True)]
    assert slot_at(friday_night, at("2026-11-20T23:00+08:00")) == "night"
    assert slot_at(friday_night, at("2026-11-21T05:59:59.999999+08:00")) == "night"
    assert slot_at(friday_night, at("2026-11-21T06:00+08:00")) == "day"
    assert slot_at(friday_night, at("2026-11-21T23:00+08:00")) == "day"
    assert slot_at(friday_night, at("2026-11-20T05:00+08:00")) == "day"


def test_deepseek_peaks_on_working_days_of_shanghai() -> None:
    assert slot_at(SHANGHAI_PEAK, at("2026-11-23T00:59Z")) == "off-peak"
    assert slot_at(SHANGHAI_PEAK, at("2026-11-23T01:00Z")) == "peak"
    assert slot_at(SHANGHAI_PEAK, at("2026-11-23T04:00Z")) == "off-peak"
    assert slot_at(SHANGHAI_PEAK, at("2026-11-23T06:00Z")) == "peak"
    assert slot_at(SHANGHAI_PEAK, at("2026-11-22T01:00Z")) == "off-peak"
    assert applies(SHANGHAI_PEAK, "peak", at("2026-11-23T01:00Z"))
    assert not applies(SHANGHAI_PEAK, "off-peak", at("2026-11-23T01:00Z"))


def test_a_holiday_has_no_windows_and_a_working_saturday_is_still_a_saturday() -> None:
    peak, rest = SHANGHAI_PEAK
    rules = [replace(peak, holidays="CN"), rest]
    assert slot_at(rules, at("2026-10-07T02:00Z")) == "off-peak"
    assert slot_at(rules, at("2026-10-08T02:00Z")) == "peak"
    assert slot_at(rules, at("2026-10-10T02:00Z")) == "off-peak"


def test_a_rule_counts_from_its_first_instant_until_before_its_last() -> None:
    start, end = at("2026-08-16T16:00Z"), at("2026-08-17T03:00Z")
    rules = [SlotRule("peak", ((0, 1440),), effective_from=start, effective_until=end)]
    instant = timedelta(microseconds=1)
    assert slot_at(rules, start - instant) == ""
    assert slot_at(rules, start) == "peak"
    assert slot_at(rules, end - instant) == "peak"
    assert slot_at(rules, end) == ""


def test_rules_of_another_moment_can_be_asked_about_an_instant() -> None:
    later = SlotRule("peak", ((0, 720),), effective_from=at("2026-06-01T00:00Z"))
    calendar = Calendar([later])
    morning = at("2026-01-05T08:00Z")
    assert calendar.slots_at(morning) == ()
    assert calendar.slots_at(morning, in_force_at=at("2026-06-01T20:00Z")) == ("peak",)


def test_of_two_slots_that_hold_the_narrower_applies() -> None:
    rules = [SlotRule("peak", ((540, 1080),)), SlotRule("rush", ((600, 660),)), SlotRule("rest", is_rest=True)]
    assert Calendar(rules).slots_at(at("2026-11-23T10:30Z")) == ("rush", "peak", "rest")
    assert applies(rules, "rush", at("2026-11-23T10:30Z"))
    assert applies(rules, "peak", at("2026-11-23T09:30Z"))


@pytest.mark.parametrize("seed", range(20))
def test_a_partition_covers_the_week_with_one_slot_at_each_moment(seed: int) -> None:
    random = Random(1000 + seed)
    monday = random.choice(MONDAYS)
    rules = [replace(rule, effective_from=None, effective_until=None) for rule in random_rules(random, monday)]
    spans = partition(rules, monday + timedelta(days=random.randrange(7)))
    assert spans[0].start == monday
    assert spans[-1].end == monday + timedelta(weeks=1)
    assert all(one.end == next_one.start and one.slot != next_one.slot for one, next_one in pairwise(spans))
    for span in spans:
        for instant in (span.start, span.end - timedelta(minutes=1)):
            assert span.slot == next(iter(slots_by_the_clock(rules, instant)), "")


def test_calendars_written_differently_have_one_partition() -> None:
    utc = (SlotRule("peak", ((60, 240), (360, 600)), (1, 2, 3, 4, 5)), SlotRule("off-peak", is_rest=True))
    moment = at("2026-11-23T00:00Z")
    assert partition(utc, moment) == partition(SHANGHAI_PEAK, moment)


def test_what_does_not_exist_is_refused_by_name() -> None:
    with pytest.raises(UnknownCalendar, match="'Asia/Peking'"):
        Calendar([SlotRule("peak", ((0, 60),), time_zone="Asia/Peking")])
    with pytest.raises(UnknownCalendar, match="'QQ'"):
        Calendar([SlotRule("peak", ((0, 60),), holidays="QQ")])


def test_a_calendar_without_rules_has_no_slots() -> None:
    assert Calendar([]).slots_at(at("2026-11-23T00:00Z")) == ()
