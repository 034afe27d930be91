"""Idempotency-Key: a request that is sent twice is done once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from alerts.models import Watch
from tests.alerts.asking import Caller, body_of, fault_at
from tests.api.contract import fault_of, problem_of
from tracker.models import KeptAnswer

PATH = "/api/v1/watches/"
KEY = {"Idempotency-Key": "b7c1-4f"}
pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(client: Client) -> Caller:
    return Caller(client)


def test_a_twin_is_answered_as_the_first_and_done_once(ada: Caller) -> None:
    first, again = (ada.post(PATH, {"name": "x"}, **KEY) for _ in range(2))
    assert body_of(first, 201) == body_of(again, 201)
    assert first.headers["Location"] == again.headers["Location"]
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert Watch.objects.count() == 1


def test_a_key_with_another_body_is_a_422(ada: Caller) -> None:
    ada.post(PATH, {"name": "x"}, **KEY)
    assert "another request" in problem_of(ada.post(PATH, {"name": "y"}, **KEY), 422)["detail"]
    assert Watch.objects.count() == 1


def test_while_the_first_is_at_work_its_twin_is_a_409(ada: Caller) -> None:
    ada.post(PATH, {"name": "x"}, **KEY)
    KeptAnswer.objects.update(status=None)
    refused = ada.post(PATH, {"name": "x"}, **KEY)
    problem_of(refused, 409)
    assert refused.headers["Retry-After"] == "1"


def test_one_whose_worker_died_is_done_by_the_next(ada: Caller) -> None:
    ada.post(PATH, {"name": "x"}, **KEY)
    KeptAnswer.objects.update(status=None, begun_at=timezone.now() - timedelta(minutes=3))
    body_of(ada.post(PATH, {"name": "x"}, **KEY), 201)


def test_a_key_is_its_users_own(ada: Caller, client: Client) -> None:
    ada.post(PATH, {"name": "x"}, **KEY)
    body_of(Caller(client, "mallory").post(PATH, {"name": "y"}, **KEY), 201)


def test_what_failed_can_be_mended_under_the_same_key(ada: Caller) -> None:
    fault_at(ada.post(PATH, {"name": ""}, **KEY), "#/name")
    body_of(ada.post(PATH, {"name": "x"}, **KEY), 201)


def test_after_a_day_the_key_is_free(ada: Caller) -> None:
    ada.post(PATH, {"name": "x"}, **KEY)
    KeptAnswer.objects.update(begun_at=timezone.now() - timedelta(hours=24, seconds=1))
    body_of(ada.post(PATH, {"name": "y"}, **KEY), 201)
    assert Watch.objects.count() == 2


@pytest.mark.parametrize("key", ["a b", "x" * 256, "\xe9"])
def test_a_key_is_visible_ascii(ada: Caller, key: str) -> None:
    wrong: dict[str, Any] = {"Idempotency-Key": key}
    fault_of(ada.post(PATH, {"name": "x"}, **wrong), "Idempotency-Key")
