"""When a notice is due: at once, after quiet hours, or with the next digest, by the clock on the owner's wall."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

INSTANT, DAILY, WEEKLY = "instant", "daily", "weekly"
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often somebody wants to hear, and when not.

    Hours are those of ``time_zone``. Quiet hours [``quiet_from``, ``quiet_until``) may cross midnight; without both,
    or with both alike, there are none. ``digest_weekday`` is an ISO weekday.
    """

    cadence: str = INSTANT
    time_zone: str = "UTC"
    digest_hour: int = 8
    digest_weekday: int = 1
    quiet_from: time | None = None
    quiet_until: time | None = None


def due_at(rhythm: Rhythm, moment: datetime) -> datetime:
    """When something that happened at an aware moment is to be told, in UTC; never before it.

    A digest's hour that lies in the quiet hours waits for their end. An hour that the clock leaves out comes when the
    clock has gone on; of one that it shows twice the first counts, while it lies ahead.
    """
    zone = ZoneInfo(rhythm.time_zone)
    moment = moment.astimezone(UTC)
    if rhythm.cadence != INSTANT:
        moment = _next_digest(rhythm, moment, zone)
    return _after_quiet_hours(rhythm, moment, zone)


def _next_digest(rhythm: Rhythm, moment: datetime, zone: ZoneInfo) -> datetime:
    day = moment.astimezone(zone).date()
    while True:
        if rhythm.cadence == DAILY or day.isoweekday() == rhythm.digest_weekday:
            at = _moment(day, time(rhythm.digest_hour), zone)
            if at >= moment:
                return at
        day += _DAY


def _after_quiet_hours(rhythm: Rhythm, moment: datetime, zone: ZoneInfo) -> datetime:
    start, end = rhythm.quiet_from, rhythm.quiet_until
    if start is None or end is None or start == end:
        return moment
    local = moment.astimezone(zone)
    clock = local.time()
    if not (start <= clock < end if start < end else clock >= start or clock < end):
        return moment
    day = local.date() + (_DAY if start > end and clock >= start else timedelta(0))
    first = _moment(day, end, zone)
    return first if first > moment else _moment(day, end, zone, fold=1)


def _moment(day: date, clock: time, zone: ZoneInfo, fold: int = 0) -> datetime:
    return datetime.combine(day, clock, tzinfo=zone).replace(fold=fold).astimezone(UTC)
