"""Who has seen a change, of those who could have; and that another witness is no news."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from tests.api import factories as make
from tests.pricing.believing import price
from tests.pricing.stages import Stage

CHANGES = "/api/v1/changes/"


def witnesses(client: Client, change: Any) -> tuple[int, int, list[str]]:
    row = client.get(f"{CHANGES}{change.pk}/").json()
    return row["witnesses"]["seen_by"], row["witnesses"]["of"], row["confirmed_by"]


@pytest.fixture
def line(db: None) -> Any:
    return make.line(make.offering())


@pytest.fixture
def moved(line: Any) -> Any:
    """A move that models-dev reports, on a line that LiteLLM, OpenRouter and the curated record state too."""
    change = make.change(line, "1", "2", make.MAY, source=make.source("models-dev"))
    make.statement(line, "2", make.MAY, source=make.source("models-dev"))
    make.statement(line, "2", make.MAY + timedelta(days=3), source=make.source("litellm"))
    make.statement(line, "2", make.MAY + timedelta(days=30), source=make.source("openrouter"))
    make.statement(line, "1", make.TRACKED_SINCE, source=make.source("curated"))
    return change


def test_change_is_seen_by_so_many_of_those_that_state_its_tariff(client: Client, moved: Any) -> None:
    seen_by, of, confirmed_by = witnesses(client, moved)
    assert (seen_by, of, set(confirmed_by)) == (3, 4, {"litellm", "openrouter"})


def test_other_structure_of_the_tariff_is_a_witness_too(client: Client, line: Any, moved: Any) -> None:
    long = make.line(line.offering, above_input_tokens=200_000)
    make.statement(long, "2", make.MAY, source=make.source("thresholds"))
    assert witnesses(client, moved)[:2] == (3, 5)


def test_other_tariffs_and_other_times_have_no_witnesses(client: Client, line: Any, moved: Any) -> None:
    make.statement(make.line(line.offering, service_tier="batch"), "2", make.MAY, source=make.source("batch"))
    make.statement(make.line(line.offering, "output_tokens"), "2", make.MAY, source=make.source("output"))
    make.statement(make.line(make.offering("another")), "2", make.MAY, source=make.source("another"))
    make.statement(line, "2", make.TRACKED_SINCE, ended_at=make.MAY, source=make.source("gone"))
    make.statement(line, "2", make.MAY + timedelta(days=31), source=make.source("late"))
    assert witnesses(client, moved)[:2] == (3, 4)


def test_source_of_the_change_counts_though_it_says_something_else_by_now(client: Client, line: Any) -> None:
    assert witnesses(client, make.change(line, "1", "2", source=make.source("models-dev"))) == (1, 1, [])


def test_ruling_is_seen_by_those_sources_alone_that_confirm_it(client: Client, line: Any) -> None:
    ruled = make.change(line, "1", "2", nature="correction")
    make.statement(line, "2", source=make.source("litellm"))
    make.statement(line, "1", source=make.source("openrouter"))
    assert witnesses(client, ruled) == (1, 2, ["litellm"])


@pytest.mark.usefixtures("clock")
def test_change_of_witness_makes_no_change_of_the_market(client: Client, stage: Stage) -> None:
    offering = stage.offering()
    for slug, precedence in (("models-dev", 40), ("curated", 10), ("openrouter", 20)):
        stage.source(slug, precedence)
    stage.read("models-dev", 0, {offering: [price("1")]})
    stage.read("openrouter", 5, {offering: [price("1.5")]})
    stage.read("curated", 9, {offering: [price("1.2")]})
    for at in (10, 12, 14, 16):
        stage.read("curated", at, {stage.offering(f"other {at}"): [price("1")]})
    rows = [row for row in client.get(CHANGES, {"initial": "true"}).json()["results"] if row["offering"] == offering.pk]
    taken_over = [(row["nature"], row["kind"]) for row in rows[:-1]]
    assert rows[-1]["kind"] == "listed"
    assert len(taken_over) >= 3
    assert set(taken_over) == {("correction", "corrected")}
    market = client.get(CHANGES, {"nature": "market", "kind": ["increase", "decrease", "mixed"]}).json()["results"]
    assert market == []
