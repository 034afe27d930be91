"""A dated history read after undated documents gives their moves a better time, and is no news itself."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from feeds.enrolment import feed_named
from feeds.reading import Document
from feeds.refreshing import Report, refresh
from pricing.models import Price, PricingChange
from pricing.refinement import refined_times
from pricing.verification import findings

pytestmark = pytest.mark.django_db


def _read(slug: str, content: object, year: int, month: int, day: int) -> Report:
    moment = datetime(year, month, day, tzinfo=UTC)
    return refresh(feed_named(slug), document=Document(json.dumps(content).encode(), moment))


def _price_map(incoming: float, outgoing: float) -> dict[str, dict[str, object]]:
    prices = {"input_cost_per_token": incoming, "output_cost_per_token": outgoing}
    return {"deepseek/deepseek-chat": {"litellm_provider": "deepseek", "mode": "chat", **prices}}


_NAMES = {"id": "deepseek-chat", "vendor": "deepseek", "name": "DeepSeek Chat", "input_cached": None}
_HISTORY = {
    "prices": [
        {**_NAMES, "input": 0.27, "output": 1.1, "from_date": "2025-02-08", "to_date": None},
        {**_NAMES, "input": 0.14, "output": 0.28, "from_date": None, "to_date": "2025-02-08"},
    ]
}


@pytest.fixture
def moved() -> PricingChange:
    """The move of DeepSeek's chat model, seen between two documents without dates."""
    _read("litellm", _price_map(1.4e-7, 2.8e-7), 2025, 1, 9)
    _read("litellm", _price_map(2.7e-7, 1.1e-6), 2025, 2, 19)
    return PricingChange.objects.get(kind="increase")


def test_the_move_is_dated_inside_its_window_and_nothing_else_happens(moved: PricingChange) -> None:
    assert moved.observed_after == datetime(2025, 1, 9, tzinfo=UTC)
    _read("llm-prices", _HISTORY, 2025, 10, 11)
    assert list(PricingChange.objects.exclude(kind="listed")) == [moved]
    assert refined_times([moved])[moved.pk] == (datetime(2025, 2, 8, tzinfo=UTC), "day", None)
    begun = Price.objects.filter(known_until=None, effective_until=None)
    assert {price.effective_from for price in begun} == {datetime(2025, 2, 8, tzinfo=UTC)}
    assert not list(findings())


def test_a_history_that_dates_it_outside_the_window_leaves_it_as_observed(moved: PricingChange) -> None:
    early = json.loads(json.dumps(_HISTORY).replace("2025-02-08", "2024-12-01"))
    _read("llm-prices", early, 2025, 10, 11)
    assert not PricingChange.objects.filter(nature="market").exclude(pk=moved.pk).exclude(kind="listed").exists()
    began, precision, _ = refined_times([moved])[moved.pk]
    assert (began, precision) == (moved.effective_at, "observed")
