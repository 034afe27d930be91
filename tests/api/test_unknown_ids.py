"""An id or a provider that nobody has is answered with the nearest ones, on every list that takes them."""

from __future__ import annotations

import pytest
from django.test import Client

from tests.api import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def known() -> None:
    """Two ids of two sources."""
    sold = make.offering("deepseek-chat")
    make.reference(sold, provider="deepseek")
    make.reference(sold, source=make.source("litellm"), provider="deepseek", external_id="deepseek/deepseek-chat")


@pytest.mark.parametrize("path", ["offerings", "prices", "changes"])
@pytest.mark.parametrize(
    ("parameter", "wanted", "nearest"),
    [("external_id", "deepseek-chatt", "deepseek-chat"), ("provider", "deepsek", "deepseek")],
)
def test_what_nobody_has_is_an_error_that_names_the_nearest(
    client: Client, path: str, parameter: str, wanted: str, nearest: str
) -> None:
    answer = client.get(f"/api/v1/{path}/", {parameter: wanted})
    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert error["parameter"] == parameter
    assert error["choices"][0] == nearest


def test_an_id_that_another_source_has_is_no_error(client: Client) -> None:
    answer = client.get("/api/v1/offerings/", {"source": "models-dev", "external_id": "deepseek/deepseek-chat"})
    assert (answer.status_code, answer.json()["results"]) == (200, [])


def test_one_known_id_among_unknown_ones_is_found(client: Client) -> None:
    answer = client.get("/api/v1/offerings/", {"external_id": ["deepseek-chat", "nobody-has-this"]})
    assert answer.json()["count"] == 1
