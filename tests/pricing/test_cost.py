"""What a call cost: one line for each meter, exact amounts, and what has no price said so."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction

import pytest

from pricing import cost as engine
from pricing.claims import Conditions, SlotRule
from pricing.cost import Cost, MixedCurrencies, NaiveMoment, PriceSheet, compile_sheet, price
from pricing.tariffs import CostError, OverlappingPrices, SheetPrice, UnknownTerm
from pricing.usage import UsageError

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
DAY = timedelta(days=1)
INSTANT = timedelta(microseconds=1)


def priced(meter: str, amount: str, row: int = 0, **rest: object) -> SheetPrice:
    """A price; what a line has goes to the line."""
    line = {name: rest.pop(name) for name in tuple(rest) if name in Conditions.__dataclass_fields__}
    return SheetPrice(Conditions(meter, **line), Decimal(amount), row=row, **rest)  # type: ignore[arg-type]


def sheet_of(*prices: SheetPrice, rules: Iterable[SlotRule] = ()) -> PriceSheet:
    return compile_sheet(prices, {0: tuple(rules)})


def rows(cost: Cost) -> list[tuple[str, object, str, int | None]]:
    return [(item.meter, item.quantity, str(item.amount.normalize()), item.price.row) for item in cost.items]


PLAIN = sheet_of(
    priced("input_tokens", "3", 1), priced("output_tokens", "15", 2), priced("cache_read_tokens", "0.30", 3)
)


def test_each_amount_cites_its_price_row_and_the_total_is_exact() -> None:
    cost = price(PLAIN, {"input_tokens": 1_000_001, "cache_read_tokens": 400_000, "output_tokens": 7}, NOON)
    assert rows(cost) == [
        ("input_tokens", 600_001, "1.800003", 1),
        ("output_tokens", 7, "0.000105", 2),
        ("cache_read_tokens", 400_000, "0.12", 3),
    ]
    assert (cost.total, cost.currency) == (Decimal("1.920108"), "USD")
    assert not cost.unpriced
    assert not cost.notes


def test_nothing_is_rounded() -> None:
    amount, quantity = "12345678901234567890.123456789012345678", 999_999_999_999_999_999
    total = price(sheet_of(priced("input_tokens", amount)), {"input_tokens": quantity}, NOON).total
    assert Fraction(total) == Fraction(amount) * quantity / 10**6


def test_a_sub_count_without_a_price_is_charged_at_its_parents() -> None:
    usage = {"output_tokens": 100, "reasoning_tokens": 60, "input_tokens": 50, "cache_write_1h_tokens": 20}
    assert rows(price(PLAIN, usage, NOON)) == [
        ("input_tokens", 50, "0.00015", 1),
        ("output_tokens", 100, "0.0015", 2),
    ]
    writing = sheet_of(priced("input_tokens", "3", 1), priced("cache_write_tokens", "3.75", 4))
    assert rows(price(writing, {"input_tokens": 50, "cache_write_1h_tokens": 20}, NOON)) == [
        ("input_tokens", 30, "0.00009", 1),
        ("cache_write_tokens", 20, "0.000075", 4),
    ]


def test_cached_audio_goes_at_the_audio_price_where_the_cache_has_none() -> None:
    sheet = sheet_of(priced("input_tokens", "1", 1), priced("input_audio_tokens", "10", 2))
    usage = {"input_tokens": 100, "cache_read_tokens": 30, "cache_read_audio_tokens": 20, "input_audio_tokens": 40}
    assert rows(price(sheet, usage, NOON)) == [
        ("input_tokens", 60, "0.00006", 1),
        ("input_audio_tokens", 40, "0.0004", 2),
    ]


def test_what_has_no_price_is_unpriced_under_its_outermost_meter_and_not_counted() -> None:
    sheet = sheet_of(priced("output_tokens", "15", 2), priced("cache_read_tokens", "1", 3))
    cost = price(
        sheet, {"input_tokens": 100, "cache_read_tokens": 10, "cache_write_tokens": 5, "web_searches": 2}, NOON
    )
    assert rows(cost) == [("cache_read_tokens", 10, "0.00001", 3)]
    assert [(gap.meter, gap.quantity) for gap in cost.unpriced] == [("input_tokens", 90), ("web_searches", 2)]
    assert cost.total == Decimal("0.00001")


def test_a_count_of_nothing_needs_no_price() -> None:
    cost = price(PLAIN, {"input_tokens": 0, "web_searches": 0}, NOON)
    assert (cost.total, cost.currency, list(cost.items), list(cost.unpriced)) == (0, "USD", [], [])


def test_a_threshold_holds_for_the_whole_request_when_its_input_is_strictly_above() -> None:
    sheet = sheet_of(
        priced("input_tokens", "1", 1),
        priced("input_tokens", "2", 2, above_input_tokens=200_000),
        priced("input_tokens", "4", 3, above_input_tokens=500_000),
        priced("output_tokens", "10", 4),
        priced("output_tokens", "20", 5, above_input_tokens=200_000),
    )
    assert [row for *_, row in rows(price(sheet, {"input_tokens": 200_000, "output_tokens": 1}, NOON))] == [1, 4]
    assert [row for *_, row in rows(price(sheet, {"input_tokens": 200_001, "output_tokens": 1}, NOON))] == [2, 5]
    assert rows(price(sheet, {"input_tokens": 500_001, "output_tokens": 1}, NOON)) == [
        ("input_tokens", 500_001, "2.000004", 3),
        ("output_tokens", 1, "0.00002", 5),
    ]


def test_the_price_in_force_at_the_moment_counts() -> None:
    sheet = sheet_of(
        priced("input_tokens", "10", 1, effective_until=NOON), priced("input_tokens", "2", 2, effective_from=NOON)
    )
    assert price(sheet, {"input_tokens": 10**6}, NOON - INSTANT).total == 10
    assert price(sheet, {"input_tokens": 10**6}, NOON).total == 2
    beijing = timezone(timedelta(hours=8))
    assert price(sheet, {"input_tokens": 10**6}, (NOON - INSTANT).astimezone(beijing)).total == 10


def test_without_a_moment_it_is_now() -> None:
    now = datetime.now(UTC)
    sheet = sheet_of(priced("input_tokens", "2", effective_from=now - DAY, effective_until=now + DAY))
    assert price(sheet, {"input_tokens": 10**6}).total == 2


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(NaiveMoment, match="has no time zone"):
        price(PLAIN, {}, NOON.replace(tzinfo=None))


def test_a_moment_at_the_end_of_the_years_is_refused() -> None:
    ends = datetime.max.replace(tzinfo=UTC)
    assert price(PLAIN, {"input_tokens": 10**6}, ends).total == 3
    with pytest.raises(CostError, match="no moment in UTC"):
        price(PLAIN, {}, ends.replace(tzinfo=timezone(timedelta(hours=-8))))
    slotted = sheet_of(
        priced("input_tokens", "1", slot="peak"), rules=[SlotRule("peak", ((0, 60),), time_zone="Asia/Shanghai")]
    )
    with pytest.raises(CostError, match="too far away"):
        price(slotted, {"input_tokens": 1}, ends)


def test_promo_stands_before_list_while_it_is_in_force() -> None:
    sheet = sheet_of(
        priced("input_tokens", "4", 1),
        priced("input_tokens", "1", 2, layer="promo", effective_from=NOON - DAY, effective_until=NOON),
    )
    assert price(sheet, {"input_tokens": 10**6}, NOON - INSTANT).total == 1
    assert price(sheet, {"input_tokens": 10**6}, NOON).total == 4


def test_the_slot_of_the_hour_stands_before_a_line_without_one() -> None:
    rules = [SlotRule("peak", ((540, 720),), (1, 2, 3, 4, 5), "Asia/Shanghai")]
    sheet = sheet_of(priced("input_tokens", "1", 1), priced("input_tokens", "2", 2, slot="peak"), rules=rules)
    assert price(sheet, {"input_tokens": 10**6}, datetime(2026, 11, 23, 1, tzinfo=UTC)).total == 2
    assert price(sheet, {"input_tokens": 10**6}, datetime(2026, 11, 23, 4, tzinfo=UTC)).total == 1


def test_the_rest_holds_whenever_no_other_slot_of_the_tariff_does() -> None:
    rules = [SlotRule("peak", ((0, 720),)), SlotRule("off-peak", is_rest=True)]
    sheet = sheet_of(
        priced("input_tokens", "2", 1, slot="peak"),
        priced("input_tokens", "1", 2, slot="off-peak"),
        priced("output_tokens", "5", 3, slot="off-peak"),
        rules=rules,
    )
    usage = {"input_tokens": 10**6, "output_tokens": 10**6}
    assert [row for *_, row in rows(price(sheet, usage, NOON - INSTANT))] == [1, 3]
    assert [row for *_, row in rows(price(sheet, usage, NOON))] == [2, 3]


def test_sources_with_calendars_of_their_own_keep_them_apart() -> None:
    sheet = compile_sheet(
        [
            priced("input_tokens", "2", 1, slot="peak", calendar=1),
            priced("output_tokens", "8", 2, slot="peak", calendar=2),
        ],
        {1: [SlotRule("peak", ((0, 720),))], 2: [SlotRule("peak", ((720, 1440),))]},
    )
    cost = price(sheet, {"input_tokens": 10**6, "output_tokens": 10**6}, NOON)
    assert rows(cost) == [("output_tokens", 10**6, "8", 2)]
    assert [gap.meter for gap in cost.unpriced] == ["input_tokens"]


TIERED = sheet_of(
    priced("input_tokens", "2", 1),
    priced("cache_read_tokens", "0.2", 2),
    priced("web_searches", "10", 3),
    priced("input_tokens", "1", 4, service_tier="batch"),
    priced("input_tokens", "2.2", 5, region="eu"),
    priced("output_images", "0.04", 6),
    priced("output_images", "0.08", 7, variant="hd"),
)


def test_a_meter_without_a_price_in_its_tier_is_charged_at_the_standard_one_and_says_so() -> None:
    usage = {"input_tokens": 100, "cache_read_tokens": 40, "web_searches": 1}
    cost = price(TIERED, usage, NOON, service_tier="batch")
    assert [(meter, row) for meter, *_, row in rows(cost)] == [
        ("input_tokens", 4),
        ("cache_read_tokens", 2),
        ("web_searches", 3),
    ]
    assert tuple(cost.notes) == (
        "cache_read_tokens has no price for service tier batch: charged at the one for service tier standard",
        "web_searches has no price for service tier batch: charged at the one for service tier standard",
    )


def test_a_sub_count_that_costs_as_its_parent_goes_with_it_in_every_tier() -> None:
    sheet = sheet_of(
        priced("output_tokens", "2.5", 1),
        priced("reasoning_tokens", "2.5", 2),
        priced("output_tokens", "1.25", 3, service_tier="flex"),
    )
    usage = {"output_tokens": 10, "reasoning_tokens": 4}
    assert [row for *_, row in rows(price(sheet, usage, NOON))] == [1, 2]
    assert rows(price(sheet, usage, NOON, service_tier="flex")) == [("output_tokens", 10, "0.0000125", 3)]


def test_an_unknown_tier_is_refused_with_the_choices() -> None:
    with pytest.raises(UnknownTerm) as refused:
        price(TIERED, {"input_tokens": 1}, NOON, service_tier="bach")
    assert (refused.value.field, refused.value.choices) == ("service_tier", ("batch", "standard"))
    assert "did you mean batch?" in str(refused.value)


def test_an_unknown_variant_is_refused_with_the_choices() -> None:
    with pytest.raises(UnknownTerm, match="variant: there is no '4k' here; choices are hd"):
        price(TIERED, {"output_images": 1}, NOON, variant="4k")
    assert price(TIERED, {"output_images": 1}, NOON, variant="hd").total == Decimal("0.08")


def test_a_tier_that_is_not_sold_at_the_moment_has_no_price_of_its_own() -> None:
    sheet = sheet_of(
        priced("input_tokens", "1", 1, service_tier="flex", effective_from=NOON),
        priced("output_tokens", "9", 2, service_tier="flex"),
    )
    cost = price(sheet, {"input_tokens": 5}, NOON - DAY, service_tier="flex")
    assert [(gap.meter, gap.known_from) for gap in cost.unpriced] == [("input_tokens", NOON)]


def test_a_region_without_prices_of_its_own_pays_those_without_a_region() -> None:
    assert price(TIERED, {"input_tokens": 10**6}, NOON, region="eu").total == Decimal("2.2")
    elsewhere = price(TIERED, {"input_tokens": 10**6}, NOON, region="us")
    assert elsewhere.total == 2
    assert tuple(elsewhere.notes) == ("input_tokens has no price for region us: charged at the one without a region",)


def test_the_tier_counts_before_the_region() -> None:
    assert price(TIERED, {"input_tokens": 10**6}, NOON, region="eu", service_tier="batch").total == 1


def test_what_is_only_sold_in_a_region_has_no_price_without_one() -> None:
    cost = price(sheet_of(priced("input_tokens", "3", region="eu")), {"input_tokens": 5}, NOON)
    assert [gap.meter for gap in cost.unpriced] == ["input_tokens"]
    assert tuple(cost.notes) == ("input_tokens has prices only on other terms or at other times: standard eu",)


def test_a_price_per_request_is_charged_once_for_a_call() -> None:
    sheet = sheet_of(priced("requests", "5", 1), priced("input_tokens", "1", 2), priced("subscriptions", "20", 3))
    assert price(sheet, {"input_tokens": 1000}, NOON).total == Decimal("0.006")
    assert price(sheet, {"input_tokens": 1000, "requests": 30}, NOON).total == Decimal("0.151")
    assert price(sheet, {"input_tokens": 1000, "requests": 0}, NOON).total == Decimal("0.001")
    assert price(sheet, {"subscriptions": 1}, NOON).total == 20


def test_what_a_plan_includes_costs_nothing_and_says_so() -> None:
    sheet = sheet_of(priced("messages", "0", 1, zero_means="included"))
    cost = price(sheet, {"messages": 40}, NOON)
    assert (cost.total, rows(cost)) == (0, [("messages", 40, "0", 1)])
    assert tuple(cost.notes) == ("messages: included in the plan, at no cost of its own",)


def test_audio_goes_at_the_price_without_direction_where_its_own_has_none() -> None:
    sheet = sheet_of(priced("audio_seconds", "0.0001", 1))
    assert rows(price(sheet, {"input_audio_seconds": 60}, NOON)) == [("audio_seconds", 60, "0.006", 1)]
    assert price(sheet, {"audio_seconds": 60}, NOON).total == Decimal("0.006")


def test_divisible_quantities_stay_exact() -> None:
    sheet = sheet_of(priced("input_audio_seconds", "0.0001", 1))
    assert price(sheet, {"input_audio_seconds": Decimal("0.1")}, NOON).total == Decimal("0.00001")
    assert price(sheet, {"input_audio_seconds": 0.1}, NOON).total == Decimal("0.00001")


def test_before_the_first_price_the_earliest_is_taken_only_when_asked() -> None:
    sheet = sheet_of(
        priced("input_tokens", "10", 1, effective_from=NOON, effective_until=NOON + DAY),
        priced("input_tokens", "2", 2, effective_from=NOON + DAY),
    )
    silent = price(sheet, {"input_tokens": 10**6}, NOON - DAY)
    assert (silent.total, silent.unpriced[0].known_from, silent.assumed_at) == (0, NOON, None)
    assumed = price(sheet, {"input_tokens": 10**6}, NOON - DAY, assume_earliest=True)
    assert (assumed.total, assumed.assumed_at, assumed.items[0].price.row) == (10, NOON, 1)
    assert "no price is known before 2026-11-23T12:00:00Z" in assumed.notes[0]
    assert price(sheet, {"input_tokens": 10**6}, NOON + DAY, assume_earliest=True).assumed_at is None


BOTH = {"input_tokens": 10**6, "output_tokens": 10**6}
LATER = NOON + DAY


def test_nothing_is_assumed_for_what_has_a_price_on_other_terms() -> None:
    sheet = sheet_of(
        priced("input_tokens", "2", effective_from=NOON, effective_until=LATER),
        priced("input_tokens", "1", effective_from=LATER),
        priced("output_tokens", "10", effective_from=NOON),
        priced("output_tokens", "5", effective_from=LATER, service_tier="batch"),
    )
    said, assumed = (price(sheet, BOTH, NOON, service_tier="batch", assume_earliest=assume) for assume in (False, True))
    assert (said.total, assumed.total, assumed.assumed_at) == (12, 12, None)
    assert assumed.notes == said.notes


def test_each_meter_takes_its_own_earliest_price() -> None:
    sheet = sheet_of(
        priced("input_tokens", "2", effective_from=NOON), priced("output_tokens", "10", effective_from=LATER)
    )
    before, between = (price(sheet, BOTH, at, assume_earliest=True) for at in (NOON - DAY, NOON))
    assert (before.total, before.assumed_at, before.unpriced) == (12, NOON, [])
    assert before.notes == [
        "input_tokens: no price is known before 2026-11-23T12:00:00Z: the earliest known price counts",
        "output_tokens: no price is known before 2026-11-24T12:00:00Z: the earliest known price counts",
    ]
    assert (between.total, between.assumed_at, between.notes) == (12, LATER, before.notes[1:])


def test_what_ended_is_not_assumed_to_be_sold_at_a_later_price() -> None:
    sheet = sheet_of(
        priced("input_tokens", "2", effective_from=NOON - DAY, effective_until=NOON),
        priced("input_tokens", "3", effective_from=LATER),
    )
    cost = price(sheet, {"input_tokens": 5}, NOON, assume_earliest=True)
    assert (cost.total, cost.assumed_at, cost.unpriced[0].known_from) == (0, None, LATER)


def test_a_fee_for_the_call_is_assumed_only_with_the_prices_that_it_came_with() -> None:
    fee = priced("requests", "100", effective_from=NOON)
    together = sheet_of(fee, priced("input_tokens", "1", effective_from=NOON))
    fee_later = sheet_of(fee, priced("input_tokens", "1", effective_from=NOON - DAY))
    before = [
        price(sheet, {"input_tokens": 10**6}, NOON - 2 * DAY, assume_earliest=True) for sheet in (together, fee_later)
    ]
    assert [cost.total for cost in before] == [Decimal("1.1"), 1]
    assert price(fee_later, {"input_tokens": 10**6}, NOON - DAY, assume_earliest=True).total == 1


@pytest.mark.parametrize(
    ("sold", "usage"),
    [
        ("audio_seconds", {"input_audio_seconds": 5}),
        ("output_image_tokens", {"output_tokens": 9, "output_image_tokens": 9}),
        ("input_tokens", {"input_tokens": 9, "cache_read_tokens": 9}),
    ],
)
def test_what_has_no_price_names_the_first_date_of_any_price_it_could_have(sold: str, usage: dict[str, int]) -> None:
    (gap,) = price(sheet_of(priced(sold, "1", effective_from=NOON)), usage, NOON - DAY).unpriced
    assert gap.known_from == NOON


def test_an_assumed_price_is_that_of_the_calls_own_hour() -> None:
    rules = [SlotRule("peak", ((0, 720),), effective_from=NOON), SlotRule("rest", is_rest=True, effective_from=NOON)]
    sheet = sheet_of(
        priced("input_tokens", "2", 1, slot="peak", effective_from=NOON),
        priced("input_tokens", "1", 2, slot="rest", effective_from=NOON),
        rules=rules,
    )
    morning = datetime(2026, 11, 1, 8, tzinfo=UTC)
    assert price(sheet, {"input_tokens": 10**6}, morning, assume_earliest=True).total == 2


def test_items_in_two_currencies_have_two_totals_and_no_single_one() -> None:
    sheet = sheet_of(priced("input_tokens", "1", currency="USD"), priced("output_tokens", "8", currency="CNY"))
    cost = price(sheet, {"input_tokens": 10**6, "output_tokens": 10**6}, NOON)
    assert cost.totals == {"USD": 1, "CNY": 8}
    with pytest.raises(MixedCurrencies, match="CNY, USD"):
        _ = cost.total
    assert price(sheet, {"output_tokens": 10**6}, NOON).currency == "CNY"


def test_impossible_usage_is_refused() -> None:
    with pytest.raises(UsageError, match="cache_read_tokens: is 11, more than input_tokens"):
        price(PLAIN, {"input_tokens": 10, "cache_read_tokens": 11}, NOON)
    with pytest.raises(UsageError, match="input_tokens: is -1"):
        price(PLAIN, {"input_tokens": -1}, NOON)
    with pytest.raises(UsageError, match="tokens_in: is no usage key"):
        price(PLAIN, {"tokens_in": 1}, NOON)


def test_no_digit_of_a_long_count_is_lost() -> None:
    seconds = Decimal("123456789012345678.123456789012345678")
    assert price(sheet_of(priced("audio_seconds", "1")), {"audio_seconds": seconds}, NOON).total == seconds


def test_two_prices_of_one_line_at_once_are_refused() -> None:
    with pytest.raises(OverlappingPrices):
        sheet_of(
            priced("input_tokens", "1", effective_until=NOON), priced("input_tokens", "2", effective_from=NOON - DAY)
        )


def test_plans_are_kept_within_their_bound() -> None:
    sheet = sheet_of(
        *(
            priced("input_tokens", "1", n, effective_from=NOON + n * DAY, effective_until=NOON + (n + 1) * DAY)
            for n in range(200)
        )
    )
    for day in range(200):
        assert price(sheet, {"input_tokens": 10}, NOON + day * DAY).items[0].price.row == day
        assert len(sheet.plans) <= engine.PLANS_KEPT


def test_an_empty_sheet_prices_nothing() -> None:
    cost = price(sheet_of(), {"input_tokens": 5, "output_tokens": 0}, NOON)
    assert (cost.total, [(gap.meter, gap.quantity) for gap in cost.unpriced]) == (0, [("input_tokens", 5)])
