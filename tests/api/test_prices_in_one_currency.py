"""prices/ with a currency: every amount converted at the rate of the moment asked about, or left out and said why."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from jsonschema import Draft202012Validator

from pricing.models import ExchangeRate
from tests.api import factories as make
from tests.api.contract import fault_of, problem_of, schema

PATH = "/api/v1/prices/"
# After the end of what the project carries; a Friday, and the Sunday after it.
FRIDAY, SUNDAY = date(2099, 11, 20), "2099-11-22T12:00:00Z"


def publish(day: date = FRIDAY, known_from: datetime | None = None, **rates: str) -> None:
    """Rates as the feed writes them down."""
    known_from = known_from or datetime(day.year, day.month, day.day, 16, tzinfo=UTC)
    source = make.source("ecb", kind="rates")
    for currency, units in rates.items():
        ExchangeRate.objects.create(
            source=source, currency=currency, day=day, rate=Decimal(units), known_from=known_from
        )


@pytest.fixture(autouse=True)
def record(db: None) -> None:
    """One price in yuan, one in dollars, one in a currency that nobody has rates of."""
    publish(USD="1.25", CNY="8")
    for name, amount, currency in (("glm-5", "4", "CNY"), ("gpt-9", "3", "USD"), ("au-1", "7", "XAU")):
        make.price(make.line(make.offering(name)), amount, currency=currency)


def rows(client: Client, **query: Any) -> dict[str, dict[str, Any]]:
    """The rows that a query finds, by the seller's id."""
    response = client.get(PATH, query)
    assert response.status_code == 200, response.content
    return {row["external_id"]: row for row in response.json()["results"]}


def table(client: Client, **query: Any) -> list[dict[str, Any]]:
    body = b"".join(client.get(PATH, query).streaming_content).decode()
    return list(csv.DictReader(io.StringIO(body)))


def test_price_in_yuan_is_read_in_dollars_with_its_rate_and_the_price_as_sold(client: Client) -> None:
    row = rows(client, currency="USD", as_of="2099-11-20T01:00:00Z")["glm-5"]
    assert (row["amount"], row["currency"], row["not_converted"]) == ("0.625", "USD", None)
    assert row["sold"] == {"amount": "4", "currency": "CNY"}
    rate = row["rate"]
    assert (rate["from"], rate["to"], rate["rate"], rate["source"]) == ("CNY", "USD", "0.15625", "ecb")
    assert (rate["date"], rate["stands_in"]) == ("2099-11-20", False)
    assert [(leg["currency"], leg["per_euro"]) for leg in rate["legs"]] == [("CNY", "8"), ("USD", "1.25")]


def test_weekend_uses_fridays_rate_and_says_so(client: Client) -> None:
    rate = rows(client, currency="USD", as_of=SUNDAY)["glm-5"]["rate"]
    assert (rate["date"], rate["for_date"], rate["stands_in"]) == ("2099-11-20", "2099-11-22", True)


def test_what_is_sold_in_the_currency_asked_for_needs_no_rate(client: Client) -> None:
    row = rows(client, currency="USD", as_of=SUNDAY)["gpt-9"]
    assert (row["amount"], row["rate"], row["sold"]) == ("3", None, {"amount": "3", "currency": "USD"})


def test_price_without_a_rate_has_no_amount_and_says_why(client: Client) -> None:
    row = rows(client, currency="USD", as_of=SUNDAY)["au-1"]
    assert (row["amount"], row["currency"], row["rate"]) == (None, "USD", None)
    assert row["sold"] == {"amount": "7", "currency": "XAU"}
    assert "no exchange rate of XAU" in row["not_converted"]


def test_moment_before_the_first_rate_leaves_the_amount_out(client: Client) -> None:
    since = datetime(2001, 1, 1, tzinfo=UTC)
    make.price(make.line(make.offering("old"), "pages"), "4", since, currency="CNY")
    assert (
        "the first is of 2005-04-01"
        in rows(client, currency="USD", as_of="2002-01-01T00:00:00Z")["old"]["not_converted"]
    )


def test_currency_without_any_rate_is_refused_with_those_there_are(client: Client) -> None:
    fault = fault_of(client.get(PATH, {"currency": "XAU"}), "currency")
    assert "sold_in=XAU" in fault["detail"]
    assert {"USD", "CNY", "EUR"} <= set(fault["choices"])
    for wrong in ("usd", "US", "", ["USD", "CNY"]):
        fault_of(client.get(PATH, {"currency": wrong}), "currency")


def test_prices_are_found_by_the_currency_they_are_sold_in(client: Client) -> None:
    assert set(rows(client, sold_in="CNY")) == {"glm-5"}
    assert set(rows(client, sold_in=["CNY", "XAU"])) == {"glm-5", "au-1"}
    assert rows(client, sold_in="CNY", currency="EUR", as_of=SUNDAY)["glm-5"]["amount"] == "0.5"


