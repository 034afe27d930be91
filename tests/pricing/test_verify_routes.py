"""``verify_ledger`` finds what is wrong with routes: overlaps, rows that do not resolve, runs out of step."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import IntegrityError, connection, transaction

from pricing import ledger
from pricing.models import Alias, Offering, PricingChange, RouteStatement
from pricing.verification import findings
from tests.pricing.believing import day, price
from tests.pricing.conftest import SetClock
from tests.pricing.stages import Stage, leading

Corrupt = Callable[[], object]


@pytest.fixture
def routed(db: None, clock: SetClock) -> Offering:
    """An id that a feed saw lead to one offering and then to another."""
    stage = Stage()
    route, one, other = stage.offering("latest"), stage.offering("V5"), stage.offering("V6")
    sold = {one: [price("1")], other: [price("2")]}
    stage.read("openrouter", 0, sold, routes={route: [leading(one)]})
    stage.read("openrouter", 7, sold, routes={route: [leading(other)]})
    assert list(findings()) == []
    return route


def another(**changes: object) -> Corrupt:
    def write() -> None:
        row = Alias.objects.get(known_until=None, effective_until=None)
        row.pk = None
        row._state.adding = True
        for column, value in changes.items():
            setattr(row, column, value)
        row.save()

    return write


CURRENT = {"known_until": None}
CORRUPTIONS: list[tuple[str, Corrupt, str]] = [
    ("precision", lambda: Alias.objects.filter(**CURRENT).update(precision="day"), "resolution"),
    ("window", lambda: Alias.objects.filter(effective_until=None, **CURRENT).update(observed_after=None), "resolution"),
    ("a row closed", lambda: Alias.objects.filter(**CURRENT).update(known_until=day(400)), "resolution"),
    ("no evidence", lambda: Alias.objects.filter(**CURRENT).update(statement=None), "evidence"),
    ("a run backwards", lambda: RouteStatement.objects.update(ended_at=day(-1)), "runs"),
    ("a reading that was not", lambda: RouteStatement.objects.update(absent_before=day(-3)), "runs"),
    ("no lines and no route", lambda: PricingChange.objects.filter(kind="rerouted").update(**UNROUTED), "changes"),
]
UNROUTED = dict.fromkeys(("routed_from_offering", "routed_to_offering"))


@pytest.mark.parametrize(("corrupt", "check"), [row[1:] for row in CORRUPTIONS], ids=[row[0] for row in CORRUPTIONS])
def test_what_is_wrong_with_a_route_is_told(routed: Offering, corrupt: Corrupt, check: str) -> None:
    for change in PricingChange.objects.filter(kind="rerouted"):
        change.lines.all().delete()
    corrupt()
    assert check in {finding.check for finding in findings()}


def test_rows_that_overlap_are_refused_by_postgresql_and_found_elsewhere(routed: Offering) -> None:
    write = another(effective_from=day(9))
    if connection.vendor == "postgresql":
        with pytest.raises(IntegrityError), transaction.atomic():
            write()
        return
    write()
    assert "overlap" in {finding.check for finding in findings()}


def test_the_same_said_twice_at_once_is_found(routed: Offering) -> None:
    said = RouteStatement.objects.get(ended_at=None)
    said.pk = None
    said._state.adding = True
    said.save()
    assert "runs" in {finding.check for finding in findings()}


def test_an_id_may_be_told_again_after_it_was_taken_back(
    routed: Offering, person: ledger.Ruling, clock: SetClock
) -> None:
    target = Offering.objects.get(name="V5")
    for moment in (101, 103):
        clock(moment)
        ledger.reroute(routed, target, person, at=day(110))
        clock(moment + 1)
        ledger.retire_route(RouteStatement.objects.latest("pk"), person)
    assert list(findings()) == []
