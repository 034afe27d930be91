"""Feeds are refreshed at once, leases released, and what a refresh did is readable."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from celery import current_app
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from feeds.models import Feed
from tests.admin.conftest import World


@pytest.fixture
def unreachable_broker() -> Iterator[None]:
    """A broker's address at which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"redis://127.0.0.1:{free.getsockname()[1]}/0"
    before = current_app.conf.broker_url, current_app.conf.broker_transport_options
    current_app.conf.update(
        broker_url=address, broker_transport_options={"socket_connect_timeout": 1, "max_retries": 0}
    )
    current_app._pool = None
    current_app.amqp._producer_pool = None
    yield
    current_app.conf.update(broker_url=before[0], broker_transport_options=before[1])
    current_app._pool = None
    current_app.amqp._producer_pool = None


def later(feed: Feed) -> None:
    Feed.objects.filter(pk=feed.pk).update(next_due_at=timezone.now() + timedelta(hours=5))


def test_refresh_now_asks_before_it_acts(browser: Client, world: World) -> None:
    later(world.feed)
    answer = browser.get(reverse("admin:feeds_feed_refresh_now", args=[world.feed.pk]))
    assert answer.status_code == 200
    world.feed.refresh_from_db()
    assert world.feed.next_due_at > timezone.now()


def test_refresh_now_makes_the_feed_due_and_answers_at_once_without_a_broker(
    browser: Client, world: World, unreachable_broker: None
) -> None:
    later(world.feed)
    started = time.monotonic()
    answer = browser.post(reverse("admin:feeds_feed_refresh_now", args=[world.feed.pk]), follow=True)
    assert time.monotonic() - started < 5
    world.feed.refresh_from_db()
    assert world.feed.next_due_at <= timezone.now()
    assert "the next tick refreshes it" in answer.content.decode()


def test_chosen_feeds_are_refreshed_from_the_list(browser: Client, world: World, unreachable_broker: None) -> None:
    later(world.feed)
    chosen = {"action": "refresh_chosen", "_selected_action": [world.feed.pk]}
    browser.post(reverse("admin:feeds_feed_changelist"), chosen)
    world.feed.refresh_from_db()
    assert world.feed.next_due_at <= timezone.now()


def test_a_held_lease_is_shown_and_released(browser: Client, world: World) -> None:
    until = timezone.now() + timedelta(minutes=10)
    Feed.objects.filter(pk=world.feed.pk).update(owner="host:1:2", locked_until=until)
    page = reverse("admin:feeds_feed_change", args=[world.feed.pk])
    release = reverse("admin:feeds_feed_release_lease", args=[world.feed.pk])
    seen = browser.get(page).content.decode()
    assert "held by host:1:2 since " in seen
    assert f"until {until:%Y-%m-%d %H:%M} UTC" in seen
    assert release in seen
    browser.post(release)
    world.feed.refresh_from_db()
    assert (world.feed.owner, world.feed.locked_until) == ("", None)
    assert release not in browser.get(page).content.decode()


def test_saving_a_feed_leaves_its_lease_alone(browser: Client, world: World) -> None:
    page = reverse("admin:feeds_feed_change", args=[world.feed.pk])
    until = timezone.now() + timedelta(minutes=10)
    Feed.objects.filter(pk=world.feed.pk).update(owner="host:1:2", locked_until=until)
    form = {"enabled": "on", "every": "02:00:00", "address": "", "owner": "", "locked_until": ""}
    form |= {"failure_budget": "40", "budget_window": "7 00:00:00"}
    form |= {"next_due_at_0": "2026-11-24", "next_due_at_1": "06:00"}
    assert browser.post(page, form).status_code == 302
    world.feed.refresh_from_db()
    assert world.feed.every == timedelta(hours=2)
    assert (world.feed.owner, world.feed.locked_until) == ("host:1:2", until)


def test_a_feeds_page_lists_its_refreshes(browser: Client, world: World) -> None:
    seen = browser.get(reverse("admin:feeds_feed_change", args=[world.feed.pk])).content.decode()
    assert "2,310 seen, 1 changed, 1 rejected" in seen
    assert "2.0\xa0MB" in seen


def test_a_refresh_shows_what_it_did_not_take_or_understand(browser: Client, world: World) -> None:
    seen = browser.get(reverse("admin:feeds_refresh_change", args=[world.refresh.pk])).content.decode()
    assert "<td>input_cost_per_smell</td><td>3</td>" in seen
    assert "the &lt;model&gt; id is empty" in seen
    assert "2.0\xa0MB, kept" in seen


def test_the_first_page_tells_what_there_is_and_what_waits(browser: Client, world: World) -> None:
    seen = browser.get(reverse("admin:index")).content.decode()
    assert "prices in force" in seen
    assert "input 0.5 -&gt; 0.27 USD per 1M tokens, -46.00%" in seen
    assert reverse("admin:companies_company_change", args=[world.openrouter.pk]) in seen
    assert "A worker last saw a tick at 2026-07-01 12:00 UTC" in seen


def test_the_first_page_of_an_empty_record_says_so(browser: Client) -> None:
    seen = browser.get(reverse("admin:index")).content.decode()
    assert "No refresh yet." in seen
    assert "No price has changed since tracking began." in seen
    assert "somebody has looked at every company" in seen


def test_every_link_of_the_first_page_leads_somewhere(browser: Client, world: World) -> None:
    for _name, _count, address in browser.get(reverse("admin:index")).context["facts"]:
        assert browser.get(address).status_code == 200
    for group in browser.get(reverse("admin:index")).context["sidebar_navigation"]:
        for item in group["items"]:
            assert browser.get(item["link"]).status_code == 200


def test_the_first_page_shows_nobody_what_they_may_not_see(client: Client, world: World) -> None:
    client.force_login(User.objects.create_user("nora", is_staff=True))
    seen = client.get(reverse("admin:index")).content.decode()
    for hidden in ("prices in force", "Latest refreshes", "input 0.5", "OpenRouter", "sold so"):
        assert hidden not in seen
