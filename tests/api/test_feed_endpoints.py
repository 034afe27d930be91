"""sources/, feeds/, refreshes/."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from feeds.models import Feed
from pricing.models import Source
from tests.api import factories as make
from tests.api.contract import DetailContract, ListContract


@pytest.fixture
def feeds(db: None) -> dict[str, Any]:
    """Two feeds with a refresh each, and a source that nothing fetches."""
    Feed.objects.all().delete()
    Source.objects.all().delete()
    make.source("editors", kind="editor", precedence=5)
    make.source("models-dev", precedence=30, may_republish=True)
    make.source("litellm", precedence=40)
    first, second = make.feed("models-dev"), make.feed("litellm", enabled=False, failures=3)
    done = make.refresh(first, make.MAY, unrecognised={"input_cost_per_wish": 2}, rejections=[{"reason": "negative"}])
    failed = make.refresh(second, make.moment("2026-06-01"), status="failed", error="no network")
    return {"first": first, "done": done, "failed": failed}


class TestSources(ListContract):
    path = "/api/v1/sources/"
    template = "/api/v1/sources/"
    key = "slug"
    record = feeds
    filters = {"kind": ("editor", ["editors"]), "may_republish": ("true", ["models-dev"])}

    def test_says_when_each_was_last_read_and_by_which_feed(self, client: Client) -> None:
        make.observation(make.source("models-dev"), make.MAY)
        rows = {row["slug"]: row for row in client.get(self.path).json()["results"]}
        assert (rows["models-dev"]["last_observed_at"], rows["models-dev"]["feed"]) == (
            "2026-05-01T00:00:00Z",
            "models-dev",
        )
        assert (rows["editors"]["last_observed_at"], rows["editors"]["feed"]) == (None, None)


class TestSource(DetailContract):
    path = "/api/v1/sources/models-dev/"
    template = "/api/v1/sources/{slug}/"
    unknown = "/api/v1/sources/model-dev/"
    nearest = "models-dev"
    record = feeds


class TestFeeds(ListContract):
    path = "/api/v1/feeds/"
    template = "/api/v1/feeds/"
    key = "slug"
    record = feeds
    filters = {"source": ("litellm", ["litellm"]), "enabled": ("true", ["models-dev"])}

    def test_feed_under_way_says_so_and_not_where(self, client: Client, record: dict[str, Any]) -> None:
        lease = {"owner": "worker@secret-host", "locked_until": timezone.now() + timedelta(minutes=5)}
        Feed.objects.filter(pk=record["first"].pk).update(**lease)
        response = client.get(self.path)
        assert [row["running"] for row in response.json()["results"]] == [True, False]
        assert "secret-host" not in response.content.decode()

    def test_lease_that_ran_out_is_seen_at_once(self, client: Client, record: dict[str, Any]) -> None:
        tag = client.get(self.path).headers["ETag"]
        Feed.objects.filter(pk=record["first"].pk).update(failures=1)
        assert client.get(self.path, headers={"If-None-Match": tag}).status_code == 200


class TestFeed(DetailContract):
    path = "/api/v1/feeds/litellm/"
    template = "/api/v1/feeds/{slug}/"
    unknown = "/api/v1/feeds/litelm/"
    nearest = "litellm"
    record = feeds


class TestRefreshes(ListContract):
    path = "/api/v1/refreshes/"
    template = "/api/v1/refreshes/"
    key = "feed"
    record = feeds
    filters = {
        "feed": ("models-dev", ["models-dev"]),
        "status": ("failed", ["litellm"]),
        "started_after": ("2026-06-01T00:00:00Z", ["litellm"]),
        "started_before": ("2026-06-01T00:00:00Z", ["models-dev"]),
    }

    def test_report_counts_what_was_not_understood(self, client: Client) -> None:
        row = client.get(self.path, {"feed": "models-dev"}).json()["results"][0]
        assert row["unrecognised"] == {"input_cost_per_wish": 2}
        assert row["rejections"] == [{"reason": "negative"}]
        assert row["counts"]["rejected"] == 1

    def test_freshness_is_that_of_the_feeds_asked_for(self, client: Client) -> None:
        make.observation(make.source("models-dev"), make.MAY)
        make.observation(make.source("litellm"), make.moment("2026-06-01"))
        page = client.get(self.path, {"feed": "models-dev"}).json()
        assert page["record_as_of"] == "2026-05-01T00:00:00Z"


class TestRefresh(DetailContract):
    template = "/api/v1/refreshes/{id}/"
    unknown = "/api/v1/refreshes/99999999/"
    parameter = "id"

    @pytest.fixture
    def record(self, feeds: dict[str, Any]) -> dict[str, Any]:
        last = feeds["failed"].pk
        type(self).path, type(self).nearest = f"/api/v1/refreshes/{last}/", str(last)
        return feeds
