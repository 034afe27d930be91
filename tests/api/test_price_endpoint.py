"""prices/: one row for each line in force, on both time axes, in three formats."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from pricing.currencies.recorded import current_rates
from pricing.models import Price
from tests.api import factories as make
from tests.api.contract import ListContract, problem_of
from tracker.amounts import plain

MARCH = make.moment("2026-03-01")
JUNE = make.moment("2026-06-01")
PATH = "/api/v1/prices/"


@pytest.fixture
def record(db: None) -> dict[str, Any]:
    """DeepSeek's input price moved in May and moves again in 2099; Azure resells the model; a plan has a price."""
    deepseek, azure = make.company("deepseek"), make.company("azure", kind="cloud")
    model = make.ai_model("deepseek-v4", developer=deepseek)
    own = make.offering("deepseek-chat", model=model, seller=deepseek)
    make.reference(own, provider="deepseek", external_id="deepseek-chat")
    make.reference(own, source=make.source("litellm"), provider="deepseek", external_id="deepseek/deepseek-chat")
    resold = make.offering("ds-v4", model=model, seller=azure)
    make.reference(resold, source=make.source("litellm"), provider="azure", external_id="azure/ds-v4")
    plan = make.offering("pro", kind="plan", seller=deepseek)

    moved = make.line(own)
    later = make.moment("2099-01-01")
    make.price(moved, "0.435", known_until=make.MAY)
    make.price(moved, "0.435", effective_until=make.MAY, known_from=make.MAY)
    make.price(moved, "0.660000", make.MAY, effective_until=later)
    make.price(moved, "2", later, known_from=make.MAY)
    batch = make.line(own, "output_tokens", service_tier="batch")
    make.price(batch, "1")
    regional = make.line(resold, region="eu")
    make.price(regional, "5", JUNE, currency="EUR", effective_until=None)
    monthly = make.line(plan, "subscriptions", variant="monthly")
    make.price(monthly, "20")
    ended = make.line(plan, "seats")
    make.price(ended, "30", effective_until=MARCH)
    lines = {"moved": moved, "batch": batch, "regional": regional, "monthly": monthly, "ended": ended}
    return {**lines, "own": own, "resold": resold}


def amounts(client: Client, **query: Any) -> list[str]:
    """The amounts that a query finds, in order."""
    response = client.get(PATH, query)
    assert response.status_code == 200, response.content
    return [row["amount"] for row in response.json()["results"]]


def in_dollars(euros: str) -> str:
    """What euros are worth today."""
    return plain(current_rates().convert(Decimal(euros), "EUR", "USD", timezone.now()).amount)


class TestPrices(ListContract):
    path = PATH
    template = PATH
    key = "amount"
    paging = "cursor"
    record = record
    filters = {
        "as_of": [
            ("2026-02-01T00:00:00Z", ["0.435", "1", "20", "30"]),
            ("2026-05-01T00:00:00Z", ["0.66", "1", "20"]),
            ("2100-01-01T00:00:00Z", ["2", "1", "5", "20"]),
            ("2020-01-01T00:00:00Z", []),
        ],
        "known_at": [("2026-04-30T00:00:00Z", ["0.435", "1", "20"]), ("2026-05-01T00:00:00Z", ["0.66", "1", "20"])],
        "seller": [("azure", ["5"]), (["azure", "deepseek"], ["0.66", "1", "5", "20"])],
        "model": ("deepseek-v4", ["0.66", "1", "5"]),
        "company": [("deepseek", ["0.66", "1", "5", "20"]), ("azure", ["5"])],
        "kind": ("plan", ["20"]),
        "meter": (["input_tokens", "subscriptions"], ["0.66", "5", "20"]),
        "service_tier": ("batch", ["1"]),
        "region": ("eu", ["5"]),
        "sold_in": ("EUR", ["5"]),
        "currency": lambda _record: ("USD", ["0.66", "1", "20", in_dollars("5")]),
        "source": [("models-dev", ["0.66", "1"]), ("litellm", ["0.66", "1", "5"])],
        "provider": ("azure", ["5"]),
        "external_id": [("deepseek/deepseek-chat", ["0.66", "1"]), ("pro", ["20"])],
        "search": [("azure ds", ["5"]), ("chat", ["0.66", "1"])],
    }


