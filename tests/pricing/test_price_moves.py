"""What happened to an offering between two beliefs, and what it is called."""

from __future__ import annotations

from decimal import Decimal

import pytest

from pricing.claims import Conditions
from pricing.moves import ChangedLine, Happening, happenings
from pricing.timeline import Segment, Value
from tests.pricing.believing import day
from tests.pricing.worlds import LONG, PEAK, PLAIN, PROMO, REST

OUTPUT = Conditions("output_tokens")
History = dict[Conditions, list[Segment]]


def held(
    start: float,
    end: float | None,
    amount: str,
    *,
    after: float | None = None,
    precision: str = "observed",
    currency: str = "USD",
    zero: str = "free",
    steps: bool = False,
) -> Segment:
    """A price in force on some days."""
    value = (Decimal(amount), currency, "" if Decimal(amount) else zero)
    window = None if after is None else day(after)
    until = None if end is None else day(end)
    return Segment(day(start), until, value, precision, window, None, None, None, steps=steps)


def happened(before: History, after: History, moment: float, ruled: bool = False) -> list[Happening]:
    return happenings(before, after, day(moment), ruled)


def kinds(before: History, after: History, moment: float, ruled: bool = False) -> list[str]:
    return [found.kind for found in happened(before, after, moment, ruled)]


def moved(old: list[Segment], new: list[Segment], moment: float) -> list[str]:
    """The kinds of what happened to an offering with one line."""
    return kinds({PLAIN: old}, {PLAIN: new}, moment)


def test_the_first_price_of_an_offering_lists_it() -> None:
    assert kinds({}, {PLAIN: [held(7, None, "1")], OUTPUT: [held(7, None, "2")]}, 7) == ["listed"]


def test_a_price_beside_others_is_added() -> None:
    before = {PLAIN: [held(0, None, "1")]}
    assert kinds(before, {**before, OUTPUT: [held(7, None, "2")]}, 7) == ["price_added"]


def test_a_price_among_others_that_goes_is_removed() -> None:
    before = {PLAIN: [held(0, None, "1")], OUTPUT: [held(0, None, "2")]}
    assert kinds(before, {**before, OUTPUT: [held(0, 7, "2")]}, 21) == ["price_removed"]


def test_an_offering_without_a_price_left_is_withdrawn_and_comes_back_as_relisted() -> None:
    listed, gone = [held(0, None, "1")], [held(0, 7, "1")]
    assert moved(listed, gone, 21) == ["withdrawn"]
    assert moved(gone, [*gone, held(28, None, "1", after=21)], 28) == ["relisted"]


@pytest.mark.parametrize(
    ("amounts", "kind"),
    [
        (("1", "2", "3", "4"), "increase"),
        (("2", "1", "4", "3"), "decrease"),
        (("1", "2", "4", "3"), "mixed"),
    ],
)
def test_lines_that_moved_together_are_one_change_named_by_their_direction(
    amounts: tuple[str, str, str, str], kind: str
) -> None:
    before = {PLAIN: [held(0, None, amounts[0])], OUTPUT: [held(0, None, amounts[2])]}
    after = {
        PLAIN: [held(0, 7, amounts[0]), held(7, None, amounts[1], after=0)],
        OUTPUT: [held(0, 7, amounts[2]), held(7, None, amounts[3], after=0)],
    }
    (change,) = happened(before, after, 7)
    assert (change.kind, change.nature, len(change.lines)) == (kind, "market", 2)
    assert (change.effective_at, change.observed_after, change.precision) == (day(7), day(0), "observed")


def test_two_moves_at_different_moments_are_two_changes_oldest_first() -> None:
    after = [held(0, 5, "1"), held(5, 9, "2", precision="day"), held(9, None, "3", precision="day")]
    found = happened({PLAIN: [held(0, None, "1")]}, {PLAIN: after}, 10)
    assert [(change.kind, change.effective_at) for change in found] == [("increase", day(5)), ("increase", day(9))]


def test_from_free_to_paid_and_back_have_names_of_their_own() -> None:
    free, paid = [held(0, None, "0")], [held(0, None, "1")]
    assert moved(free, [held(0, 7, "0"), held(7, None, "1")], 7) == ["became_paid"]
    assert moved(paid, [held(0, 7, "1"), held(7, None, "0")], 7) == ["became_free"]


def test_an_included_zero_is_not_free() -> None:
    included = [held(0, None, "0", zero="included")]
    after = [held(0, 7, "0", zero="included"), held(7, None, "1")]
    assert moved(included, after, 7) == ["increase"]


@pytest.mark.parametrize(("old", "new"), [("free", "included"), ("included", "free")])
def test_a_zero_that_comes_to_mean_something_else_is_a_correction(old: str, new: str) -> None:
    before = {PLAIN: [held(0, None, "0", zero=old)]}
    (change,) = happened(before, {PLAIN: [held(0, 7, "0", zero=old), held(7, None, "0", zero=new, after=0)]}, 7)
    assert (change.kind, change.nature) == ("corrected", "correction")


