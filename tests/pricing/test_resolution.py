"""Who is believed when several sources, or several ids of one source, speak of one tariff."""

from __future__ import annotations

from decimal import Decimal

from pytest import approx

from pricing.claims import Claim, Conditions
from pricing.resolution import Ruled
from tests.pricing.believing import believe, day, feed, price, record
from tests.pricing.worlds import LONG, PEAK, PLAIN, PROMO, REST, Quote


def test_the_source_first_in_the_order_speaks_and_being_earlier_or_fresher_gives_nothing() -> None:
    first = feed("first", 10, {5: [price("1")]})
    fresher = feed("second", 20, {0: [], 5: [price("2")], 30: [price("2")]})
    assert believe(fresher, first) == {PLAIN: [(5, None, "1", "observed", None)]}


def test_before_its_first_reading_the_next_source_speaks() -> None:
    late = feed("late", 10, {20: [price("1")]})
    early = feed("early", 20, {0: [price("2")], 30: [price("2")]})
    assert believe(late, early) == {PLAIN: [(0, 20, "2", "observed", None), (20, None, "1", "observed", None)]}


def test_what_a_feed_dates_before_its_first_reading_does_not_outrank_who_was_read_then() -> None:
    late = feed("late", 10, {20: [price("1", since=-10)]})
    early = feed("early", 20, {0: [price("2")], 30: [price("2")]})
    assert believe(late, early)[PLAIN] == [
        (-10, 0, "1", "exact", None),
        (0, 20, "2", "observed", None),
        (20, None, "1", "observed", None),
    ]


def test_what_people_date_counts_from_its_date() -> None:
    curated = record("curated", 1, {20: [price("1", since=-10)]})
    early = feed("early", 20, {0: [price("2")], 30: [price("2")]})
    assert believe(curated, early) == {PLAIN: [(-10, None, "1", "exact", None)]}


def test_a_move_that_the_next_source_sees_after_the_record_was_written_is_heard() -> None:
    curated = record("curated", 1, {20: [price("1", since=-10)]})
    agrees = feed("agrees", 10, {15: [price("1")], 30: [price("2")], 31: [price("2")], 40: [price("3")]})
    assert believe(curated, agrees)[PLAIN] == [
        (-10, 30, "1", "exact", None),
        (30, 40, "2", "observed", 15),
        (40, None, "3", "observed", 31),
    ]


def test_a_record_read_again_says_nothing_more_but_a_new_word_does() -> None:
    agrees = feed("agrees", 10, {15: [price("1")], 30: [price("2")]})
    again = {20: [price("1", since=-10)], 35: [price("1", since=-10)]}
    assert believe(record("curated", 1, again), agrees)[PLAIN][-1][:3] == (30, None, "2")
    anew = {20: [price("1", since=-10)], 35: [price("1", since=-9)]}
    assert believe(record("curated", 1, anew), agrees)[PLAIN][-1][1:3] == (None, "1")


def test_only_the_next_source_and_only_after_agreeing_is_heard_over_a_record() -> None:
    curated = record("curated", 1, {20: [price("1", since=-10)]})
    silent = feed("silent", 10, {15: [price("1")], 30: [price("1")]})
    third = feed("third", 20, {15: [price("1")], 30: [price("2")]})
    never_agreed = feed("never", 10, {15: [price("5")], 30: [price("2")]})
    for feeds in ([silent, third], [never_agreed]):
        assert believe(curated, *feeds) == {PLAIN: [(-10, None, "1", "exact", None)]}


def test_when_the_first_source_withdraws_the_tariff_the_next_one_speaks() -> None:
    first = feed("first", 10, {0: [price("1")], 7: [], 14: [], 21: []})
    second = feed("second", 20, {0: [price("2")], 21: [price("2")]})
    assert believe(first, second) == {PLAIN: [(0, 7, "1", "observed", None), (7, None, "2", "observed", None)]}


