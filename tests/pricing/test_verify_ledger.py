"""``verify_ledger`` finds what is wrong with the record, says it in one line each, and changes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.models import F
from django.utils import timezone

from pricing import ledger
from pricing.models import Observation, Offering, Price, PricingChange, PricingChangeLine, Source, Statement
from pricing.verification import findings
from tests.pricing.believing import day, price
from tests.pricing.stages import Stage, claim, everything

Corrupt = Callable[[], object]


@pytest.fixture
def record(db: None) -> Offering:
    """An offering with a move, a withdrawal and a pin, in a ledger that is clean so far."""
    stage = Stage()
    offering, other = stage.offering(), stage.offering("other")
    stage.read("models-dev", 0, {offering: [price("1")], other: [price("5")]})
    stage.read("models-dev", 7, {offering: [price("2")]})
    stage.read("models-dev", 14, {offering: [price("2")]})
    stage.read("models-dev", 21, {offering: [price("2")]})
    stage.source("litellm", 90)
    stage.read("litellm", 9, {offering: [price("8")]})
    ledger.pin(offering, claim("3", since=30), ledger.Ruling(by=None))
    assert list(findings()) == []
    return offering


def verify(*options: str) -> tuple[int, str]:
    """Exit status and output of the command."""
    out = StringIO()
    try:
        call_command("verify_ledger", *options, stdout=out)
    except SystemExit as end:
        return int(end.code or 0), out.getvalue()
    return 0, out.getvalue()


def test_a_clean_ledger_is_called_clean_with_status_0(record: Offering) -> None:
    assert verify() == (0, "The ledger is clean.\n")


@pytest.mark.django_db
def test_an_empty_ledger_is_clean() -> None:
    assert verify() == (0, "The ledger is clean.\n")


def test_verifying_changes_nothing(record: Offering) -> None:
    Price.objects.filter(known_until=None).update(amount=Decimal("7"))
    before = everything()
    assert verify()[0] == 1
    assert everything() == before


def test_what_is_believed_against_the_evidence_is_settled_anew_on_demand_as_a_correction(record: Offering) -> None:
    models_dev = Source.objects.get(slug="models-dev")
    Source.objects.filter(slug="litellm").update(precedence=models_dev.precedence - 1)
    assert verify()[0] == 1
    told = PricingChange.objects.count()
    status, said = verify("--settle")
    assert (status, said.splitlines()[-1]) == (0, "The ledger is clean.")
    assert said.startswith("Settled anew: ")
    assert list(PricingChange.objects.order_by("sequence").values_list("nature", flat=True)[told:]) == ["correction"]
    assert verify("--settle") == (0, "Everything was settled already.\nThe ledger is clean.\n")


def test_settling_anew_is_counted_in_json(record: Offering) -> None:
    status, said = verify("--settle", "--json")
    assert (status, json.loads(said)["settled"]) == (0, {"opened": 0, "closed": 0, "changes": 0})


def another_price(**changes: object) -> Corrupt:
    """Write a row like the pinned one, but for some columns."""

    def write() -> None:
        row = Price.objects.get(decision__isnull=False, known_until=None)
        row.pk = None
        row._state.adding = True
        for column, value in changes.items():
            setattr(row, column, value)
        row.save()

    return write


CURRENT = {"known_until": None}
CORRUPTIONS: list[tuple[str, Corrupt, str]] = [
    ("amount", lambda: Price.objects.filter(decision=None, **CURRENT).update(amount=Decimal("7")), "resolution"),
    ("currency", lambda: Price.objects.filter(decision=None, **CURRENT).update(currency="EUR"), "resolution"),
    ("zero", lambda: Price.objects.filter(decision=None, **CURRENT).update(zero_means="free"), "resolution"),
    (
        "window",
        lambda: Price.objects.filter(effective_from=day(7), **CURRENT).update(observed_after=None),
        "resolution",
    ),
    ("precision", lambda: Price.objects.filter(effective_from=day(7), **CURRENT).update(precision="day"), "resolution"),
    (
        "closed",
        lambda: Price.objects.filter(effective_from=day(7), **CURRENT).update(known_until=timezone.now()),
        "resolution",
    ),
    ("statement", lambda: Statement.objects.filter(amount=Decimal(1)).update(amount=Decimal(4)), "resolution"),
    ("precedence", lambda: Source.objects.filter(slug="litellm").update(precedence=1), "resolution"),
    ("reading", lambda: Observation.objects.filter(observed_at=day(21)).delete(), "resolution"),
    ("evidence", lambda: Price.objects.filter(decision=None, **CURRENT).update(statement=None), "evidence"),
    ("second run", lambda: repeat_statement(first_observed_at=day(14)), "runs"),
    ("unread", lambda: Statement.objects.filter(amount=Decimal(1)).update(first_observed_at=day(-1)), "runs"),
    ("backwards", lambda: Statement.objects.filter(amount=Decimal(1)).update(ended_at=day(0)), "runs"),
    ("absent", lambda: Statement.objects.filter(amount=Decimal(1)).update(absent_before=day(7)), "runs"),
    ("sequence", lambda: PricingChange.objects.filter(sequence=2).update(sequence=99), "changes"),
    ("recorded", lambda: PricingChange.objects.filter(sequence=1).update(recorded_at=timezone.now()), "changes"),
    ("no lines", lambda: PricingChangeLine.objects.filter(change__sequence=2).delete(), "changes"),
    ("withdrawn", lambda: Offering.objects.filter(name="other").update(status="listed"), "status"),
    ("listed", lambda: Offering.objects.exclude(name="other").update(status="withdrawn"), "status"),
    ("merged", lambda: Offering.objects.filter(name="other").update(status="merged"), "status"),
]


def repeat_statement(**changes: object) -> None:
    row = Statement.objects.get(amount=Decimal(2), source__slug="models-dev")
    row.pk = None
    row._state.adding = True
    for column, value in changes.items():
        setattr(row, column, value)
    row.save()


@pytest.mark.parametrize(("corrupt", "check"), [c[1:] for c in CORRUPTIONS], ids=[c[0] for c in CORRUPTIONS])
def test_what_is_corrupted_is_found(record: Offering, corrupt: Corrupt, check: str) -> None:
    corrupt()
    found = list(findings())
    assert check in {finding.check for finding in found}, found
    assert all("\n" not in str(finding) for finding in found)


def drop_constraints(*names: str) -> None:
    """Let the database take rows that it would refuse, until the test's transaction is rolled back."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA ignore_check_constraints = ON")
            return
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for name in names:
            cursor.execute(f"ALTER TABLE pricing_price DROP CONSTRAINT {name}")


