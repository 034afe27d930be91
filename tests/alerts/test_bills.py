"""Bills: a month's usage on the buyer's own terms, with what has no price named and cheaper sellers beside it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from alerts.bills.arithmetic import Charge, Commitment, Scope, has_moved, percent_moved, settle
from alerts.bills.billing import Bill, Biller, bill_of
from alerts.models import UsageProfile
from companies.models import Company
from pricing.models import Alias, Offering
from tests.alerts import people
from tests.api import factories as make

NOW = datetime(2026, 6, 1, tzinfo=UTC)
MILLION = 1_000_000
pytestmark = pytest.mark.django_db


def sold(external_id: str, amount: str, seller: Company | None = None, **values: Any) -> Offering:
    """DeepSeek's model at a seller, with a price for input and twice that for output."""
    offering = make.offering(external_id, seller=seller or make.company(), model=make.ai_model(), **values)
    make.price(make.line(offering), amount)
    make.price(make.line(offering, "output_tokens"), str(2 * Decimal(amount)))
    return offering


@pytest.fixture
def chat() -> Offering:
    return sold("deepseek-chat", "1")


@pytest.fixture
def production(chat: Offering) -> UsageProfile:
    """100M tokens in and 50M out: 200 USD by list prices."""
    profile = people.profile()
    people.used(profile, chat, {"input_tokens": str(100 * MILLION), "output_tokens": 50 * MILLION})
    return profile


def bill(profile: UsageProfile, at: datetime = NOW, **how: Any) -> Bill:
    return bill_of(profile, at, **how)


def test_a_bill_cites_the_price_rows_it_rests_on(production: UsageProfile, chat: Offering) -> None:
    found = bill(production)
    assert (found.list_total, found.total, found.is_complete) == (200, 200, True)
    (line,) = found.lines
    assert [(item.meter, item.amount) for item in line.priced.items] == [("input_tokens", 100), ("output_tokens", 100)]
    rows = set(chat.lines.values_list("prices__id", flat=True))
    assert {item.price.row for item in line.priced.items} == rows


def test_a_bill_is_of_the_moment_that_is_asked(production: UsageProfile, chat: Offering) -> None:
    line = chat.lines.get(meter="input_tokens")
    line.prices.update(effective_until=NOW)
    make.price(line, "3", since=NOW)
    assert bill(production, NOW - timedelta(seconds=1)).total == 200
    assert bill(production, NOW).total == 400


def test_a_bill_is_as_known_at_the_moment_that_is_asked(production: UsageProfile, chat: Offering) -> None:
    line = chat.lines.get(meter="input_tokens")
    line.prices.update(known_until=NOW)
    make.price(line, "3", known_from=NOW)
    assert bill(production, NOW).total == 400
    assert bill(production, NOW, known_at=NOW - timedelta(seconds=1)).total == 200


def test_what_has_no_price_is_named_and_left_out(production: UsageProfile, chat: Offering) -> None:
    people.used(production, chat, {"web_searches": 9})
    found = bill(production)
    assert (found.total, found.is_complete) == (200, False)
    assert found.without_price == ["deepseek-chat at Deepseek: web_searches has no price"]


def test_a_line_on_terms_that_do_not_exist_errs_alone(production: UsageProfile, chat: Offering) -> None:
    people.used(production, chat, {"input_tokens": 5}, service_tier="bach")
    found = bill(production)
    assert found.total == 200
    error = found.lines[1].priced.error
    assert error is not None
    assert error.field == "service_tier"


def test_an_absorbed_offering_is_priced_as_what_it_was_merged_into(chat: Offering) -> None:
    absorbed = make.offering("deepseek-v4-chat", status="merged", merged_into=chat)
    profile = people.profile()
    people.used(profile, absorbed, {"input_tokens": MILLION})
    assert bill(profile).total == 1


def test_an_id_without_prices_is_priced_as_what_it_is_routed_to_then(chat: Offering) -> None:
    pro, alias = sold("deepseek-v4-pro", "3"), make.offering("deepseek-latest", status="unpriced")
    for target, begins, ends in ((chat, None, NOW), (pro, NOW, None)):
        Alias.objects.create(
            offering=alias,
            seller=chat.seller,
            external_id="deepseek-latest",
            target_offering=target,
            effective_from=begins,
            effective_until=ends,
            known_from=make.TRACKED_SINCE,
            source=make.source(),
        )
    profile = people.profile()
    people.used(profile, alias, {"input_tokens": MILLION})
    assert [bill(profile, NOW - timedelta(seconds=1)).total, bill(profile, NOW).total] == [1, 3]
    assert bill(profile).lines[0].priced.notes == ("deepseek-latest is an alias: priced as deepseek-v4-pro",)
    assert Biller(profile).offerings == {alias.pk, chat.pk, pro.pk}


class TestDiscounts:
    def test_the_most_specific_counts(self, production: UsageProfile, chat: Offering) -> None:
        people.discount(production, "10")
        assert bill(production).total == 180
        people.discount(production, "20", seller=chat.seller)
        assert bill(production).total == 160
        people.discount(production, "12.5", offering=chat)
        found = bill(production)
        assert (found.total, found.list_total, found.lines[0].discount) == (175, 200, Decimal("12.5"))

    def test_anothers_does_not(self, production: UsageProfile) -> None:
        people.discount(production, "50", seller=make.company("openai"))
        assert bill(production).total == 200


