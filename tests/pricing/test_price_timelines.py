"""What one source's documents show of a price over time."""

from __future__ import annotations

from pytest import approx

from tests.pricing.believing import believe, feed, price, record
from tests.pricing.worlds import LONG, PEAK, PLAIN, PROMO, REST

INSTANT = 1e-6 / 86400


def test_an_undated_price_holds_from_the_reading_that_first_shows_it() -> None:
    assert believe(feed("a", 10, {3: [price("1")], 10: [price("1")]})) == {PLAIN: [(3, None, "1", "observed", None)]}


def test_a_price_that_comes_later_began_after_the_last_reading_without_it() -> None:
    assert believe(feed("a", 10, {3: [], 10: [price("1")]})) == {PLAIN: [(10, None, "1", "observed", 3)]}


def test_an_undated_move_happened_after_the_last_reading_of_the_old_price() -> None:
    believed = believe(feed("a", 10, {0: [price("1")], 7: [price("1")], 14: [price("2")]}))
    assert believed == {PLAIN: [(0, 14, "1", "observed", None), (14, None, "2", "observed", 7)]}


def test_a_price_that_is_missing_twice_and_returns_never_left() -> None:
    readings = {0: [price("1")], 7: [], 14: [], 21: [price("1")]}
    assert believe(feed("a", 10, readings)) == {PLAIN: [(0, None, "1", "observed", None)]}


def test_a_price_that_returns_changed_moved_after_the_last_reading_that_showed_it() -> None:
    readings = {0: [price("1")], 7: [], 14: [], 21: [price("2")]}
    assert believe(feed("a", 10, readings)) == {PLAIN: [(0, 21, "1", "observed", None), (21, None, "2", "observed", 0)]}


def test_a_price_missing_from_three_readings_is_gone_since_the_first_of_them() -> None:
    assert believe(feed("a", 10, {0: [price("1")], 7: [], 14: [], 21: []})) == {PLAIN: [(0, 7, "1", "observed", None)]}


def test_three_readings_within_two_days_are_not_enough_to_be_gone() -> None:
    readings = {0: [price("1")], 1: [], 1.5: [], 2.75: []}
    assert believe(feed("a", 10, readings)) == {PLAIN: [(0, None, "1", "observed", None)]}
    assert believe(feed("a", 10, {**readings, 3: []})) == {PLAIN: [(0, 1, "1", "observed", None)]}


def test_a_price_that_comes_back_after_it_was_gone_is_listed_again() -> None:
    readings = {0: [price("1")], 7: [], 14: [], 21: [], 28: [price("1")]}
    assert believe(feed("a", 10, readings)) == {PLAIN: [(0, 7, "1", "observed", None), (28, None, "1", "observed", 21)]}


def test_what_people_no_longer_say_is_gone_at_once() -> None:
    assert believe(record("a", 10, {0: [price("1")], 7: []})) == {PLAIN: [(0, 7, "1", "observed", None)]}


def test_a_line_gives_way_at_once_to_a_line_of_its_tariff_that_comes_in_the_same_reading() -> None:
    believed = believe(feed("a", 10, {0: [price("1")], 7: [price("2", PEAK), price("1", REST)]}))
    assert believed[PLAIN] == [(0, 7, "1", "observed", None)]
    assert believed[PEAK] == [(7, None, "2", "observed", 0)]


def test_a_threshold_that_comes_leaves_the_line_beside_it_alone() -> None:
    believed = believe(feed("a", 10, {0: [price("1")], 7: [price("1"), price("2", LONG)]}))
    assert believed == {PLAIN: [(0, None, "1", "observed", None)], LONG: [(7, None, "2", "observed", 0)]}


def test_a_dated_price_speaks_of_the_time_before_it_was_read() -> None:
    assert believe(feed("a", 10, {30: [price("1", since=10, precision="day")]})) == {
        PLAIN: [(10, None, "1", "day", None)]
    }


def test_a_schedule_is_believed_as_dated_the_future_included() -> None:
    schedule = [price("1", since=10, until=20), price("2", since=20, until=40), price("3", since=40)]
    assert believe(feed("a", 10, {30: schedule})) == {
        PLAIN: [(10, 20, "1", "exact", None), (20, 40, "2", "exact", None), (40, None, "3", "exact", None)]
    }


def test_an_announced_price_that_is_dropped_from_the_document_is_not_believed_any_more() -> None:
    announced = [price("1"), price("2", since=40)]
    believed = believe(feed("a", 10, {0: [price("1")], 7: announced, 14: [price("1")]}))
    assert believed == {PLAIN: [(0, None, "1", "observed", None)]}


def test_an_announced_price_that_is_moved_follows() -> None:
    readings = {0: [price("1"), price("2", since=40)], 7: [price("1"), price("2", since=60)]}
    assert believe(feed("a", 10, readings)) == {PLAIN: [(0, 60, "1", "observed", None), (60, None, "2", "exact", None)]}


