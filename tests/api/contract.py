"""What every read endpoint keeps to, as tests that a test class for one endpoint inherits."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, ClassVar

import pytest
from django.test import Client
from django.urls import resolve
from drf_spectacular.generators import SchemaGenerator
from jsonschema import Draft202012Validator

from tests.api import factories as make

# Parameters that take any text: no value of theirs is unknown.
FREE_TEXT = {
    "audience",
    "country",
    "currency",
    "external_id",
    "family",
    "metric",
    "provider",
    "region",
    "search",
    "service_tier",
}
FREE_TEXT_KINDS = {"/api/v1/events/", "/api/v1/metrics/"}


@lru_cache(maxsize=1)
def schema() -> dict[str, Any]:
    """The API's own description."""
    return dict(SchemaGenerator().get_schema(request=None, public=True))


def problem_of(response: Any, status: int) -> dict[str, Any]:
    """The problem document of a response, checked for its form."""
    assert response.status_code == status, response.content
    assert response.headers["Content-Type"] == "application/problem+json"
    problem: dict[str, Any] = json.loads(response.content)
    assert {"type", "title", "status", "detail"} <= set(problem)
    assert problem["status"] == status
    return problem


def fault_of(response: Any, parameter: str, status: int = 400) -> dict[str, Any]:
    """What a problem says of one parameter."""
    found = [fault for fault in problem_of(response, status)["errors"] if fault.get("parameter") == parameter]
    assert found, f"nothing is said of {parameter}"
    first: dict[str, Any] = found[0]
    return first


@pytest.mark.django_db
class ReadContract:
    """An endpoint that is read: ``path`` answers with 200 after the class's ``record`` fixture made its rows."""

    path: ClassVar[str]
    template: ClassVar[str]

    @pytest.fixture(autouse=True)
    def rows(self, record: Any) -> None:
        """Make the rows before each test."""

    def test_anybody_reads(self, client: Client) -> None:
        response = client.get(self.path)
        assert response.status_code == 200
        assert response.headers["Content-Type"] == "application/json"

    def test_closed_reading_wants_a_token(self, client: Client, settings: Any) -> None:
        settings.API_REQUIRE_AUTH = True
        refused = client.get(self.path)
        problem_of(refused, 401)
        assert refused.headers["WWW-Authenticate"].startswith("Bearer")
        assert client.get(self.path, headers={"Authorization": f"Bearer {make.token()}"}).status_code == 200

    def test_answer_is_as_the_schema_says(self, client: Client) -> None:
        described = schema()["paths"][self.template]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        document = {**described, "components": schema()["components"]}
        errors = list(Draft202012Validator(document).iter_errors(client.get(self.path).json()))
        assert not errors, errors[0]

    def test_unchanged_answer_is_a_304(self, client: Client) -> None:
        first = client.get(self.path)
        tag = first.headers["ETag"]
        assert tag.startswith('"')
        again = client.get(self.path, headers={"If-None-Match": tag})
        assert again.status_code == 304
        assert again.content == b""
        assert again.headers["ETag"] == tag
        assert client.get(self.path, headers={"If-None-Match": f'"other", W/{tag}'}).status_code == 304
        assert client.get(self.path, headers={"If-None-Match": '"other"'}).content == first.content

    def test_star_is_answered_as_any_copy(self, client: Client) -> None:
        response = client.get(self.path, headers={"If-None-Match": "*"})
        assert (response.status_code, response.content) == (304, b"")
        assert response.headers["ETag"] == client.get(self.path).headers["ETag"]

    def test_head_answers_without_a_body(self, client: Client) -> None:
        response = client.head(self.path)
        assert response.status_code == 200
        assert response.content == b""

    def test_options_tells_the_methods(self, client: Client) -> None:
        response = client.options(self.path)
        assert response.status_code == 200
        assert response.headers["Allow"] == "GET, HEAD, OPTIONS"

    def test_writing_is_no_method_here(self, client: Client) -> None:
        for write in (client.post, client.put, client.patch, client.delete):
            response = write(self.path)
            problem_of(response, 405)
            assert response.headers["Allow"] == "GET, HEAD, OPTIONS"

    def test_unknown_parameter_is_named_with_the_known_ones(self, client: Client) -> None:
        fault = fault_of(client.get(self.path, {"seler": "x"}), "seler")
        assert {"fields", "format"} <= set(fault["choices"])

    def test_unknown_field_is_named_with_the_known_ones(self, client: Client) -> None:
        fault = fault_of(client.get(self.path, {"fields": "wish"}), "fields")
        assert "wish" in fault["detail"]
        assert fault["choices"]

    def test_unknown_format_is_named_with_the_known_ones(self, client: Client) -> None:
        assert "json" in fault_of(client.get(self.path, {"format": "xml"}), "format")["choices"]

    def test_format_that_nobody_serves_is_a_406(self, client: Client) -> None:
        problem_of(client.get(self.path, headers={"Accept": "image/png"}), 406)


