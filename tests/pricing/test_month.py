"""A month's usage: thresholds by the average call, prices of the clock by their share, fees by the call."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from pricing.claims import Conditions, SlotRule
from pricing.cost import PriceSheet, compile_sheet, price
from pricing.month import MonthCost, UnknownSlot, price_month
from pricing.tariffs import SheetPrice, Terms
from pricing.usage import UsageError

NOW = datetime(2026, 6, 3, 12, tzinfo=UTC)
USAGE = {"input_tokens": 3_000_000, "cache_read_tokens": 1_000_000, "output_tokens": 1_000_000}


def sheet(*prices: tuple[Conditions, str], rules: tuple[SlotRule, ...] = ()) -> PriceSheet:
    rows = [SheetPrice(line, Decimal(amount), row=place) for place, (line, amount) in enumerate(prices, 1)]
    return compile_sheet(rows, {0: rules})


def amounts(cost: MonthCost) -> dict[int | None, Decimal]:
    return {item.price.row: item.amount for item in cost.items}


PLAIN = sheet(
    (Conditions("input_tokens"), "2"), (Conditions("cache_read_tokens"), "0.5"), (Conditions("output_tokens"), "8")
)


def test_a_month_on_a_plain_sheet_costs_what_one_call_of_that_size_costs() -> None:
    cost = price_month(PLAIN, USAGE, NOW, calls=1)
    assert cost.totals == {"USD": Decimal("12.5")} == price(PLAIN, USAGE, NOW).totals
    assert [(item.meter, item.quantity) for item in cost.items] == [
        ("input_tokens", 2_000_000),
        ("output_tokens", 1_000_000),
        ("cache_read_tokens", 1_000_000),
    ]


LONG = sheet((Conditions("input_tokens"), "2"), (Conditions("input_tokens", above_input_tokens=200_000), "4"))


@pytest.mark.parametrize(
    ("calls", "row"), [(1, 2), (14, 2), (15, 1), (1000, 1)], ids=["one", "214k each", "200k each", "3k each"]
)
def test_a_threshold_looks_at_the_input_of_an_average_call(calls: int, row: int) -> None:
    assert list(amounts(price_month(LONG, {"input_tokens": 3_000_000}, NOW, calls=calls))) == [row]


def test_without_the_number_of_calls_no_threshold_is_reached_and_a_note_says_so() -> None:
    cost = price_month(LONG, {"input_tokens": 3_000_000}, NOW)
    assert amounts(cost) == {1: Decimal(6)}
    assert "how many calls" in cost.notes[0]


def test_a_fee_is_charged_for_each_call_and_named_where_their_number_is_not_known() -> None:
    with_fee = sheet((Conditions("input_tokens"), "2"), (Conditions("requests"), "5"))
    assert amounts(price_month(with_fee, {"input_tokens": 1_000_000}, NOW, calls=200)) == {1: 2, 2: 1}
    cost = price_month(with_fee, {"input_tokens": 1_000_000}, NOW)
    assert amounts(cost) == {1: 2}
    assert "fee" in cost.notes[0]


PEAK = SlotRule("peak", ((60, 240), (360, 600)), time_zone="UTC")
REST = SlotRule("off-peak", is_rest=True)
BY_CLOCK = sheet(
    (Conditions("input_tokens", slot="peak"), "2"),
    (Conditions("input_tokens", slot="off-peak"), "1"),
    rules=(PEAK, REST),
)


def test_usage_is_spread_evenly_over_the_hours_of_the_slots() -> None:
    cost = price_month(BY_CLOCK, {"input_tokens": 24_000_000}, NOW, calls=9)
    assert amounts(cost) == {1: 14, 2: 17}
    assert {item.price.row: item.quantity for item in cost.items} == {1: 7_000_000, 2: 17_000_000}


def test_usage_that_is_said_to_fall_into_a_slot_is_charged_there() -> None:
    assert amounts(price_month(BY_CLOCK, {"input_tokens": 24_000_000}, NOW, slot="off-peak")) == {2: 24}


def test_an_unknown_slot_is_refused_with_those_there_are() -> None:
    with pytest.raises(UnknownSlot, match="choices are off-peak, peak"):
        price_month(BY_CLOCK, {"input_tokens": 1}, NOW, slot="night")
    with pytest.raises(UnknownSlot, match="none"):
        price_month(PLAIN, {"input_tokens": 1}, NOW, slot="night")


def test_weekdays_count_by_their_number_in_a_week() -> None:
    weekend = SlotRule("weekend", ((0, 1440),), weekdays=(6, 7))
    by_week = sheet(
        (Conditions("input_tokens", slot="weekend"), "7"), (Conditions("input_tokens"), "0"), rules=(weekend,)
    )
    assert price_month(by_week, {"input_tokens": 1_000_000}, NOW).totals == {"USD": 2}


def test_a_share_that_cannot_be_written_is_rounded_to_twelve_places() -> None:
    weekend = SlotRule("weekend", ((0, 1440),), weekdays=(6, 7))
    by_week = sheet(
        (Conditions("input_tokens", slot="weekend"), "1"), (Conditions("input_tokens"), "0"), rules=(weekend,)
    )
    assert price_month(by_week, {"input_tokens": 1_000_000}, NOW).totals == {"USD": Decimal("0.285714285714")}


def test_what_has_no_price_is_named_and_no_part_of_the_sum() -> None:
    cost = price_month(PLAIN, {"input_tokens": 10, "web_searches": 3}, NOW)
    assert [(gap.meter, gap.quantity) for gap in cost.unpriced] == [("web_searches", 3)]


@pytest.mark.parametrize("usage", [{"input_tokens": 1, "cache_read_tokens": 2}, {"smells": 1}, {"input_tokens": -1}])
def test_usage_that_cannot_be_is_refused(usage: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        price_month(PLAIN, usage, NOW)


def test_terms_choose_the_tariff() -> None:
    batch = sheet((Conditions("input_tokens"), "2"), (Conditions("input_tokens", service_tier="batch"), "1"))
    assert amounts(price_month(batch, {"input_tokens": 10**6}, NOW, terms=Terms("batch"))) == {2: 1}


def test_a_month_of_a_count_with_many_digits_is_exact() -> None:
    seconds = Decimal("123456789012345678.123456789012345678")
    cost = price_month(sheet((Conditions("audio_seconds"), "1")), {"audio_seconds": seconds}, NOW)
    assert cost.totals == {"USD": seconds}
