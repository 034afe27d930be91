"""When a notice is due: at once, after quiet hours, with a digest, by the owner's clock."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.cadence import DAILY, WEEKLY, Rhythm, due_at

NIGHT = {"quiet_from": time(22), "quiet_until": time(7)}
NOON_REST = {"quiet_from": time(12), "quiet_until": time(13, 30)}


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


BERLIN = "Europe/Berlin"
# In Berlin the clock goes from 02:00 to 03:00 on 29 March 2026, and from 03:00 back to 02:00 on 25 October 2026.
CASES = [
    ("at once", Rhythm(), "2026-05-04T10:00", "2026-05-04T10:00"),
    ("by day", Rhythm(time_zone=BERLIN, **NIGHT), "2026-05-04T10:00", "2026-05-04T10:00"),
    ("before midnight", Rhythm(time_zone=BERLIN, **NIGHT), "2026-05-04T20:30", "2026-05-05T05:00"),
    ("after midnight", Rhythm(time_zone=BERLIN, **NIGHT), "2026-05-04T22:30", "2026-05-05T05:00"),
    ("as they begin", Rhythm(time_zone=BERLIN, **NIGHT), "2026-05-04T20:00", "2026-05-05T05:00"),
    ("as they end", Rhythm(time_zone=BERLIN, **NIGHT), "2026-05-05T05:00", "2026-05-05T05:00"),
    ("within a day", Rhythm(**NOON_REST), "2026-05-04T12:10", "2026-05-04T13:30"),
    ("all alike is none", Rhythm(quiet_from=time(5), quiet_until=time(5)), "2026-05-04T05:00", "2026-05-04T05:00"),
    ("the short night", Rhythm(time_zone=BERLIN, **NIGHT), "2026-03-28T23:00", "2026-03-29T05:00"),
    ("the long night", Rhythm(time_zone=BERLIN, **NIGHT), "2026-10-24T23:00", "2026-10-25T06:00"),
    (
        "until an hour that is left out",
        Rhythm(time_zone=BERLIN, quiet_from=time(0), quiet_until=time(2, 30)),
        "2026-03-29T00:10",
        "2026-03-29T01:30",
    ),
    (
        "until an hour that comes twice",
        Rhythm(time_zone=BERLIN, quiet_from=time(0), quiet_until=time(2, 30)),
        "2026-10-25T00:10",
        "2026-10-25T00:30",
    ),
    (
        "within the second of them",
        Rhythm(time_zone=BERLIN, quiet_from=time(0), quiet_until=time(2, 30)),
        "2026-10-25T01:10",
        "2026-10-25T01:30",
    ),
    ("daily, today", Rhythm(DAILY, "America/New_York"), "2026-05-04T11:00", "2026-05-04T12:00"),
    ("daily, on the hour", Rhythm(DAILY, "America/New_York"), "2026-05-04T12:00", "2026-05-04T12:00"),
    ("daily, tomorrow", Rhythm(DAILY, "America/New_York"), "2026-05-04T12:01", "2026-05-05T12:00"),
    ("daily, across the change", Rhythm(DAILY, BERLIN), "2026-03-28T10:00", "2026-03-29T06:00"),
    ("weekly, on Friday", Rhythm(WEEKLY, digest_weekday=5), "2026-05-04T10:00", "2026-05-08T08:00"),
    ("weekly, a week later", Rhythm(WEEKLY, digest_weekday=1), "2026-05-04T10:00", "2026-05-11T08:00"),
    ("a digest in quiet hours", Rhythm(DAILY, digest_hour=6, **NIGHT), "2026-05-04T10:00", "2026-05-05T07:00"),
]


@pytest.mark.parametrize(("name", "rhythm", "moment", "expected"), CASES, ids=[case[0] for case in CASES])
def test_is_due(name: str, rhythm: Rhythm, moment: str, expected: str) -> None:
    assert due_at(rhythm, at(moment)) == at(expected)


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)),  # noqa: DTZ001
    st.sampled_from([BERLIN, "America/New_York", "Asia/Kolkata", "Pacific/Apia", "UTC"]),
    st.integers(0, 47),
    st.integers(0, 47),
)
def test_what_quiet_hours_hold_back_is_told_in_the_first_minute_that_is_not_quiet(
    drawn: datetime, zone: str, start: int, end: int
) -> None:
    moment = drawn.replace(second=0, microsecond=0, tzinfo=UTC)
    rhythm = Rhythm(
        time_zone=zone, quiet_from=time(start // 2, start % 2 * 30), quiet_until=time(end // 2, end % 2 * 30)
    )
    walked = moment
    while _is_quiet(rhythm, walked):
        walked += timedelta(minutes=1)
    assert due_at(rhythm, moment) == walked


def _is_quiet(rhythm: Rhythm, moment: datetime) -> bool:
    start, end = rhythm.quiet_from, rhythm.quiet_until
    assert start is not None
    assert end is not None
    clock = moment.astimezone(ZoneInfo(rhythm.time_zone)).time()
    return start != end and (start <= clock < end if start < end else clock >= start or clock < end)
