"""How the genai-prices adapter turns conditional prices into dated claims and calendars."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from feeds.adapters.genai_prices.parse import parse
from pricing.claims import Claim, Conditions, ParsedOffering, SlotRule

SEPTEMBER = datetime(2026, 9, 1, tzinfo=UTC)
OCTOBER = datetime(2026, 10, 1, tzinfo=UTC)
INPUT = Conditions("input_tokens")
OUTPUT = Conditions("output_tokens")
PEAK = Conditions("input_tokens", slot="peak")
OFF_PEAK = Conditions("input_tokens", slot="off-peak")


def offering(prices: list[dict[str, Any]]) -> ParsedOffering:
    provider = {"id": "deepseek", "name": "DeepSeek", "models": [{"id": "deepseek-chat", "prices": prices}]}
    document = parse(json.dumps([provider]).encode())
    assert not document.rejected
    return document.offerings[0]


def from_day(start_date: str, **prices: Any) -> dict[str, Any]:
    return {"constraint": {"start_date": start_date}, "prices": prices}


def daily(start_time: str, end_time: str, **prices: Any) -> dict[str, Any]:
    return {"constraint": {"start_time": start_time, "end_time": end_time}, "prices": prices}


def always(**prices: Any) -> dict[str, Any]:
    return {"prices": prices}


def amounts(row: ParsedOffering) -> dict[Conditions, Decimal]:
    by_line = {claim.line: claim.amount for claim in row.claims}
    assert len(by_line) == len(row.claims), "two claims share one line"
    return by_line


def spans(row: ParsedOffering, line: Conditions) -> list[tuple[str, datetime | None, datetime | None]]:
    return [
        (str(claim.amount), claim.effective_from, claim.effective_until) for claim in row.claims if claim.line == line
    ]


def test_an_announced_price_ends_the_present_one_at_its_date():
    row = offering([always(input_mtok=2), from_day("2026-09-01", input_mtok=3)])
    assert row.claims == (
        Claim(INPUT, Decimal(2), effective_until=SEPTEMBER),
        Claim(INPUT, Decimal(3), effective_from=SEPTEMBER, precision="day"),
    )


def test_each_dated_price_ends_where_the_next_begins():
    row = offering(
        [always(input_mtok=1), from_day("2026-09-01", input_mtok=2), from_day("2026-10-01", input_mtok=3)],
    )
    assert spans(row, INPUT) == [("1", None, SEPTEMBER), ("2", SEPTEMBER, OCTOBER), ("3", OCTOBER, None)]


def test_a_restated_amount_runs_on():
    row = offering([always(input_mtok=1, output_mtok=9), from_day("2026-09-01", input_mtok=2, output_mtok=9)])
    assert spans(row, OUTPUT) == [("9", None, None)]


def test_a_meter_that_a_later_price_lacks_ends_there():
    row = offering([always(input_mtok=1, cache_read_mtok=0.1), from_day("2026-09-01", input_mtok=1)])
    assert spans(row, Conditions("cache_read_tokens")) == [("0.1", None, SEPTEMBER)]
    assert spans(row, INPUT) == [("1", None, None)]


def test_a_price_that_returns_has_a_gap():
    row = offering(
        [always(input_mtok=1), from_day("2026-09-01", output_mtok=5), from_day("2026-10-01", input_mtok=1)],
    )
    assert spans(row, INPUT) == [("1", None, SEPTEMBER), ("1", OCTOBER, None)]


def test_the_last_entry_that_holds_counts_whatever_the_order_of_dates():
    row = offering([always(input_mtok=1), from_day("2026-10-01", input_mtok=3), from_day("2026-09-01", input_mtok=2)])
    assert spans(row, INPUT) == [("1", None, SEPTEMBER), ("2", SEPTEMBER, None)]


def test_only_dated_prices_say_nothing_of_the_time_before():
    assert spans(offering([from_day("2026-09-01", input_mtok=2)]), INPUT) == [("2", SEPTEMBER, None)]


def test_tiers_that_end_with_a_dated_price_end_alone():
    tiered = {"base": 5, "tiers": [{"start": 200000, "price": 10}]}
    row = offering([always(input_mtok=tiered), from_day("2026-09-01", input_mtok=5)])
    assert spans(row, INPUT) == [("5", None, None)]
    assert spans(row, Conditions("input_tokens", above_input_tokens=200_000)) == [("10", None, SEPTEMBER)]


def test_a_dearer_window_is_peak_and_the_rest_off_peak():
    row = offering(
        [
            always(input_mtok=0.135, cache_read_mtok=0.035, output_mtok=0.55),
            daily("00:30:00Z", "16:30:00Z", input_mtok=0.27, cache_read_mtok=0.07, output_mtok=1.1),
        ]
    )
    assert amounts(row) == {
        Conditions("cache_read_tokens", slot="off-peak"): Decimal("0.035"),
        Conditions("cache_read_tokens", slot="peak"): Decimal("0.07"),
        OFF_PEAK: Decimal("0.135"),
        PEAK: Decimal("0.27"),
        Conditions("output_tokens", slot="off-peak"): Decimal("0.55"),
        Conditions("output_tokens", slot="peak"): Decimal("1.1"),
    }
    assert row.slots == (SlotRule("peak", windows=((30, 990),)), SlotRule("off-peak", is_rest=True))


def test_a_cheaper_window_is_off_peak_also_over_midnight():
    row = offering([always(input_mtok=2), daily("16:30:00Z", "00:30:00Z", input_mtok=1)])
    assert amounts(row) == {OFF_PEAK: Decimal(1), PEAK: Decimal(2)}
    assert row.slots == (SlotRule("off-peak", windows=((990, 30),)), SlotRule("peak", is_rest=True))


def test_windows_of_one_price_are_one_slot():
    row = offering(
        [
            always(input_mtok=0.66),
            daily("01:00:00Z", "04:00:00Z", input_mtok=1.32),
            daily("06:00:00Z", "10:00:00Z", input_mtok=1.32),
        ]
    )
    assert row.slots == (SlotRule("peak", windows=((60, 240), (360, 600))), SlotRule("off-peak", is_rest=True))
    assert amounts(row) == {PEAK: Decimal("1.32"), OFF_PEAK: Decimal("0.66")}


def test_between_a_cheaper_and_a_dearer_window_lies_the_shoulder():
    row = offering(
        [always(input_mtok=2), daily("00:00", "06:00", input_mtok=1), daily("06:00", "09:00", input_mtok=3)],
    )
    assert amounts(row) == {OFF_PEAK: Decimal(1), PEAK: Decimal(3), replace(INPUT, slot="shoulder"): Decimal(2)}
    assert row.slots == (
        SlotRule("off-peak", windows=((0, 360),)),
        SlotRule("peak", windows=((360, 540),)),
        SlotRule("shoulder", is_rest=True),
    )


def test_windows_of_three_prices_are_numbered_from_the_furthest():
    row = offering(
        [always(input_mtok=1), daily("00:00", "06:00", input_mtok=2), daily("06:00", "09:00", input_mtok=3)],
    )
    assert amounts(row) == {PEAK: Decimal(3), replace(INPUT, slot="peak-2"): Decimal(2), OFF_PEAK: Decimal(1)}


def test_a_time_with_an_offset_is_counted_in_utc():
    row = offering([always(input_mtok=1), daily("08:30:00+08:00", "00:30:00+08:00", input_mtok=2)])
    assert row.slots[0] == SlotRule("peak", windows=((30, 990),))


def test_a_tariff_that_is_the_same_all_day_has_no_slot():
    row = offering(
        [
            always(input_mtok=1, web_searches_kcount=10),
            daily("00:30:00Z", "16:30:00Z", input_mtok=2, web_searches_kcount=10),
        ]
    )
    assert amounts(row)[Conditions("web_searches")] == Decimal(10)


@pytest.mark.parametrize("end", ["16:30:00Z", "00:30:00Z"])
def test_a_window_that_changes_nothing_makes_no_calendar(end):
    price = 1 if end == "16:30:00Z" else 2  # a window that ends as it starts is never open
    row = offering([always(input_mtok=1), daily("00:30:00Z", end, input_mtok=price)])
    assert (amounts(row), row.slots) == ({INPUT: Decimal(1)}, ())


def test_an_undated_window_counts_from_the_dated_price_before_it():
    row = offering(
        [
            always(input_mtok=0.435),
            from_day("2026-09-01", input_mtok=0.66),
            daily("01:00:00Z", "04:00:00Z", input_mtok=1.32),
        ]
    )
    assert spans(row, INPUT) == [("0.435", None, SEPTEMBER)]
    assert spans(row, OFF_PEAK) == [("0.66", SEPTEMBER, None)]
    assert spans(row, PEAK) == [("1.32", SEPTEMBER, None)]
    assert [(rule.slot, rule.effective_from) for rule in row.slots] == [("peak", SEPTEMBER), ("off-peak", SEPTEMBER)]


def test_a_later_dated_price_ends_the_calendar_before_it():
    row = offering(
        [always(input_mtok=1), daily("00:30:00Z", "16:30:00Z", input_mtok=2), from_day("2026-09-01", input_mtok=3)]
    )
    assert spans(row, PEAK) == [("2", None, SEPTEMBER)]
    assert spans(row, INPUT) == [("3", SEPTEMBER, None)]
    assert {rule.effective_until for rule in row.slots} == {SEPTEMBER}


def test_a_changed_calendar_has_rules_of_its_own_while_an_unchanged_price_runs_on():
    row = offering(
        [
            always(input_mtok=1),
            daily("01:00:00Z", "04:00:00Z", input_mtok=2),
            from_day("2026-09-01", input_mtok=1),
            daily("06:00:00Z", "10:00:00Z", input_mtok=2),
        ]
    )
    assert spans(row, PEAK) == [("2", None, None)]
    assert set(row.slots) == {
        SlotRule("peak", windows=((60, 240),), effective_until=SEPTEMBER),
        SlotRule("peak", windows=((360, 600),), effective_from=SEPTEMBER),
        SlotRule("off-peak", is_rest=True),
    }
