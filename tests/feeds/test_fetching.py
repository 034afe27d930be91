"""Fetching over HTTP: validators, unchanged documents, failures that back off, and leases."""

from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_network

import pytest
from django.utils import timezone

from feeds.enrolment import feed_named
from feeds.leases import FeedIsTaken, claim, force_release, lease
from feeds.models import Feed, Refresh
from feeds.refreshing import CouldNotFetch, RefreshRefused, refresh
from feeds.tasks import refresh_due_feeds, refresh_feed
from pricing.models import Observation
from tests.feeds.small_feeds import catalogue, origin, served_from

pytestmark = pytest.mark.django_db(transaction=True)
BODY = catalogue(deepseek_chat={"input": 0.27, "output": 1.1})


@pytest.fixture(autouse=True)
def _loopback_may_be_reached(settings) -> None:
    settings.OUTBOUND_ALLOW_NETS = [ip_network("127.0.0.0/8")]
    settings.NETWORK_FEEDS = ["models-dev", "litellm"]


def test_a_document_is_fetched_and_its_validator_sent_the_next_time() -> None:
    with origin(BODY) as server:
        feed = served_from(server.address)
        assert refresh(feed).status == "done"
        assert refresh(feed).status == "unchanged"
    assert [request.get("If-None-Match") for request in server.requests] == [None, '"first"']
    assert Observation.objects.filter(source=feed.source).count() == 2


def test_validators_are_not_trusted_for_another_body_than_the_one_held() -> None:
    with origin(BODY) as server:
        feed = served_from(server.address)
        refresh(feed)
        Feed.objects.filter(pk=feed.pk).update(current_digest="of a document loaded from a file")
        refresh(feed)
    assert [request.get("If-None-Match") for request in server.requests] == [None, None]


def test_a_server_that_fails_changes_nothing_and_is_asked_later_and_later() -> None:
    with origin(BODY) as server:
        feed = served_from(server.address)
        server.status = 503
        waits = []
        for _ in range(3):
            with pytest.raises(CouldNotFetch, match="503"):
                refresh(feed, trigger="schedule")
            feed.refresh_from_db()
            waits.append(feed.next_due_at - timezone.now())
    assert waits[0] < waits[1] < waits[2]
    assert feed.failures == 3
    assert set(Refresh.objects.values_list("status", flat=True)) == {"failed"}
    assert not Observation.objects.exists()


def test_an_error_page_with_status_200_is_refused_and_noted() -> None:
    with origin(b"<html>we are busy</html>") as server:
        feed = served_from(server.address)
        with pytest.raises(RefreshRefused):
            refresh(feed, trigger="schedule")
    assert Refresh.objects.get().status == "refused"
    assert not Observation.objects.exists()


def test_loopback_is_refused_unless_the_operator_allows_it(settings) -> None:
    settings.OUTBOUND_ALLOW_NETS = []
    with origin(BODY) as server, pytest.raises(CouldNotFetch):
        refresh(served_from(server.address))
    assert server.requests == []


def test_a_feed_that_another_worker_holds_is_left_alone() -> None:
    feed = feed_named("models-dev")
    Feed.objects.filter(pk=feed.pk).update(owner="another", locked_until=timezone.now() + timedelta(minutes=5))
    with pytest.raises(FeedIsTaken, match="another"):
        refresh(feed)


def test_a_lease_that_ran_out_is_free_and_a_stuck_one_can_be_released() -> None:
    feed = feed_named("models-dev")
    Feed.objects.filter(pk=feed.pk).update(owner="killed", locked_until=timezone.now() - timedelta(seconds=1))
    assert claim(feed)
    Feed.objects.filter(pk=feed.pk).update(owner="stuck", locked_until=timezone.now() + timedelta(minutes=5))
    assert not claim(feed)
    assert force_release(feed)
    assert claim(feed)


def test_a_lease_is_given_back_when_the_work_fails() -> None:
    feed = feed_named("models-dev")
    with pytest.raises(RuntimeError, match="half-way"), lease(feed):
        raise RuntimeError("half-way")
    feed.refresh_from_db()
    assert feed.locked_until is None


def test_the_task_refreshes_a_due_feed_and_leaves_one_that_is_not_due() -> None:
    with origin(BODY) as server:
        feed = served_from(server.address)
        refresh_feed("models-dev")
        refresh_feed("models-dev")
        feed.refresh_from_db()
    assert len(server.requests) == 1
    assert feed.next_due_at > timezone.now()


def test_the_tick_asks_only_for_feeds_that_can_be_read(settings, monkeypatch) -> None:
    settings.NETWORK_FEEDS = []
    asked: list[str] = []
    monkeypatch.setattr("feeds.tasks.look_now", lambda slug, trigger="schedule": asked.append(slug))
    refresh_due_feeds()
    assert sorted(asked) == ["curated", "genai-prices"]
