"""A price that its source states as a factor on another line follows what is believed of that line."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from itertools import permutations

import pytest

from pricing import ledger
from pricing.claims import Claim, Conditions
from pricing.derived import Derivation, follow
from pricing.models import Offering, Price, Statement
from pricing.timeline import Segment
from tests.pricing.believing import day
from tests.pricing.stages import Stage, assert_clean, believed, claim, kinds, last_change
from tests.pricing.worlds import PLAIN, Quote

EUROPE = Conditions("input_tokens", region="eu")
FAST = Conditions("input_tokens", "fast")
FAST_EUROPE = Conditions("input_tokens", "fast", "eu")


def derived(amount: str, line: Conditions = EUROPE, base: Conditions = PLAIN, factor: str = "1.1") -> Quote:
    return Quote("model", Claim(line, Decimal(amount), derived_from=base, factor=Decimal(factor)))


def priced(amount: str, line: Conditions = PLAIN) -> Quote:
    return Quote("model", Claim(line, Decimal(amount)))


@pytest.fixture
def offering(stage: Stage) -> Offering:
    """An offering at 1 USD, which costs a tenth more in Europe."""
    found = stage.offering()
    stage.read("litellm", 0, {found: [priced("1"), derived("1.1")]})
    return found


pytestmark = pytest.mark.usefixtures("clock")


@pytest.mark.django_db
def test_a_statement_keeps_what_it_derives_from_and_the_factor(offering: Offering) -> None:
    statement = Statement.objects.get(line__region="eu")
    assert statement.derived_from is not None and statement.derived_from.conditions == PLAIN
    assert (statement.amount, statement.factor) == (Decimal("1.1"), Decimal("1.1"))
    assert Statement.objects.get(line__region="").factor is None


@pytest.mark.django_db
def test_a_base_price_that_a_person_states_moves_the_derived_price_in_the_same_change(
    offering: Offering, person: ledger.Ruling
) -> None:
    ledger.state(offering, claim("2", since=50), person)
    assert believed(offering) == [(0, 50, "1", "observed", None), (50, None, "2", "exact", None)]
    assert believed(offering, EUROPE) == [(0, 50, "1.1", "observed", None), (50, None, "2.2", "exact", None)]
    change = last_change(offering)
    assert (change.kind, change.nature) == ("increase", "market")
    assert {line.line.region for line in change.lines.all()} == {"", "eu"}
    row = Price.objects.get(line__region="eu", effective_until=None, known_until=None)
    assert row.statement is not None and row.statement.factor == Decimal("1.1")
    assert row.dated_by is not None and row.dated_by.source.slug == "editors"
    assert_clean()


@pytest.mark.django_db
def test_what_is_taken_back_of_the_base_is_taken_back_of_the_derived_price(
    offering: Offering, person: ledger.Ruling
) -> None:
    ledger.pin(offering, claim("2", since=50), person)
    assert believed(offering, EUROPE)[-1] == (50, None, "2.2", "exact", None)
    decision = last_change(offering).decision
    assert decision is not None
    ledger.undo(decision, person)
    assert believed(offering, EUROPE) == [(0, None, "1.1", "observed", None)]
    assert_clean()


@pytest.mark.django_db
def test_a_price_stated_for_the_derived_line_itself_stands(offering: Offering, person: ledger.Ruling) -> None:
    ledger.state(offering, claim("1.5", EUROPE, since=40), person)
    ledger.state(offering, claim("2", since=50), person)
    assert believed(offering, EUROPE)[-1] == (40, None, "1.5", "exact", None)


@pytest.mark.django_db
def test_a_source_that_moves_both_makes_one_change_and_nothing_of_its_own(stage: Stage, offering: Offering) -> None:
    stage.read("litellm", 7, {offering: [priced("3"), derived("3.3")]})
    assert believed(offering, EUROPE) == [(0, 7, "1.1", "observed", None), (7, None, "3.3", "observed", 0)]
    assert kinds(offering) == ["listed", "increase"]


@pytest.mark.django_db
def test_the_derived_price_follows_a_better_source_of_the_base(stage: Stage, offering: Offering) -> None:
    stage.source("models-dev", precedence=30)
    stage.read("models-dev", 3, {offering: [priced("1")]})
    stage.read("models-dev", 10, {offering: [priced("0.5")]})
    assert believed(offering, EUROPE) == [(0, 10, "1.1", "observed", None), (10, None, "0.55", "observed", 3)]
    stage.read("litellm", 12, {offering: [priced("0.5"), derived("0.55")]})
    assert believed(offering, EUROPE)[-1] == (10, None, "0.55", "observed", 3)
    assert kinds(offering) == ["listed", "decrease"]
    assert_clean()


@pytest.mark.django_db
def test_a_price_derived_from_a_derived_one_follows_too(stage: Stage, person: ledger.Ruling) -> None:
    found = stage.offering("Fast")
    fast = derived("2", FAST, PLAIN, "2")
    stage.read("litellm", 0, {found: [priced("1"), fast, derived("2.2", FAST_EUROPE, FAST)]})
    ledger.state(found, claim("5", since=50), person)
    assert believed(found, FAST_EUROPE)[-1] == (50, None, "11", "exact", None)
    assert_clean()


@pytest.mark.django_db
@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_order_in_which_documents_arrive_makes_no_difference(stage: Stage, order: tuple[int, ...]) -> None:
    found = stage.offering()
    stage.source("models-dev", precedence=30)
    readings = [
        ("litellm", 0, [priced("1"), derived("1.1")]),
        ("models-dev", 5, [priced("1")]),
        ("models-dev", 9, [priced("4")]),
    ]
    for index in order:
        slug, at, said = readings[index]
        stage.read(slug, at, {found: said}, backfilled=True)
    assert believed(found, EUROPE) == [(0, 9, "1.1", "observed", None), (9, None, "4.4", "observed", 5)]
    assert_clean()


def _segment(start: float, end: float | None, amount: str, statement: int | None) -> Segment:
    until = None if end is None else day(end)
    value = (Decimal(amount), "USD", "")
    return Segment(day(start), until, value, "observed", None, 1, None, statement)


def _told(segments: list[Segment]) -> list[tuple[object, object, str]]:
    return [(s.start, s.end, str(s.value[0])) for s in segments]


DERIVED = {7: Derivation(PLAIN, Decimal("1.1"))}


def test_where_the_base_has_no_price_the_source_speaks_for_itself() -> None:
    history = {PLAIN: [_segment(2, 4, "3", 1)], EUROPE: [_segment(0, None, "1.1", 7)]}
    assert _told(follow(history, DERIVED)[EUROPE]) == [
        (day(0), day(2), "1.1"),
        (day(2), day(4), "3.3"),
        (day(4), None, "1.1"),
    ]


def test_what_follows_already_is_left_as_it_is() -> None:
    history = {
        PLAIN: [_segment(0, 5, "1", 1), _segment(5, None, "1.0000001", 2)],
        EUROPE: [_segment(0, None, "1.1", 7)],
    }
    assert follow(history, DERIVED) == history


def test_no_other_line_is_touched_and_a_circle_ends() -> None:
    circle = {7: Derivation(EUROPE, Decimal(2)), 8: Derivation(PLAIN, Decimal(2))}
    history = {PLAIN: [_segment(0, None, "1", 7)], EUROPE: [_segment(0, None, "2", 8)], FAST: [_segment(0, 1, "9", 3)]}
    assert follow(history, circle)[FAST] is not None
    assert _told(follow(history, circle)[FAST]) == _told(history[FAST])


def test_a_product_is_kept_to_the_last_decimal_of_the_ledger() -> None:
    derivation = Derivation(PLAIN, Decimal("1.000000000000000001"))
    amount, _, _ = derivation.price((Decimal("0.333333333333333333"), "USD", ""))
    assert amount == Decimal("0.333333333333333333")
    assert replace(derivation, factor=Decimal("1.1")).price((Decimal("2"), "CNY", ""))[:2] == (Decimal("2.2"), "CNY")
