"""rates/: the exchange rates that apply on a day."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from django.test import Client

from pricing.currencies.carried import carried_book
from pricing.models import ExchangeRate
from tests.api import factories as make
from tests.api.contract import ListContract, fault_of

PATH = "/api/v1/rates/"
READ_AT = datetime(2099, 11, 20, 16, tzinfo=UTC)


@pytest.fixture
def record(db: None) -> None:
    """Two rates of one day in 2099 above the history that the project carries."""
    source = make.source("ecb", kind="rates")
    for currency, units in (("USD", "1.25"), ("CNY", "8.00")):
        ExchangeRate.objects.create(
            source=source, currency=currency, day=date(2099, 11, 20), rate=Decimal(units), known_from=READ_AT
        )


def on(day: date) -> list[str]:
    """The currencies that had a rate by a day."""
    return [name for name in carried_book().currencies() if carried_book().on(name, day)]


class TestRates(ListContract):
    path = PATH
    template = PATH
    key = "currency"
    record = record
    filters = {
        "currency": [("CNY", ["CNY"]), (["CNY", "USD"], ["CNY", "USD"]), ("EUR", [])],
        "date": [("1999-01-03", []), ("1999-01-04", on(date(1999, 1, 4)))],
        "known_at": [("1999-01-04T14:00:00Z", []), ("1999-01-04T15:00:00Z", on(date(1999, 1, 4)))],
    }

    def test_says_how_fresh_it_is(self, client: Client) -> None:
        make.observation(at=make.moment("2026-06-01T06:00"))
        assert client.get(self.path).json()["record_as_of"] is None, "a reading of prices tells no rates"
        make.observation(make.source("ecb"), READ_AT)
        assert client.get(self.path).json()["record_as_of"] == "2099-11-20T16:00:00Z"

    def test_rate_is_shown_with_its_day_and_source(self, client: Client) -> None:
        (row,) = client.get(PATH, {"currency": "CNY", "date": "2099-11-22"}).json()["results"]
        assert row == {
            "currency": "CNY",
            "per_euro": "8",
            "date": "2099-11-20",
            "source": "ecb",
            "carried_by": None,
            "known_from": "2099-11-20T16:00:00Z",
            "for_date": "2099-11-22",
            "stands_in": True,
        }

    def test_rate_that_was_not_known_is_not_shown(self, client: Client) -> None:
        asked = {"currency": "CNY", "date": "2099-11-22", "known_at": "2099-11-20T15:59:59Z"}
        (row,) = client.get(PATH, asked).json()["results"]
        assert row["carried_by"] is not None

    def test_currency_without_rates_is_refused(self, client: Client) -> None:
        fault = fault_of(client.get(PATH, {"currency": "XAU"}), "currency")
        assert "CNY" in fault["choices"]
        assert "sold_in" not in fault["detail"], "this list has no such parameter"

    def test_day_before_the_first_rate_of_the_currency_asked_for_is_refused(self, client: Client) -> None:
        fault = fault_of(client.get(PATH, {"currency": "USD", "date": "1990-01-01"}), "date")
        assert "the first is of 1999-01-04" in fault["detail"]
        assert fault_of(client.get(PATH, {"currency": "USD", "known_at": "1990-01-01T00:00:00Z"}), "known_at")