def test_an_announced_price_of_which_the_next_document_knows_nothing_never_came() -> None:
    announced = [price("2", until=40), price("3", since=40)]
    believed = believe(feed("a", 10, {0: [price("2")], 30: announced, 41: [price("2")], 50: [price("2")]}))
    assert believed == {PLAIN: [(0, None, "2", "observed", None)]}


def test_an_announced_price_that_an_undated_document_shows_began_as_announced() -> None:
    believed = believe(feed("a", 10, {0: [price("2", until=40), price("3", since=40)], 41: [price("3")]}))
    assert believed == {PLAIN: [(0, 40, "2", "observed", None), (40, None, "3", "exact", None)]}


def test_an_announced_price_that_was_seen_at_its_moment_stays_when_the_document_forgets_the_date() -> None:
    announced = [price("2", until=40), price("3", since=40)]
    believed = believe(feed("a", 10, {0: announced, 41: announced, 50: [price("2")]}))
    assert believed[PLAIN] == [
        (0, 40, "2", "observed", None),
        (40, 50, "3", "exact", None),
        (50, None, "2", "observed", 41),
    ]


def test_a_flat_price_that_by_a_later_document_had_ended_was_not_in_force_beside_the_slots() -> None:
    slots = [price("0.435", until=10), price("0.87", PEAK, since=10), price("0.435", REST, since=10)]
    believed = believe(feed("a", 10, {15: [price("0.435")], 30: slots}))
    assert believed == {
        PLAIN: [(approx(10 - INSTANT), 10, "0.435", "unknown", None)],
        PEAK: [(10, None, "0.87", "exact", None)],
        REST: [(10, None, "0.435", "exact", None)],
    }


def test_an_open_start_says_only_that_the_price_was_in_force_just_before_its_end() -> None:
    believed = believe(feed("a", 10, {30: [price("1", until=20), price("2", since=20)]}))
    assert believed[PLAIN] == [
        (approx(20 - INSTANT), 20, "1", "unknown", None),
        (20, None, "2", "exact", None),
    ]


def test_an_open_start_adds_nothing_where_the_price_was_seen_before() -> None:
    readings = {10: [price("1")], 30: [price("1", until=20), price("2", since=20)]}
    assert believe(feed("a", 10, readings)) == {
        PLAIN: [(10, 20, "1", "observed", None), (20, None, "2", "exact", None)]
    }


def test_a_later_document_may_put_a_past_move_at_another_date() -> None:
    readings = {
        10: [price("1")],
        30: [price("1", until=20), price("2", since=20)],
        40: [price("1", until=25), price("2", since=25)],
    }
    assert believe(feed("a", 10, readings)) == {
        PLAIN: [(10, 25, "1", "observed", None), (25, None, "2", "exact", None)]
    }


def test_a_price_known_to_end_ends_without_another_reading() -> None:
    assert believe(feed("a", 10, {0: [price("1", until=20)]})) == {PLAIN: [(0, 20, "1", "observed", None)]}


def test_what_resumes_after_a_dated_interruption_begins_where_that_ends() -> None:
    believed = believe(feed("a", 10, {0: [], 7: [price("1"), price("2", since=10, until=20)]}))
    assert believed[PLAIN] == [
        (7, 10, "1", "observed", 0),
        (10, 20, "2", "exact", None),
        (20, None, "1", "observed", None),
    ]


def test_noise_below_one_in_a_million_is_no_move() -> None:
    readings = {0: [price("1")], 7: [price("1.0000009")], 14: [price("1.000002")]}
    assert believe(feed("a", 10, readings)) == {
        PLAIN: [(0, 14, "1", "observed", None), (14, None, "1.000002", "observed", 7)]
    }


def test_another_currency_is_another_price_even_for_nothing() -> None:
    readings = {0: [price("0")], 7: [price("0", currency="CNY")]}
    assert believe(feed("a", 10, readings))[PLAIN] == [
        (0, 7, "0", "observed", None),
        (7, None, "0 CNY", "observed", 0),
    ]


def test_a_promotion_is_a_layer_that_ends_and_leaves_the_list_price_as_it_was() -> None:
    believed = believe(feed("a", 10, {0: [price("2"), price("1", PROMO, until=20)], 30: [price("2")]}))
    assert believed == {PLAIN: [(0, None, "2", "observed", None)], PROMO: [(0, 20, "1", "observed", None)]}


def test_an_older_document_read_later_moves_a_beginning_back() -> None:
    late = feed("a", 10, {14: [price("1")]})
    with_older = feed("a", 10, {0: [price("1")], 14: [price("1")]})
    assert believe(late) == {PLAIN: [(14, None, "1", "observed", None)]}
    assert believe(with_older) == {PLAIN: [(0, None, "1", "observed", None)]}
