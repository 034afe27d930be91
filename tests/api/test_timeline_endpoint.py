"""companies/{slug}/timeline/: events and pricing changes of one company, merged."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from tests.api import factories as make
from tests.api.contract import ListContract, fault_of


class TestTimeline(ListContract):
    path = "/api/v1/companies/deepseek/timeline/"
    template = "/api/v1/companies/{slug}/timeline/"
    key = "at"
    filters = {
        "type": [
            ("event", ["2025-02-26T16:30:00Z", "2024-05-06T00:00:00Z"]),
            ("pricing_change", ["2026-06-01T00:00:00Z", "2026-05-01T00:00:00Z", "2025-09-05T00:00:00Z"]),
        ],
        "nature": (
            "correction",
            ["2026-06-01T00:00:00Z", "2025-02-26T16:30:00Z", "2024-05-06T00:00:00Z"],
        ),
        "effective_after": ("2026-05-01T00:00:00Z", ["2026-06-01T00:00:00Z", "2026-05-01T00:00:00Z"]),
        "effective_before": ("2025-02-26T16:30:00Z", ["2024-05-06T00:00:00Z"]),
        "initial": (
            "true",
            [
                "2026-06-01T00:00:00Z",
                "2026-05-01T00:00:00Z",
                "2026-01-01T00:00:00Z",
                "2025-09-05T00:00:00Z",
                "2025-02-26T16:30:00Z",
                "2024-05-06T00:00:00Z",
            ],
        ),
    }

    @pytest.fixture
    def record(self, db: None) -> None:
        deepseek, azure = make.company("deepseek"), make.company("azure", kind="cloud")
        model = make.ai_model("deepseek-v4", developer=deepseek)
        line = make.line(make.offering("deepseek-chat", seller=deepseek, model=model))
        make.change(line, None, "0.435", make.TRACKED_SINCE, initial=True)
        make.change(line, "0.27", "0.435", make.moment("2025-09-05"), initial=True, precision="day")
        make.change(line, "0.435", "0.66", make.MAY)
        make.change(line, "0.66", "0.6", make.moment("2026-06-01"), nature="correction", kind="corrected")
        make.change(make.line(make.offering("ds-v4", seller=azure, model=model)), "1", "2")
        make.event(deepseek, "price-war", effective_on=None, announced_on=date(2024, 5, 6), title="A price war begins")
        make.event(deepseek, "off-peak", effective_at=make.moment("2025-02-26T16:30"), precision="exact")
        make.event(azure, "elsewhere")
        make.event(deepseek, "undated", effective_on=None)

    def test_newest_comes_first_and_each_item_says_what_it_is(self, client: Client) -> None:
        items = client.get(self.path).json()["results"]
        assert [(item["type"], item.get("title") or item["kind"]) for item in items] == [
            ("pricing_change", "corrected"),
            ("pricing_change", "increase"),
            ("pricing_change", "increase"),
            ("event", "off-peak"),
            ("event", "A price war begins"),
        ]

    def test_each_item_says_how_exact_its_moment_is(self, client: Client) -> None:
        items = client.get(self.path).json()["results"]
        assert [item["precision"] for item in items] == ["observed", "observed", "day", "exact", "day"]

    def test_change_that_was_dated_later_shows_its_better_time(self, client: Client) -> None:
        line = make.line(make.offering("dated"), "pages")
        make.change(line, "1", "2", make.moment("2026-05-08"), observed_after=make.MAY)
        make.price(line, "2", make.moment("2026-05-03"), precision="day")
        item = client.get(self.path, {"effective_after": "2026-05-08T00:00:00Z"}).json()["results"][-1]
        assert item["at"] == item["effective_at"] == "2026-05-03T00:00:00Z"
        assert (item["precision"], item["observed_after"]) == ("day", None)

    def test_what_was_merely_there_at_the_first_load_is_left_out(self, client: Client) -> None:
        kinds = [item["kind"] for item in client.get(self.path).json()["results"]]
        assert "listed" not in kinds

    def test_unknown_company_names_the_nearest(self, client: Client) -> None:
        assert fault_of(client.get("/api/v1/companies/deepsek/timeline/"), "slug", 404)["choices"] == ["deepseek"]

    def test_number_of_queries_does_not_grow_with_the_page(
        self, client: Client, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        for number in range(20):
            make.change(make.line(make.offering(f"model-{number}")), "1", "2")
            make.event(key=f"event-{number}")
        # State, company, its events, changes counted and in order; the page's events, changes and what these embed (6);
        # freshness.
        with django_assert_num_queries(14):
            assert client.get(self.path).json()["count"] == 45

    def test_page_beyond_the_end_is_empty(self, client: Client) -> None:
        page: Any = client.get(self.path, {"offset": 50}).json()
        assert (page["count"], page["results"]) == (5, [])
