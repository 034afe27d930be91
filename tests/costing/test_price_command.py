"""``manage.py price``: the sheet in force, for a person and as JSON."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from pricing.models import Offering
from tests.api import factories as make
from tests.costing.asking import call, results

AT = ["--at", "2026-06-01T00:00:00Z"]


def price(*arguments: str) -> str:
    written = StringIO()
    call_command("price", *arguments, stdout=written)
    return written.getvalue()


@pytest.fixture
def resold(chat: Offering) -> Offering:
    """The same model at Azure, under another id."""
    offering = make.offering("ds-v4", seller=make.company("azure"), model=chat.model)
    make.price(make.line(offering), "9", make.moment("2026-03-01"), precision="day")
    return offering


@pytest.mark.parametrize("name", ["deepseek-chat", "deepseek-v4", "ds-v4", "deepseek/deepseek-chat"])
def test_every_seller_of_the_model_is_shown_with_lines_amounts_dates_and_sources(resold: Offering, name: str) -> None:
    printed = price(name, *AT)
    assert "deepseek-chat at Deepseek" in printed
    assert "ds-v4 at Azure" in printed
    (line,) = [line for line in printed.splitlines() if "0.2175" in line]
    assert line.split()[:6] == ["input_tokens", "batch", "0.2175", "USD", "per", "1M"]
    assert "begun by 2026-01-01 00:00 UTC" in line
    assert "since 2026-03-01" in printed


def test_one_seller_is_shown_alone(resold: Offering) -> None:
    assert "ds-v4" not in price("deepseek-v4", "--seller", "deepseek", *AT)


def test_moment_without_a_price_is_said_to_have_none(chat: Offering) -> None:
    assert "no price is known" in price("deepseek-chat", "--at", "2025-01-01T00:00:00Z")


def test_usage_is_priced(chat: Offering) -> None:
    printed = price("deepseek-chat", *AT, "--usage", "input_tokens=1000", "output_tokens=1", "web_searches=2")
    assert "cost: 0.00043587 USD" in printed
    assert "web_searches 2: no price is known" in printed


def test_amounts_are_converted_at_the_rate_of_the_moment_which_is_shown(chat: Offering) -> None:
    printed = price("deepseek-chat", *AT, "--currency", "EUR", "--usage", "input_tokens=1000000")
    (line,) = [line for line in printed.splitlines() if "batch" in line]
    assert "EUR (0.2175 USD)" in line
    assert printed.count("1 USD = 0.") == 1
    assert "EUR on 2026-06-01 (ecb)" in printed
    (row,) = map(json.loads, price("deepseek-chat", *AT, "--currency", "EUR", "--json").splitlines())
    amounts = {(shape["sold"]["amount"], shape["amount"], shape["currency"]) for shape in row["prices"]}
    (converted,) = [amount for sold, amount, currency in amounts if (sold, currency) == ("0.435", "EUR")]
    assert f"cost: {converted} EUR" in printed


def test_earlier_day_that_stands_in_is_said(chat: Offering) -> None:
    printed = price("deepseek-chat", "--at", "2026-06-07T00:00:00Z", "--currency", "EUR")
    assert "on 2026-06-05 (ecb), the last known before 2026-06-07" in printed


def test_price_without_a_rate_stays_as_sold_and_says_why(chat: Offering) -> None:
    make.price(make.line(chat, "pages"), "7", currency="XAU")
    printed = price("deepseek-chat", *AT, "--currency", "EUR")
    assert "7 XAU (no exchange rate of XAU is known" in printed


def test_json_holds_the_prices_and_the_cost(resold: Offering) -> None:
    rows = [json.loads(line) for line in price("ds-v4", "--json", *AT, "--usage", "input_tokens=10").splitlines()]
    assert [(row["seller"], row["cost"]["total"]) for row in rows] == [("azure", "0.00009"), ("deepseek", "0.00000435")]
    assert rows[0]["prices"][0]["amount"] == "9"


def test_alias_is_followed_and_named(chat: Offering) -> None:
    make.alias("latest", chat)
    assert "to which latest leads" in price("latest", *AT)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["deepseek-caht"], "deepseek-"),
        (["deepseek-caht", "--seller", "deepseek"], "deepseek-chat"),
        (["deepseek-chat", "--seller", "deepsek"], "deepseek"),
        (["deepseek-chat", "--at", "2026-06-01T00:00:00"], "no time zone"),
        (["deepseek-chat", "--at", "yesterday"], "not a moment"),
        (["deepseek-chat", "--usage", "input_tokens"], "METER=COUNT"),
        (["deepseek-chat", "--usage", "inptu_tokens=1"], "input_tokens"),
        (["deepseek-chat", "--usage", "input_tokens=1200", "cache_read_tokens=5000"], "more than input_tokens"),
        (["a\0b"], "no model"),
        (["deepseek-chat", "--currency", "XAU"], "no exchange rate of 'XAU' is known; choose from AUD"),
    ],
)
def test_bad_input_ends_with_2_and_says_what_is_right(chat: Offering, arguments: list[str], says: str) -> None:
    with pytest.raises(CommandError, match=says) as refused:
        price(*arguments)
    assert refused.value.returncode == 2


def told(*arguments: str) -> list[dict[str, Any]]:
    """What the command says as JSON of some usage of DeepSeek's."""
    usage = ["--usage", "input_tokens=1000000"]
    return [json.loads(line) for line in price(*arguments, *AT, *usage, "--json").splitlines()]


def test_region_that_an_id_fixes_is_priced_as_the_api_does(client: Client, db: None) -> None:
    offering, source = make.offering("gpt-5"), make.source("models-dev")
    make.price(make.line(offering), "1", source=source)
    inside = make.line(offering, region="eu")
    make.price(inside, "2", source=source)
    make.statement(inside, "2", reference=make.reference(offering, external_id="azure/eu/gpt-5", source=source))
    (said,) = told("azure/eu/gpt-5", "--seller", "deepseek")
    assert said["cost"] == results(client, call("azure/eu/gpt-5"))[0]
    assert said["cost"]["total"] == "2"


def test_alias_of_an_alias_is_priced_as_the_api_does(client: Client, chat: Offering) -> None:
    make.alias("latest", make.alias("middle", chat).offering)
    (said,) = told("latest", "--seller", "deepseek")
    assert said["cost"] == results(client, call("latest"))[0]
    assert said["cost"]["total"] == "0.435"


def test_long_quantities_are_priced_exactly(db: None) -> None:
    make.price(make.line(make.offering("tts"), "audio_seconds"), "1")
    quantity = "123456789012345678.123456789012345678"
    printed = price("tts", *AT, "--usage", f"audio_seconds={quantity}")
    assert f"cost: {quantity} USD" in printed
