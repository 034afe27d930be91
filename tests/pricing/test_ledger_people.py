"""People state, announce, pin, withdraw, relist and undo; each is evidence, and the ledger resolves again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

import pytest

from pricing import ledger
from pricing.claims import Claim, Conditions
from pricing.models import Decision, Offering, Price, PricingChange, Source, Statement
from tests.pricing.believing import day, price
from tests.pricing.conftest import SetClock
from tests.pricing.stages import Stage, believed, claim, everything, kinds, last_change
from tests.pricing.worlds import LONG, PLAIN

OUTPUT = Conditions("output_tokens")
pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def offering(stage: Stage) -> Offering:
    """An offering that a feed lists on day 0 at 1 USD."""
    found = stage.offering()
    stage.read("models-dev", 0, {found: [price("1")]})
    return found


def test_what_an_editor_states_stands_before_every_feed(offering: Offering, person: ledger.Ruling) -> None:
    ledger.state(offering, claim("5", since=50), person)
    assert believed(offering) == [(0, 50, "1", "observed", None), (50, None, "5", "exact", None)]
    row = Price.objects.get(effective_from=day(50), known_until=None)
    assert row.source == Source.objects.get(slug="editors")
    assert row.statement is not None and row.statement.citation_url == "https://example.com/pricing"
    change = last_change(offering)
    assert change.decision is not None and change.decision.kind == Decision.Kind.STATE
    assert (change.kind, change.nature) == ("increase", "market")


def test_a_price_stated_without_a_date_holds_from_now(offering: Offering, person: ledger.Ruling) -> None:
    ledger.state(offering, claim("5"), person)
    assert believed(offering)[-1] == (100, None, "5", "exact", None)


def test_a_price_stated_for_later_is_announced(offering: Offering, person: ledger.Ruling) -> None:
    ledger.state(offering, claim("5", since=120), person)
    assert believed(offering) == [(0, 120, "1", "observed", None), (120, None, "5", "exact", None)]
    assert (last_change(offering).kind, last_change(offering).announced_for) == ("announced", day(120))


def test_stating_another_price_from_an_earlier_moment_replaces_what_was_stated_for_later(
    offering: Offering, person: ledger.Ruling, clock: SetClock
) -> None:
    ledger.state(offering, claim("5", since=120), person)
    clock(101)
    ledger.state(offering, claim("4", since=110), person, replaces_later=True)
    assert believed(offering)[-1] == (110, None, "4", "exact", None)


def test_a_price_stated_for_now_leaves_what_is_announced_for_later(
    offering: Offering, person: ledger.Ruling, clock: SetClock
) -> None:
    ledger.state(offering, claim("5", since=120), person)
    clock(101)
    ledger.state(offering, claim("1.5", since=90), person)
    assert [row[:3] for row in believed(offering)] == [(0, 90, "1"), (90, 120, "1.5"), (120, None, "5")]
    assert kinds(offering) == ["listed", "announced", "increase"]


def test_a_price_stated_for_a_while_leaves_one_stated_for_a_part_of_it(
    offering: Offering, person: ledger.Ruling, clock: SetClock
) -> None:
    ledger.state(offering, claim("5", since=65, until=68), person)
    clock(101)
    ledger.state(offering, claim("3", since=60, until=70), person)
    assert [row[:3] for row in believed(offering)[1:4]] == [(60, 65, "3"), (65, 68, "5"), (68, 70, "3")]


def test_another_price_from_the_same_moment_replaces_the_first(
    offering: Offering, person: ledger.Ruling, clock: SetClock
) -> None:
    ledger.state(offering, claim("5", since=120), person)
    clock(101)
    assert ledger.state(offering, claim("4", since=120), person).statements_ended == 1
    assert [row[:3] for row in believed(offering)] == [(0, 120, "1"), (120, None, "4")]


def test_a_price_stated_for_a_while_gives_back_to_what_holds_around_it(
    offering: Offering, person: ledger.Ruling
) -> None:
    ledger.state(offering, claim("5", since=50), person)
    ledger.state(offering, claim("3", since=60, until=70), person)
    assert [row[:3] for row in believed(offering)] == [(0, 50, "1"), (50, 60, "5"), (60, 70, "3"), (70, None, "5")]


def test_a_price_stated_for_a_while_may_not_cut_into_one_that_begins_within_it(
    offering: Offering, person: ledger.Ruling
) -> None:
    ledger.state(offering, claim("5", since=65), person)
    before = everything()
    with pytest.raises(ledger.LedgerError, match="end this price by then"):
        ledger.state(offering, claim("3", since=60, until=70), person)
    assert everything() == before


def test_the_same_statement_again_changes_nothing(offering: Offering, person: ledger.Ruling, clock: SetClock) -> None:
    ledger.state(offering, claim("5", since=50), person)
    clock(101)
    changes = kinds(offering)
    outcome = ledger.state(offering, claim("5", since=50), person)
    assert (outcome.settled.opened, outcome.settled.closed) == (0, 0)
    assert kinds(offering) == changes


def test_a_statement_taken_back_lets_the_next_source_speak_again(
    offering: Offering, person: ledger.Ruling, clock: SetClock
) -> None:
    ledger.state(offering, claim("5", since=50), person)
    clock(101)
    ledger.retire_statement(Statement.objects.get(source__slug="editors"), person)
    assert believed(offering) == [(0, None, "1", "observed", None)]
    assert believed(offering, known_at=day(100.5))[-1] == (50, None, "5", "exact", None)
    assert last_change(offering).nature == "correction"


def test_a_mistaken_price_is_gone_from_the_past_too(
    offering: Offering, person: ledger.Ruling, clock: SetClock, stage: Stage
) -> None:
    ledger.state(offering, claim("300", since=20), person)
    clock(101)
    ledger.retire_statement(Statement.objects.get(source__slug="editors"), person)
    stage.read("models-dev", 102, {offering: [price("2")]})
    assert [row[:3] for row in believed(offering)] == [(0, 102, "1"), (102, None, "2")]


def test_an_announcement_taken_back_is_retracted_and_may_be_made_for_another_moment(
    offering: Offering, person: ledger.Ruling, clock: SetClock
) -> None:
    ledger.state(offering, claim("5", since=120), person)
    clock(101)
    ledger.retire_statement(Statement.objects.get(source__slug="editors"), person)
    assert believed(offering) == [(0, None, "1", "observed", None)]
    clock(102)
    ledger.state(offering, claim("5", since=140), person)
    assert believed(offering)[-1] == (140, None, "5", "exact", None)
    assert kinds(offering) == ["listed", "announced", "retracted", "announced"]


def test_what_a_statement_replaced_stands_again_when_it_is_taken_back(
    offering: Offering, person: ledger.Ruling, clock: SetClock
) -> None:
    for number, amount in enumerate(("5", "4", "5")):
        clock(100 + number)
        ledger.state(offering, claim(amount, since=50), person)
    first, second, third = Decision.objects.order_by("pk")
    clock(103)
    ledger.undo(second, person)
    assert believed(offering)[-1][:3] == (50, None, "5")
    clock(104)
    ledger.undo(third, person)
    assert believed(offering)[-1][:3] == (50, None, "5")
    clock(105)
    ledger.undo(first, person)
    assert believed(offering) == [(0, None, "1", "observed", None)]


def test_what_a_statement_replaced_stays_away_where_another_was_stated_since(
    offering: Offering, person: ledger.Ruling, clock: SetClock
) -> None:
    ledger.state(offering, claim("5", since=120), person)
    clock(101)
    ledger.state(offering, claim("4", since=110), person, replaces_later=True)
    clock(102)
    ledger.state(offering, claim("3", since=120), person)
    clock(103)
    ledger.undo(Decision.objects.get(amount=Decimal(4)), person)
    assert [row[:3] for row in believed(offering)] == [(0, 120, "1"), (120, None, "3")]


def test_only_an_editors_statement_can_be_taken_back_and_only_once(
    offering: Offering, person: ledger.Ruling, clock: SetClock
) -> None:
    with pytest.raises(ledger.LedgerError, match="only an editor's statement"):
        ledger.retire_statement(Statement.objects.get(), person)
    ledger.state(offering, claim("5", since=50), person)
    statement = Statement.objects.get(source__slug="editors")
    clock(101)
    ledger.retire_statement(statement, person)
    with pytest.raises(ledger.LedgerError, match="ended at"):
        ledger.retire_statement(statement, person)


def test_a_pin_stands_whatever_sources_say_and_is_a_correction(
    stage: Stage, offering: Offering, person: ledger.Ruling
) -> None:
    ledger.pin(offering, claim("9", since=50), person)
    change = last_change(offering)
    assert (change.kind, change.nature) == ("corrected", "correction")
    stage.read("models-dev", 101, {offering: [price("2")]})
    assert believed(offering) == [(0, 50, "1", "observed", None), (50, None, "9", "exact", None)]
    row = Price.objects.get(effective_from=day(50), known_until=None)
    assert row.decision is not None and (row.decision.kind, row.statement) == (Decision.Kind.PIN, None)


def test_an_undone_pin_leaves_what_the_sources_say(stage: Stage, offering: Offering, person: ledger.Ruling) -> None:
    ledger.pin(offering, claim("9", since=50), person)
    ledger.undo(Decision.objects.get(kind=Decision.Kind.PIN), person)
    assert believed(offering) == [(0, None, "1", "observed", None)]
    assert last_change(offering).nature == "correction"


def test_a_pin_may_make_a_line_that_no_source_states(offering: Offering, person: ledger.Ruling) -> None:
    ledger.pin(offering, claim("9", LONG, since=50), person)
    assert believed(offering, LONG) == [(50, None, "9", "exact", None)]


def test_a_price_pinned_at_nothing_is_free(offering: Offering, person: ledger.Ruling) -> None:
    ledger.pin(offering, claim("0", since=50), person)
    assert Price.objects.get(amount=Decimal(0)).zero_means == "free"


def test_a_withdrawn_offering_has_no_price_from_that_moment_whatever_sources_say(
    stage: Stage, offering: Offering, person: ledger.Ruling
) -> None:
    ledger.withdraw(offering, person, at=day(50))
    stage.read("models-dev", 101, {offering: [price("2"), price("3", OUTPUT)]})
    assert believed(offering) == [(0, 50, "1", "observed", None)]
    assert believed(offering, OUTPUT) == []
    assert kinds(offering) == ["listed", "withdrawn"]
    offering.refresh_from_db()
    assert offering.status == Offering.Status.WITHDRAWN


def test_a_relisted_offering_is_sold_again_as_the_sources_say(
    offering: Offering, person: ledger.Ruling, clock: SetClock
) -> None:
    ledger.withdraw(offering, person, at=day(50))
    clock(101)
    ledger.relist(offering, person)
    assert believed(offering) == [(0, 50, "1", "observed", None), (101, None, "1", "exact", None)]
    assert kinds(offering) == ["listed", "withdrawn", "relisted"]
    assert last_change(offering).nature == "market"
    offering.refresh_from_db()
    assert offering.status == Offering.Status.LISTED


def test_an_offering_may_be_withdrawn_again_after_it_was_relisted(
    offering: Offering, person: ledger.Ruling, clock: SetClock
) -> None:
    ledger.withdraw(offering, person, at=day(50))
    clock(101)
    ledger.relist(offering, person, at=day(60))
    clock(102)
    ledger.withdraw(offering, person, at=day(70))
    assert [row[:2] for row in believed(offering)] == [(0, 50), (60, 70)]
    assert kinds(offering) == ["listed", "withdrawn", "relisted", "withdrawn"]


def test_an_undone_withdrawal_never_was(offering: Offering, person: ledger.Ruling) -> None:
    ledger.withdraw(offering, person, at=day(50))
    ledger.undo(Decision.objects.get(kind=Decision.Kind.WITHDRAW), person)
    assert believed(offering) == [(0, None, "1", "observed", None)]
    assert last_change(offering).nature == "correction"


def test_a_withdrawal_for_later_is_announced_once_and_keeps_the_offering_listed(
    stage: Stage, offering: Offering, person: ledger.Ruling
) -> None:
    ledger.withdraw(offering, person, at=day(120))
    change = last_change(offering)
    assert (change.kind, change.announced_for, change.effective_at) == ("announced", day(120), day(120))
    assert "end announced for 2026-05-01" in change.headline
    stage.read("models-dev", 101, {offering: [price("2"), price("3", OUTPUT)]})
    assert believed(offering)[-1][:3] == (101, 120, "2")
    assert kinds(offering) == ["listed", "announced", "increase"]
    offering.refresh_from_db()
    assert offering.status == Offering.Status.LISTED


def test_an_announced_withdrawal_that_is_undone_is_retracted(offering: Offering, person: ledger.Ruling) -> None:
    ledger.withdraw(offering, person, at=day(120))
    ledger.undo(Decision.objects.get(kind=Decision.Kind.WITHDRAW), person)
    assert believed(offering) == [(0, None, "1", "observed", None)]
    assert (last_change(offering).kind, last_change(offering).announced_for) == ("retracted", day(120))


def test_a_withdrawal_before_a_known_end_is_announced_and_retracted(stage: Stage, person: ledger.Ruling) -> None:
    offering = stage.offering()
    stage.read("models-dev", 0, {offering: [price("1", until=150)]})
    ledger.withdraw(offering, person, at=day(120))
    ledger.undo(Decision.objects.get(kind=Decision.Kind.WITHDRAW), person)
    assert kinds(offering) == ["listed", "announced", "retracted"]


def test_a_withdrawal_ends_a_pinned_price_too(offering: Offering, person: ledger.Ruling) -> None:
    ledger.pin(offering, claim("9", since=20), person)
    ledger.withdraw(offering, person, at=day(50))
    assert believed(offering)[-1] == (20, 50, "9", "exact", None)


def test_every_ruling_keeps_who_why_and_where(offering: Offering, person: ledger.Ruling) -> None:
    ledger.withdraw(offering, person, at=day(50))
    decision = Decision.objects.get()
    assert (decision.note, decision.citation_url, decision.made_at) == (
        "as announced",
        "https://example.com/pricing",
        day(100),
    )
    assert PricingChange.objects.get(decision=decision).kind == "withdrawn"


Act = Callable[[Offering, ledger.Ruling], object]


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        (ledger.withdraw, "already withdrawn"),
        (lambda o, p: ledger.relist(o, p, at=day(40)), "only after the moment of its withdrawal"),
        (lambda o, p: ledger.withdraw(o, p, at=datetime(2026, 1, 1)), "no time zone"),  # noqa: DTZ001
    ],
)
def test_what_cannot_be_said_of_a_withdrawn_offering_is_refused_and_writes_nothing(
    offering: Offering, person: ledger.Ruling, act: Act, reason: str
) -> None:
    ledger.withdraw(offering, person, at=day(50))
    before = everything()
    with pytest.raises(ledger.LedgerError, match=reason):
        act(offering, person)
    assert everything() == before


def test_an_offering_that_nobody_withdrew_cannot_be_relisted(offering: Offering, person: ledger.Ruling) -> None:
    with pytest.raises(ledger.LedgerError, match="not withdrawn by a decision"):
        ledger.relist(offering, person)


def test_a_decision_is_undone_once(offering: Offering, person: ledger.Ruling, clock: SetClock) -> None:
    ledger.pin(offering, claim("9", since=50), person)
    pinned = Decision.objects.get()
    ledger.undo(pinned, person)
    with pytest.raises(ledger.LedgerError, match="undone already"):
        ledger.undo(pinned, person)
    ledger.state(offering, claim("5", since=50), person)
    stated = Decision.objects.get(kind=Decision.Kind.STATE)
    clock(101)
    ledger.undo(stated, person)
    assert believed(offering) == [(0, None, "1", "observed", None)]
    with pytest.raises(ledger.LedgerError, match="undone already"):
        ledger.undo(stated, person)


def test_taking_a_statement_back_undoes_the_decision_that_made_it(
    offering: Offering, person: ledger.Ruling, clock: SetClock
) -> None:
    ledger.state(offering, claim("5", since=50), person)
    clock(101)
    ledger.retire_statement(Statement.objects.get(source__slug="editors"), person)
    with pytest.raises(ledger.LedgerError, match="undone already"):
        ledger.undo(Decision.objects.get(kind=Decision.Kind.STATE), person)


def test_an_undoing_cannot_be_undone(offering: Offering, person: ledger.Ruling) -> None:
    ledger.pin(offering, claim("9", since=50), person)
    ledger.undo(Decision.objects.get(), person)
    with pytest.raises(ledger.LedgerError, match="cannot be undone"):
        ledger.undo(Decision.objects.get(kind=Decision.Kind.UNDO), person)


@pytest.mark.parametrize("act", [ledger.state, ledger.pin])
@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (claim("1", Conditions("input_tokes")), r"unknown meter 'input_tokes'; choose one of .*input_tokens"),
        (claim("-1"), "cannot be negative: -1"),
        (claim("NaN"), "must be a number"),
        (claim("Infinity"), "must be a number"),
        (claim("1e-19"), "more digits than the ledger keeps"),
        (claim("1e20"), "more digits than the ledger keeps"),
        (claim("1", currency="dollars"), "'dollars' is not a currency.*such as USD"),
        (Claim(PLAIN, Decimal(1), precision="about"), "unknown precision 'about'; choose one of exact, day"),
        (Claim(PLAIN, Decimal(1), effective_from=datetime(2026, 1, 1)), "no time zone"),  # noqa: DTZ001
        (Claim(PLAIN, Decimal(1), effective_until=datetime(2026, 1, 1)), "no time zone"),  # noqa: DTZ001
        (claim("1", since=50, until=50), "must end after it starts"),
        (claim("1", until=50), "must end after it starts"),
    ],
)
def test_a_claim_that_cannot_be_is_refused_with_what_is_right_and_writes_nothing(
    offering: Offering,
    person: ledger.Ruling,
    act: Callable[[Offering, Claim, ledger.Ruling], object],
    bad: Claim,
    reason: str,
) -> None:
    before = everything()
    with pytest.raises(ledger.LedgerError, match=reason):
        act(offering, bad, person)
    assert everything() == before


@pytest.mark.parametrize(
    "act",
    [
        lambda o, p: ledger.state(o, claim("1"), p),
        lambda o, p: ledger.pin(o, claim("1"), p),
        ledger.withdraw,
    ],
)
def test_nothing_is_said_of_an_offering_that_was_merged_into_another(
    stage: Stage, person: ledger.Ruling, act: Act
) -> None:
    target, absorbed = stage.offering("kept"), stage.offering("absorbed")
    absorbed.merged_into = target
    absorbed.status = Offering.Status.MERGED
    absorbed.save()
    with pytest.raises(ledger.LedgerError, match="was merged into kept"):
        act(absorbed, person)


def test_resolving_again_after_a_new_order_of_sources_is_one_correction(
    stage: Stage, offering: Offering, person: ledger.Ruling
) -> None:
    stage.source("second", 60)
    stage.read("second", 0, {offering: [price("2"), price("4", OUTPUT)]})
    Source.objects.filter(slug="second").update(precedence=40)
    decision = Decision.objects.create(kind=Decision.Kind.PRECEDENCE, made_at=day(100))
    ledger.resolve_again([offering.pk], decision)
    assert believed(offering) == [(0, None, "2", "observed", None)]
    assert believed(offering, OUTPUT) == [(0, None, "4", "observed", None)]
    assert (last_change(offering).kind, last_change(offering).decision) == ("corrected", decision)


def test_what_a_later_operation_left_out_is_said_when_the_earlier_one_is_undone(
    stage: Stage, clock: SetClock, person: ledger.Ruling
) -> None:
    offering = stage.offering()
    stage.read("models-dev", 0, {offering: [price("1"), price("3", LONG)]})
    clock(112)
    ledger.state(offering, claim("2"), person, keeps_rest=True)
    first = offering.decisions.filter(kind="state").order_by("pk").first()
    assert first is not None
    clock(113)
    ledger.state(offering, claim("4", LONG), person, keeps_rest=True)
    clock(114)
    ledger.undo(first, person)
    assert [row[:3] for row in believed(offering)] == [(0, None, "1")]
    assert [row[:3] for row in believed(offering, LONG)] == [(0, 113, "3"), (113, None, "4")]
    clock(115)
    second = offering.decisions.filter(kind="state", undone_by=None).order_by("pk").first()
    assert second is not None
    ledger.undo(second, person)
    assert [row[:3] for row in believed(offering, LONG)] == [(0, None, "3")]
    assert [row[:3] for row in believed(offering)] == [(0, None, "1")]


def test_a_statement_that_is_taken_back_takes_the_rest_along_that_was_said_for_it(
    stage: Stage, clock: SetClock, person: ledger.Ruling
) -> None:
    offering = stage.offering()
    stage.read("models-dev", 0, {offering: [price("1"), price("3", LONG)]})
    clock(112)
    ledger.state(offering, claim("2"), person, keeps_rest=True)
    clock(113)
    ledger.retire_statement(Statement.objects.get(source__slug="editors", amount=2), person)
    assert [row[:3] for row in believed(offering)] == [(0, None, "1")]
    assert [row[:3] for row in believed(offering, LONG)] == [(0, None, "3")]
