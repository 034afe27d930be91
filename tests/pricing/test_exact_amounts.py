"""Amounts: exact from the document to the database and back, and in the order of their values."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from companies.models import Company
from pricing.models import Decision, Offering
from tracker.amounts import AmountOutOfRange, fits, from_sortable, plain, to_sortable
from tracker.fields import AmountField

SMALLEST = Decimal("0.000000000000000001")
LARGEST = Decimal("99999999999999999999.999999999999999999")
AMOUNTS = st.integers(-(10**38) + 1, 10**38 - 1).map(lambda digits: Decimal(f"{digits}E-18"))


@given(AMOUNTS)
def test_an_amount_comes_back_from_its_sortable_text_as_it_was(amount: Decimal) -> None:
    assert from_sortable(to_sortable(amount)) == amount


@given(AMOUNTS, AMOUNTS)
def test_sortable_text_sorts_as_the_amounts_do(one: Decimal, other: Decimal) -> None:
    assert (to_sortable(one) < to_sortable(other)) == (one < other)


@given(AMOUNTS)
def test_sortable_text_never_grows_beyond_its_column(amount: Decimal) -> None:
    assert len(to_sortable(amount)) <= 40


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("3", "3"),
        ("3.00", "3"),
        ("0.4350", "0.435"),
        ("1e-06", "0.000001"),
        ("1E+2", "100"),
        ("-0", "0"),
        ("0E-8", "0"),
    ],
)
def test_amounts_are_written_without_exponent_or_trailing_zeros(amount: str, text: str) -> None:
    assert plain(Decimal(amount)) == text


@pytest.mark.parametrize(
    ("amount", "does_fit"),
    [
        (SMALLEST, True),
        (LARGEST, True),
        (LARGEST.copy_negate(), True),
        (Decimal("1E+19"), True),
        (Decimal("1E+20"), False),
        (Decimal("1E-19"), False),
        (Decimal("0.1234567890123456780000"), True),
        (Decimal("0.1234567890123456789"), False),
        (Decimal("0E-40"), True),
        (Decimal("NaN"), False),
        (Decimal("Infinity"), False),
    ],
)
def test_what_fits_is_what_loses_no_digit(amount: Decimal, does_fit: bool) -> None:
    assert fits(amount) is does_fit


@pytest.fixture
def offering(db: None) -> Offering:
    seller = Company.objects.create(slug="seller", name="Seller")
    return Offering.objects.create(seller=seller, external_id="m", identity_key="m", name="M")


def keep(offering: Offering, *amounts: str) -> None:
    for amount in amounts:
        Decision.objects.create(
            kind=Decision.Kind.PIN, offering=offering, amount=Decimal(amount), made_at="2026-01-01T00:00:00Z"
        )


@pytest.mark.parametrize(
    "amount", ["0.123456789012345678", "0.1", "1e-18", "99999999999999999999.999999999999999999", "-1.5", "0"]
)
def test_the_database_gives_an_amount_back_to_the_last_digit(offering: Offering, amount: str) -> None:
    keep(offering, amount)
    assert Decision.objects.get().amount == Decimal(amount)


def test_the_database_sorts_amounts_by_value_the_negative_ones_first(offering: Offering) -> None:
    keep(offering, "10", "9", "-2", "0", "-10", "0.5", "-0.5", "100")
    found = Decision.objects.order_by("amount").values_list("amount", flat=True)
    assert [plain(amount) for amount in found if amount is not None] == [
        "-10",
        "-2",
        "-0.5",
        "0",
        "0.5",
        "9",
        "10",
        "100",
    ]


def test_the_database_compares_amounts_by_value(offering: Offering) -> None:
    keep(offering, "10", "9", "-2", "0.5")
    assert Decision.objects.filter(amount__gt=Decimal("9")).count() == 1
    assert Decision.objects.filter(amount__lt=Decimal("0.50")).count() == 1
    assert Decision.objects.filter(amount=Decimal("0.500")).count() == 1
    assert Decision.objects.filter(amount__in=[Decimal("9.0"), Decimal("-2.00")]).count() == 2


def test_an_amount_that_would_lose_digits_is_refused_and_not_rounded(offering: Offering) -> None:
    with pytest.raises(AmountOutOfRange, match=r"0\.1234567890123456789"):
        keep(offering, "0.1234567890123456789")


def test_text_from_a_form_becomes_an_exact_amount_or_an_error_that_shows_what_is_right() -> None:
    assert AmountField().to_python(" 0.435 ") == Decimal("0.435")
    with pytest.raises(ValidationError, match=r"'cheap' is not a decimal number such as 0\.435"):
        AmountField().to_python("cheap")


@pytest.mark.django_db
def test_the_column_is_numeric_on_postgresql_and_text_elsewhere() -> None:
    expected = "numeric(38,18)" if connection.vendor == "postgresql" else "varchar(40)"
    assert AmountField().db_type(connection) == expected