class TestCommitments:
    def test_usage_counts_against_one_and_the_rest_is_paid_in_any_case(self, production: UsageProfile) -> None:
        people.commitment(production, "250")
        found = bill(production)
        (settled,) = found.commitments
        assert (found.total, settled.used, settled.shortfall) == (250, 200, 50)

    def test_one_that_is_used_up_adds_nothing(self, production: UsageProfile) -> None:
        people.commitment(production, "120")
        assert bill(production).total == 200

    def test_the_wider_counts_what_the_narrower_comes_to(self) -> None:
        charges = [Charge(1, 11, Decimal(10)), Charge(1, 12, Decimal(10)), Charge(2, 21, Decimal(5))]
        commitments = [
            Commitment(1, Scope(), Decimal(60)),
            Commitment(2, Scope(1), Decimal(40)),
            Commitment(3, Scope(1, 11), Decimal(15)),
        ]
        total, settled = settle(charges, commitments)
        assert total == 60
        assert [(each.commitment.id, each.used, each.shortfall) for each in settled] == [
            (3, 10, 5),
            (2, 25, 15),
            (1, 45, 15),
        ]


class TestCurrencies:
    def test_a_currency_without_rates_is_an_error_that_names_those_with_some(self, production: UsageProfile) -> None:
        UsageProfile.objects.update(currency="XTS")
        production.refresh_from_db()
        found = bill(production)
        error = found.lines[0].priced.error
        assert error is not None
        assert error.field == "currency"
        assert "USD" in error.choices
        assert (found.total, found.is_complete) == (0, False)

    def test_prices_in_another_currency_are_converted_at_the_rate_of_the_moment(self, production: UsageProfile) -> None:
        UsageProfile.objects.update(currency="EUR")
        production.refresh_from_db()
        found = bill(production, datetime(2024, 6, 4, 12, tzinfo=UTC), known_at=None)
        assert found.lines[0].priced.unpriced, "the price began later"
        found = bill(production)
        (line,) = found.lines
        conversion = line.priced.items[0].conversion
        assert conversion is not None
        assert line.priced.items[0].sold == 100
        assert found.total == 2 * conversion.of(Decimal(100)) != 200


class TestCheaper:
    def test_sellers_of_the_same_model_are_named_the_cheapest_first(self, production: UsageProfile) -> None:
        half, third = sold("half", "0.5", make.company("azure")), sold("third", "0.3", make.company("groq"))
        sold("dearer", "2", make.company("aws"))
        (line,) = bill(production, cheaper=True).lines
        assert [(each.offering, each.amount) for each in line.cheaper] == [(third, 60), (half, 100)]

    def test_five_at_most(self, production: UsageProfile) -> None:
        for number in range(7):
            sold(f"other-{number}", f"0.{number + 1}", make.company("azure"))
        (line,) = bill(production, cheaper=True).lines
        assert [each.offering.external_id for each in line.cheaper] == [f"other-{number}" for number in range(5)]

    def test_who_has_no_price_for_some_of_the_usage_is_not(self, production: UsageProfile) -> None:
        offering = make.offering("input-only", seller=make.company("azure"), model=make.ai_model())
        make.price(make.line(offering), "0.1")
        make.price(make.line(make.offering("another-model", model=make.ai_model("v5"))), "0.1")
        sold("withdrawn", "0.1", make.company("aws"), status="withdrawn")
        (line,) = bill(production, cheaper=True).lines
        assert line.cheaper == ()

    def test_a_price_that_is_included_in_something_else_is_not(self, production: UsageProfile) -> None:
        offering = make.offering("in-a-plan", seller=make.company("zai"), model=make.ai_model())
        for meter in ("input_tokens", "output_tokens"):
            make.price(make.line(offering, meter), "0", zero_means="included")
        assert bill(production, cheaper=True).lines[0].cheaper == ()

    def test_the_buyers_own_discounts_count(self, production: UsageProfile, chat: Offering) -> None:
        sold("a-little-less", "0.9", make.company("azure"))
        people.discount(production, "20", offering=chat)
        assert bill(production, cheaper=True).lines[0].cheaper == ()


@pytest.mark.parametrize(
    ("old", "new", "percent", "amount", "moved"),
    [
        ("100", "105", "5", None, True),
        ("100", "104.99", "5", None, False),
        ("100", "95", "5", None, True),
        ("100", "104", "5", "4", True),
        ("100", "103", None, "4", False),
        ("0", "1", "5", None, True),
        ("100", "100", "5", "1", False),
    ],
)
def test_a_bill_has_moved(old: str, new: str, percent: str | None, amount: str | None, moved: bool) -> None:
    wanted = [None if text is None else Decimal(text) for text in (percent, amount)]
    assert has_moved(Decimal(old), Decimal(new), *wanted) is moved


def test_percent_of_a_bill_has_two_places_and_none_from_zero() -> None:
    assert percent_moved(Decimal(3), Decimal(4)) == Decimal("33.33")
    assert percent_moved(Decimal(0), Decimal(4)) is None
