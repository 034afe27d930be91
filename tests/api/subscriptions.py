"""What the documents that anybody can subscribe to keep to, beside the contract of every read endpoint."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from django.test import Client

from tests.api.contract import ReadContract, fault_of, problem_of, schema
from tracker.environment import RateLimit


class SubscriptionContract(ReadContract):
    """A document whose path names its format; ``media_type`` is what it is served as."""

    media_type: ClassVar[str]

    def test_anybody_reads(self, client: Client) -> None:
        response = client.get(self.path)
        assert response.status_code == 200
        assert response.headers["Content-Type"] == self.media_type
        assert response.headers["Cache-Control"] == "no-cache"

    def test_answer_is_as_the_schema_says(self, client: Client) -> None:
        described = schema()["paths"][self.template]["get"]["responses"]["200"]["content"]
        assert list(described) == [self.media_type.partition(";")[0]]

    def test_unknown_parameter_is_named_with_the_known_ones(self, client: Client) -> None:
        fault = fault_of(client.get(self.path, {"seler": "x"}), "seler")
        assert "did you mean 'seller'" in fault["detail"]

    @pytest.mark.parametrize("name", ["fields", "format"])
    def test_shape_and_format_are_not_to_choose(self, client: Client, name: str) -> None:
        fault_of(client.get(self.path, {name: "json"}), name)

    def test_unknown_field_is_named_with_the_known_ones(self, client: Client) -> None:
        fault_of(client.get(self.path, {"fields": "wish"}), "fields")

    def test_unknown_format_is_named_with_the_known_ones(self, client: Client) -> None:
        fault_of(client.get(self.path, {"format": "xml"}), "format")

    def test_format_that_nobody_serves_is_a_406(self, client: Client) -> None:
        """Not here: whatever a reader says that it accepts, the path has named the format."""
        for accepted in ("image/png", "text/html", "application/json;q=0.9, */*;q=0.1", "nonsense"):
            response = client.get(self.path, headers={"Accept": accepted})
            assert (response.status_code, response.headers["Content-Type"]) == (200, self.media_type)

    def test_requests_are_counted(self, client: Client, settings: Any) -> None:
        settings.API_RATE_LIMIT_ANON = RateLimit(requests=1, seconds=86400)
        assert client.get(self.path).headers["RateLimit"].startswith('"anonymous";r=0')
        problem_of(client.get(self.path), 429)

    def test_unknown_host_is_no_part_of_any_link(self, client: Client) -> None:
        answer: Any = client.get(self.path, headers={"Host": "evil.example"})
        assert answer.status_code == 400
        forwarded = client.get(self.path, headers={"X-Forwarded-Host": "evil.example"})
        assert b"evil.example" not in forwarded.content

    def test_unknown_company_is_a_problem_document(self, client: Client) -> None:
        problem_of(client.get(self.path, {"seller": "nobody"}), 400)
