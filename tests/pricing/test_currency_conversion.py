"""Converting amounts: which day's rate applies, what is cited, and that nothing is lost on the way."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing.currencies.conversion import NoRate, Quote, Rates, Series

FRIDAY = date(2026, 10, 30)
PUBLISHED = datetime(2026, 10, 30, 15, tzinfo=UTC)


def quote(currency: str, units: str, day: date = FRIDAY, known_from: datetime | None = None) -> Quote:
    known_from = known_from or datetime(day.year, day.month, day.day, 15, tzinfo=UTC)
    return Quote(currency, day, Decimal(units), "ecb", known_from)


class Told:
    """A book of quotes that a test tells."""

    def __init__(self, *quotes: Quote) -> None:
        self._quotes = quotes

    def currencies(self) -> set[str]:
        return {quote.currency for quote in self._quotes}

    def on(self, currency: str, day: date, known_at: datetime | None = None) -> Quote | None:
        return self._of(currency).on(day, known_at)

    def first(self, currency: str, known_at: datetime | None = None) -> Quote | None:
        return self._of(currency).first(known_at)

    def _of(self, currency: str) -> Series:
        return Series(currency, [quote for quote in self._quotes if quote.currency == currency])


def rates_of(*quotes: Quote) -> Rates:
    return Rates(Told(*quotes))


def at(day: int, month: int = 10, hour: int = 12) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=UTC)


RATES = rates_of(
    quote("USD", "1.1172"),
    quote("USD", "1.113", FRIDAY - timedelta(days=1)),
    quote("CNY", "7.4326"),
    quote("ISK", "136", date(2026, 10, 28)),
)


def test_one_currency_becomes_another_through_the_euro_with_both_quotes_cited() -> None:
    converted = RATES.convert(Decimal(2), "CNY", "USD", at(30))
    # 2 / 7.4326 * 1.1172 = 0.30062158598606140516…
    assert converted.amount == Decimal("0.300621585986061405")
    assert converted.conversion is not None
    assert [(leg.currency, leg.rate) for leg in converted.conversion.legs] == [
        ("CNY", Decimal("7.4326")),
        ("USD", Decimal("1.1172")),
    ]
    assert (converted.conversion.day, converted.conversion.source) == (FRIDAY, "ecb")
    assert not converted.conversion.stands_in


def test_euro_needs_one_quote_and_the_same_currency_none() -> None:
    assert RATES.convert(Decimal(2), "EUR", "USD", at(30)).amount == Decimal("2.2344")
    assert len(RATES.conversion("USD", "EUR", at(30)).legs) == 1
    assert RATES.convert(Decimal("1.23"), "XAU", "XAU", at(30)) == (Decimal("1.23"), None)


@pytest.mark.parametrize("moment", [at(31), at(1, 11), at(30, 12)])
def test_day_without_a_rate_uses_the_last_one_before_it_and_says_so(moment: datetime) -> None:
    conversion = RATES.conversion("CNY", "USD", moment)
    assert (conversion.day, conversion.for_day, conversion.stands_in) == (FRIDAY, moment.date(), True)
    assert str(FRIDAY) in conversion.note


def test_nothing_is_worked_out_between_two_days() -> None:
    rates = rates_of(quote("USD", "1"), quote("USD", "3", date(2026, 11, 2)))
    between = [rates.convert(Decimal(1), "EUR", "USD", moment).amount for moment in (at(31), at(1, 11))]
    assert between == [1, 1]


def test_moment_takes_the_rate_of_its_day_in_utc_whatever_its_hour_and_zone() -> None:
    start, end = datetime(2026, 10, 30, tzinfo=UTC), datetime(2026, 10, 30, 23, 59, 59, 999999, tzinfo=UTC)
    assert {RATES.conversion("EUR", "USD", moment).day for moment in (start, end)} == {FRIDAY}
    shanghai = datetime.fromisoformat("2026-10-30T07:00:00+08:00")
    assert RATES.conversion("EUR", "USD", shanghai).day == date(2026, 10, 29)


def test_leg_of_an_earlier_day_dates_the_whole() -> None:
    conversion = RATES.conversion("ISK", "USD", at(30))
    assert (conversion.day, conversion.stands_in) == (date(2026, 10, 28), True)


def test_unknown_currency_is_an_error_that_names_those_there_are() -> None:
    with pytest.raises(
        NoRate, match="no exchange rate of XAU is known; there are rates of CNY, EUR, ISK, USD"
    ) as error:
        RATES.conversion("XAU", "USD", at(30))
    assert error.value.choices == ["CNY", "EUR", "ISK", "USD"]


def test_day_before_the_first_rate_is_an_error_that_names_the_first() -> None:
    with pytest.raises(NoRate, match="no exchange rate of CNY for 2026-10-29: the first is of 2026-10-30"):
        RATES.conversion("CNY", "USD", at(29))


def test_rate_is_not_used_for_what_was_known_before_it_was() -> None:
    before = PUBLISHED - timedelta(microseconds=1)
    assert RATES.conversion("EUR", "USD", at(30), PUBLISHED).day == FRIDAY
    assert RATES.conversion("EUR", "USD", at(30), before).day == date(2026, 10, 29)
    with pytest.raises(NoRate, match=r"rate of CNY that was known at 2026-10-30 14:59 UTC"):
        RATES.conversion("CNY", "USD", at(30), before)


def test_of_two_rates_for_a_day_the_one_known_last_is_believed() -> None:
    later = PUBLISHED + timedelta(days=3)
    rates = rates_of(quote("USD", "2", known_from=later), quote("USD", "1"))
    assert rates.quote("USD", FRIDAY).rate == 2
    assert rates.quote("USD", FRIDAY, later - timedelta(seconds=1)).rate == 1


def test_of_two_books_the_later_day_applies_and_on_one_day_the_first_book() -> None:
    friday, thursday = quote("USD", "1"), quote("USD", "2", FRIDAY - timedelta(days=1))
    assert Rates(Told(quote("USD", "3")), Told(friday)).quote("USD", FRIDAY).rate == 3
    assert Rates(Told(thursday), Told(friday)).quote("USD", FRIDAY).rate == 1
    assert Rates(Told(friday), Told(thursday)).quote("USD", FRIDAY).rate == 1


def test_half_a_unit_in_the_last_place_goes_to_the_even_digit() -> None:
    rates = rates_of(quote("USD", "0.5"))
    halves = {
        "1.00000000000000001": "0.500000000000000005",
        "2.00000000000000001": "1",
        "2.00000000000000003": "1.00000000000000002",
    }
    assert {
        amount: str(rates.convert(Decimal(amount), "EUR", "USD", at(30)).amount.normalize()) for amount in halves
    } == halves


positive = st.decimals(min_value=Decimal("0.0001"), max_value=Decimal("400000"), places=6, allow_nan=False)
amounts = st.decimals(min_value=0, max_value=Decimal("1e12"), places=18, allow_nan=False, allow_infinity=False)


@given(amount=amounts, sold=positive, asked=positive)
def test_result_is_the_exact_one_rounded_once(amount: Decimal, sold: Decimal, asked: Decimal) -> None:
    rates = rates_of(Quote("CNY", FRIDAY, sold, "ecb", PUBLISHED), Quote("USD", FRIDAY, asked, "ecb", PUBLISHED))
    found = rates.convert(amount, "CNY", "USD", at(30)).amount
    assert Fraction(found) == _rounded(Fraction(amount) * Fraction(asked) / Fraction(sold))


def _rounded(exact: Fraction) -> Fraction:
    """To 18 significant digits, half to even, by integers alone."""
    if not exact:
        return exact
    place = Fraction(1)
    while exact / place >= 10**18:
        place *= 10
    while exact / place < 10**17:
        place /= 10
    return round(exact / place) * place


days = st.integers(0, 40).map(lambda number: date(2026, 1, 1) + timedelta(days=number))
known = st.integers(0, 60).map(lambda number: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=number))


@given(told=st.dictionaries(st.tuples(days, known), st.integers(1, 9), max_size=12), day=days, then=st.none() | known)
def test_quote_of_a_day_is_as_a_search_through_all_finds_it(
    told: Mapping[tuple[date, datetime], int], day: date, then: datetime | None
) -> None:
    # No rate is known before its day.
    held = {key: units for key, units in told.items() if key[1].date() >= key[0]}
    quotes = [Quote("USD", on, Decimal(units), "ecb", since) for (on, since), units in held.items()]
    eligible = [key for key in held if key[0] <= day and (then is None or key[1] <= then)]
    found = Series("USD", quotes).on(day, then)
    assert (found and found.rate) == (held[max(eligible)] if eligible else None)


def test_context_of_the_caller_does_not_matter() -> None:
    from decimal import localcontext

    with localcontext(Context(prec=3, rounding=ROUND_HALF_EVEN)):
        assert RATES.convert(Decimal("1234567.89"), "EUR", "USD", at(30)).amount == Decimal("1379259.246708")
