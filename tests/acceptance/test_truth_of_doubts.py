"""What is held, was a slip or was renamed is accounted for by the record that says so, and only by that."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.against_truth import accounts, reverse
from benchmarks.against_truth.accounts import FOUND, NOT_FOUND
from benchmarks.against_truth.fields import Documents
from pricing.models import Hold
from tests.acceptance.small_truth import DAYS, labels, loaded, ours, truth

pytestmark = pytest.mark.django_db
STEADY = {f"steady-{number}": [float(number)] * 4 for number in (1, 2, 3)}


def weekly(folder: Path, **models: list[float | None]) -> Documents:
    """Four weeks of DeepSeek's input prices beside three that never move; None where a week lacks the model."""
    named = STEADY | {name.replace("_", "-"): weeks for name, weeks in models.items()}
    bodies = [
        {name: {"id": name, "cost": {"input": weeks[week]}} for name, weeks in named.items() if weeks[week] is not None}
        for week in range(4)
    ]
    return loaded("models-dev", (json.dumps({"deepseek": {"models": rows}}).encode() for rows in bodies), folder)


def test_a_part_of_a_document_that_vanished_is_held(tmp_path: Path) -> None:
    documents = weekly(tmp_path, one=[5, 5, 5, None], two=[6, 6, 6, None])
    rows = truth((DAYS[3], "deepseek", "one", "input", 5, None, "removed"))
    assert labels(documents, rows) == {("one", DAYS[3]): f"{accounts.HELD_PART}: vanished, open"}
    Hold.objects.all().delete()
    assert labels(documents, rows) == {("one", DAYS[3]): NOT_FOUND}


def test_what_came_back_before_the_rest_was_held_until_then(tmp_path: Path) -> None:
    documents = weekly(tmp_path, one=[5, None, 5.5, 5.5], two=[6, None, None, 6])
    rows = truth(
        (DAYS[1], "deepseek", "one", "input", 5, None, "removed"),
        (DAYS[2], "deepseek", "one", "input", None, 5.5, "introduced"),
        (DAYS[3], "deepseek", "two", "input", None, 6, "introduced"),
    )
    assert set(labels(documents, rows).values()) == {f"{accounts.HELD_PART}: vanished, lapsed"}


def test_a_withdrawal_that_was_held_is_found_at_the_first_miss(tmp_path: Path) -> None:
    documents = weekly(tmp_path, one=[5, None, None, None], two=[6, None, None, None])
    rows = truth(
        (DAYS[1], "deepseek", "one", "input", 5, None, "removed"),
        (DAYS[1], "deepseek", "two", "input", 6, None, "removed"),
    )
    released = "told when the hold on it was released: vanished, released by persistence"
    assert set(labels(documents, rows).values()) == {f"{FOUND}, {released}"}
    assert ours(documents, rows) == {f"{reverse.TOLD}, {released}": 2}


def test_a_zero_that_waits_for_a_second_voice_is_held(tmp_path: Path) -> None:
    documents = weekly(tmp_path, one=[5, 0, 0, 0])
    rows = truth((DAYS[1], "deepseek", "one", "input", 5, 0, "became_free"))
    assert labels(documents, rows) == {("one", DAYS[1]): f"{accounts.HELD}: zero, open"}
    Hold.objects.update(instead=4)
    assert labels(documents, rows) == {("one", DAYS[1]): NOT_FOUND}


def test_what_was_absurd_and_was_mended_is_held_both_ways(tmp_path: Path) -> None:
    documents = weekly(tmp_path, one=[5, 5_000_000, 5_000_000, 4])
    rows = truth(
        (DAYS[1], "deepseek", "one", "input", 5, 5_000_000, "increase"),
        (DAYS[3], "deepseek", "one", "input", 5_000_000, 4, "decrease"),
    )
    assert set(labels(documents, rows).values()) == {f"{accounts.HELD}: ceiling, lapsed"}
    assert ours(documents, rows) == {f"{reverse.TOLD_OTHERWISE}: {accounts.HELD}: ceiling, lapsed": 1}


def test_a_big_move_that_its_source_repeats_is_found_at_its_own_time(tmp_path: Path) -> None:
    documents = weekly(tmp_path, one=[1, 20, 20, 20])
    rows = truth((DAYS[1], "deepseek", "one", "input", 1, 20, "increase"))
    released = "told when the hold on it was released: leap, released by persistence"
    assert labels(documents, rows) == {("one", DAYS[1]): f"{FOUND}, {released}"}


def test_a_slip_is_told_when_it_is_read_and_taken_back(tmp_path: Path) -> None:
    documents = weekly(tmp_path, one=[5, 6, 5, 5])
    rows = truth(
        (DAYS[1], "deepseek", "one", "input", 5, 6, "increase"),
        (DAYS[2], "deepseek", "one", "input", 6, 5, "decrease"),
    )
    assert labels(documents, rows) == {("one", DAYS[1]): FOUND, ("one", DAYS[2]): accounts.SLIP}
    assert ours(documents, rows) == {reverse.TOLD: 1, f"{reverse.TOLD_OTHERWISE}: {accounts.SLIP}": 1}


def test_a_price_that_stayed_away_for_two_readings_was_no_slip(tmp_path: Path) -> None:
    documents = weekly(tmp_path, one=[5, 6, 6, 5])
    rows = truth(
        (DAYS[1], "deepseek", "one", "input", 5, 6, "increase"),
        (DAYS[3], "deepseek", "one", "input", 6, 5, "decrease"),
    )
    assert set(labels(documents, rows).values()) == {FOUND}


def test_an_offering_that_goes_on_under_another_id_was_renamed(tmp_path: Path) -> None:
    documents = weekly(tmp_path, **{"Big.Model": [5, None, None, None], "big_model": [None, 5, 5, 5]})
    rows = truth(
        (DAYS[1], "deepseek", "Big.Model", "input", 5, None, "removed"),
        (DAYS[1], "deepseek", "big-model", "input", None, 5, "introduced"),
    )
    assert set(labels(documents, rows).values()) == {accounts.RENAMED}
    assert ours(documents, rows) == {}


def test_a_new_id_goes_on_from_what_the_old_one_was_read_as(tmp_path: Path) -> None:
    documents = weekly(tmp_path, **{"Big.Model": [5, 5_000_000, None, None], "big_model": [None, None, 5, 5]})
    rows = truth((DAYS[2], "deepseek", "big-model", "input", None, 5, "introduced"))
    assert set(labels(documents, rows).values()) == {accounts.RENAMED}


def test_noise_in_the_new_ids_price_is_no_move(tmp_path: Path) -> None:
    noisy = 0.8299999999999998
    documents = weekly(tmp_path, **{"Big.Model": [0.83, None, None, None], "big_model": [None, noisy, noisy, noisy]})
    rows = truth((DAYS[1], "deepseek", "big-model", "input", None, noisy, "introduced"))
    assert set(labels(documents, rows).values()) == {f"{accounts.RENAMED} + {accounts.NOISE_ACCOUNT}"}