def test_without_a_currency_rows_are_as_sold_and_as_they_were(client: Client) -> None:
    row = rows(client)["glm-5"]
    assert (row["amount"], row["currency"]) == ("4", "CNY")
    assert not {"sold", "rate", "not_converted"} & set(row)
    problem_of(client.get(PATH, {"fields": "sold"}), 400)


def test_known_at_uses_no_rate_that_was_not_known_then(client: Client) -> None:
    publish(known_from=datetime(2099, 12, 1, tzinfo=UTC), CNY="16")
    asked = {"currency": "EUR", "as_of": SUNDAY, "sold_in": "CNY"}
    known = ["2099-11-20T15:00:00Z", "2099-11-21T00:00:00Z", "2099-12-01T00:00:00Z"]
    found = [rows(client, known_at=moment, **asked)["glm-5"] for moment in known]
    assert found[0]["rate"]["legs"][0]["carried_by"] is not None
    assert [row["amount"] for row in found[1:]] == ["0.5", "0.25"]


def test_now_uses_the_rate_of_today_on_every_page(client: Client) -> None:
    today = timezone.now().date()
    publish(today - timedelta(days=1), CNY="10")
    publish(today, CNY="20", known_from=timezone.now())
    first = client.get(PATH, {"currency": "EUR", "sold_in": ["CNY", "USD"], "limit": 1}).json()
    (row,) = first["results"]
    assert (row["amount"], row["rate"]["date"]) == ("0.2", today.isoformat())
    assert f"as_of={today}T00%3A00%3A00Z" in first["next"]
    assert client.get(first["next"]).json()["results"][0]["rate"]["for_date"] == today.isoformat()


def test_tag_ends_when_a_rate_is_written(client: Client) -> None:
    asked = {"currency": "EUR", "as_of": SUNDAY}
    tag = client.get(PATH, asked).headers["ETag"]
    assert client.get(PATH, asked, headers={"If-None-Match": tag}).status_code == 304
    publish(date(2099, 11, 22), CNY="10")
    fresh = client.get(PATH, asked, headers={"If-None-Match": tag})
    assert fresh.status_code == 200
    assert {row["amount"] for row in fresh.json()["results"]} >= {"0.4"}


def test_tag_ends_with_the_day_for_new_rates_and_for_what_grew_stale(client: Client, monkeypatch: Any) -> None:
    converted, plain = ({"currency": "EUR"}, {})
    tags = [client.get(PATH, asked).headers["ETag"] for asked in (converted, plain)]
    later = timezone.now() + timedelta(days=1)
    monkeypatch.setattr(timezone, "now", lambda: later)
    answers = [
        client.get(PATH, asked, headers={"If-None-Match": tag}).status_code
        for asked, tag in zip((converted, plain), tags, strict=True)
    ]
    assert answers == [200, 200]


def test_table_has_a_column_for_each_part_of_the_rate(client: Client) -> None:
    found = {row["external_id"]: row for row in table(client, currency="USD", as_of=SUNDAY, format="csv")}
    yuan = found["glm-5"]
    assert (yuan["amount"], yuan["currency"], yuan["sold.amount"], yuan["sold.currency"]) == (
        "0.625",
        "USD",
        "4",
        "CNY",
    )
    assert (yuan["rate.rate"], yuan["rate.date"], yuan["rate.source"]) == ("0.15625", "2099-11-20", "ecb")
    assert yuan["rate.stands_in"] == "true"
    assert (found["au-1"]["amount"], found["au-1"]["rate.rate"]) == ("", "")
    assert "XAU" in found["au-1"]["not_converted"]


def test_table_can_be_narrowed_to_some_parts(client: Client) -> None:
    asked = {"currency": "USD", "as_of": SUNDAY, "format": "csv", "sold_in": "CNY", "fields": "external_id,amount,sold"}
    assert table(client, **asked) == [
        {"external_id": "glm-5", "amount": "0.625", "sold.amount": "4", "sold.currency": "CNY"}
    ]


def test_json_lines_hold_the_same_rows(client: Client) -> None:
    asked = {"currency": "USD", "as_of": SUNDAY}
    body = b"".join(client.get(PATH, {**asked, "format": "jsonl"}).streaming_content).decode()
    streamed = {row["external_id"]: row for row in map(json.loads, body.splitlines())}
    assert streamed == rows(client, **asked)


def test_answer_is_as_the_schema_says(client: Client) -> None:
    described = schema()["paths"][PATH]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    document = {**described, "components": schema()["components"]}
    found = client.get(PATH, {"currency": "USD", "as_of": SUNDAY}).json()
    errors = list(Draft202012Validator(document).iter_errors(found))
    assert not errors, errors[0]
