"""Old bodies are let go where an operator asks for it; digests, sizes and the newest body of each feed stay."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from feeds.models import Payload, Refresh
from feeds.retention import HEARTBEAT, drop_old_bodies
from tests.feeds.small_feeds import catalogue, day, read
from tracker.models import Heartbeat

pytestmark = pytest.mark.django_db
BODIES = [catalogue(deepseek_chat={"input": number}) for number in (1, 2, 3)]


@pytest.fixture
def archived(settings) -> None:
    """Three documents, archived 60, 40 and 20 days ago, of which those above 30 days are to go."""
    settings.PAYLOAD_RETENTION_DAYS = 30
    for number, body in enumerate(BODIES, start=1):
        read(body, day(number))
    for payload, days in zip(Payload.objects.order_by("pk"), (60, 40, 20), strict=True):
        moment = timezone.now() - timedelta(days=days)
        Payload.objects.filter(pk=payload.pk).update(created_at=moment)
        Refresh.objects.filter(payload=payload).update(started_at=moment)


def kept() -> list[bool]:
    return [bool(bytes(row.compressed)) for row in Payload.objects.order_by("pk")]


def test_bodies_past_their_days_are_dropped_and_their_rows_say_when(archived: None) -> None:
    assert drop_old_bodies() == 2
    assert kept() == [False, False, True]
    row = Payload.objects.order_by("pk")[0]
    assert (row.size, len(row.digest)) == (len(BODIES[0]), 64)
    assert isinstance(row.dropped_at, datetime)


def test_the_newest_body_of_a_feed_is_never_dropped(archived: None) -> None:
    long_ago = timezone.now() - timedelta(days=400)
    Payload.objects.update(created_at=long_ago)
    Refresh.objects.update(started_at=long_ago)
    drop_old_bodies()
    assert kept() == [False, False, True]


def test_a_body_that_was_read_again_lately_stays(archived: None) -> None:
    read(BODIES[0], day(4))
    read(BODIES[1], day(5))
    assert drop_old_bodies() == 0


def test_nothing_is_dropped_unless_asked_and_no_more_than_once_a_day(archived: None, settings) -> None:
    settings.PAYLOAD_RETENTION_DAYS = 0
    assert drop_old_bodies() == 0
    settings.PAYLOAD_RETENTION_DAYS = 30
    Heartbeat.objects.create(name=HEARTBEAT, seen_at=timezone.now() - timedelta(hours=23))
    assert drop_old_bodies() == 0
    Heartbeat.objects.update(seen_at=timezone.now() - timedelta(hours=25))
    assert drop_old_bodies() == 2


def test_a_dropped_document_that_is_read_again_is_archived_again(archived: None) -> None:
    drop_old_bodies()
    read(BODIES[0], day(9))
    row = Payload.objects.order_by("pk")[0]
    assert (kept()[0], row.dropped_at) == (True, None)


def test_the_api_says_of_a_refresh_whether_its_body_is_kept(archived: None, client) -> None:
    drop_old_bodies()
    said = {row["observed_at"]: row["body"] for row in client.get("/api/v1/refreshes/").json()["results"]}
    assert said["2026-01-03T00:00:00Z"] == "kept"
    assert said["2026-01-01T00:00:00Z"] == f"dropped on {timezone.now():%Y-%m-%d}"