def test_a_source_sets_a_tariff_whole() -> None:
    flat = feed("flat", 10, {0: [price("1")]})
    tiered = feed("tiered", 20, {0: [price("1"), price("2", LONG)]})
    assert believe(flat, tiered) == {PLAIN: [(0, None, "1", "observed", None)]}
    assert believe(feed("flat", 30, {0: [price("1")]}), tiered).keys() == {PLAIN, LONG}


def test_of_one_source_the_more_specific_id_speaks() -> None:
    both = [price("1", external_id="deepseek-chat"), price("2", external_id="deepseek/deepseek-chat")]
    assert believe(feed("a", 10, {0: both})) == {PLAIN: [(0, None, "2", "observed", None)]}


def test_the_longer_of_two_ids_of_one_depth_speaks() -> None:
    both = [price("1", external_id="model"), price("2", external_id="model-2026")]
    assert believe(feed("a", 10, {0: both})) == {PLAIN: [(0, None, "2", "observed", None)]}


def test_the_less_specific_id_goes_on_when_the_other_is_withdrawn() -> None:
    short = price("1", external_id="chat")
    readings = {0: [short, price("2", external_id="vendor/chat")], 7: [short], 14: [short], 21: [short]}
    assert believe(feed("a", 10, readings)) == {
        PLAIN: [(0, 7, "2", "observed", None), (7, None, "1", "observed", None)]
    }


def test_a_flat_price_that_equals_one_slot_confirms_the_finer_sheet_and_yields() -> None:
    flat = feed("flat", 10, {0: [price("2")]})
    calendar = feed("calendar", 20, {0: [price("2", PEAK), price("1", REST)]})
    assert believe(flat, calendar).keys() == {PEAK, REST}


def test_a_flat_price_that_equals_no_slot_stands() -> None:
    flat = feed("flat", 10, {0: [price("3")]})
    calendar = feed("calendar", 20, {0: [price("2", PEAK), price("1", REST)]})
    assert believe(flat, calendar).keys() == {PLAIN}


def test_a_flat_price_that_equals_the_promotion_confirms_it() -> None:
    flat = feed("flat", 10, {0: [price("1")]})
    layered = feed("layered", 20, {0: [price("2"), price("1", PROMO)]})
    assert believe(flat, layered) == {
        PLAIN: [(0, None, "2", "observed", None)],
        PROMO: [(0, None, "1", "observed", None)],
    }


def test_a_flat_source_that_moves_away_from_the_slots_speaks_again() -> None:
    flat = feed("flat", 10, {0: [price("2")], 7: [price("5")]})
    calendar = feed("calendar", 20, {0: [price("2", PEAK), price("1", REST)], 7: [price("2", PEAK), price("1", REST)]})
    assert believe(flat, calendar) == {
        PEAK: [(0, 7, "2", "observed", None)],
        REST: [(0, 7, "1", "observed", None)],
        PLAIN: [(7, None, "5", "observed", 0)],
    }


def test_an_observed_move_takes_the_date_that_another_source_gives_it_inside_the_window() -> None:
    looks = feed("looks", 10, {0: [price("1")], 7: [price("2")]})
    dates = feed("dates", 20, {9: [price("1", since=-20, until=4), price("2", since=4, precision="day")]})
    assert believe(looks, dates)[PLAIN][1:] == [(4, None, "2", "day", None)]


def test_a_source_that_dates_only_the_new_price_refines_the_move_as_well() -> None:
    looks = feed("looks", 10, {0: [price("1")], 7: [price("2")]})
    dates = feed("dates", 20, {9: [price("2", since=4, precision="day")]})
    assert believe(looks, dates) == {PLAIN: [(0, 4, "1", "observed", None), (4, None, "2", "day", None)]}


def test_a_date_outside_the_window_refines_nothing() -> None:
    looks = feed("looks", 10, {0: [price("1")], 3: [price("1")], 7: [price("2")]})
    dates = feed("dates", 20, {9: [price("1", since=-20, until=2), price("2", since=2)]})
    assert believe(looks, dates)[PLAIN][1:] == [(7, None, "2", "observed", 3)]


