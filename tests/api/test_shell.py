"""The directory, paths that do not exist, the schema and its page, and problems as such."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from io import StringIO
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.db import OperationalError
from django.test import Client, RequestFactory
from jsonschema import Draft202012Validator
from rest_framework.exceptions import ValidationError

from tests.api import (
    test_change_endpoints,
    test_change_feeds,
    test_company_endpoints,
    test_doubt_endpoints,
    test_feed_endpoints,
    test_offering_endpoints,
    test_price_endpoint,
    test_rate_endpoint,
    test_timeline_endpoint,
    test_upcoming_calendar,
)
from tests.api.contract import ReadContract, fault_of, problem_of, schema
from tracker.api.directory import endpoints
from tracker.api.etags import tag_of
from tracker.api.nearest import nearest
from tracker.api.problems import exception_handler, server_error
from tracker.api.tables import csv_lines

OPEN_DOCUMENTS = {"docs/", "schema/"}
# What is asked by POST; its own tests hold it to its contract.
QUESTIONS = {"costs/"}
# What rules on a hold; test_ruling_on_holds holds it to its contract.
RULINGS = {"holds/{id}/release/", "holds/{id}/refuse/"}
# What belongs to the caller; tests/alerts holds it to its contract.
OWNED = {
    "watches/",
    "watches/preview/",
    "watches/{id}/",
    "watches/{id}/preview/",
    "usage-profiles/",
    "usage-profiles/{id}/",
    "usage-profiles/{id}/bill/",
    "usage-profiles/{id}/import/",
    "channels/",
    "channels/{id}/",
    "channels/{id}/test/",
    "channels/{id}/rotate-secret/",
    "channels/{id}/resend/",
    "deliveries/",
    "deliveries/{id}/",
    "deliveries/{id}/retry/",
}


def contracts() -> set[str]:
    """The endpoints that have a contract test."""
    modules = [
        test_change_endpoints,
        test_change_feeds,
        test_company_endpoints,
        test_doubt_endpoints,
        test_feed_endpoints,
        test_offering_endpoints,
        test_price_endpoint,
        test_rate_endpoint,
        test_timeline_endpoint,
        test_upcoming_calendar,
    ]
    classes = [value for module in modules for value in vars(module).values() if isinstance(value, type)]
    return {each.template for each in classes if issubclass(each, ReadContract) and hasattr(each, "template")}


def test_every_endpoint_has_a_contract_test() -> None:
    assert {f"/api/v1/{path}" for path in endpoints()} - contracts() == {
        f"/api/v1/{path}" for path in OPEN_DOCUMENTS | QUESTIONS | RULINGS | OWNED
    }


@pytest.mark.django_db
class TestDirectory:
    def test_lists_every_endpoint_with_its_address(self, client: Client) -> None:
        listed = client.get("/api/v1/").json()
        assert listed["prices/"] == "http://testserver/api/v1/prices/"
        assert set(listed) == set(endpoints())

    def test_each_plain_address_answers(self, client: Client) -> None:
        for path, address in client.get("/api/v1/").json().items():
            if "{" not in path:
                expected = 405 if path in QUESTIONS else 401 if path in OWNED else 200
                assert client.get(address).status_code == expected, path


@pytest.mark.django_db
class TestUnknownPaths:
    def test_problem_names_the_nearest_endpoints(self, client: Client) -> None:
        fault = fault_of(client.get("/api/v1/pricess/"), "path", 404)
        assert fault["choices"][0] == "prices/"

    @pytest.mark.parametrize("method", ["post", "put", "delete"])
    def test_whatever_the_method(self, client: Client, method: str) -> None:
        problem_of(getattr(client, method)("/api/v1/nothing/here/"), 404)

    def test_missing_slash_is_mended_with_the_query_kept(self, client: Client) -> None:
        response = client.get("/api/v1/offerings/7/history?limit=5")
        assert response.status_code == 301
        assert response.headers["Location"] == "/api/v1/offerings/7/history/?limit=5"

    def test_slashes_lead_to_no_other_host(self, client: Client) -> None:
        assert client.get("/api/v1//example.com/").status_code == 404


class TestSchema:
    def test_is_generated_without_a_warning_and_valid(self) -> None:
        written = StringIO()
        call_command("spectacular", "--fail-on-warn", "--validate", stdout=written)
        assert written.getvalue().startswith("openapi: 3.1")

    def test_describes_every_endpoint(self) -> None:
        described = {path.removeprefix("/api/v1/") for path in schema()["paths"]} - {""}
        assert described == set(endpoints()) - OPEN_DOCUMENTS

    def test_every_operation_says_how_it_errs(self) -> None:
        for path, methods in schema()["paths"].items():
            for method, operation in methods.items():
                known = {"304"} if method == "get" else set() if method == "delete" else {"413", "415"}
                assert known | {"400", "401", "404", "429"} <= set(operation["responses"]), path

    def test_every_example_is_right_by_the_schema_it_illustrates(self) -> None:
        checked = set()
        for path, methods in schema()["paths"].items():
            for operation in methods.values():
                good = [answer for status, answer in operation["responses"].items() if status.startswith("2")]
                for content in (*good, operation.get("requestBody", {"content": {}})):
                    described = content.get("content", {}).get("application/json", {})
                    validator = Draft202012Validator(
                        {**described.get("schema", {}), "components": schema()["components"]}
                    )
                    for example in described.get("examples", {}).values():
                        assert not list(validator.iter_errors(example["value"])), path
                        checked.add(path.split("/")[3])
        assert {"prices", "offerings", "changes", "plans", "events", "refreshes", "costs", "watches"} <= checked

    def test_is_served_as_yaml_and_json(self, client: Client) -> None:
        assert client.get("/api/v1/schema/", {"format": "json"}).json()["openapi"].startswith("3.1")
        assert client.get("/api/v1/schema/").content.startswith(b"openapi: 3.1")


class TestDocumentationPage:
    def test_needs_no_inline_script_and_nothing_from_outside(self, client: Client) -> None:
        page = client.get("/api/v1/docs/").content.decode()
        assert not re.search(r"<script(?![^>]*src=)", page)
        assert not re.search(r"""(?:src|href)=["'](?:https?:)?//""", page)

    def test_its_files_are_here(self, client: Client) -> None:
        page = client.get("/api/v1/docs/").content.decode()
        files = re.findall(r'(?:src|href)="/static/([^"]+)"', page)
        assert files
        assert all(finders.find(name) for name in files)

    def test_its_script_asks_no_validator_elsewhere(self, client: Client) -> None:
        script = client.get("/api/v1/docs/?script=").content.decode()
        assert '"validatorUrl": null' in script


