"""What counts inside what, and usage that cannot be."""

from __future__ import annotations

from decimal import Decimal

import pytest

from pricing.meters import METERS
from pricing.usage import UsageError, apart, containers, read_usage


def test_cached_tokens_are_taken_out_of_the_input() -> None:
    assert apart({"input_tokens": 1000, "cache_read_tokens": 300, "output_tokens": 50}) == {
        "cache_read_tokens": 300,
        "input_tokens": 700,
        "output_tokens": 50,
    }


def test_what_is_cached_for_an_hour_is_taken_out_once() -> None:
    held = apart({"input_tokens": 1000, "cache_write_tokens": 300, "cache_write_1h_tokens": 200})
    assert held == {"cache_write_1h_tokens": 200, "cache_write_tokens": 100, "input_tokens": 700}


def test_a_count_between_two_others_may_be_left_out() -> None:
    assert apart({"input_tokens": 1000, "cache_write_1h_tokens": 200})["input_tokens"] == 800


def test_tokens_that_are_cached_and_audio_are_taken_out_once() -> None:
    usage = {
        "input_tokens": 1000,
        "cache_read_tokens": 300,
        "input_audio_tokens": 200,
        "cache_read_audio_tokens": 50,
    }
    assert apart(usage) == {
        "cache_read_audio_tokens": 50,
        "cache_read_tokens": 250,
        "input_audio_tokens": 150,
        "input_tokens": 550,
    }


def test_counts_whose_common_part_is_not_stated_have_none() -> None:
    assert apart({"input_tokens": 1000, "cache_read_tokens": 300, "input_audio_tokens": 200})["input_tokens"] == 500


def test_every_meter_counts_inside_its_parent_and_all_that_hold_the_parent() -> None:
    for slug, meter in METERS.items():
        inside = containers(slug)
        assert (meter.parent in inside) if meter.parent else not inside
        assert all(set(containers(outer)) < set(inside) for outer in inside)


def test_a_modality_counts_inside_the_kind_and_inside_the_modality() -> None:
    assert containers("cache_read_audio_tokens") == ("cache_read_tokens", "input_audio_tokens", "input_tokens")
    assert containers("reasoning_audio_tokens") == ("reasoning_tokens", "output_audio_tokens", "output_tokens")
    assert containers("cache_write_audio_1h_tokens") == (
        "cache_write_audio_tokens",
        "cache_write_1h_tokens",
        "cache_write_tokens",
        "input_audio_tokens",
        "input_tokens",
    )


@pytest.mark.parametrize(
    ("usage", "field", "says"),
    [
        ({"input_tokens": 10, "cache_read_tokens": 11}, "cache_read_tokens", "is 11, more than input_tokens (10)"),
        ({"cache_read_tokens": 1}, "cache_read_tokens", "is 1, more than input_tokens (0)"),
        (
            {"output_tokens": 10, "reasoning_tokens": 9, "citation_tokens": 2},
            "output_tokens",
            "is 10, less than what it includes: citation_tokens (2) and reasoning_tokens (9)",
        ),
        (
            {"input_tokens": 10, "cache_read_tokens": 9, "input_audio_tokens": 2},
            "input_tokens",
            "if some are both, say how many as cache_read_audio_tokens",
        ),
        (
            {"input_tokens": 99, "cache_write_tokens": 0, "cache_write_1h_tokens": 5},
            "cache_write_1h_tokens",
            "is 5, more than cache_write_tokens (0)",
        ),
    ],
)
def test_parts_that_are_more_than_their_whole_are_refused(usage: dict[str, int], field: str, says: str) -> None:
    with pytest.raises(UsageError) as refused:
        apart(usage)
    assert refused.value.field == field
    assert says in str(refused.value)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (-1, "is -1; a count from 0"),
        (10**18 + 1, "a count from 0 to 10^18"),
        (Decimal("NaN"), "is NaN"),
        (float("inf"), "is Infinity"),
        (True, "is True; a number"),
        (None, "is None; a number"),
        ("12", "is '12'; a number"),
        (Decimal("1.5"), "is 1.5; a whole number"),
        (0.5, "is 0.5; a whole number"),
        (Decimal("1e1000000"), "a count from 0 to 10^18"),
    ],
)
def test_what_is_no_count_of_tokens_is_refused(value: object, says: str) -> None:
    with pytest.raises(UsageError) as refused:
        read_usage({"output_tokens": 5, "input_tokens": value})
    assert refused.value.field == "input_tokens"
    assert says in str(refused.value)


def test_seconds_and_storage_come_in_parts() -> None:
    usage = read_usage({"input_audio_seconds": 0.1, "storage_gb_days": Decimal("1.50"), "input_tokens": Decimal("3.0")})
    assert usage == {"input_audio_seconds": Decimal("0.1"), "storage_gb_days": Decimal("1.5"), "input_tokens": 3}
    assert type(usage["input_tokens"]) is int
    with pytest.raises(UsageError, match="at most 18 decimals"):
        read_usage({"audio_seconds": Decimal("1e-19")})


def test_no_digit_of_a_long_count_is_lost() -> None:
    long, longer = Decimal("123456789012345678.123456789012345678"), Decimal("999999999999999999.123456789012345678")
    assert apart({"audio_seconds": long, "storage_gb_days": longer}) == {
        "audio_seconds": long,
        "storage_gb_days": longer,
    }


def test_an_unknown_key_is_named_with_those_that_look_like_it() -> None:
    with pytest.raises(UsageError) as refused:
        read_usage({"cached_tokens": 5})
    assert refused.value.field == "cached_tokens"
    assert "cache_read_tokens" in refused.value.choices
    with pytest.raises(UsageError, match="is no usage key"):
        apart({"words": 5})