def test_another_currency_is_named_before_the_direction() -> None:
    after = [held(0, 7, "1"), held(7, None, "7", currency="CNY")]
    (change,) = happened({PLAIN: [held(0, None, "1")]}, {PLAIN: after}, 7)
    assert change.kind == "currency_changed"
    assert change.lines[0].percent is None


def test_a_promotion_starts_and_ends() -> None:
    sold = {PLAIN: [held(0, None, "2")]}
    promoted = {**sold, PROMO: [held(7, None, "1")]}
    ended = {**sold, PROMO: [held(7, 14, "1")]}
    assert kinds(sold, promoted, 7) == ["promo_started"]
    assert kinds(promoted, ended, 14) == ["promo_ended"]


def test_a_promotion_with_a_later_end_is_extended() -> None:
    sold = {PLAIN: [held(0, None, "2")]}
    before, after = {**sold, PROMO: [held(7, 20, "1")]}, {**sold, PROMO: [held(7, 30, "1")]}
    (change,) = happened(before, after, 14)
    assert (change.kind, change.effective_at) == ("promo_extended", day(30))


def test_a_promotion_that_will_end_sooner_is_rescheduled() -> None:
    sold = {PLAIN: [held(0, None, "2")]}
    before, after = {**sold, PROMO: [held(7, 30, "1")]}, {**sold, PROMO: [held(7, 20, "1")]}
    assert kinds(before, after, 14) == ["rescheduled"]


def test_a_promotion_made_permanent_is_one_change() -> None:
    before = {PLAIN: [held(0, None, "2")], PROMO: [held(7, 30, "1")]}
    after = {PLAIN: [held(0, 14, "2"), held(14, None, "1")], PROMO: [held(7, 14, "1")]}
    (change,) = happened(before, after, 14)
    assert (change.kind, len(change.lines)) == ("promo_ended", 2)


def test_a_promotion_that_ends_as_it_said_is_no_change() -> None:
    after = {PLAIN: [held(0, None, "2")], PROMO: [held(7, 20, "1")]}
    assert kinds(after, dict(after), 25) == []


def test_cells_that_come_or_go_in_a_tariff_restructure_it() -> None:
    before = {PLAIN: [held(0, None, "1")]}
    assert kinds(before, {**before, LONG: [held(7, None, "2")]}, 7) == ["restructured"]
    slots = {PLAIN: [held(0, 7, "1")], PEAK: [held(7, None, "2")], REST: [held(7, None, "1")]}
    assert kinds(before, slots, 7) == ["restructured"]


def test_another_tariff_is_added_and_restructures_nothing() -> None:
    batch = Conditions("input_tokens", service_tier="batch")
    before = {PLAIN: [held(0, None, "1")]}
    assert kinds(before, {**before, batch: [held(7, None, "0.5")]}, 7) == ["price_added"]


def test_a_dated_future_price_is_announced() -> None:
    after = [held(0, 30, "1"), held(30, None, "2", precision="day")]
    (change,) = happened({PLAIN: [held(0, None, "1")]}, {PLAIN: after}, 7)
    assert (change.kind, change.nature, change.announced_for) == ("announced", "market", day(30))
    assert change.lines == (ChangedLine(PLAIN, price("1"), price("2")),)


def price(amount: str) -> Value:
    return (Decimal(amount), "USD", "")


def test_an_announced_price_may_be_rescheduled_or_retracted() -> None:
    announced = [held(0, 30, "1"), held(30, None, "2", precision="day")]
    moved_on = [held(0, 40, "1"), held(40, None, "2", precision="day")]
    assert moved(announced, moved_on, 7) == ["rescheduled"]
    assert moved(announced, [held(0, None, "1")], 7) == ["retracted"]


def test_an_announced_price_that_comes_sooner_is_a_move_of_the_market() -> None:
    announced = [held(0, 30, "1"), held(30, None, "2", precision="day")]
    assert moved(announced, [held(0, 7, "1"), held(7, None, "2", after=0)], 7) == ["increase"]


def test_an_announced_price_that_takes_effect_is_no_new_change() -> None:
    announced = [held(0, 30, "1"), held(30, None, "2", precision="day")]
    assert moved(announced, list(announced), 35) == []


def test_an_announced_price_with_another_amount_takes_the_first_back() -> None:
    announced = [held(0, 30, "1"), held(30, None, "2", precision="day")]
    other = [held(0, 30, "1"), held(30, None, "3", precision="day")]
    found = happened({PLAIN: announced}, {PLAIN: other}, 7)
    assert {(change.kind, change.nature) for change in found} == {("retracted", "market"), ("announced", "market")}


def test_a_move_before_an_announced_price_leaves_the_announcement_alone() -> None:
    announced = [held(0, 30, "1"), held(30, None, "2", precision="day")]
    now = [held(0, 7, "1"), held(7, 30, "1.5", after=0), held(30, None, "2", precision="day")]
    assert moved(announced, now, 7) == ["increase"]


