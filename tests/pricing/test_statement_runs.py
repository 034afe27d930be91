"""Readings kept as runs: whatever the order in which they come, the runs are the same and no claim is lost."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from pricing.runs import Amendments, Edits, Run, read_again, read_between, read_latest
from tests.pricing.believing import day
from tests.pricing.run_store import RunStore

Matrix = dict[datetime, frozenset[str]]
READINGS = st.dictionaries(
    st.integers(0, 30).map(day), st.frozensets(st.sampled_from("abcd")), min_size=1, max_size=9
).flatmap(lambda matrix: st.tuples(st.just(matrix), st.permutations(sorted(matrix))))


def runs_of(matrix: Matrix) -> list[tuple[str, datetime, datetime | None, datetime | None]]:
    """The maximal runs, straight from the whole table of readings."""
    moments = sorted(matrix)
    found = []
    for claim in set().union(*matrix.values()):
        held = [None, *(claim in matrix[moment] for moment in moments)]
        for place, moment in enumerate(moments):
            if held[place + 1] and not held[place]:
                ends = [later for later in moments[place:] if claim not in matrix[later]]
                before = moments[place - 1] if place else None
                found.append((claim, moment, before, ends[0] if ends else None))
    return sorted(found, key=lambda run: (repr(run[0]), run[1]))


@settings(max_examples=400, deadline=None)
@given(READINGS)
def test_readings_in_any_order_leave_the_runs_that_the_whole_table_has(
    read: tuple[Matrix, list[datetime]],
) -> None:
    matrix, order = read
    store = RunStore()
    for count, moment in enumerate(order, start=1):
        store.read(moment, matrix[moment])
        assert store.runs() == runs_of({at: matrix[at] for at in order[:count]})


@settings(max_examples=200, deadline=None)
@given(READINGS)
def test_every_reading_can_be_told_back_from_the_runs(read: tuple[Matrix, list[datetime]]) -> None:
    matrix, order = read
    store = RunStore()
    for moment in order:
        store.read(moment, matrix[moment])
    for moment in order:
        held = {key for key, first, _, ended in store.runs() if first <= moment and (ended is None or moment < ended)}
        assert held == matrix[moment]


@settings(max_examples=200, deadline=None)
@given(READINGS)
def test_runs_of_one_claim_have_a_reading_without_it_between_them(read: tuple[Matrix, list[datetime]]) -> None:
    matrix, order = read
    store = RunStore()
    for moment in order:
        store.read(moment, matrix[moment])
    for (key, _, _, ended), (next_key, first, absent_before, _) in pairwise(store.runs()):
        if key == next_key:
            assert ended is not None and absent_before is not None
            assert ended <= absent_before < first


@settings(max_examples=400, deadline=None)
@given(READINGS, st.lists(st.tuples(st.integers(0, 8), st.frozensets(st.sampled_from("abcd"))), max_size=8))
def test_readings_told_anew_leave_the_runs_of_what_they_say_now(
    read: tuple[Matrix, list[datetime]], anew: list[tuple[int, frozenset[str]]]
) -> None:
    matrix, order = read
    store = RunStore()
    for moment in order:
        store.read(moment, matrix[moment])
    for place, claims in anew:
        moment = sorted(matrix)[place % len(matrix)]
        matrix[moment] = claims
        store.read_again(moment, claims)
        assert store.runs() == runs_of(matrix)
        assert not store.read_again(moment, claims)


@settings(max_examples=200, deadline=None)
@given(READINGS, st.integers(0, 8), st.frozensets(st.sampled_from("abcd")))
def test_readings_after_one_that_was_told_anew_are_taken_as_any(
    read: tuple[Matrix, list[datetime]], place: int, claims: frozenset[str]
) -> None:
    matrix, order = read
    store = RunStore()
    for moment in order[: place % len(order) + 1]:
        store.read(moment, matrix[moment])
    matrix[order[0]] = claims
    store.read_again(order[0], claims)
    for moment in order[place % len(order) + 1 :]:
        store.read(moment, matrix[moment])
    assert store.runs() == runs_of(matrix)


def test_a_reading_told_anew_that_holds_what_both_neighbours_hold_joins_their_runs() -> None:
    first, second = Run(1, "a", day(0), day(7)), Run(2, "a", day(14), None)
    assert read_again([second, first], ["a"], day(7), day(0), day(14)) == Amendments(joined=[(first, second)])


def test_a_claim_that_only_the_reading_told_anew_had_made_is_emptied() -> None:
    alone = Run(1, "a", day(7), day(14))
    edits = read_again([alone], ["b"], day(7), day(0), day(14))
    assert edits == Amendments(opened=[("b", day(7), day(0), day(14))], emptied=[alone])


def test_a_newer_reading_ends_what_it_leaves_out_and_opens_what_is_new() -> None:
    held = Run(1, "a", day(0), None)
    edits = read_latest([held], ["b"], day(7), day(3))
    assert edits == Edits(opened=[("b", day(7), day(3), None)], ended=[held])


def test_a_reading_in_between_splits_a_run_that_it_does_not_hold() -> None:
    held = Run(1, "a", day(0), None)
    assert read_between([held], [], day(7), day(0), day(14)).split == [held]


def test_a_reading_in_between_that_agrees_writes_nothing() -> None:
    assert read_between([Run(1, "a", day(0), None)], ["a"], day(7), day(0), day(14)) == Edits()


def test_an_older_reading_moves_the_beginning_of_a_run_back() -> None:
    held = Run(1, "a", day(14), None)
    assert read_between([held], ["a"], day(7), None, day(14)).grown == [held]


def test_an_older_reading_without_the_claim_narrows_the_time_in_which_it_came() -> None:
    held = Run(1, "a", day(14), None)
    assert read_between([held], [], day(7), day(0), day(14)).narrowed == [held]
