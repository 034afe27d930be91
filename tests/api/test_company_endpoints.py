"""companies/, models/, events/, metrics/."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.test import Client

from companies.models import CompanyAlias
from tests.api import factories as make
from tests.api.contract import DetailContract, ListContract


@pytest.fixture
def companies(db: None) -> None:
    group = make.company("alphabet", kind="other", country="US")
    lab = make.company("deepmind", kind="lab", country="GB", parent=group, needs_review=True, summary="A lab.")
    CompanyAlias.objects.create(company=lab, name="Gemini API")
    make.company("deepseek", kind="lab", country="CN")


class TestCompanyList(ListContract):
    path = "/api/v1/companies/"
    template = "/api/v1/companies/"
    key = "slug"
    filters = {
        "kind": [("lab", ["deepmind", "deepseek"]), (["lab", "other"], ["alphabet", "deepmind", "deepseek"])],
        "country": ("CN", ["deepseek"]),
        "parent": ("alphabet", ["deepmind"]),
        "needs_review": [("true", ["deepmind"]), ("false", ["alphabet", "deepseek"])],
        "search": [("gemini", ["deepmind"]), ("deep lab", ["deepmind"]), ("nobody", [])],
    }

    @pytest.fixture
    def record(self, companies: None) -> None:
        """Three companies."""

    def test_shows_parents_and_aliases_by_name(self, client: Client) -> None:
        row = client.get(self.path, {"search": "deepmind"}).json()["results"][0]
        assert (row["parent"], row["aliases"]) == ("alphabet", ["Gemini API"])


class TestCompany(DetailContract):
    path = "/api/v1/companies/deepseek/"
    template = "/api/v1/companies/{slug}/"
    unknown = "/api/v1/companies/deepsek/"
    nearest = "deepseek"

    @pytest.fixture
    def record(self, companies: None) -> None:
        """Three companies."""


@pytest.fixture
def models(db: None) -> None:
    lab = make.company("deepseek")
    make.ai_model("deepseek-v3", developer=lab, family="deepseek", open_weights=True, released_on=date(2024, 12, 26))
    make.ai_model("gpt-4-1", family="gpt", open_weights=False, needs_review=True, released_on=date(2025, 4, 14))


class TestModelList(ListContract):
    path = "/api/v1/models/"
    template = "/api/v1/models/"
    key = "slug"
    filters = {
        "company": ("deepseek", ["deepseek-v3"]),
        "family": ("gpt", ["gpt-4-1"]),
        "open_weights": [("true", ["deepseek-v3"]), ("false", ["gpt-4-1"])],
        "released_after": ("2025-04-14", ["gpt-4-1"]),
        "released_before": ("2025-04-14", ["deepseek-v3"]),
        "needs_review": ("true", ["gpt-4-1"]),
        "search": ("4-1", ["gpt-4-1"]),
    }

    @pytest.fixture
    def record(self, models: None) -> None:
        """Two models."""


class TestModel(DetailContract):
    path = "/api/v1/models/gpt-4-1/"
    template = "/api/v1/models/{slug}/"
    unknown = "/api/v1/models/gpt-4-2/"
    nearest = "gpt-4-1"

    @pytest.fixture
    def record(self, models: None) -> None:
        """Two models."""


class TestEventList(ListContract):
    path = "/api/v1/events/"
    template = "/api/v1/events/"
    key = "key"
    filters = {
        "company": ("openai", ["plus"]),
        "kind": ("plan_launch", ["plus"]),
        "effective_after": [
            ("2025-02-26T16:30:00Z", ["off-peak", "cut"]),
            ("2025-06-10T00:00:00Z", ["cut"]),
            ("2025-06-10T00:00:01Z", []),
        ],
        "effective_before": [("2025-02-26T16:30:00Z", ["plus"]), ("2025-06-10T08:00:00+08:00", ["plus", "off-peak"])],
        "search": ("o3", ["cut"]),
    }

    @pytest.fixture
    def record(self, db: None) -> None:
        make.event(make.company("openai"), "plus", kind="plan_launch", effective_on=None, announced_on=date(2023, 2, 1))
        at = make.moment("2025-02-26T16:30")
        make.event(key="off-peak", effective_at=at, effective_on=at.date(), affected=["deepseek-chat"])
        make.event(key="cut", title="o3 costs a fifth", effective_on=date(2025, 6, 10))

    def test_newest_comes_first_by_the_day_it_took_effect_or_was_announced(self, client: Client) -> None:
        assert self.keys(client) == ["cut", "off-peak", "plus"]


class TestMetricList(ListContract):
    path = "/api/v1/metrics/"
    template = "/api/v1/metrics/"
    key = "key"
    filters = {
        "company": ("openai", ["arr"]),
        "metric": ("users", ["users"]),
        "kind": ("leaked", ["arr"]),
        "currency": ("USD", ["arr"]),
        "as_of_after": ("2026-03-01", ["users"]),
        "as_of_before": ("2026-03-01", ["arr"]),
    }

    @pytest.fixture
    def record(self, db: None) -> None:
        openai = make.company("openai")
        make.metric(openai, "arr", kind="leaked", currency="USD", as_of=date(2025, 12, 31))
        make.metric(make.company("deepseek"), "users", metric="users", as_of=date(2026, 3, 1))

    def test_values_are_plain_decimals(self, client: Client) -> None:
        values: Any = {row["key"]: row["value"] for row in client.get(self.path).json()["results"]}
        assert values["arr"] == "13000000000"
