"""A fetched document that outgrew its source by far waits for a person, who gives it by hand where it is right."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from feeds.refreshing import GROWTH_FROM, RefreshRefused, refresh
from pricing.models import Reference
from tests.feeds.small_feeds import catalogue, day, origin, read, served_from

pytestmark = pytest.mark.django_db


def models(count: int) -> bytes:
    return catalogue(**{f"model_{n}": {"input": n + 1.0} for n in range(count)})


@pytest.fixture(autouse=True)
def may_fetch(settings) -> None:
    """Let the feed be fetched from loopback."""
    settings.NETWORK_FEEDS = ("models-dev",)
    settings.OUTBOUND_ALLOW_NETS = [ip_network("127.0.0.0/8")]


def test_what_is_fetched_and_has_many_times_the_rows_is_refused_with_the_way_to_let_it_through() -> None:
    read(models(10), day(1))
    grown = models(GROWTH_FROM + 1)
    with origin(grown) as server:
        feed = served_from(server.address)
        with pytest.raises(RefreshRefused, match=r"1,001 rows.* had 10 .*refresh models-dev --file FILE"):
            refresh(feed)
    assert Reference.objects.count() == 10
    read(grown, day(2))
    assert Reference.objects.count() == GROWTH_FROM + 1


@pytest.mark.parametrize("before", [0, GROWTH_FROM // 4])
def test_a_first_document_and_one_that_grew_are_taken(before: int) -> None:
    if before:
        read(models(before), day(1))
    with origin(models(GROWTH_FROM + 1)) as server:
        assert refresh(served_from(server.address)).status == "done"
