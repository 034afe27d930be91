"""Matching: what each filter lets pass, and that the index finds what a plain loop finds."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.matching import BEYOND_ANY_PERCENT, Caught, Demands, Interest, Interests, MovedLine, catches, moved_line

DEEPSEEK, OPENAI, AZURE = 1, 2, 3
INPUT_UP = MovedLine("input_tokens", "up", Decimal("51.72"))
OUTPUT_DOWN = MovedLine("output_tokens", "down", Decimal("2"))


def change(**values: Any) -> Caught:
    """DeepSeek's model 7 as Azure sells it, offering 9: input became dearer, output a little cheaper."""
    defaults: dict[str, Any] = {
        "change": 1,
        "offerings": frozenset({9}),
        "companies": frozenset({AZURE, DEEPSEEK}),
        "models": frozenset({7}),
        "kind": "mixed",
        "nature": "market",
        "lines": (INPUT_UP, OUTPUT_DOWN),
    }
    return Caught(**{**defaults, **values})


def watch(**values: Any) -> Interest:
    """A watch that names these companies, models and offerings, and demands the rest."""
    named = {name: frozenset(values.pop(name)) for name in ("companies", "models", "offerings") if name in values}
    demands = {k: frozenset(v) if k in ("meters", "kinds") else v for k, v in values.items()}
    return Interest(1, **named, demands=Demands(**demands))


CAUGHT: list[dict[str, Any]] = [
    {},
    {"companies": [AZURE]},
    {"companies": [DEEPSEEK]},
    {"models": [7, 8]},
    {"offerings": [9]},
    {"companies": [OPENAI, AZURE], "models": [7], "offerings": [9, 10]},
    {"meters": ["input_tokens"]},
    {"kinds": ["mixed", "increase"]},
    {"nature": "market"},
    {"direction": "up"},
    {"direction": "down"},
    {"min_percent": Decimal("51.72")},
    {"min_percent": Decimal(2), "meters": ["output_tokens"]},
    {"direction": "up", "min_percent": Decimal(50), "meters": ["input_tokens"]},
]
MISSED: list[dict[str, Any]] = [
    {"companies": [OPENAI]},
    {"models": [8]},
    {"offerings": [10]},
    {"companies": [OPENAI], "offerings": [9]},
    {"meters": ["requests"]},
    {"kinds": ["increase"]},
    {"nature": "correction"},
    {"min_percent": Decimal("51.73")},
    {"confirmed_only": True},
    # Each line fails one of two demands: it is one line that has to meet both.
    {"direction": "down", "min_percent": Decimal(5)},
    {"meters": ["output_tokens"], "direction": "up"},
]


@pytest.mark.parametrize("filters", CAUGHT)
def test_a_change_that_meets_every_filter_is_caught(filters: dict[str, Any]) -> None:
    assert catches(watch(**filters), change())
    assert Interests([watch(**filters)]).catching(change()) == [1]


@pytest.mark.parametrize("filters", MISSED)
def test_a_change_that_fails_one_filter_is_not(filters: dict[str, Any]) -> None:
    assert not catches(watch(**filters), change())
    assert Interests([watch(**filters)]).catching(change()) == []


def test_what_was_there_when_tracking_began_is_no_news() -> None:
    assert not catches(watch(), change(is_news=False))
    assert Interests([watch()]).catching(change(is_news=False)) == []


def test_confirmed_only_takes_what_is_confirmed() -> None:
    assert catches(watch(confirmed_only=True), change(is_confirmed=True))


def test_a_watch_reached_in_two_ways_is_told_once() -> None:
    assert Interests([watch(companies=[AZURE, DEEPSEEK])]).catching(change()) == [1]


def test_from_zero_is_more_than_any_percent_and_to_zero_is_all_of_it() -> None:
    assert moved_line("requests", Decimal(0), Decimal(1)) == MovedLine("requests", "up", BEYOND_ANY_PERCENT)
    assert moved_line("requests", Decimal(4), Decimal(0)) == MovedLine("requests", "down", Decimal(100))


def test_what_came_went_or_changed_currency_has_no_direction() -> None:
    assert moved_line("requests", None, Decimal(1)) == MovedLine("requests")
    assert moved_line("requests", Decimal(1), None) == MovedLine("requests")
    assert moved_line("requests", Decimal(1), Decimal(7), same_currency=False) == MovedLine("requests")


ROWS = st.frozensets(st.integers(1, 4), max_size=2)
SOME_METERS = st.frozensets(st.sampled_from(["input_tokens", "output_tokens", "requests"]), max_size=2)
KINDS = ("increase", "decrease", "listed")
NATURES = ("market", "correction")
PERCENTS = st.sampled_from([Decimal(n) for n in (0, 1, 5, 100)])
DEMANDS = st.builds(
    Demands,
    meters=SOME_METERS,
    kinds=st.frozensets(st.sampled_from(KINDS), max_size=2),
    nature=st.sampled_from(["", *NATURES]),
    direction=st.sampled_from(["", "up", "down"]),
    min_percent=st.none() | PERCENTS,
    confirmed_only=st.booleans(),
)
INTERESTS = st.builds(Interest, watch=st.just(0), companies=ROWS, models=ROWS, offerings=ROWS, demands=DEMANDS)
LINES = st.builds(
    MovedLine,
    meter=st.sampled_from(["input_tokens", "output_tokens", "requests"]),
    direction=st.sampled_from(["", "up", "down"]),
    percent=st.none() | PERCENTS | st.just(BEYOND_ANY_PERCENT),
)
CHANGES = st.builds(
    Caught,
    change=st.just(1),
    offerings=ROWS,
    companies=ROWS,
    models=ROWS,
    kind=st.sampled_from(KINDS),
    nature=st.sampled_from(NATURES),
    lines=st.lists(LINES, max_size=3).map(tuple),
    is_news=st.booleans(),
    is_confirmed=st.booleans(),
)


def naively(interest: Interest, caught: Caught) -> bool:
    """The rules once more, written filter by filter."""
    demands = interest.demands
    named = [
        (interest.companies, caught.companies),
        (interest.models, caught.models),
        (interest.offerings, caught.offerings),
    ]
    of_line = bool(demands.meters or demands.direction or demands.min_percent is not None)
    lines = [
        line
        for line in caught.lines
        if (not demands.meters or line.meter in demands.meters)
        and (not demands.direction or line.direction == demands.direction)
        and (demands.min_percent is None or (line.percent is not None and line.percent >= demands.min_percent))
    ]
    return (
        caught.is_news
        and all(not wanted or wanted & there for wanted, there in named)
        and (not demands.kinds or caught.kind in demands.kinds)
        and demands.nature in ("", caught.nature)
        and (caught.is_confirmed or not demands.confirmed_only)
        and (bool(lines) or not of_line)
    )


@given(st.lists(INTERESTS, max_size=12), CHANGES)
def test_the_index_finds_what_the_plain_rules_find(drawn: list[Interest], caught: Caught) -> None:
    interests = [
        Interest(place, one.companies, one.models, one.offerings, one.demands) for place, one in enumerate(drawn)
    ]
    expected = [interest.watch for interest in interests if naively(interest, caught)]
    assert [interest.watch for interest in interests if catches(interest, caught)] == expected
    assert sorted(Interests(interests).catching(caught)) == expected
