"""costs/ with a currency: amounts converted at the rate of each line's moment, which is cited."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from jsonschema import Draft202012Validator

from pricing.models import ExchangeRate, Offering
from tests.api import factories as make
from tests.api.contract import problem_of, schema
from tests.costing.asking import PATH, answer, call, fault, post, results

# After the end of what the project carries; Friday.
DAY = date(2099, 11, 20)
READ_AT = datetime(2099, 11, 20, 16, tzinfo=UTC)
AT = "2099-11-20T09:00:00Z"


def publish(day: date = DAY, known_from: datetime = READ_AT, **rates: str) -> None:
    """Rates as the feed writes them down."""
    source = make.source("ecb", kind="rates")
    for currency, units in rates.items():
        ExchangeRate.objects.create(
            source=source, currency=currency, day=day, rate=Decimal(units), known_from=known_from
        )


@pytest.fixture
def glm(db: None) -> Offering:
    """A model sold in yuan: 4 in, 16 out per 1M tokens, and 0.01 USD for a search."""
    publish(USD="1.25", CNY="8", JPY="160")
    offering = make.offering("glm-5", seller=make.company("zhipu"))
    source = make.source("models-dev")
    for meter, amount, currency in (
        ("input_tokens", "4", "CNY"),
        ("output_tokens", "16", "CNY"),
        ("web_searches", "10", "USD"),
    ):
        make.price(make.line(offering, meter), amount, currency=currency, source=source)
    return offering


def ask(**line: Any) -> dict[str, Any]:
    return call("glm-5", **{"seller": "zhipu", "at": AT, "usage": {"input_tokens": 1000, "output_tokens": 500}, **line})


@pytest.mark.usefixtures("glm")
def test_price_in_yuan_is_read_in_dollars_with_its_rate_cited(client: Client) -> None:
    (result,) = results(client, ask(), currency="USD")
    # 0.004 + 0.008 CNY at 1.25 / 8 USD for one.
    assert (result["total"], result["currency"], result["notes"]) == ("0.001875", "USD", [])
    assert [(item["meter"], item["amount"]) for item in result["items"]] == [
        ("input_tokens", "0.000625"),
        ("output_tokens", "0.00125"),
    ]
    assert {(item["price"]["amount"], item["price"]["currency"]) for item in result["items"]} == {
        ("4", "CNY"),
        ("16", "CNY"),
    }
    quote = {"date": "2099-11-20", "source": "ecb", "carried_by": None, "known_from": "2099-11-20T16:00:00Z"}
    assert result["rates"] == [
        {
            "from": "CNY",
            "to": "USD",
            "rate": "0.15625",
            "date": "2099-11-20",
            "for_date": "2099-11-20",
            "stands_in": False,
            "source": "ecb",
            "legs": [{"currency": "CNY", "per_euro": "8", **quote}, {"currency": "USD", "per_euro": "1.25", **quote}],
        }
    ]


@pytest.mark.usefixtures("glm")
def test_without_a_currency_amounts_stay_as_sold_and_no_rate_is_cited(client: Client) -> None:
    (result,) = results(client, ask())
    assert (result["total"], result["currency"], result["rates"]) == ("0.012", "CNY", [])


@pytest.mark.usefixtures("glm")
def test_sheet_in_several_currencies_is_converted_line_by_line(client: Client) -> None:
    usage = {"input_tokens": 1_000_000, "web_searches": 1000}
    (mixed,) = results(client, ask(usage=usage))
    assert "CNY, USD" in fault(mixed)["detail"]
    (result,) = results(client, ask(usage=usage), currency="JPY")
    assert [item["amount"] for item in result["items"]] == ["80", "1280"]
    assert (result["total"], [rate["from"] for rate in result["rates"]]) == ("1360", ["CNY", "USD"])


@pytest.mark.usefixtures("glm")
def test_only_currencies_that_were_charged_are_cited(client: Client) -> None:
    (result,) = results(client, ask(usage={"input_tokens": 1_000_000, "web_searches": 0}), currency="CNY")
    assert (result["total"], result["currency"], result["rates"]) == ("4", "CNY", [])


@pytest.mark.usefixtures("glm")
@pytest.mark.parametrize("day", ["2099-11-21", "2099-11-22"])
def test_weekend_uses_fridays_rate_and_says_so(client: Client, day: str) -> None:
    (result,) = results(client, ask(at=f"{day}T12:00:00Z"), currency="USD")
    (rate,) = result["rates"]
    assert (rate["date"], rate["for_date"], rate["stands_in"]) == ("2099-11-20", day, True)
    assert result["notes"] == [f"CNY became USD at the rate of 2099-11-20, the last known before {day}"]


@pytest.mark.usefixtures("glm")
def test_each_line_has_the_rate_of_its_own_moment(client: Client) -> None:
    publish(date(2099, 11, 23), CNY="10")
    moments = [AT, "2099-11-23T00:00:00Z", "2099-11-23T07:00:00+08:00"]
    found = results(client, *(ask(at=moment) for moment in moments), currency="EUR")
    assert [result["total"] for result in found] == ["0.0015", "0.0012", "0.0015"]


@pytest.mark.usefixtures("glm")
def test_known_at_uses_no_rate_that_was_not_known_then(client: Client) -> None:
    publish(known_from=datetime(2099, 12, 1, tzinfo=UTC), CNY="16")
    known = ["2099-11-20T15:59:59Z", "2099-11-20T16:00:00Z", "2099-12-01T00:00:00Z", None]
    found = results(client, *(ask(known_at=moment) for moment in known), currency="EUR")
    assert found[0]["rates"][0]["legs"][0]["carried_by"] is not None
    assert found[0]["rates"][0]["stands_in"]
    assert [result["total"] for result in found[1:]] == ["0.0015", "0.00075", "0.00075"]


@pytest.mark.usefixtures("glm")
def test_total_is_the_exact_sum_of_the_items_however_they_were_rounded(client: Client) -> None:
    publish(date(2099, 11, 23), CNY="7.77", USD="1.11")
    usage = {"input_tokens": 123_457, "output_tokens": 89, "web_searches": 3}
    (result,) = results(client, ask(at="2099-11-23T00:00:00Z", usage=usage), currency="JPY")
    assert Decimal(result["total"]) == sum(Decimal(item["amount"]) for item in result["items"])


def test_currency_nobody_has_a_rate_of_is_an_error_that_names_those_there_are(client: Client, glm: Offering) -> None:
    (said,) = problem_of(post(client, {"lines": [ask()] * 3, "currency": "XAU"}), 400)["errors"]
    assert said["pointer"] == "#/currency", "one error, however many lines there are"
    assert "no exchange rate of XAU" in said["detail"]
    assert {"USD", "CNY", "EUR"} <= set(said["choices"])
    make.price(make.line(glm, "pages"), "5", currency="XAU")
    (sold,) = results(client, ask(usage={"pages": 1000}), currency="XAU")
    assert (sold["total"], sold["currency"]) == ("5", "XAU"), "what is sold in it needs no rate"


def test_currency_before_its_first_rate_is_an_error_of_the_line(client: Client, glm: Offering) -> None:
    glm.lines.get(meter="input_tokens").prices.update(effective_from=datetime(2000, 1, 1, tzinfo=UTC))
    lines = [ask(at="2004-06-01T00:00:00Z", usage={"input_tokens": 1}), ask()]
    before, after = results(client, *lines, currency="USD")
    assert "no exchange rate of CNY for 2004-06-01: the first is of 2005-04-01" in fault(before)["detail"]
    assert after["total"] == "0.001875"


@pytest.mark.usefixtures("glm")
def test_what_has_no_price_stays_unpriced_and_costs_nothing_in_any_currency(client: Client) -> None:
    (result,) = results(client, ask(usage={"pages": 3}), currency="USD")
    assert (result["total"], result["currency"], result["rates"]) == ("0", "USD", [])
    assert result["unpriced"][0]["meter"] == "pages"


@pytest.mark.usefixtures("glm")
def test_rate_that_is_published_anew_is_used_by_the_next_request(client: Client) -> None:
    (first,) = results(client, ask(), currency="EUR")
    publish(known_from=datetime(2099, 11, 21, tzinfo=UTC), CNY="16")
    (second,) = results(client, ask(), currency="EUR")
    assert (first["total"], second["total"]) == ("0.0015", "0.00075")


@pytest.mark.usefixtures("glm")
def test_answer_is_as_the_schema_says(client: Client) -> None:
    described = schema()["paths"][PATH]["post"]["responses"]["200"]["content"]["application/json"]["schema"]
    document = {**described, "components": schema()["components"]}
    found = answer(post(client, {"currency": "USD", "lines": [ask(), ask(at="1990-01-01T00:00:00Z"), 5]}))
    errors = list(Draft202012Validator(document).iter_errors(found))
    assert not errors, errors[0]


def test_number_of_queries_does_not_grow_with_the_lines(
    client: Client, glm: Offering, django_assert_max_num_queries: Any
) -> None:
    lines = [ask(at=f"2099-11-{day:02}T12:00:00Z") for day in range(1, 29)] * 20
    results(client, *lines, currency="USD")
    with django_assert_max_num_queries(4):
        assert len(results(client, *lines, currency="USD")) == len(lines)
