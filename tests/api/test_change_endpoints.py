"""changes/: the stream, its filters, and what is learnt of a change later."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from pricing.models import PricingChange, RouteStatement
from tests.api import factories as make
from tests.api.contract import DetailContract, ListContract, fault_of

PATH = "/api/v1/changes/"
JUNE = make.moment("2026-06-01")


@pytest.fixture
def record(db: None) -> dict[str, Any]:
    """A first load, an increase and a cut at DeepSeek, a correction at Azure, a free model that began to cost."""
    deepseek, azure = make.company("deepseek"), make.company("azure", kind="cloud")
    model = make.ai_model("deepseek-v4", developer=deepseek)
    own = make.offering("deepseek-chat", model=model, seller=deepseek)
    make.reference(own, provider="zai", external_id="glm-4.6")
    resold = make.offering("ds-v4", model=model, seller=azure)
    search = make.offering("web-search", seller=deepseek)
    line, batch = make.line(own), make.line(own, "output_tokens", service_tier="batch")
    made = {
        "listed": make.change(line, None, "0.435", make.TRACKED_SINCE, initial=True, headline="listed"),
        "up": make.change(line, "0.435", "0.66", make.MAY, headline="up"),
        "down": make.change(batch, "1", "0.9", JUNE, headline="down", detected_at=JUNE + timedelta(hours=6)),
        "fixed": make.change(make.line(resold), "5", "6", nature="correction", kind="corrected", headline="fixed"),
        "paid": make.change(make.line(search, "web_searches"), "0", "5", kind="became_paid", headline="paid"),
    }
    return {**made, "line": line, "batch": batch}


class TestChanges(ListContract):
    path = PATH
    template = PATH
    key = "headline"
    paging = "cursor"
    record = record
    filters = {
        "initial": [
            ("false", ["up", "down", "fixed", "paid"]),
            ("true", ["listed", "up", "down", "fixed", "paid"]),
            ("any", ["listed", "up", "down", "fixed", "paid"]),
            ("only", ["listed"]),
        ],
        "seller": ("azure", ["fixed"]),
        "model": ("deepseek-v4", ["up", "down", "fixed"]),
        "company": [("deepseek", ["up", "down", "fixed", "paid"]), ("azure", ["fixed"])],
        "kind": [("increase", ["up"]), (["increase", "decrease"], ["up", "down"])],
        "nature": ("correction", ["fixed"]),
        "meter": ("output_tokens", ["down"]),
        "service_tier": ("batch", ["down"]),
        "direction": [("up", ["up", "fixed", "paid"]), ("down", ["down"])],
        "min_percent": [("51.72", ["up"]), ("51.73", []), ("10", ["up", "down", "fixed"])],
        "source": ("models-dev", ["up", "down"]),
        "provider": ("zai", ["up", "down"]),
        "external_id": [("glm-4.6", ["up", "down"]), ("ds-v4", ["fixed"])],
        "search": ("search", ["paid"]),
        "effective_after": ("2026-06-01T00:00:00Z", ["down"]),
        "effective_before": ("2026-06-01T00:00:00Z", ["up", "fixed", "paid"]),
        "detected_after": [("2026-06-01T06:00:00Z", ["down"]), ("2026-06-01T06:00:01Z", [])],
        "detected_before": ("2026-06-01T06:00:00Z", ["up", "fixed", "paid"]),
        "after_sequence": lambda made: (made["down"].sequence, ["fixed", "paid"]),
    }

    def test_what_was_read_from_an_old_document_is_marked(self, client: Client, record: dict[str, Any]) -> None:
        make.change(record["line"], "0.66", "0.7", JUNE, headline="old", backfilled=True)
        marks = {row["headline"]: row["backfilled"] for row in client.get(PATH).json()["results"]}
        assert [headline for headline, backfilled in marks.items() if backfilled] == ["old"]

    def test_newest_comes_first(self, client: Client) -> None:
        assert self.keys(client) == ["paid", "fixed", "down", "up"]

    def test_polling_goes_forward_from_a_sequence(self, client: Client, record: dict[str, Any]) -> None:
        page = client.get(PATH, {"after_sequence": record["up"].sequence, "limit": 2}).json()
        assert [row["headline"] for row in page["results"]] == ["down", "fixed"]
        following = client.get(page["next"]).json()
        assert [row["headline"] for row in following["results"]] == ["paid"]
        assert following["next"] is None

    def test_reader_with_a_cursor_meets_no_row_twice_when_new_ones_come(
        self, client: Client, record: dict[str, Any]
    ) -> None:
        first = client.get(PATH, {"limit": 2}).json()
        make.change(record["line"], "0.66", "0.7", JUNE, headline="new")
        assert [row["headline"] for row in client.get(first["next"]).json()["results"]] == ["down", "up"]

    def test_line_shows_old_new_and_signed_percent(self, client: Client) -> None:
        up, down, paid = (
            client.get(PATH, {"kind": kind}).json()["results"][0]["lines"][0]
            for kind in ("increase", "decrease", "became_paid")
        )
        assert (up["meter"], up["unit"], up["old"], up["new"]) == ("input_tokens", "per 1M tokens", "0.435", "0.66")
        assert (up["percent"], down["percent"], paid["percent"]) == ("+51.72", "-10.00", None)

    def test_unknown_kind_names_the_kinds(self, client: Client) -> None:
        fault = fault_of(client.get(PATH, {"kind": "incrase"}), "kind")
        assert "did you mean 'increase'" in fault["detail"]
        assert "withdrawn" in fault["choices"]

    @pytest.mark.parametrize("percent", ["-1", "NaN", "Infinity", "1e30", "", "5%"])
    def test_percent_is_a_plain_number(self, client: Client, percent: str) -> None:
        fault_of(client.get(PATH, {"min_percent": percent}), "min_percent")

    def test_number_of_queries_does_not_grow_with_the_page(
        self, client: Client, record: dict[str, Any], django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        for number in range(20):
            make.change(make.line(make.offering(f"model-{number}")), "1", "2")
        # State, changes, lines, references, confirmations, sources, corrections, better times, freshness.
        with django_assert_num_queries(9):
            assert len(client.get(PATH).json()["results"]) == 24


class TestChange(DetailContract):
    template = f"{PATH}{{id}}/"
    unknown = f"{PATH}99999999/"
    parameter = "id"

    @pytest.fixture
    def record(self, db: None) -> Any:
        row = make.change(make.line(make.offering()), "1", "2")
        type(self).path, type(self).nearest = f"{PATH}{row.pk}/", str(row.pk)
        return row


class TestConfirmation:
    """A source confirms a move when it states the new price at it, or within 30 days after."""

    def confirmed_by(self, client: Client, change: Any) -> list[str]:
        found: list[str] = client.get(f"{PATH}{change.pk}/").json()["confirmed_by"]
        return found

    def test_other_source_that_follows_within_30_days_confirms(self, client: Client, record: dict[str, Any]) -> None:
        make.statement(record["line"], "0.66", make.MAY + timedelta(days=30), source=make.source("litellm"))
        make.statement(record["line"], "0.66", make.MAY + timedelta(days=31), source=make.source("late"))
        assert self.confirmed_by(client, record["up"]) == ["litellm"]

    def test_source_that_stated_it_already_confirms_while_it_still_does(
        self, client: Client, record: dict[str, Any]
    ) -> None:
        early = make.TRACKED_SINCE
        make.statement(record["line"], "0.66", early, source=make.source("litellm"))
        make.statement(record["line"], "0.66", early, source=make.source("gave-up"), ended_at=make.MAY)
        assert self.confirmed_by(client, record["up"]) == ["litellm"]

    def test_source_that_dates_the_price_then_confirms_however_late_it_is_read(
        self, client: Client, record: dict[str, Any]
    ) -> None:
        late = make.moment("2026-11-01")
        make.statement(record["line"], "0.66", late, source=make.source("llm-prices"), effective_from=make.MAY)
        assert self.confirmed_by(client, record["up"]) == ["llm-prices"]

    def test_source_of_the_move_and_other_prices_confirm_nothing(self, client: Client, record: dict[str, Any]) -> None:
        mine = make.source("models-dev")
        type(record["up"]).objects.filter(pk=record["up"].pk).update(source=mine)
        make.statement(record["line"], "0.66", make.MAY, source=mine)
        make.statement(record["line"], "0.67", make.MAY, source=make.source("litellm"))
        make.statement(record["line"], "0.66", make.MAY, source=make.source("yuan"), currency="CNY")
        assert self.confirmed_by(client, record["up"]) == []


class TestSupersession:
    """The first later correction that takes back, from the change's moment or before, the price that it brought."""

    def superseded_by(self, client: Client, change: Any) -> int | None:
        found: int | None = client.get(f"{PATH}{change.pk}/").json()["superseded_by"]
        return found

    def test_correction_of_the_new_price_supersedes(self, client: Client, record: dict[str, Any]) -> None:
        first = make.change(record["line"], "0.66", "0.435", make.MAY, nature="correction", kind="corrected")
        make.change(record["line"], "0.66", "0.5", make.MAY, nature="correction", kind="corrected")
        assert self.superseded_by(client, record["up"]) == first.pk

    def test_later_market_move_does_not(self, client: Client, record: dict[str, Any]) -> None:
        make.change(record["line"], "0.66", "0.435", JUNE)
        assert self.superseded_by(client, record["up"]) is None

    def test_correction_of_a_later_time_another_price_or_another_line_does_not(
        self, client: Client, record: dict[str, Any]
    ) -> None:
        make.change(record["line"], "0.66", "0.5", JUNE, nature="correction")
        make.change(record["line"], "0.7", "0.5", make.MAY, nature="correction")
        make.change(record["batch"], "0.66", "0.5", make.MAY, nature="correction")
        assert self.superseded_by(client, record["up"]) is None