def test_a_known_end_is_news_only_when_it_comes() -> None:
    assert moved([held(0, None, "1")], [held(0, 30, "1")], 7) == []


def test_a_price_that_ends_before_its_known_end_is_withdrawn() -> None:
    assert moved([held(0, 30, "1")], [held(0, 7, "1")], 21) == ["withdrawn"]


def test_a_better_time_inside_the_window_is_no_new_change() -> None:
    observed = [held(0, 7, "1"), held(7, None, "2", after=0)]
    refined = [held(0, 4, "1"), held(4, None, "2", precision="day")]
    assert moved(observed, refined, 9) == []


def test_an_older_document_that_moves_a_beginning_back_is_no_new_change() -> None:
    assert moved([held(14, None, "1")], [held(0, None, "1")], 14) == []


def test_a_time_outside_the_window_is_a_correction() -> None:
    observed = [held(0, 7, "1"), held(7, None, "2", after=3)]
    assert moved(observed, [held(0, 2, "1"), held(2, None, "2", precision="day")], 9) == ["corrected"]


def test_a_change_of_witness_is_a_correction_and_one_change() -> None:
    before = {PLAIN: [held(0, None, "1")], OUTPUT: [held(0, None, "2")]}
    after = {
        PLAIN: [held(0, 7, "1"), held(7, None, "3", steps=True)],
        OUTPUT: [held(0, 7, "2"), held(7, None, "1", steps=True)],
    }
    (change,) = happened(before, after, 7)
    assert (change.kind, change.nature, len(change.lines)) == ("corrected", "correction", 2)


def test_another_amount_for_the_same_past_moment_is_one_correction() -> None:
    found = happened({PLAIN: [held(0, None, "1", precision="day")]}, {PLAIN: [held(0, None, "2", precision="day")]}, 7)
    assert [(change.kind, change.lines) for change in found] == [
        ("corrected", (ChangedLine(PLAIN, price("1"), price("2")),))
    ]


def test_an_older_price_before_a_move_that_was_told_is_no_second_move_of_the_market() -> None:
    before = [held(0, 30, "2"), held(30, None, "3")]
    after = [held(0, 26, "2"), held(26, 26.25, "3"), held(26.25, 30, "1"), held(30, None, "3")]
    found = happened({PLAIN: before}, {PLAIN: after}, 40)
    assert {change.nature for change in found} == {"correction"}


def test_a_price_filled_in_before_the_latest_move_is_a_correction() -> None:
    before = [held(0, 20, "1"), held(20, None, "2", after=0)]
    after = [held(0, 5, "1"), held(5, 10, "3", after=0), held(10, 20, "1", after=5), held(20, None, "2", after=10)]
    assert moved(before, after, 30) == ["corrected"]


def test_an_older_document_with_another_price_corrects_the_beginning_and_tells_the_move() -> None:
    found = happened({PLAIN: [held(20, None, "2")]}, {PLAIN: [held(5, 20, "1"), held(20, None, "2", after=5)]}, 20)
    assert [(change.kind, change.effective_at) for change in found] == [("corrected", day(5)), ("increase", day(20))]


def test_what_a_ruling_about_the_record_makes_of_it_is_all_correction() -> None:
    before = {PLAIN: [held(0, 30, "1"), held(30, None, "2", precision="day")]}
    after = {PLAIN: [held(0, None, "9", precision="exact")]}
    assert kinds(before, after, 7, ruled=True) == ["corrected"]
    assert kinds(after, before, 7, ruled=True) == ["corrected"]


def test_noise_is_never_a_change() -> None:
    assert moved([held(5, None, "1")], [held(0, None, "1.0000005")], 5) == []
    assert moved([held(5, None, "1", precision="day")], [held(5, None, "1.0000005", precision="day")], 5) == []


def test_the_same_belief_is_no_change() -> None:
    rows = [held(0, 7, "1"), held(7, None, "2", after=0)]
    assert moved(rows, list(rows), 9) == []


def test_what_lies_ahead_only_because_another_source_would_speak_then_is_no_news() -> None:
    assert moved([held(0, None, "1")], [held(0, 30, "1"), held(30, None, "2", steps=True)], 7) == []


@pytest.mark.parametrize(
    ("old", "new", "percent"),
    [
        ("0.435", "0.66", "51.72"),
        ("3", "1.5", "-50.00"),
        ("3", "3.0001", "0.00"),
        ("1", "1.00005", "0.00"),
        ("1", "1.00015", "0.02"),
        ("0", "1", None),
        ("1", "0", None),
        ("0.000000000000000001", "99999999999999999999", None),
    ],
)
def test_percent_has_two_places_and_is_empty_from_or_to_zero(old: str, new: str, percent: str | None) -> None:
    found = ChangedLine(PLAIN, price(old), price(new)).percent
    assert (None if found is None else str(found)) == percent


def test_percent_is_empty_from_or_to_nothing() -> None:
    assert ChangedLine(PLAIN, None, price("1")).percent is None
    assert ChangedLine(PLAIN, price("1"), None).percent is None