@pytest.mark.usefixtures("record")
class TestTime:
    def test_known_and_effective_axes_are_independent(self, client: Client) -> None:
        believed_then = amounts(client, known_at="2026-04-01T00:00:00Z", as_of="2026-07-01T00:00:00Z", sold_in="USD")
        assert believed_then == ["0.435", "1", "20"]
        assert amounts(client, as_of="2026-07-01T00:00:00Z", sold_in="USD") == ["0.66", "1", "20"]

    def test_interval_is_half_open(self, client: Client) -> None:
        last_moment = "2026-04-30T23:59:59.999999Z"
        assert amounts(client, as_of=last_moment, seller="deepseek", meter="input_tokens") == ["0.435"]

    @pytest.mark.parametrize("few", [0, 1, 100])
    def test_answer_is_the_same_however_many_prices_had_begun(self, client: Client, few: int, monkeypatch: Any) -> None:
        monkeypatch.setattr("pricing.api.shapes.prices._FEW", few)
        assert amounts(client, as_of="2026-02-01T00:00:00Z") == ["0.435", "1", "20", "30"]
        assert amounts(client, as_of="2025-12-31T00:00:00Z") == []

    @pytest.mark.parametrize(
        "text", ["2026-05-01", "2026-05-01T00:00:00", "yesterday", "", "0001-01-01T00:00:00+14:00"]
    )
    def test_moment_without_a_zone_or_sense_is_refused(self, client: Client, text: str) -> None:
        problem_of(client.get(PATH, {"as_of": text}), 400)
        problem_of(client.get(PATH, {"known_at": text}), 400)

    def test_offset_whose_plus_was_not_encoded_is_understood(self, client: Client) -> None:
        response = client.get(f"{PATH}?as_of=2026-05-01T02:00:00+02:00&meter=input_tokens&sold_in=USD")
        assert [row["amount"] for row in response.json()["results"]] == ["0.66"]

    def test_moment_given_twice_is_refused(self, client: Client) -> None:
        problem_of(client.get(PATH, {"as_of": ["2026-05-01T00:00:00Z", "2026-06-01T00:00:00Z"]}), 400)


class TestShape:
    def test_every_moment_is_in_utc_and_every_amount_plain(self, client: Client, record: dict[str, Any]) -> None:
        row = client.get(PATH, {"meter": "input_tokens", "sold_in": "USD"}).json()["results"][0]
        assert row["amount"] == "0.66"
        assert row["effective_from"] == "2026-05-01T00:00:00Z"
        assert row["unit"] == "per 1M tokens"
        assert (row["offering"], row["seller"], row["model"]) == (record["own"].pk, "deepseek", "deepseek-v4")

    def test_tiny_amounts_have_no_exponent(self, client: Client, record: dict[str, Any]) -> None:
        make.price(make.line(record["own"], "reasoning_tokens"), "0.000000000000000001")
        assert amounts(client, meter="reasoning_tokens") == ["0.000000000000000001"]


class TestConfirmation:
    @pytest.fixture
    def line(self, record: dict[str, Any]) -> Any:
        return record["moved"]

    def told(self, client: Client, **query: Any) -> tuple[list[str], str | None]:
        """Who states DeepSeek's input price, and when it was last seen."""
        row = client.get(PATH, {"seller": "deepseek", "meter": "input_tokens", **query}).json()["results"][0]
        return row["sources"], row["last_confirmed_at"]

    def test_nobody_speaks_for_a_bare_price(self, client: Client, line: Any) -> None:
        assert self.told(client) == ([], None)

    def test_sources_that_state_it_are_named_by_precedence(self, client: Client, line: Any) -> None:
        first, second = make.source("models-dev"), make.source("litellm")
        for source, at in ((second, JUNE), (first, make.MAY)):
            make.statement(line, "0.66", at, source=source)
            make.observation(source, at)
        make.observation(first, JUNE + timedelta(days=7))
        assert first.precedence < second.precedence
        assert self.told(client) == (["models-dev", "litellm"], "2026-06-08T00:00:00Z")

    def test_statement_of_another_amount_or_currency_or_time_says_nothing(self, client: Client, line: Any) -> None:
        make.statement(line, "0.67", make.MAY)
        make.statement(line, "0.66", make.MAY, currency="CNY")
        make.statement(line, "0.66", make.TRACKED_SINCE, ended_at=MARCH)
        assert self.told(client) == ([], None)

    def test_run_that_ended_counts_until_its_last_observation(self, client: Client, line: Any) -> None:
        for at in (make.MAY, make.MAY + timedelta(days=7), JUNE):
            make.observation(at=at)
        make.statement(line, "0.66", make.MAY, ended_at=JUNE)
        assert self.told(client) == (["models-dev"], "2026-05-08T00:00:00Z")

    def test_dated_statement_speaks_for_the_time_it_claims(self, client: Client, line: Any) -> None:
        make.statement(line, "0.435", JUNE, effective_from=make.TRACKED_SINCE, effective_until=make.MAY)
        assert self.told(client, as_of="2026-02-01T00:00:00Z")[0] == ["models-dev"]

    def test_end_without_a_beginning_speaks_for_what_held_just_before(self, client: Client, line: Any) -> None:
        make.statement(line, "0.435", JUNE, effective_until=make.MAY)
        assert self.told(client, as_of="2026-02-01T00:00:00Z")[0] == ["models-dev"]


