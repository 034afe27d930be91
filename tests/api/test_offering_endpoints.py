"""offerings/ with history, plans/, and models/{slug}/compare/."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from pricing.models import Decision, Offering, SlotRule
from tests.api import factories as make
from tests.api.contract import DetailContract, ListContract, fault_of

PATH = "/api/v1/offerings/"
FAR = make.moment("2126-01-01")


@pytest.fixture
def record(db: None) -> dict[str, Any]:
    """DeepSeek sells a model that Azure resells, a withdrawn one, a plan, and one that was absorbed."""
    deepseek, azure = make.company("deepseek"), make.company("azure", kind="cloud")
    model = make.ai_model("deepseek-v4", developer=deepseek)
    own = make.offering("deepseek-chat", pk=11, model=model, seller=deepseek, mode="chat")
    make.reference(own, provider="zai", external_id="glm-4.6", absent_since=make.MAY)
    make.reference(own, source=make.source("litellm"), provider="deepseek")
    resold = make.offering("ds-v4", pk=12, model=model, seller=azure)
    gone = make.offering("coder", pk=13, seller=deepseek, status="withdrawn")
    plan = make.offering("pro", pk=14, kind="plan", seller=azure, audience="consumer", allowances="500 messages")
    twin = make.offering("deepseek_chat", pk=15, seller=deepseek, status="merged", merged_into=own)
    older = make.offering("deepseek.chat", pk=16, seller=deepseek, status="merged", merged_into=twin)
    line = make.line(own)
    said = make.statement(line, "0.66", make.MAY, citation_url="https://example.com/pricing", citation_title="Pricing")
    make.price(line, "0.435", known_until=make.MAY)
    make.price(line, "0.435", effective_until=make.MAY, known_from=make.MAY)
    make.price(line, "0.66", make.MAY, source=make.source(), statement=said)
    make.price(make.line(own, "output_tokens", service_tier="batch"), "1")
    make.price(make.line(resold), "5")
    make.price(make.line(plan, "subscriptions", variant="monthly"), "20")
    make.price(make.line(older), "9", known_until=make.MAY)
    return {"own": own, "resold": resold, "gone": gone, "plan": plan, "line": line}


class TestOfferings(ListContract):
    path = PATH
    template = PATH
    key = "external_id"
    record = record
    filters = {
        "seller": ("azure", ["ds-v4", "pro"]),
        "model": ("deepseek-v4", ["deepseek-chat", "ds-v4"]),
        "company": ("deepseek", ["deepseek-chat", "ds-v4", "coder"]),
        "kind": ("plan", ["pro"]),
        "status": [("withdrawn", ["coder"]), ("merged", ["deepseek_chat", "deepseek.chat"])],
        "source": ("models-dev", ["deepseek-chat"]),
        "provider": ("zai", ["deepseek-chat"]),
        "external_id": [("glm-4.6", ["deepseek-chat"]), (["pro", "coder"], ["pro", "coder"])],
        "search": [("glm", ["deepseek-chat"]), ("azure pro", ["pro"])],
    }

    def test_source_provider_and_id_have_to_be_those_of_one_reference(self, client: Client) -> None:
        assert self.keys(client, source="models-dev", external_id="glm-4.6") == ["deepseek-chat"]
        assert self.keys(client, source="litellm", external_id="glm-4.6") == []

    def test_embeds_references_past_and_present(self, client: Client) -> None:
        row = client.get(PATH, {"external_id": "deepseek-chat"}).json()["results"][0]
        assert row["references"] == [
            {"source": "models-dev", "provider": "zai", "id": "glm-4.6", "current": False},
            {"source": "litellm", "provider": "deepseek", "id": "deepseek-chat", "current": True},
        ]

    def test_embeds_only_the_prices_now_in_force(self, client: Client) -> None:
        row = client.get(PATH, {"external_id": "deepseek-chat"}).json()["results"][0]
        assert [price["amount"] for price in row["prices"]] == ["0.66", "1"]

    def test_number_of_queries_does_not_grow_with_the_page(
        self, client: Client, record: Any, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        for number in range(20):
            make.price(make.line(make.offering(f"model-{number}")), "1")
        # State, count, offerings, references, slots, lines, prices, sources, statements, aliases, lapses, freshness.
        with django_assert_num_queries(12):
            assert client.get(PATH).json()["count"] == 24


class TestOffering(DetailContract):
    path = f"{PATH}11/"
    template = f"{PATH}{{id}}/"
    unknown = f"{PATH}999/"
    nearest = "16"
    parameter = "id"
    record = record

    def test_absorbed_one_answers_301_with_what_stands_for_it_now(self, client: Client) -> None:
        for number in (15, 16):
            response = client.get(f"{PATH}{number}/")
            assert response.status_code == 301
            assert response.headers["Location"] == f"{PATH}11/"
            assert response.json() == {"id": number, "merged_into": 11}

    def test_model_id_in_place_of_the_number_names_the_numbers(self, client: Client) -> None:
        assert fault_of(client.get(f"{PATH}glm-4.6/"), "id", 404)["choices"] == ["11"]
        assert "deepseek-chat" in fault_of(client.get(f"{PATH}deepsek-chat/"), "id", 404)["choices"]

    @pytest.mark.parametrize("number", ["9" * 30, "-1", "1.0", "²"])
    def test_number_out_of_any_range_is_just_unknown(self, client: Client, number: str) -> None:
        assert client.get(f"{PATH}{number}/").status_code == 404

    def test_shows_where_its_id_leads_now_and_will_lead(self, client: Client, record: dict[str, Any]) -> None:
        model = record["own"].model
        since, known = make.TRACKED_SINCE, {"known_from": make.MAY}
        make.alias("deepseek-chat", record["resold"], since, effective_until=make.MAY, **known)
        make.alias("deepseek-chat", model, make.MAY, effective_until=FAR, observed_after=since, **known)
        make.alias("deepseek-chat", record["resold"], FAR, **known)
        make.alias("deepseek-chat", record["resold"], make.MAY, known_until=make.MAY)
        first, second = client.get(self.path).json()["aliases"]
        assert (first["model"], first["offering"], first["effective_until"]) == (
            "deepseek-v4",
            None,
            "2126-01-01T00:00:00Z",
        )
        assert first["observed_after"] == "2026-01-01T00:00:00Z"
        assert (second["target"], second["offering"], second["known_until"]) == ("ds-v4", 12, None)
        self.test_answer_is_as_the_schema_says(client)

    def test_shows_the_calendar_of_its_slots(self, client: Client, record: dict[str, Any]) -> None:
        rule = {"offering": record["own"], "source": make.source(), "known_from": make.TRACKED_SINCE}
        SlotRule.objects.create(slot="peak", time_zone="Asia/Shanghai", weekdays=[1, 2], windows=[[540, 720]], **rule)
        SlotRule.objects.create(slot="old", effective_until=make.MAY, **rule)
        calendar = client.get(self.path).json()["calendar"]
        assert [(rule["slot"], rule["windows"], rule["source"]) for rule in calendar] == [
            ("peak", [[540, 720]], "models-dev")
        ]
        assert calendar[0]["hours"] == "Mon–Tue 09:00–12:00 Asia/Shanghai"


class TestHistory(ListContract):
    path = f"{PATH}11/history/"
    template = f"{PATH}{{id}}/history/"
    key = "id"
    record = record
    filters = {
        "meter": lambda made: ("output_tokens", ids_of(made["own"], meter="output_tokens")),
        "service_tier": lambda made: ("batch", ids_of(made["own"], service_tier="batch")),
        "as_of": lambda made: ("2026-06-01T00:00:00Z", ids_holding(made["own"], "effective", "2026-06-01")),
        "known_at": lambda made: ("2026-06-01T00:00:00Z", ids_holding(made["own"], "known", "2026-06-01")),
    }

    def test_holds_superseded_rows_and_those_of_absorbed_offerings(self, client: Client) -> None:
        rows = client.get(self.path).json()["results"]
        assert [(row["offering"], row["amount"], row["known_until"]) for row in rows] == [
            (11, "0.435", "2026-05-01T00:00:00Z"),
            (11, "0.435", None),
            (11, "0.66", None),
            (11, "1", None),
            (16, "9", "2026-05-01T00:00:00Z"),
        ]

    def test_aliases_are_there_on_both_axes(self, client: Client, record: dict[str, Any]) -> None:
        believed = make.alias("deepseek-chat", record["resold"], make.MAY, known_from=make.moment("2026-05-10"))
        before = make.alias("deepseek-chat", record["gone"], make.MAY, known_until=make.moment("2026-05-10"))
        self.test_answer_is_as_the_schema_says(client)

        def found(**asked: str) -> list[int]:
            return [row["id"] for row in client.get(self.path, asked).json()["aliases"]]

        assert found() == [before.pk, believed.pk]
        assert found(known_at="2026-05-09T00:00:00Z") == [before.pk]
        assert found(known_at="2026-05-10T00:00:00Z", as_of="2026-05-01T00:00:00Z") == [believed.pk]
        assert found(as_of="2026-04-30T00:00:00Z") == []

    def test_each_row_cites_its_evidence(self, client: Client, record: dict[str, Any]) -> None:
        rows = {row["amount"]: row for row in client.get(self.path).json()["results"]}
        assert rows["0.66"]["evidence"]["source"] == "models-dev"
        assert rows["0.66"]["evidence"]["citation_url"] == "https://example.com/pricing"
        assert rows["0.66"]["recorded_at"] == "2026-05-01T00:00:00Z"

    def test_decision_is_cited_too(self, client: Client, record: dict[str, Any]) -> None:
        pin = Decision.objects.create(kind="pin", made_at=make.MAY, citation_url="https://example.com/mail")
        make.price(make.line(record["own"], "pages"), "3", decision=pin)
        row = client.get(self.path, {"meter": "pages"}).json()["results"][0]
        assert row["evidence"]["decision"] == pin.pk
        assert row["evidence"]["citation_url"] == "https://example.com/mail"

    def test_absorbed_one_leads_to_the_history_that_holds_its_own(self, client: Client) -> None:
        response = client.get(f"{PATH}16/history/")
        assert (response.status_code, response.headers["Location"]) == (301, self.path)

    def test_every_page_has_the_calendar_on_both_axes(self, client: Client, record: dict[str, Any]) -> None:
        rule = {"offering": record["own"], "source": make.source(), "slot": "peak", "windows": [[540, 720]]}
        SlotRule.objects.create(**rule, known_from=make.TRACKED_SINCE, known_until=make.MAY)
        SlotRule.objects.create(**rule, known_from=make.MAY, effective_until=make.MAY, precision="exact")
        calendar = client.get(self.path, {"limit": 1}).json()["calendar"]
        assert [(row["known_until"], row["effective_until"], row["evidence"]["source"]) for row in calendar] == [
            ("2026-05-01T00:00:00Z", None, "models-dev"),
            (None, "2026-05-01T00:00:00Z", "models-dev"),
        ]
        known = client.get(self.path, {"known_at": "2026-06-01T00:00:00Z"}).json()["calendar"]
        assert [row["effective_until"] for row in known] == ["2026-05-01T00:00:00Z"]

    def test_unknown_offering_has_no_history(self, client: Client) -> None:
        assert client.get(f"{PATH}999/history/").status_code == 404


class TestPlans(ListContract):
    path = "/api/v1/plans/"
    template = "/api/v1/plans/"
    key = "external_id"
    filters = {
        "seller": ("openai", ["plus"]),
        "company": ("openai", ["plus"]),
        "model": ("gpt", []),
        "status": ("withdrawn", ["old"]),
        "audience": ("developer", ["coding", "old"]),
        "source": ("curated", ["plus"]),
        "provider": ("openai", ["plus"]),
        "external_id": ("plus", ["plus"]),
        "search": ("coding", ["coding"]),
    }

    @pytest.fixture
    def record(self, db: None) -> None:
        make.ai_model("gpt")
        plus = make.offering("plus", kind="plan", seller=make.company("openai"), audience="consumer", allowances="More")
        make.reference(plus, source=make.source("curated"))
        make.price(make.line(plus, "subscriptions", variant="monthly", region="us"), "20")
        make.offering("coding", kind="plan", audience="developer")
        make.offering("old", kind="plan", audience="developer", status="withdrawn")
        make.offering("deepseek-chat")

    def test_shows_for_whom_what_is_in_it_and_the_price(self, client: Client) -> None:
        plus = client.get(self.path, {"external_id": "plus"}).json()["results"][0]
        assert (plus["audience"], plus["allowances"]) == ("consumer", "More")
        assert [(price["variant"], price["region"], price["amount"]) for price in plus["prices"]] == [
            ("monthly", "us", "20")
        ]


class TestComparison(ListContract):
    path = "/api/v1/models/deepseek-v4/compare/"
    template = "/api/v1/models/{slug}/compare/"
    key = "external_id"
    record = record
    # They choose among the prices, not among the rows: see below.
    filters = {name: [] for name in ("as_of", "known_at", "meter", "service_tier")}

    def test_shows_every_seller_with_its_prices(self, client: Client) -> None:
        assert self.told(client) == {"azure": ["5"], "deepseek": ["0.66", "1"]}

    def test_as_of_and_known_at_choose_the_moment(self, client: Client) -> None:
        assert self.told(client, as_of="2026-02-01T00:00:00Z")["deepseek"] == ["0.435", "1"]
        assert self.told(client, known_at="2026-02-01T00:00:00Z")["deepseek"] == ["0.435", "1"]
        assert self.told(client, known_at="2020-01-01T00:00:00Z") == {"azure": [], "deepseek": []}

    def test_meter_and_service_tier_choose_among_the_prices(self, client: Client) -> None:
        assert self.told(client, meter="input_tokens") == {"azure": ["5"], "deepseek": ["0.66"]}
        assert self.told(client, service_tier="batch") == {"azure": [], "deepseek": ["1"]}

    def test_unknown_model_names_the_nearest(self, client: Client) -> None:
        fault = fault_of(client.get("/api/v1/models/deepseek-v5/compare/"), "slug", 404)
        assert fault["choices"] == ["deepseek-v4"]

    def told(self, client: Client, **query: Any) -> dict[str, list[str]]:
        """The amounts of each seller."""
        results = client.get(self.path, query).json()["results"]
        return {row["seller"]: [price["amount"] for price in row["prices"]] for row in results}


def ids_of(offering: Offering, **conditions: Any) -> list[int]:
    """The price rows of an offering's lines under some conditions."""
    return [price.pk for line in offering.lines.filter(**conditions) for price in line.prices.all()]


def ids_holding(offering: Offering, axis: str, day: str) -> list[int]:
    """The price rows of an offering, and of the one it absorbed, that hold at a day on one axis."""
    at = make.moment(day)
    found = []
    for row in [price for line in offering.lines.all() for price in line.prices.all()]:
        until = getattr(row, f"{axis}_until")
        if getattr(row, f"{axis}_from") <= at and (until is None or at < until):
            found.append(row.pk)
    absorbed = Offering.objects.get(pk=16).lines.get().prices.get()
    return [*found, absorbed.pk] if axis == "effective" else found
