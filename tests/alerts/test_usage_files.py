"""CSV files of usage: rows added up by offering and terms, averaged to a month, and refused row by row."""

from __future__ import annotations

from typing import Any

import pytest

from alerts.bills.usage_files import UnreadableUsage, read_usage_file
from pricing.models import Offering
from tests.api import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def chat() -> Offering:
    offering = make.offering("deepseek-chat")
    make.price(make.line(offering), "1")
    return offering


def read(*rows: str) -> list[tuple[str, dict[str, Any], int | None]]:
    lines = read_usage_file("\n".join(rows).encode())
    return [(line.service_tier, line.usage, line.requests) for line in lines]


def errors(*rows: str) -> list[tuple[int, str]]:
    with pytest.raises(UnreadableUsage) as refused:
        read_usage_file("\n".join(rows).encode())
    return [(error.line, error.detail) for error in refused.value.errors]


def test_rows_of_one_offering_and_terms_are_added_up() -> None:
    found = read(
        "seller,model,service_tier,requests,input_tokens,output_tokens",
        "deepseek,deepseek-chat,,10,1000,50",
        "deepseek,DeepSeek-Chat,,5,500,",
        "deepseek,deepseek-chat,batch,,7,1",
    )
    assert found == [
        ("", {"input_tokens": "1500", "output_tokens": "50"}, 15),
        ("batch", {"input_tokens": "7", "output_tokens": "1"}, None),
    ]


def test_meters_may_stand_in_rows() -> None:
    found = read(
        "seller,model,meter,quantity",
        "deepseek,deepseek-chat,input_tokens,1000",
        "deepseek,deepseek-chat,output_tokens,20",
        "deepseek,deepseek-chat,requests,4",
    )
    assert found == [("", {"input_tokens": "1000", "output_tokens": "20"}, 4)]


def test_days_are_averaged_to_a_month() -> None:
    found = read(
        "date,seller,model,requests,input_tokens",
        "2026-11-01,deepseek,deepseek-chat,10,1000",
        "2026-11-04T09:00:00Z,deepseek,deepseek-chat,,1000",
    )
    # Four days; a month has 30.4375.
    assert found == [("", {"input_tokens": "15219"}, 76)]


def test_months_count_whole() -> None:
    found = read(
        "date,seller,model,input_tokens",
        "2026-09,deepseek,deepseek-chat,61000",
        "2026-10,deepseek,deepseek-chat,61000",
    )
    assert found == [("", {"input_tokens": "60875"}, None)]


def test_spreadsheets_of_other_countries_are_read() -> None:
    assert read("\ufeffSeller;Model;Input tokens", "deepseek;deepseek-chat;5", ";;", "") == [
        ("", {"input_tokens": "5"}, None)
    ]


BAD: list[tuple[list[str], int, str]] = [
    (["seller,model,input_token"], 1, "unknown column 'input_token'"),
    (["seller,input_tokens"], 1, "the columns model are missing"),
    (["seller,model"], 1, "no column is a usage key"),
    (["seller,model,meter"], 1, "meter and quantity go together"),
    (["seller,model,seller,input_tokens"], 1, "twice"),
    (["seller,model,input_tokens"], 1, "no row with usage"),
    (["seller,model,input_tokens", ",deepseek-chat,5"], 2, "seller: is empty"),
    (["seller,model,input_tokens", "deepseek,deepseek-chat,-5"], 2, "not a number from 0"),
    (["seller,model,input_tokens", "deepseek,deepseek-chat,NaN"], 2, "not a number from 0"),
    (["seller,model,input_tokens", "deepseek,deepseek-chat,1.5"], 2, "a whole number was expected"),
    (["seller,model,input_tokens", "deepseek,deepseek-chat,5,6"], 2, "has 4 cells"),
    (["seller,model,meter,quantity", "deepseek,deepseek-chat,smells,6"], 2, "there is no meter 'smells'"),
    (["date,seller,model,input_tokens", "soon,deepseek,deepseek-chat,5"], 2, "not a day"),
    (["date,seller,model,input_tokens", ",deepseek,deepseek-chat,5"], 2, "date: is empty"),
    (["seller,model,input_tokens,cache_read_tokens", "deepseek,deepseek-chat,5,6"], 2, "more than input_tokens"),
]


@pytest.mark.parametrize(("rows", "line", "said"), BAD, ids=[said for _, _, said in BAD])
def test_what_cannot_be_is_named_with_its_line(rows: list[str], line: int, said: str) -> None:
    found = errors(*rows)
    assert [number for number, _ in found] == [line]
    assert said in found[0][1]


def test_lines_are_counted_as_an_editor_does() -> None:
    found = errors("seller,model,input_tokens", "", '"deepseek\n",deepseek-chat,5', "deepseek,nothing-like-it,5")
    assert [line for line, _ in found] == [5]


def test_what_is_no_text_is_refused() -> None:
    for content in (b"seller,model\n\xff\xfe", b"seller,model,input_tokens\n\0"):
        with pytest.raises(UnreadableUsage) as refused:
            read_usage_file(content)
        assert refused.value.errors[0].line == 2