def test_a_dated_move_between_other_prices_refines_nothing() -> None:
    looks = feed("looks", 10, {0: [price("1")], 7: [price("2")]})
    dates = feed("dates", 20, {9: [price("3", since=1, until=4), price("2", since=4)]})
    assert believe(looks, dates)[PLAIN][1:] == [(7, None, "2", "observed", 0)]


def test_the_most_precise_date_inside_the_window_is_taken() -> None:
    looks = feed("looks", 10, {0: [price("1")], 31: [price("2")]})
    roughly = feed("roughly", 20, {40: [price("2", since=10, precision="month")]})
    exactly = feed("exactly", 30, {40: [price("2", since=17, precision="exact")]})
    assert believe(looks, roughly, exactly)[PLAIN][1:] == [(17, None, "2", "exact", None)]


def test_an_announcement_is_believed_beyond_what_the_undated_speaker_has_read() -> None:
    looks = feed("looks", 10, {0: [price("1")], 7: [price("1")]})
    announces = feed("announces", 20, {7: [price("1", since=0, until=30), price("2", since=30)]})
    assert believe(looks, announces) == {PLAIN: [(0, 30, "1", "observed", None), (30, None, "2", "exact", None)]}


def test_an_announcement_falls_when_the_speaker_still_shows_the_old_price_after_it() -> None:
    announces = feed("announces", 20, {7: [price("1", since=0, until=30), price("2", since=30)]})
    for readings, falls in (((31,), False), ((31, 31.5, 31.9), False), ((30, 31), False), ((30, 31, 32), True)):
        looks = feed("looks", 10, {0: [price("1")], **{at: [price("1")] for at in readings}})
        assert (believe(looks, announces)[PLAIN] == [(0, None, "1", "observed", None)]) == falls


def test_an_announcement_by_someone_who_disagreed_until_then_is_not_believed() -> None:
    looks = feed("looks", 10, {0: [price("1")]})
    announces = feed("announces", 20, {0: [price("5", since=0, until=30), price("6", since=30)]})
    assert believe(looks, announces) == {PLAIN: [(0, None, "1", "observed", None)]}


def test_an_announced_move_of_slots_is_believed_when_the_flat_price_confirms_them_until_then() -> None:
    flat = feed("flat", 10, {0: [price("2")]})
    slots = [price("2", PEAK, since=0, until=30), price("4", PEAK, since=30), price("1", REST, since=0)]
    believed = believe(flat, feed("calendar", 20, {0: slots}))
    assert believed[PEAK] == [(0, 30, "2", "exact", None), (30, None, "4", "exact", None)]
    assert PLAIN not in believed


def test_a_source_between_that_dates_the_time_itself_is_believed_before_an_announcer() -> None:
    looks = feed("looks", 10, {0: [price("1")]})
    knows = feed("knows", 20, {0: [price("1", since=0, until=60)]})
    announces = feed("announces", 30, {0: [price("1", since=0, until=30), price("2", since=30)]})
    assert believe(looks, knows, announces)[PLAIN][0][:3] == (0, None, "1")


def test_an_open_end_says_only_that_the_price_held_when_read() -> None:
    dated = feed("dated", 10, {0: [price("1", since=0)]})
    announces = feed("announces", 20, {0: [price("1", since=0, until=30), price("2", since=30)]})
    assert believe(dated, announces)[PLAIN] == [(0, 30, "1", "exact", None), (30, None, "2", "exact", None)]


def test_an_undated_source_that_reaches_the_end_of_a_dated_one_takes_over() -> None:
    dated = feed("dated", 10, {0: [price("1", since=0, until=10)]})
    undated = feed("undated", 20, {0: [price("2")]})
    assert believe(dated, undated) == {PLAIN: [(0, 10, "1", "exact", None), (10, None, "2", "observed", None)]}


