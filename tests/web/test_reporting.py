"""How the sources are doing, as the start page tells it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from feeds.enrolment import enrol_feeds
from feeds.models import Feed
from tests.web.small_market import SmallMarket, costs
from web.reporting import SourceState, source_states

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def feeds(db: None, settings: Any) -> None:
    settings.NETWORK_FEEDS = ["models-dev"]
    enrol_feeds()
    Feed.objects.update(next_due_at=NOW + timedelta(hours=1))


def models_dev(**facts: object) -> SourceState:
    Feed.objects.filter(source__slug="models-dev").update(**facts)
    return next(state for state in source_states(NOW) if state.slug == "models-dev")


def test_every_feed_of_prices_is_named_in_the_order_in_which_they_speak() -> None:
    in_order = ["curated", "openrouter", "models-dev", "litellm", "genai-prices", "llm-prices"]
    assert [state.slug for state in source_states(NOW)] == in_order


def test_a_feed_that_was_never_read_waits_for_its_turn() -> None:
    state = models_dev()

    assert (state.state, state.last_reading) == ("waiting", None)
    assert state.note == "first reading due 2026-06-01 13:00 UTC"


def test_a_feed_that_is_read_in_time_is_fine() -> None:
    SmallMarket().read(NOW - timedelta(hours=2), {"one": [costs("3")]})

    state = models_dev()

    assert (state.state, state.last_reading) == ("fine", NOW - timedelta(hours=2))


def test_a_failing_feed_says_how_often_and_when_it_is_tried_again() -> None:
    SmallMarket().read(NOW - timedelta(hours=2), {"one": [costs("3")]})

    state = models_dev(failures=3)

    assert state.state == "failing"
    assert state.note == "failed 3 times in a row; next try 2026-06-01 13:00 UTC"
    assert state.last_reading == NOW - timedelta(hours=2)


def test_a_feed_long_past_its_turn_asks_for_the_worker() -> None:
    state = models_dev(next_due_at=NOW - timedelta(hours=5))

    assert state.state == "overdue"
    assert "is a worker running?" in state.note


def test_a_feed_under_lease_is_being_read() -> None:
    assert models_dev(locked_until=NOW + timedelta(minutes=5)).state == "reading"
    assert models_dev(locked_until=NOW - timedelta(minutes=5)).state == "waiting"


def test_what_this_installation_does_not_fetch_is_no_failure() -> None:
    states = {state.slug: state.state for state in source_states(NOW)}

    assert states["litellm"] == "left out"
    assert states["genai-prices"] == "waiting"
    assert models_dev(enabled=False, failures=2).state == "off"


def test_a_feed_of_another_version_does_not_break_the_page() -> None:
    Feed.objects.filter(source__slug="litellm").update(failures=1)
    source = Feed.objects.get(source__slug="litellm").source
    source.slug = "a-feed-that-was"
    source.save()

    states = {state.slug: state.state for state in source_states(NOW)}

    assert states["a-feed-that-was"] == "left out"
