"""A document of which too much vanishes, or moves by one factor, is suspected as a whole or seller by seller."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

import pytest

from feeds.intake import Listed, Presence, Prices, Suspicion, rescaled, vanished
from pricing.claims import Conditions

INPUT, OUTPUT = Conditions("input_tokens"), Conditions("output_tokens")


def listed(count: int, seller: int = 1, first: int = 0, price: str = "2") -> list[Listed]:
    prices = {INPUT: (Decimal(price), "USD"), OUTPUT: (Decimal(price) * 4, "USD")}
    return [Listed(first + n, 1000 + first + n, seller, prices) for n in range(count)]


def times(each: Listed, factor: str) -> dict[Conditions, tuple[Decimal, str]]:
    return {line: (amount * Decimal(factor), currency) for line, (amount, currency) in each.prices.items()}


def suspicions(before: list[Listed], now: Mapping[int, Prices], named: Iterable[int]) -> list[Suspicion]:
    """What is strange of a document in which no offering has a new id."""
    return [*vanished(before, Presence(set(named), set(), set())), *rescaled(before, now)]


def read(before: list[Listed], gone: int = 0, factor: str = "1", moved: int = 0) -> list[Suspicion]:
    there = before[gone:]
    now = {each.reference: times(each, factor) if place < moved else each.prices for place, each in enumerate(there)}
    return suspicions(before, now, now.keys())


@pytest.mark.parametrize(("gone", "suspected"), [(0, False), (2, False), (3, True), (9, True)])
def test_more_than_a_fifth_of_a_document_may_not_vanish(gone: int, suspected: bool) -> None:
    found = read(listed(10), gone=gone)
    assert bool(found) == suspected
    if suspected:
        assert (found[0].reason, found[0].seller, found[0].count, found[0].total) == ("vanished", None, gone, 10)
        assert found[0].references == frozenset(range(gone))


def test_a_small_document_may_change_as_it_likes() -> None:
    assert read(listed(4), gone=4) == []


def test_a_fifth_of_one_seller_is_enough_where_it_has_five() -> None:
    before = [*listed(5, seller=7), *listed(100, seller=8, first=50)]
    (found,) = read(before, gone=2)
    assert (found.seller, found.count, found.total) == (7, 2, 5)
    assert read([*listed(4, seller=7), *listed(100, seller=8, first=50)], gone=4) == []


@pytest.mark.parametrize("factor", ["1000", "0.000001", "0.5"])
def test_a_common_factor_is_a_unit_slip(factor: str) -> None:
    (found,) = read(listed(10), factor=factor, moved=3)
    assert (found.reason, found.count, found.factor) == ("unit", 3, Decimal(factor))


def test_prices_that_move_each_by_its_own_factor_are_news() -> None:
    before = listed(10)
    now = {each.reference: times(each, f"1.{place}") for place, each in enumerate(before)}
    assert suspicions(before, now, now.keys()) == []


def test_a_price_that_moves_alone_within_its_offering_is_news() -> None:
    before = listed(10)
    now = {each.reference: {**each.prices, INPUT: (Decimal(1), "USD")} for each in before}
    assert suspicions(before, now, now.keys()) == []


def test_an_offering_with_another_id_left_is_there() -> None:
    before = listed(10)
    twins = [Listed(500 + each.reference, each.offering, each.seller, each.prices) for each in before]
    now = {each.reference: each.prices for each in twins}
    assert suspicions([*before, *twins], now, now.keys()) == []


def test_what_could_not_be_read_has_not_vanished() -> None:
    before = listed(10)
    assert suspicions(before, {}, [each.reference for each in before]) == []


def test_nothing_is_suspected_of_a_first_document() -> None:
    assert suspicions([], {1: {INPUT: (Decimal(1), "USD")}}, [1]) == []
