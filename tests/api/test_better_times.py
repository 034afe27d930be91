"""A move that was merely observed shows the better time that is learnt later; its row is never written again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from pricing.models import PricingChange
from tests.api import factories as make
from tests.pricing.believing import day, price
from tests.pricing.stages import Stage, kinds

SEEN = make.moment("2026-05-08")
DATED = make.moment("2026-05-03")
STORED = ("2026-05-08T00:00:00Z", "observed", "2026-05-01T00:00:00Z")


@pytest.fixture
def line(db: None) -> Any:
    return make.line(make.offering())


def shown(client: Client, change: PricingChange) -> tuple[str, str, str | None]:
    """When the API says that it happened, how exact that is, and after which moment it came."""
    row = client.get(f"/api/v1/changes/{change.pk}/").json()
    return row["effective_at"], row["precision"], row["observed_after"]


def seen_between_may_1_and_8(line: Any, **values: Any) -> PricingChange:
    return make.change(line, "1", "2", SEEN, observed_after=make.MAY, **values)


def test_date_within_the_window_is_shown(client: Client, line: Any) -> None:
    change = seen_between_may_1_and_8(line)
    make.price(line, "2", DATED, precision="day")
    assert shown(client, change) == ("2026-05-03T00:00:00Z", "day", None)
    listed = client.get("/api/v1/changes/").json()["results"]
    assert [row["effective_at"] for row in listed] == ["2026-05-03T00:00:00Z"]


def test_older_document_narrows_the_window(client: Client, line: Any) -> None:
    change = seen_between_may_1_and_8(line)
    make.price(line, "2", DATED, observed_after=DATED - timedelta(days=1))
    assert shown(client, change) == ("2026-05-03T00:00:00Z", "observed", "2026-05-02T00:00:00Z")


def test_date_that_is_the_moment_of_the_reading_makes_it_exact(client: Client, line: Any) -> None:
    change = seen_between_may_1_and_8(line)
    make.price(line, "2", SEEN, precision="day")
    assert shown(client, change) == ("2026-05-08T00:00:00Z", "day", None)


def test_earliest_of_several_lines_counts(client: Client, line: Any) -> None:
    change = seen_between_may_1_and_8(line)
    output = make.line(line.offering, "output_tokens")
    make.change_line(change, output, "3", "4")
    make.price(line, "2", SEEN, observed_after=make.MAY)
    make.price(output, "4", DATED, precision="day")
    assert shown(client, change)[:2] == ("2026-05-03T00:00:00Z", "day")


@pytest.mark.parametrize(
    ("amount", "since", "values"),
    [
        ("2", make.MAY, {}),
        ("2", make.moment("2026-05-09"), {}),
        ("3", DATED, {}),
        ("2", DATED, {"currency": "CNY"}),
        ("2", DATED, {"known_until": make.moment("2026-06-01")}),
        ("2", DATED, {"effective_until": make.moment("2026-05-05")}),
    ],
    ids=["before the window", "later", "another amount", "another currency", "not believed", "ended before"],
)
def test_other_price_is_no_better_time(client: Client, line: Any, amount: str, since: Any, values: Any) -> None:
    change = seen_between_may_1_and_8(line)
    make.price(line, amount, since, **{"precision": "day", "known_from": make.MAY, **values})
    assert shown(client, change) == STORED


@pytest.mark.parametrize(
    "values", [{"nature": "correction"}, {"kind": "announced"}, {"kind": "retracted"}, {"precision": "month"}]
)
def test_what_was_no_observed_move_keeps_its_time(client: Client, line: Any, values: Any) -> None:
    change = seen_between_may_1_and_8(line, **values)
    make.price(line, "2", DATED, precision="day")
    assert shown(client, change)[0] == "2026-05-08T00:00:00Z"


def test_only_a_beginning_moves_back_without_a_window(client: Client, line: Any) -> None:
    listed = make.change(line, None, "2", SEEN)
    moved = make.change(line, "1", "2", SEEN)
    make.price(line, "2", make.TRACKED_SINCE)
    assert shown(client, listed) == ("2026-01-01T00:00:00Z", "observed", None)
    assert shown(client, moved) == ("2026-05-08T00:00:00Z", "observed", None)


def test_ledger_dates_a_move_that_it_told_before_without_another_change(client: Client, db: None) -> None:
    stage = Stage()
    stage.source("undated", precedence=1)
    stage.source("dated", precedence=2)
    offering = stage.offering()
    stage.read("undated", 0, {offering: [price("1")]})
    stage.read("undated", 7, {offering: [price("2")]})
    change = offering.changes.get(kind="increase")
    told = kinds(offering)
    stage.read("dated", 8, {offering: [price("1", since=0, until=3), price("2", since=3)]})
    assert kinds(offering) == told
    assert shown(client, change)[0] == day(3).isoformat().replace("+00:00", "Z")