class TestRoutes:
    """What a change says of where an id leads."""

    @pytest.fixture
    def routed(self, record: dict[str, Any]) -> dict[str, Any]:
        """deepseek-chat is rerouted from a model to another offering."""
        of = record["line"].offering
        target = make.offering("deepseek-v5", seller=of.seller)
        change = make.change(record["line"], "1", "2", headline="routed", kind="rerouted", source=make.source())
        change.lines.all().delete()
        ends = {"routed_from_model": of.model, "routed_to_offering": target}
        PricingChange.objects.filter(pk=change.pk).update(**ends)
        return {"change": change, "of": of, "target": target}

    def shown(self, client: Client, routed: dict[str, Any]) -> dict[str, Any]:
        path = f"{PATH}{routed['change'].pk}/"
        found: dict[str, Any] = client.get(path).json()
        return found

    def test_it_tells_from_where_to_where(self, client: Client, routed: dict[str, Any]) -> None:
        assert self.shown(client, routed)["route"] == {
            "from": {"offering": None, "external_id": None, "model": "deepseek-v4", "name": "deepseek-v4"},
            "to": {"offering": routed["target"].pk, "external_id": "deepseek-v5", "model": None, "name": "deepseek-v5"},
        }

    def test_another_source_that_says_the_same_confirms_it(self, client: Client, routed: dict[str, Any]) -> None:
        for source in ("models-dev", "litellm"):
            said = {"offering": routed["of"], "target_offering": routed["target"]}
            RouteStatement.objects.create(source=make.source(source), first_observed_at=make.MAY, **said)
        assert self.shown(client, routed)["confirmed_by"] == ["litellm"]

    def test_a_later_correction_to_elsewhere_supersedes_it(
        self, client: Client, routed: dict[str, Any], record: dict[str, Any]
    ) -> None:
        later = make.change(record["line"], "1", "2", kind="corrected", nature="correction")
        PricingChange.objects.filter(pk=later.pk).update(routed_from_offering=routed["target"])
        assert self.shown(client, routed)["superseded_by"] == later.pk

    def test_a_change_of_prices_has_none(self, client: Client, record: dict[str, Any]) -> None:
        assert client.get(f"{PATH}{record['up'].pk}/").json()["route"] is None