def heed_constraints() -> None:
    """SQLite's pragma outlives the transaction; PostgreSQL's constraints come back with the rollback."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA ignore_check_constraints = OFF")


def test_a_row_that_overlaps_another_on_both_axes_is_found(record: Offering) -> None:
    drop_constraints("price_no_overlap")
    try:
        another_price(effective_from=day(40))()
        assert "overlap" in {finding.check for finding in findings()}
    finally:
        heed_constraints()


def test_rows_that_meet_on_one_axis_alone_do_not_overlap(record: Offering) -> None:
    another_price(effective_from=day(40), known_from=day(-9), known_until=day(-8))()
    another_price(effective_from=day(-40), effective_until=day(-39), known_until=timezone.now() + timedelta(days=1))()
    assert {finding.check for finding in findings()} == set()


def test_a_row_that_ends_before_it_begins_is_found(record: Offering) -> None:
    drop_constraints("price_no_overlap", "price_effective_order", "price_known_order")
    try:
        Price.objects.filter(known_until=None).update(effective_until=F("effective_from"))
        Price.objects.exclude(known_until=None).update(known_until=F("known_from"))
        found = [finding.problem for finding in findings() if finding.check == "order"]
    finally:
        heed_constraints()
    assert any("not after it begins" in problem for problem in found)
    assert any("not after it was known from" in problem for problem in found)


def test_a_price_past_its_own_end_is_no_finding_before_the_next_settlement(db: None) -> None:
    stage = Stage()
    offering = stage.offering()
    stage.read("models-dev", 0, {offering: [price("1", since=0, until=5)]})
    Price.objects.update(recorded_at=day(1))
    Offering.objects.update(status="listed")
    assert list(findings()) == []


def test_each_finding_is_a_line_that_names_the_row_and_what_is_wrong(record: Offering) -> None:
    Price.objects.filter(effective_from=day(7), known_until=None).update(amount=Decimal("7.50"))
    status, output = verify()
    assert status == 1
    line, count = output.splitlines()
    assert line.startswith(f"resolution: offering {record.pk} line ")
    assert "believes 7.5 USD [2026-01-08" in line and "its evidence gives 2 USD [2026-01-08" in line
    assert count == "1 findings"


def test_json_tells_what_was_checked_and_found(record: Offering) -> None:
    status, output = verify("--json")
    told = json.loads(output)
    assert (status, told["clean"], told["findings"]) == (0, True, [])
    assert told["checked"]["prices on two axes"] == Price.objects.count()
    Offering.objects.update(status="unpriced")
    status, output = verify("--json")
    told = json.loads(output)
    assert (status, told["clean"], {row["check"] for row in told["findings"]}) == (1, False, {"status"})


def test_progress_is_plain_lines_where_nobody_looks_at_a_terminal(
    record: Offering, capsys: pytest.CaptureFixture[str]
) -> None:
    verify()
    shown = capsys.readouterr().err
    assert "offerings resolved afresh: 2/2" in shown
    assert "\r" not in shown


def test_offerings_are_read_in_pieces(record: Offering, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pricing.verification.OFFERINGS_AT_ONCE", 1)
    monkeypatch.setattr("pricing.verification.ROWS_AT_ONCE", 1)
    seen: list[tuple[str, int, int]] = []
    assert list(findings(lambda what, done, total: seen.append((what, done, total)))) == []
    assert [done for what, done, _ in seen if what == "offerings resolved afresh"] == [1, 2]
    assert all(done <= total for _, done, total in seen)
