"""llm-prices' history, read into dated claims: days, open ends, long prompts, rows that contradict each other."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from feeds.adapters.llm_prices import parse
from pricing.claims import Claim, Conditions, ParsedDocument, UnreadableDocument


def row(model: str = "small-1", **fields: Any) -> dict[str, Any]:
    empty = {"input_cached": None, "from_date": None, "to_date": None}
    return {"id": model, "vendor": "acme", "name": model, "input": 1, "output": 2, **empty, **fields}


def document(*rows: Any) -> ParsedDocument:
    return parse(json.dumps({"prices": rows}).encode())


def midnight(year: int, month: int, day: int) -> datetime:
    return datetime(year, month, day, tzinfo=UTC)


def test_a_row_without_dates_shows_prices_per_million_tokens() -> None:
    (found,) = document(row(input=0.14, input_cached=0.014)).offerings
    assert (found.provider, found.model) == ("acme", "small-1")
    assert found.claims == (
        Claim(Conditions("input_tokens"), Decimal("0.14")),
        Claim(Conditions("output_tokens"), Decimal(2)),
        Claim(Conditions("cache_read_tokens"), Decimal("0.014")),
    )


def test_the_rows_of_one_id_are_one_history_that_ends_before_its_to_date() -> None:
    (found,) = document(
        row(input=0.27, from_date="2025-02-08", output=None), row(input=0.14, to_date="2025-02-08", output=None)
    ).offerings
    line, moved = Conditions("input_tokens"), midnight(2025, 2, 8)
    assert found.claims == (
        Claim(line, Decimal("0.27"), effective_from=moved, precision="day"),
        Claim(line, Decimal("0.14"), effective_until=moved),
    )


@pytest.mark.parametrize("long_id", ["small-1-200k", "small-1--200k"])
def test_a_row_for_long_prompts_is_a_threshold_of_its_base_id(long_id: str) -> None:
    (found,) = document(row(name="Small 1 ≤200k"), row(long_id, name="Small 1 >200k", input=3)).offerings
    assert (found.model, found.facts.name) == ("small-1", "Small 1")
    assert {
        claim.line.above_input_tokens: claim.amount for claim in found.claims if claim.line.meter == "input_tokens"
    } == {
        0: Decimal(1),
        200_000: Decimal(3),
    }


@pytest.mark.parametrize(
    ("long_id", "name", "base"),
    [
        ("small-1-128k", "Small 1 128k", "small-1"),
        ("small-1-128k", "Small 1 >128k", "other"),
        ("small-1-8k", "> 128k", "small-1"),
    ],
)
def test_a_size_in_the_id_alone_is_part_of_the_models_name(long_id: str, name: str, base: str) -> None:
    found = document(row(base), row(long_id, name=name)).offerings
    assert [offering.model for offering in found] == [base, long_id]
    assert {claim.line.above_input_tokens for offering in found for claim in offering.claims} == {0}


def test_one_id_twice_with_the_same_open_prices_says_it_once() -> None:
    parsed = document(row(), row(name="Small 1 ≤128k"))
    assert len(parsed.offerings[0].claims) == 2
    assert not parsed.set_aside


def test_of_two_open_rows_that_contradict_each_other_the_first_is_taken_and_the_other_told_of() -> None:
    parsed = document(row(), row(input=9))
    assert [claim.amount for claim in parsed.offerings[0].claims] == [1, 2]
    (told,) = parsed.set_aside
    assert (told.model, told.reason[:23]) == ("small-1", "the id stands twice for")


def test_an_unknown_number_is_counted_by_name_and_the_row_is_taken() -> None:
    parsed = document(row(hologram=3, input_video=None, note="cheap"))
    assert parsed.unrecognised == {"hologram": 1, "input_video": 1}
    assert len(parsed.offerings[0].claims) == 2


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ({"input": "1"}, 'input is "1", but a price is a JSON number'),
        ({"output": -1}, "output is -1, but a price is 0 or more"),
        ({"from_date": "February"}, 'from_date is "February", but a day is written YYYY-MM-DD'),
        ({"from_date": "2025-02-08", "to_date": "2025-02-08"}, "to_date 2025-02-08 is not after"),
        ({"vendor": None}, "the row has no vendor and id"),
    ],
)
def test_a_bad_row_takes_its_whole_id_with_it_and_the_rest_goes_on(bad: dict[str, Any], said: str) -> None:
    parsed = document(row() if "vendor" not in bad else row("other"), row(**bad), row("good"))
    assert said in parsed.rejected[0].reason
    assert [found.model for found in parsed.offerings][-1] == "good"
    assert "small-1" not in [found.model for found in parsed.offerings]


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"prices": 5}', b'{"prices": []}', b'{"prices": [{"id": "a"}]}'])
def test_what_is_no_list_of_prices_is_refused_in_one_line(body: bytes) -> None:
    with pytest.raises(UnreadableDocument, match=r"historical-v1\.json"):
        parse(body)
