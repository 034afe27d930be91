"""Tokens, closed reading, and how many requests a reader may make."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from accounts.models import ApiToken, User
from tests.api import factories as make
from tests.api.contract import problem_of
from tracker.api import shared_cache
from tracker.environment import RateLimit

PATH = "/api/v1/companies/"
pytestmark = pytest.mark.django_db


def ask(client: Client, secret: str, scheme: str = "Bearer") -> Any:
    return client.get(PATH, headers={"Authorization": f"{scheme} {secret}"})


def test_token_is_noted_as_used_at_most_once_a_minute(client: Client) -> None:
    secret = make.token()
    assert ask(client, secret).status_code == 200
    first = ApiToken.objects.get().last_used_at
    assert first is not None
    ask(client, secret)
    assert ApiToken.objects.get().last_used_at == first
    ApiToken.objects.update(last_used_at=first - timedelta(minutes=1))
    ask(client, secret)
    assert ApiToken.objects.get().last_used_at > first - timedelta(minutes=1)


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ({"expires_at": timezone.now() - timedelta(seconds=1)}, "expired"),
        ({"revoked_at": timezone.now() - timedelta(seconds=1)}, "revoked"),
    ],
)
def test_token_that_holds_no_more_is_refused(client: Client, state: dict[str, Any], reason: str) -> None:
    refused = ask(client, make.token(**state))
    assert reason in problem_of(refused, 401)["detail"]
    assert refused.headers["WWW-Authenticate"] == 'Bearer realm="api"'


@pytest.mark.parametrize("secret", ["amt_wrong", "", "é", "a b"])
def test_unknown_token_is_refused_even_where_none_is_needed(client: Client, secret: str) -> None:
    problem_of(ask(client, secret), 401)


def test_token_of_somebody_who_left_is_refused(client: Client) -> None:
    secret = make.token()
    User.objects.update(is_active=False)
    problem_of(ask(client, secret), 401)


def test_scheme_is_read_in_any_case(client: Client) -> None:
    assert ask(client, make.token(), scheme="bearer").status_code == 200


def test_closed_reading_wants_the_scope_to_read(client: Client, settings: Any) -> None:
    settings.API_REQUIRE_AUTH = True
    assert ask(client, make.token("one", scopes=["alerts"])).status_code == 403
    assert ask(client, make.token("two", scopes=["read"])).status_code == 200


def test_description_stays_open_where_reading_is_closed(client: Client, settings: Any) -> None:
    settings.API_REQUIRE_AUTH = True
    assert client.get("/api/v1/schema/").status_code == 200
    assert client.get("/api/v1/docs/").status_code == 200
    problem_of(client.get("/api/v1/"), 401)


class TestRates:
    def test_headers_say_what_is_left(self, client: Client, settings: Any) -> None:
        settings.API_RATE_LIMIT_ANON = RateLimit(requests=5, seconds=3600)
        response = client.get(PATH)
        assert response.headers["RateLimit-Policy"] == '"anonymous";q=5;w=3600'
        assert response.headers["RateLimit"].startswith('"anonymous";r=4;t=')

    def test_one_too_many_is_a_429_that_says_when_to_come_back(self, client: Client, settings: Any) -> None:
        settings.API_RATE_LIMIT_ANON = RateLimit(requests=2, seconds=86400)
        codes = [client.get(PATH).status_code for _ in range(2)]
        refused = client.get(PATH)
        assert codes == [200, 200]
        problem_of(refused, 429)
        assert 0 < int(refused.headers["Retry-After"]) <= 86400
        assert ";r=0;" in refused.headers["RateLimit"]

    def test_readers_are_counted_apart(self, client: Client, settings: Any) -> None:
        settings.API_RATE_LIMIT_ANON = RateLimit(requests=1, seconds=86400)
        settings.API_RATE_LIMIT_USER = RateLimit(requests=2, seconds=86400)
        secret = make.token()
        assert client.get(PATH).status_code == 200
        assert ask(client, secret).headers["RateLimit-Policy"] == '"user";q=2;w=86400'
        assert client.get(PATH, REMOTE_ADDR="192.0.2.7").status_code == 200
        assert client.get(PATH).status_code == 429

    def test_address_that_a_visitor_makes_up_changes_nothing(self, client: Client, settings: Any) -> None:
        settings.API_RATE_LIMIT_ANON = RateLimit(requests=1, seconds=86400)
        client.get(PATH, headers={"X-Forwarded-For": "192.0.2.1"})
        assert client.get(PATH, headers={"X-Forwarded-For": "192.0.2.2"}).status_code == 429

    def test_zero_is_no_limit(self, client: Client, settings: Any) -> None:
        settings.API_RATE_LIMIT_ANON = RateLimit(requests=0, seconds=60)
        assert "RateLimit" not in client.get(PATH).headers

    def test_cache_that_is_down_stops_nobody(self, client: Client, settings: Any, monkeypatch: Any) -> None:
        settings.API_RATE_LIMIT_ANON = RateLimit(requests=1, seconds=86400)
        tries: list[str] = []

        def fail(key: str, *args: Any, **kwargs: Any) -> None:
            tries.append(key)
            raise ConnectionError("no cache server")

        monkeypatch.setattr(shared_cache._Pause, "until", 0.0)
        for operation in ("get", "set", "add", "incr"):
            monkeypatch.setattr(type(cache._connections[cache._alias]), operation, fail, raising=True)
        assert [client.get(PATH).status_code for _ in range(3)] == [200, 200, 200]
        assert len(tries) == 1, "after a failure the cache is left alone for a while"
        monkeypatch.setattr(shared_cache._Pause, "until", 0.0)
