"""How calendars came to be what they are: DeepSeek's hours as they were read, announced, corrected and taken back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pricing import ledger
from pricing.calendar_text import read_calendar
from pricing.calendars import slot_at
from pricing.claims import Conditions, SlotRule
from pricing.clock import follow_the_clock
from pricing.costing.rules import calendars_as_known
from pricing.costing.sheets import rules_of
from pricing.ledger import LedgerError, Ruling
from pricing.models import CalendarStatement, Offering, PricingChange, Source
from pricing.models import SlotRule as SlotRuleRow
from pricing.verification import findings
from tests.pricing.believing import price
from tests.pricing.conftest import SetClock
from tests.pricing.stages import Stage, kinds, last_change
from tests.pricing.worlds import ORIGIN

PEAK, OFF_PEAK = Conditions("input_tokens", slot="peak"), Conditions("input_tokens", slot="off-peak")
REST = SlotRule("off-peak", is_rest=True)
DAILY = read_calendar("peak: 01:00-04:00, 06:00-10:00 UTC\noff-peak: rest")
WORKING_DAYS = read_calendar("peak: Mon-Fri 01:00-04:00, 06:00-10:00 UTC\noff-peak: rest")
IN_SHANGHAI = read_calendar("peak: Mon-Fri 09:00-12:00, 14:00-18:00 Asia/Shanghai\noff-peak: rest")
MOVED = datetime(2026, 8, 16, 16, tzinfo=UTC)
WEEKENDS = datetime(2026, 8, 22, 16, tzinfo=UTC)


def days(moment: datetime) -> float:
    return (moment - ORIGIN) / timedelta(days=1)


def sheet(peak: str = "1.32", rest: str = "0.66", **dates: Any) -> list[Any]:
    return [price(peak, PEAK, **dates), price(rest, OFF_PEAK, **dates)]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def slot(offering: Offering, moment: str, known_at: datetime | None = None, source: str = "models-dev") -> str:
    """The slot that applies to a price of a source."""
    calendars = calendars_as_known(rules_of([offering.pk])[offering.pk], known_at)
    return slot_at(calendars[Source.objects.get(slug=source).pk], at(moment))


def believed(offering: Offering) -> list[tuple[str, float | None, float | None, str, float | None]]:
    """The rules believed now: slot, from and until in days, precision, observed after."""
    rows = SlotRuleRow.objects.filter(offering=offering, known_until=None)

    def number(moment: datetime | None) -> float | None:
        return None if moment is None else days(moment)

    told = [
        (
            row.slot,
            number(row.effective_from),
            number(row.effective_until),
            row.precision,
            number(row.observed_after),
        )
        for row in rows
    ]
    return sorted(told, key=lambda row: (row[0], row[1] if row[1] is not None else -1e9))


@pytest.fixture
def v4(stage: Stage) -> Offering:
    """DeepSeek V4 with peak hours since August, read once before and once after they began."""
    return stage.offering("DeepSeek V4 Pro")


def read(stage: Stage, offering: Offering, moment: datetime, rules: Any, prices: Any = None, **how: Any) -> None:
    stage.read("models-dev", days(moment), {offering: prices or sheet()}, hours={offering.pk: rules}, **how)


class TestTheNightDiscountOf2025:
    """From 16:30 to 00:30 UTC, until 2025-09-05 16:00."""

    ENDED = datetime(2025, 9, 5, 16, tzinfo=UTC)
    NIGHT = (
        SlotRule("off-peak", ((990, 30),), effective_until=ENDED),
        SlotRule("peak", is_rest=True, effective_until=ENDED),
    )

    def test_holds_across_midnight_until_its_end(self, stage: Stage, v4: Offering) -> None:
        began = days(at("2025-02-26"))
        ends = days(self.ENDED)
        prices = [price("0.135", OFF_PEAK, since=began, until=ends), price("0.27", PEAK, since=began, until=ends)]
        read(stage, v4, at("2025-06-01"), self.NIGHT, [*prices, price("0.56", since=ends)])
        assert slot(v4, "2025-06-03T16:29:59") == "peak"
        assert slot(v4, "2025-06-03T16:30:00") == "off-peak"
        assert slot(v4, "2025-06-04T00:29:59") == "off-peak"
        assert slot(v4, "2025-06-04T00:30:00") == "peak"
        assert slot(v4, "2025-09-05T15:59:59") == "peak"
        assert slot(v4, "2025-09-05T16:30:00") == ""

    def test_that_has_ended_when_it_is_read_held_before(self, stage: Stage, v4: Offering) -> None:
        read(stage, v4, at("2026-01-05"), self.NIGHT, [price("0.56")])
        assert slot(v4, "2025-06-04T00:00:00") == "off-peak"
        assert slot(v4, "2025-12-04T00:00:00") == ""


class TestThePeakHoursOf2026:
    def test_every_day_became_working_days_as_the_feed_showed(self, stage: Stage, v4: Offering) -> None:
        read(stage, v4, MOVED, DAILY)
        read(stage, v4, at("2026-08-24"), WORKING_DAYS)
        assert slot(v4, "2026-08-22T02:00:00") == "peak"
        assert slot(v4, "2026-08-29T02:00:00") == "off-peak"
        assert slot(v4, "2026-08-29T02:00:00", known_at=at("2026-08-20")) == "peak"
        change = last_change(v4)
        assert (change.kind, change.nature, change.effective_at) == ("restructured", "market", at("2026-08-24"))
        assert change.observed_after == MOVED
        assert not change.initial
        assert change.lines.count() == 0
        assert change.headline == (
            "DeepSeek V4 Pro at DeepSeek: peak hours now Mon–Fri 01:00–04:00, 06:00–10:00 UTC "
            "(was daily 01:00–04:00, 06:00–10:00 UTC)"
        )
        assert change.calendar is not None
        assert change.calendar["new"]["off-peak"] == "rest"

    def test_weekday_is_that_of_the_windows_start_in_its_zone(self, stage: Stage, v4: Offering) -> None:
        night = read_calendar("peak: Fri 22:00-02:00 UTC\noff-peak: rest")
        read(stage, v4, MOVED, night)
        assert [slot(v4, f"2026-08-{moment}") for moment in ("21T23:00:00", "22T01:00:00", "22T23:00:00")] == [
            "peak",
            "peak",
            "off-peak",
        ]

    def test_dated_rules_hold_by_their_dates_and_are_announced_before(self, stage: Stage, v4: Offering) -> None:
        dated = [replace(rule, effective_from=MOVED, effective_until=WEEKENDS) for rule in DAILY]
        dated += [replace(rule, effective_from=WEEKENDS) for rule in WORKING_DAYS]
        read(stage, v4, at("2026-08-17"), [replace(rule, effective_from=MOVED) for rule in DAILY])
        read(stage, v4, at("2026-08-20"), dated)
        assert slot(v4, "2026-08-22T09:00:00") == "peak"
        assert slot(v4, "2026-08-23T09:00:00") == "off-peak"
        assert slot(v4, "2026-08-23T09:00:00", known_at=at("2026-08-18")) == "peak"
        change = last_change(v4)
        assert (change.kind, change.announced_for, change.effective_at) == ("announced", WEEKENDS, WEEKENDS)
        assert "announced for 2026-08-22 16:00 UTC: peak hours then Mon–Fri" in change.headline
        read(stage, v4, at("2026-08-25"), dated)
        assert kinds(v4) == ["listed", "announced", "restructured"]
        assert last_change(v4).effective_at == WEEKENDS
        assert "peak hours now Mon–Fri" in last_change(v4).headline
        read(stage, v4, at("2026-08-26"), dated)
        assert len(kinds(v4)) == 3

    def test_announced_hours_that_the_next_document_lacks_never_came(self, stage: Stage, v4: Offering) -> None:
        read(stage, v4, at("2026-08-18"), DAILY)
        read(
            stage,
            v4,
            at("2026-08-20"),
            [*(replace(rule, effective_until=WEEKENDS) for rule in DAILY)]
            + [replace(rule, effective_from=WEEKENDS) for rule in WORKING_DAYS],
        )
        assert slot(v4, "2026-08-23T09:00:00") == "off-peak"
        read(stage, v4, at("2026-08-26"), DAILY)
        assert slot(v4, "2026-08-23T09:00:00") == "peak"
        assert slot(v4, "2026-08-29T09:00:00") == "peak"
        assert kinds(v4)[-2:] == ["announced", "corrected"]

    def test_same_hours_in_other_words_are_no_change(self, stage: Stage, v4: Offering) -> None:
        read(stage, v4, at("2026-08-17"), WORKING_DAYS)
        before = kinds(v4)
        read(stage, v4, at("2026-08-24"), IN_SHANGHAI)
        assert kinds(v4) == before
        assert slot(v4, "2026-08-25T02:00:00") == "peak"

    def test_other_hours_of_equal_prices_are_no_change(self, stage: Stage, v4: Offering) -> None:
        read(stage, v4, at("2026-08-17"), DAILY, sheet("1", "1"))
        before = kinds(v4)
        read(stage, v4, at("2026-08-24"), WORKING_DAYS, sheet("1", "1"))
        assert kinds(v4) == before

    def test_hours_that_come_with_their_prices_are_one_change(self, stage: Stage, v4: Offering) -> None:
        read(stage, v4, at("2026-08-10"), (), [price("0.435")])
        read(stage, v4, at("2026-08-17"), DAILY)
        assert kinds(v4) == ["listed", "restructured"]

    def test_prices_by_the_hour_that_move_with_the_hours_are_one_change(self, stage: Stage, v4: Offering) -> None:
        read(stage, v4, at("2026-08-17"), DAILY)
        read(stage, v4, at("2026-08-24"), WORKING_DAYS, sheet("2", "1"))
        assert kinds(v4) == ["listed", "increase"]

    def test_holidays_are_off_peak_and_their_coming_is_a_change(self, stage: Stage, v4: Offering) -> None:
        read(stage, v4, at("2026-08-17"), WORKING_DAYS)
        without_holidays = [replace(rule, holidays="CN") if rule.windows else rule for rule in WORKING_DAYS]
        read(stage, v4, at("2026-08-24"), without_holidays)
        assert slot(v4, "2026-10-01T02:00:00") == "off-peak"
        assert slot(v4, "2026-10-01T02:00:00", known_at=at("2026-08-20")) == "peak"
        assert last_change(v4).headline.endswith("(was Mon–Fri 01:00–04:00, 06:00–10:00 UTC)")

    def test_an_older_document_moves_the_beginning_back_without_news(self, stage: Stage, v4: Offering) -> None:
        read(stage, v4, at("2026-08-17"), DAILY)
        read(stage, v4, at("2026-08-31"), WORKING_DAYS)
        seen = kinds(v4)
        read(stage, v4, at("2026-08-24"), WORKING_DAYS, backfilled=True)
        assert kinds(v4) == seen
        assert slot(v4, "2026-08-29T02:00:00") == "off-peak"
        assert slot(v4, "2026-08-29T02:00:00", known_at=at("2026-09-01")) == "peak"
        assert [row[1:] for row in believed(v4) if row[0] == "peak"] == [
            (None, days(at("2026-08-24")), "unknown", None),
            (days(at("2026-08-24")), None, "observed", days(at("2026-08-17"))),
        ]

    def test_calendar_cites_the_refresh_that_read_it(self, stage: Stage, v4: Offering) -> None:
        read(stage, v4, at("2026-08-17"), DAILY, refresh=7)
        read(stage, v4, at("2026-08-24"), WORKING_DAYS, refresh=8)
        first, second = CalendarStatement.objects.order_by("pk")
        assert (first.refresh_id, first.ended_by_refresh_id, second.refresh_id) == (7, 8, 8)
        assert set(SlotRuleRow.objects.filter(known_until=None, slot="peak").values_list("statement", flat=True)) == {
            first.pk,
            second.pk,
        }

    def test_changes_of_the_first_load_are_history(self, stage: Stage, v4: Offering) -> None:
        dated = [replace(rule, effective_until=WEEKENDS) for rule in DAILY]
        dated += [replace(rule, effective_from=WEEKENDS) for rule in WORKING_DAYS]
        read(stage, v4, at("2026-09-01"), dated, sheet(since=days(MOVED)))
        assert [(change.kind, change.initial) for change in PricingChange.objects.order_by("effective_at")] == [
            ("listed", True),
            ("restructured", True),
        ]


class TestWhatPeopleState:
    @pytest.fixture(autouse=True)
    def read_in_august(self, stage: Stage, v4: Offering, clock: SetClock) -> None:
        clock(days(at("2026-08-18")))
        read(stage, v4, at("2026-08-17"), DAILY)

    def test_announced_calendar_takes_over_at_its_moment(self, v4: Offering, person: Ruling) -> None:
        ledger.state_calendar(v4, WORKING_DAYS, person, effective_from=WEEKENDS)
        assert slot(v4, "2026-08-22T09:00:00") == "peak"
        assert slot(v4, "2026-08-23T09:00:00") == "off-peak"
        change = last_change(v4)
        assert (change.kind, change.nature, change.announced_for) == ("announced", "market", WEEKENDS)

    def test_announced_calendar_is_told_again_when_its_moment_comes_and_once(
        self, v4: Offering, person: Ruling, clock: SetClock
    ) -> None:
        ledger.state_calendar(v4, WORKING_DAYS, person, effective_from=WEEKENDS)
        follow_the_clock()
        for tick in ("2026-08-22T16:00", "2026-08-22T16:01", "2026-08-23"):
            clock(days(at(tick)))
            follow_the_clock()
        assert kinds(v4)[-2:] == ["announced", "restructured"]
        change = last_change(v4)
        assert (change.effective_at, change.source.slug) == (WEEKENDS, "editors")  # type: ignore[union-attr]

    def test_announced_calendar_that_is_taken_back_is_retracted(
        self, v4: Offering, person: Ruling, clock: SetClock
    ) -> None:
        ledger.state_calendar(v4, WORKING_DAYS, person, effective_from=WEEKENDS)
        clock(days(at("2026-08-19")))
        ledger.retire_calendar(CalendarStatement.objects.latest("pk"), person)
        assert slot(v4, "2026-08-23T09:00:00") == "peak"
        assert slot(v4, "2026-08-23T09:00:00", known_at=at("2026-08-18T12:00")) == "off-peak"
        assert kinds(v4)[-2:] == ["announced", "retracted"]
        assert "announced change taken back: peak hours stay daily" in last_change(v4).headline
        with pytest.raises(LedgerError, match="ended at 2026-08-19"):
            ledger.retire_calendar(CalendarStatement.objects.latest("pk"), person)

    def test_calendar_stated_again_for_the_same_moment_replaces_and_comes_back(
        self, v4: Offering, person: Ruling, clock: SetClock
    ) -> None:
        ledger.state_calendar(v4, WORKING_DAYS, person, effective_from=WEEKENDS)
        clock(days(at("2026-08-19")))
        other = read_calendar("peak: Mon-Fri 01:00-02:00\noff-peak: rest")
        ledger.state_calendar(v4, other, person, effective_from=WEEKENDS)
        assert slot(v4, "2026-08-24T09:00:00") == "off-peak"
        clock(days(at("2026-08-20")))
        ledger.retire_calendar(CalendarStatement.objects.latest("pk"), person)
        assert slot(v4, "2026-08-24T09:00:00") == "peak"

    def test_calendar_that_was_in_force_and_is_taken_back_is_a_correction(
        self, v4: Offering, person: Ruling, clock: SetClock
    ) -> None:
        ledger.state_calendar(v4, WORKING_DAYS, person)
        assert kinds(v4)[-1] == "restructured"
        clock(days(at("2026-09-01")))
        ledger.retire_calendar(CalendarStatement.objects.latest("pk"), person)
        assert (last_change(v4).kind, last_change(v4).nature) == ("corrected", "correction")
        assert slot(v4, "2026-08-30T09:00:00") == "peak"

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ("peak: 01:00-04:00 Mars/Phobos\noff-peak: rest", "unknown time zone 'Mars/Phobos'"),
            ("peak: 01:00-04:00; holidays XX\noff-peak: rest", "unknown holiday calendar 'XX'"),
            ("peak: 01:00-04:00\noff-peak: 03:00-12:00", "off-peak and peak both hold|peak and off-peak both hold"),
            ("peak: 04:00-04:00\noff-peak: rest", "04:00-04:00 is a window of no length"),
            ("evening: 18:00-20:00\npeak: 01:00-02:00\noff-peak: rest", "no price line for the slot 'evening'"),
            ("peak: 01:00-04:00", "gives 'off-peak', which has a price, no hours"),
            ("peak: rest\noff-peak: rest", "both are the rest"),
            ("", "at least one slot"),
        ],
    )
    def test_calendar_that_cannot_be_is_refused(self, v4: Offering, person: Ruling, text: str, problem: str) -> None:
        with pytest.raises(LedgerError, match=problem):
            ledger.state_calendar(v4, read_calendar(text), person)
        assert not CalendarStatement.objects.filter(source__slug="editors").exists()

    def test_only_what_editors_said_can_be_taken_back(self, v4: Offering, person: Ruling) -> None:
        with pytest.raises(LedgerError, match="this one is by models-dev"):
            ledger.retire_calendar(CalendarStatement.objects.get(), person)


class TestVerification:
    def test_price_for_a_slot_without_hours_is_reported(self, stage: Stage, v4: Offering) -> None:
        read(stage, v4, at("2026-08-17"), (), sheet())
        assert [str(finding).partition(", ")[0] for finding in findings()] == [
            f"hours: offering {v4.pk}: has a price for the slot 'off-peak'",
            f"hours: offering {v4.pk}: has a price for the slot 'peak'",
        ]

    def test_rule_that_does_not_follow_from_the_statements_is_reported(self, stage: Stage, v4: Offering) -> None:
        read(stage, v4, at("2026-08-17"), DAILY)
        rows = SlotRuleRow.objects.filter(slot="peak")
        rows.update(windows=[[0, 60]])
        (found,) = findings()
        assert found.check == "calendar"
        assert "believes peak daily 00:00–01:00 UTC" in found.problem
        rows.update(windows=[[60, 240], [360, 600]])

    def test_a_second_reading_of_the_same_words_writes_no_statement(self, stage: Stage, v4: Offering) -> None:
        read(stage, v4, at("2026-08-17"), DAILY)
        read(stage, v4, at("2026-08-24"), DAILY[::-1])
        assert CalendarStatement.objects.count() == 1
        assert SlotRuleRow.objects.count() == 2