def test_agreeing_sources_make_one_price_through_a_change_of_witness() -> None:
    first = feed("first", 10, {0: [price("1")], 7: [], 14: [], 21: []})
    second = feed("second", 20, {3: [price("1")]})
    assert believe(first, second) == {PLAIN: [(0, None, "1", "observed", None)]}


def test_of_two_currencies_the_speakers_own_is_believed() -> None:
    yuan = Quote("model", Claim(PLAIN, Decimal("7"), "CNY"))
    assert believe(feed("a", 10, {0: [yuan]}), feed("b", 20, {0: [price("1")]})) == {
        PLAIN: [(0, None, "7 CNY", "observed", None)]
    }


def pin(number: int, amount: str, since: float, until: float | None = None, line: Conditions = PLAIN) -> Ruled:
    end = None if until is None else day(until)
    return Ruled(number, "pin", line, (Decimal(amount), "USD", ""), day(since), end)


def withdrawal(number: int, since: float, until: float | None = None) -> Ruled:
    return Ruled(number, "withdraw", None, None, day(since), None if until is None else day(until))


def test_a_pin_stands_before_every_source_for_its_time() -> None:
    source = feed("a", 10, {0: [price("1")], 30: [price("2")]})
    assert believe(source, ruled=[pin(1, "9", 10, 20)])[PLAIN] == [
        (0, 10, "1", "observed", None),
        (10, 20, "9", "exact", None),
        (20, 30, "1", "observed", None),
        (30, None, "2", "observed", 0),
    ]


def test_a_pin_makes_a_price_where_no_source_states_one() -> None:
    assert believe(ruled=[pin(1, "9", 10)]) == {PLAIN: [(10, None, "9", "exact", None)]}


def test_a_pin_that_equals_what_is_believed_moves_nothing() -> None:
    assert believe(feed("a", 10, {0: [price("1")]}), ruled=[pin(1, "1", 10)]) == {
        PLAIN: [(0, None, "1", "observed", None)]
    }


def test_a_later_pin_lies_over_an_earlier_one() -> None:
    believed = believe(ruled=[pin(2, "8", 20), pin(1, "9", 10)])
    assert believed[PLAIN] == [(10, 20, "9", "exact", None), (20, None, "8", "exact", None)]


def test_a_withdrawal_ends_every_line_and_what_was_before_stays() -> None:
    source = feed("a", 10, {0: [price("1", PEAK), price("2", REST)], 30: [price("3", PEAK), price("2", REST)]})
    assert believe(source, ruled=[withdrawal(1, 10)]) == {
        PEAK: [(0, 10, "1", "observed", None)],
        REST: [(0, 10, "2", "observed", None)],
    }


def test_after_a_withdrawal_is_ended_the_sources_speak_again_from_that_moment() -> None:
    source = feed("a", 10, {-7: [], 0: [price("1")], 30: [price("1")]})
    assert believe(source, ruled=[withdrawal(1, 10, 20)])[PLAIN] == [
        (0, 10, "1", "observed", -7),
        (20, None, "1", "exact", None),
    ]


def test_a_withdrawal_after_a_pin_ends_the_pinned_price_and_a_pin_after_it_stands() -> None:
    source = feed("a", 10, {0: [price("1")]})
    assert believe(source, ruled=[pin(1, "9", 5), withdrawal(2, 10)])[PLAIN][-1] == (5, 10, "9", "exact", None)
    assert believe(source, ruled=[withdrawal(1, 10), pin(2, "9", 15)])[PLAIN][-1] == (15, None, "9", "exact", None)


def test_an_open_start_of_a_lower_source_tells_what_was_before_the_first_reading_of_a_higher_one() -> None:
    looks = feed("looks", 10, {30: [price("2")]})
    dates = feed("dates", 20, {40: [price("1", until=20), price("2", since=20)]})
    assert believe(looks, dates)[PLAIN] == [
        (approx(20, abs=1e-9), 20, "1", "unknown", None),
        (20, None, "2", "exact", None),
    ]