@pytest.fixture(params=["SQLite", "55P03", "40001", "40P01"])
def locked(request: pytest.FixtureRequest, tmp_path: Path) -> OperationalError:
    """What Django raises when a database waited for another writer in vain."""
    error = OperationalError("the database is locked")
    error.__cause__ = (
        _sqlite_busy(tmp_path / "db")
        if request.param == "SQLite"
        else psycopg.errors.lookup(request.param)("could not go on")
    )
    return error


def _sqlite_busy(path: Path) -> sqlite3.OperationalError:
    with closing(sqlite3.connect(path)) as first, closing(sqlite3.connect(path, timeout=0)) as second:
        first.execute("BEGIN IMMEDIATE")
        with pytest.raises(sqlite3.OperationalError) as raised:
            second.execute("BEGIN IMMEDIATE")
    return raised.value


class TestProblems:
    def test_faults_in_a_body_are_pointed_at(self) -> None:
        error = ValidationError({"lines": [{}, {"usage": ["is missing"]}], "non_field_errors": ["too many"]})
        response: Any = exception_handler(error, {})
        assert json.loads(response.content)["errors"] == [
            {"pointer": "#/lines/1/usage", "detail": "is missing"},
            {"pointer": "#", "detail": "too many"},
        ]

    def test_a_record_that_another_writes_to_for_too_long_is_busy_and_tells_when_to_come_back(
        self, locked: OperationalError
    ) -> None:
        response: Any = exception_handler(locked, {})
        assert "nothing of this request was done" in problem_of(response, 503)["detail"]
        assert response.headers["Retry-After"] == "5"

    def test_a_database_that_fails_otherwise_is_a_fault_of_ours(self) -> None:
        for cause in (None, psycopg.errors.UndefinedTable("no such table")):
            error = OperationalError("it does not go")
            error.__cause__ = cause
            assert exception_handler(error, {}) is None

    def test_fault_of_ours_is_left_to_django_and_told_as_a_problem(self) -> None:
        assert exception_handler(ValueError("a bug"), {}) is None
        problem_of(server_error(RequestFactory().get("/api/v1/prices/")), 500)
        assert "html" in server_error(RequestFactory().get("/")).headers["Content-Type"]


def test_nearest_names_come_best_first_and_bounded() -> None:
    assert nearest("deepsek", ["deepmind", "deepseek", "openai"])[0] == "deepseek"
    assert nearest("x" * 100_000, ["deepseek"]) == []


def test_tags_keep_their_parts_apart() -> None:
    assert tag_of("ab", "c") != tag_of("a", "bc")


@pytest.mark.parametrize("cell", ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "\tx", "\rx"])
def test_cell_that_a_spreadsheet_would_run_is_quoted(cell: str) -> None:
    written = "".join(csv_lines([{"name": cell}], ["name"]))
    assert f"'{cell}" in written


@pytest.mark.parametrize("cell", ["-1", "+51.72", "0.435", "deepseek-chat"])
def test_numbers_and_plain_text_stay_as_they_are(cell: str) -> None:
    assert "".join(csv_lines([{"name": cell}], ["name"])) == f"name\r\n{cell}\r\n"