class ListContract(ReadContract):
    """A list. ``key`` is the field that tells its rows apart; the record has at least two rows.

    ``filters`` gives for each declared filter one or more (value, keys of the rows that it leaves).
    """

    key: ClassVar[str] = "id"
    filters: ClassVar[Mapping[str, Any]] = {}
    paging: ClassVar[str] = "offset"
    query: ClassVar[dict[str, str]] = {}

    def keys(self, client: Client, **query: Any) -> list[Any]:
        """The keys of the rows that a query finds, in order."""
        response = client.get(self.path, {**self.query, **query})
        assert response.status_code == 200, response.content
        return [row[self.key] for row in response.json()["results"]]

    def test_says_how_fresh_it_is(self, client: Client) -> None:
        make.observation(at=make.moment("2026-06-01T06:00"))
        assert client.get(self.path).json()["record_as_of"] == "2026-06-01T06:00:00Z"

    def test_every_filter_has_an_example_here(self) -> None:
        declared = set(resolve(self.path).func.view_class.filterset_class.base_filters)  # type: ignore[attr-defined]
        assert declared == set(self.filters), "each declared filter wants an example in `filters`"

    def test_each_filter_selects_its_rows(self, client: Client, record: Any) -> None:
        for name, examples in self.filters.items():
            for value, expected in _pairs(examples, record):
                query = {**self.query, name: value}
                response = client.get(self.path, query)
                assert response.status_code == 200, (name, value, response.content)
                found = {row[self.key] for row in response.json()["results"]}
                assert found == set(expected), (name, value)

    def test_each_filter_refuses_what_it_cannot_read(self, client: Client) -> None:
        for name in self.filters:
            if name in FREE_TEXT or (name == "kind" and self.path in FREE_TEXT_KINDS):
                fault_of(client.get(self.path, {name: ""}), name)
                fault_of(client.get(self.path, {name: "a\0b"}), name)
            else:
                assert fault_of(client.get(self.path, {name: "no such value"}), name)["detail"]

    def test_rows_can_be_narrowed_to_some_fields(self, client: Client) -> None:
        results = client.get(self.path, {**self.query, "fields": self.key}).json()["results"]
        assert results
        assert all(list(row) == [self.key] for row in results)

    def test_pages_join_to_the_whole_both_ways(self, client: Client) -> None:
        whole = self.keys(client)
        assert len(whole) > 1
        walked: list[Any] = []
        page = client.get(self.path, {**self.query, "limit": 1}).json()
        assert page["previous"] is None
        while True:
            walked += [row[self.key] for row in page["results"]]
            if page["next"] is None:
                break
            page = client.get(page["next"]).json()
        assert walked == whole
        while page["previous"] is not None:
            page = client.get(page["previous"]).json()
            assert [row[self.key] for row in page["results"]] == [walked[walked.index(page["results"][0][self.key])]]
        assert [row[self.key] for row in page["results"]] == whole[:1]

    def test_limit_is_1_to_1000(self, client: Client) -> None:
        for limit in ["0", "1001", "-1", "ten", "1.5", ""]:
            assert "1 to 1000" in fault_of(client.get(self.path, {"limit": limit}), "limit")["detail"]

    def test_place_in_the_list_is_checked(self, client: Client) -> None:
        name = "offset" if self.paging == "offset" else "cursor"
        for value in ["nonsense", "-1", "Zg", "é"]:
            fault_of(client.get(self.path, {name: value}), name)

    def test_count_is_given_where_pages_have_numbers(self, client: Client) -> None:
        page = client.get(self.path, self.query).json()
        assert ("count" in page) == (self.paging == "offset")
        assert page.get("count", len(page["results"])) == len(page["results"])


class DetailContract(ReadContract):
    """One row. ``unknown`` is a path like it that names nothing, ``nearest`` what its problem then suggests."""

    unknown: ClassVar[str]
    nearest: ClassVar[str]
    parameter: ClassVar[str] = "slug"

    def test_unknown_one_names_the_nearest(self, client: Client) -> None:
        fault = fault_of(client.get(self.unknown), self.parameter, status=404)
        assert self.nearest in fault["choices"]

    def test_star_does_not_hide_that_there_is_nothing(self, client: Client) -> None:
        problem_of(client.get(self.unknown, headers={"If-None-Match": "*"}), 404)

    def test_can_be_narrowed_to_some_fields(self, client: Client) -> None:
        whole = client.get(self.path).json()
        name = list(whole)[1]
        assert client.get(self.path, {"fields": name}).json() == {name: whole[name]}

    def test_name_with_a_nul_is_just_unknown(self, client: Client) -> None:
        problem_of(client.get(self.path.rstrip("/") + "%00/"), 404)


def _pairs(examples: Any, record: Any) -> Iterable[tuple[Any, Iterable[Any]]]:
    pairs = examples(record) if callable(examples) else examples
    return pairs if isinstance(pairs, list) else [pairs]
