"""A document that is cut short says nothing of what it lacks: no second id, no region, no new name and no presence."""

from __future__ import annotations

from typing import Any

import pytest

from feeds.document_holds import release_document
from pricing.ledger import Ruling
from pricing.models import Hold, Offering, Price, PricingChange, Reference, Statement
from tests.feeds.small_feeds import day, price_map, read
from tests.pricing.stages import assert_clean

pytestmark = pytest.mark.django_db
RULING = Ruling(by=None, note="the page lists no more")
Rows = dict[str, dict[str, Any]]


def row(provider: str, price: float = 1e-06, **more: object) -> dict[str, Any]:
    return {"litellm_provider": provider, "mode": "chat", "input_cost_per_token": price} | more


def whole() -> Rows:
    """Ten models, of which two have a region and a second id besides, and one is free of charge or unknown."""
    rows = {f"azure__model_{n}": row("azure", n * 1e-06) for n in range(1, 11)}
    for n in (1, 2):
        rows[f"azure__eu__model_{n}"] = row("azure", n * 1.1e-06)
        rows[f"azure__Model.{n}"] = row("azure", n * 1e-06)
    return rows | {"azure__model_0": row("azure", 0)}


def cut(rows: Rows) -> Rows:
    """The first two rows of a document."""
    return dict(list(rows.items())[:2])


def changes() -> list[tuple[str, str]]:
    return list(PricingChange.objects.filter(initial=False).order_by("sequence").values_list("kind", "nature"))


def record() -> tuple[int, int, int]:
    return (
        Statement.objects.filter(ended_at=None).count(),
        Price.objects.filter(known_until=None).count(),
        Reference.objects.filter(absent_since=None).count(),
    )


def read_all(*documents: tuple[Rows, int]) -> None:
    for rows, number in documents:
        read(price_map(**rows), day(number), "litellm")


def test_three_cut_readings_over_two_days_end_nothing_of_offerings_that_are_still_there() -> None:
    read_all((whole(), 1))
    before = record()
    read_all(*((cut(whole()), number) for number in (2, 3, 5, 6)))
    assert (record(), changes()) == (before, [])
    assert not Statement.objects.exclude(ended_at=None).exists()
    assert Hold.objects.get().is_open
    assert_clean()


def test_what_another_cut_reading_lacks_besides_is_covered_too() -> None:
    rows = whole()
    read_all((rows, 1))
    before = record()
    read_all(*((dict(list(rows.items())[number : number + 2]), number) for number in (2, 4, 6, 8)))
    assert (record(), changes()) == (before, [])
    assert Hold.objects.get().is_open
    assert_clean()


def test_all_is_as_it_was_when_the_whole_document_is_back() -> None:
    read_all((whole(), 1))
    before = record()
    read_all((cut(whole()), 2), (cut(whole()), 4), (whole(), 5), (whole(), 8))
    assert (record(), changes(), Hold.objects.get().outcome) == (before, [], "lapsed")
    assert_clean()


def test_a_person_who_releases_the_hold_lets_all_of_it_go_from_the_first_reading() -> None:
    read_all((whole(), 1), *((cut(whole()), number) for number in (2, 3, 5)))
    release_document(Hold.objects.get(), RULING)
    assert Reference.objects.filter(absent_since=None).count() == 2
    assert set(Reference.objects.exclude(absent_since=None).values_list("absent_since", flat=True)) == {day(2)}
    assert set(changes()) == {("withdrawn", "market"), ("price_removed", "market")}
    assert set(PricingChange.objects.filter(initial=False).values_list("effective_at", flat=True)) == {day(2)}
    assert_clean()


def test_no_id_is_a_new_name_of_what_a_cut_document_lacks() -> None:
    rows = whole() | {"azure__claude_opus_4_6": row("azure", 5e-06)}
    preview = {"azure__claude_opus_4_6_preview": row("azure", 1e-05)}
    read_all((rows, 1), (cut(rows) | preview, 2), (rows | preview, 3), (rows | preview, 6))
    assert Offering.objects.filter(external_id__startswith="claude-opus-4-6").count() == 2
    assert not Reference.objects.exclude(continues=None).exists()
    assert changes() == [("listed", "market")]
    assert_clean()


def test_what_is_left_out_alone_once_the_rest_is_back_goes_by_itself() -> None:
    rows = whole()
    read_all((rows, 1), (cut(rows), 2))
    less = {key: each for key, each in rows.items() if key != "azure__eu__model_2"}
    read_all((less, 3), (less, 4), (less, 6))
    assert Hold.objects.get().outcome == "persistence"
    assert changes() == [("price_removed", "market")]
    assert_clean()


def test_a_part_that_is_spelt_anew_is_not_lacking() -> None:
    rows = whole()
    read_all((rows, 1))
    respelt = {key.replace("model_", "MODEL."): each for key, each in rows.items()}
    read_all(*((respelt, number) for number in (2, 3, 5)))
    assert (Hold.objects.count(), changes()) == (0, [])
    assert_clean()