@pytest.mark.usefixtures("record")
class TestFormats:
    def test_csv_has_a_header_and_every_row(self, client: Client) -> None:
        response = client.get(PATH, {"format": "csv"})
        assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
        rows = list(csv.DictReader(io.StringIO(response.getvalue().decode())))
        assert [row["amount"] for row in rows] == ["0.66", "1", "5", "20"]

    def test_accept_header_chooses_the_format(self, client: Client) -> None:
        response = client.get(PATH, {"fields": "amount"}, headers={"Accept": "application/jsonl"})
        assert json.loads(response.getvalue().splitlines()[0]) == {"amount": "0.66"}

    def test_page_of_lines_leads_on_by_its_link(self, client: Client) -> None:
        found, url = [], f"{PATH}?format=jsonl&limit=3"
        while url:
            response = client.get(url)
            found += [json.loads(line)["amount"] for line in response.getvalue().splitlines()]
            url = response.headers.get("Link", "").partition(">")[0].removeprefix("<")
        assert found == ["0.66", "1", "5", "20"]

    def test_all_rows_come_though_they_are_read_in_batches(self, client: Client, monkeypatch: Any) -> None:
        monkeypatch.setattr("pricing.api.views.prices._BATCH", 1)
        response = client.get(PATH, {"format": "jsonl", "fields": "amount"})
        assert len(response.getvalue().splitlines()) == 4

    def test_spreadsheet_gets_no_formula(self, client: Client) -> None:
        make.price(make.line(make.offering("=HYPERLINK(1)"), "pages"), "1")
        text = client.get(PATH, {"format": "csv", "meter": "pages"}).getvalue().decode()
        assert ",'=HYPERLINK(1)," in text

    def test_errors_are_problems_in_every_format(self, client: Client) -> None:
        problem_of(client.get(PATH, {"format": "csv", "seller": "nobody"}), 400)

    def test_tag_differs_by_format(self, client: Client) -> None:
        tags = [client.get(PATH, headers={"Accept": accept}).headers["ETag"] for accept in ("text/csv", "*/*")]
        assert tags[0] != tags[1]
        csv_again = client.get(PATH, headers={"Accept": "text/csv", "If-None-Match": tags[0]})
        assert csv_again.status_code == 304


class TestWalking:
    def test_links_stay_at_the_moment_of_the_first_page(self, client: Client, record: dict[str, Any]) -> None:
        first = client.get(PATH, {"limit": 1, "sold_in": "USD"}).json()
        now = timezone.now()
        Price.objects.filter(line=record["batch"]).update(known_until=now)
        make.price(record["batch"], "1", effective_until=now, known_from=now)
        make.price(record["batch"], "9", now)
        second = client.get(first["next"]).json()
        assert [row["amount"] for row in second["results"]] == ["1"]
        assert amounts(client, service_tier="batch") == ["9"]

    def test_lines_without_a_price_leave_no_gap_in_a_page(self, client: Client, record: dict[str, Any]) -> None:
        for number in range(5):
            make.line(record["own"], "pages", variant=str(number))
        make.price(make.line(record["own"], "pages", variant="last"), "7")
        page = client.get(PATH, {"limit": 5, "sold_in": ["USD", "EUR"]}).json()
        assert [row["amount"] for row in page["results"]] == ["0.66", "1", "5", "20", "7"]
        assert page["next"] is None


