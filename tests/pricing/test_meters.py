"""The table of meters: what is counted, for how many, and inside what."""

from __future__ import annotations

import pytest

from pricing.meters import METERS, MILLION, THOUSAND, UnknownMeter, meter


@pytest.mark.parametrize(
    ("slug", "unit"),
    [
        ("input_tokens", "per 1M tokens"),
        ("output_characters", "per 1M characters"),
        ("web_searches", "per 1K searches"),
        ("output_images", "per image"),
        ("subscriptions", "per billing period"),
    ],
)
def test_a_meter_says_in_words_what_its_price_is_for(slug: str, unit: str) -> None:
    assert meter(slug).unit == unit


@pytest.mark.parametrize(
    ("slug", "parent"),
    [
        ("cache_read_tokens", "input_tokens"),
        ("cache_write_1h_tokens", "cache_write_tokens"),
        ("cache_read_audio_tokens", "cache_read_tokens"),
        ("reasoning_tokens", "output_tokens"),
        ("output_tokens", None),
    ],
)
def test_a_part_counts_inside_its_parent(slug: str, parent: str | None) -> None:
    assert meter(slug).parent == parent


def test_every_parent_is_a_meter_of_the_same_quantity_and_nothing_is_its_own_ancestor() -> None:
    for found in METERS.values():
        seen = {found.slug}
        above = found
        while above.parent is not None:
            assert METERS[above.parent].per == above.per
            above = METERS[above.parent]
            assert above.slug not in seen
            seen.add(above.slug)


def test_quantities_are_one_a_thousand_or_a_million() -> None:
    assert {found.per for found in METERS.values()} == {1, THOUSAND, MILLION}


def test_an_unknown_meter_is_refused_by_name_with_the_known_ones() -> None:
    with pytest.raises(UnknownMeter, match=r"'input_tokes'.*input_tokens"):
        meter("input_tokes")