class TestQueries:
    def test_number_of_queries_does_not_grow_with_the_page(
        self, client: Client, record: dict[str, Any], django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        client.get(PATH)
        for number in range(30):
            line = make.line(record["own"], "pages", variant=str(number))
            make.price(line, "1")
            make.statement(line, "1")
        # The record's state; the page's lines; their prices; sources; statements; how fresh it is.
        with django_assert_num_queries(6):
            assert len(client.get(PATH).json()["results"]) == 34

    def test_304_takes_one_query(
        self, client: Client, record: dict[str, Any], django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        tag = client.get(PATH).headers["ETag"]
        with django_assert_num_queries(1):
            assert client.get(PATH, headers={"If-None-Match": tag}).status_code == 304


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("prices", "service_tier"),
        ("prices", "sold_in"),
        ("prices", "region"),
        ("companies", "country"),
        ("plans", "audience"),
        ("changes", "service_tier"),
        ("events", "kind"),
    ],
)
def test_a_value_that_the_record_does_not_hold_is_an_error(client: Client, path: str, parameter: str) -> None:
    answer = client.get(f"/api/v1/{path}/", {parameter: "foo"})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["parameter"] == parameter


@pytest.mark.django_db
def test_currency_in_which_nothing_is_or_could_be_sold_is_an_error_that_names_those_with_rates(client: Client) -> None:
    (fault,) = client.get(PATH, {"sold_in": "XXX"}).json()["errors"]
    assert fault["parameter"] == "sold_in"
    assert "CNY" in fault["choices"]
    assert client.get(PATH, {"sold_in": "NOK"}).json()["results"] == [], "a currency, though nothing is sold in it"


@pytest.mark.django_db
def test_region_that_nobody_knows_names_the_nearest_of_many(client: Client) -> None:
    offering = make.offering()
    for number in range(40):
        make.line(offering, region=f"eu-west-{number}")
    (fault,) = client.get(PATH, {"region": "eu-wets-7"}).json()["errors"]
    assert "of 40 values" in fault["detail"]
    assert "eu-west-7" in fault["choices"]
    assert len(fault["choices"]) <= 5


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "parameter"), [("prices", "source"), ("holds", "source"), ("feeds", "source"), ("refreshes", "feed")]
)
def test_unknown_source_or_feed_comes_with_those_there_are(client: Client, path: str, parameter: str) -> None:
    make.feed("models-dev")
    (fault,) = client.get(f"/api/v1/{path}/", {parameter: "foo"}).json()["errors"]
    assert "models-dev" in fault["choices"]


def test_a_derived_price_names_the_line_that_it_follows_and_the_factor(client: Client, record: dict[str, Any]) -> None:
    said = make.statement(record["batch"], "1", derived_from=record["moved"], factor=Decimal("1.10"))
    Price.objects.filter(line=record["batch"]).update(statement=said)
    rows = {row["meter"]: row for row in client.get(PATH, {"seller": "deepseek"}).json()["results"]}
    assert (rows["output_tokens"]["factor"], rows["output_tokens"]["derived_from"]["meter"]) == ("1.1", "input_tokens")
    assert rows["output_tokens"]["derived_from"]["unit"] == "per 1M tokens"
    assert (rows["input_tokens"]["factor"], rows["input_tokens"]["derived_from"]) == (None, None)


def test_a_derived_price_has_its_line_as_json_in_a_cell_of_csv(client: Client, record: dict[str, Any]) -> None:
    said = make.statement(record["batch"], "1", derived_from=record["moved"], factor=Decimal("1.10"))
    Price.objects.filter(line=record["batch"]).update(statement=said)
    answer = client.get(PATH, {"format": "csv", "meter": "output_tokens", "fields": "amount,factor,derived_from"})
    (row,) = csv.DictReader(io.StringIO(answer.getvalue().decode()))  # type: ignore[attr-defined]
    assert (row["factor"], json.loads(row["derived_from"])["meter"]) == ("1.1", "input_tokens")
