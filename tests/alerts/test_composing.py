"""Notices become messages: each in exactly one, grouped as people would want them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from alerts import composing
from alerts.bodies import MOST_CHANGES, money_text
from alerts.composing import compose_due
from alerts.models import Delivery, Notice
from alerts.planning import DueNotice, plan
from tests.alerts import letterbox
from tests.api import factories as make

pytestmark = pytest.mark.django_db
MONEY = {"currency": "USD", "old": "100", "new": "110", "percent": "+10.00", "amount": "10", "because": ["a"]}


def test_a_change_that_several_watches_caught_is_told_once() -> None:
    change, channel = letterbox.change(), letterbox.webhook()
    watches = [letterbox.watch("First"), letterbox.watch("Second")]
    letterbox.notice(change, channel, watches[0])
    letterbox.notice(change, channel, watches[1], money=MONEY)
    assert compose_due() == 1
    delivery = Delivery.objects.get()
    assert (delivery.kind, delivery.subject) == ("change", change.headline)
    assert delivery.body["type"] == "pricing.change"
    assert delivery.body["data"]["id"] == change.pk
    assert delivery.body["watch"] == {"id": watches[0].pk, "name": "First"}
    assert [watch["name"] for watch in delivery.body["watches"]] == ["First", "Second"]
    assert delivery.body["money"] == MONEY
    assert set(Notice.objects.values_list("delivery", flat=True)) == {delivery.pk}
    assert compose_due() == 0, "a notice lands in one message"


def test_the_data_is_the_change_as_the_api_shows_it(client: Any) -> None:
    change = letterbox.change()
    letterbox.notice(change)
    compose_due()
    assert Delivery.objects.get().body["data"] == client.get(f"/api/v1/changes/{change.pk}/").json()


def test_messages_of_a_channel_follow_the_order_of_their_changes() -> None:
    channel, changes = letterbox.webhook(), [letterbox.change(f"Change {number}") for number in range(5)]
    for change in reversed(changes):
        letterbox.notice(change, channel)
    compose_due()
    assert list(Delivery.objects.order_by("id").values_list("subject", flat=True)) == [
        change.headline for change in changes
    ]


def test_much_is_composed_a_part_at_a_time_and_each_notice_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(composing, "NOTICES_AT_ONCE", 5)
    changes, channels = [letterbox.change() for _ in range(3)], [letterbox.webhook() for _ in range(4)]
    for channel in channels:
        for change in changes * (2 if channel == channels[2] else 1):
            letterbox.notice(change, channel)
    parts: list[list[int]] = []
    compose = composing.compose
    monkeypatch.setattr(composing, "compose", lambda ids, now: (parts.append(list(ids)), compose(ids, now))[1])
    assert compose_due() == 12
    assert parts == [[channel.pk] for channel in channels], "two have more than five, and six are one channel's own"
    assert not Notice.objects.filter(delivery__isnull=True).exists()


def test_many_changes_of_one_refresh_are_one_message(settings: Any) -> None:
    settings.ALERTS_BULK_THRESHOLD = 3
    channel, watch = letterbox.webhook(), letterbox.watch()
    seller = make.company("openrouter", name="OpenRouter")
    for _ in range(4):
        letterbox.notice(letterbox.change(seller=seller, refresh_id=7), channel, watch)
    for _ in range(3):
        letterbox.notice(letterbox.change(refresh_id=8), channel, watch)
    assert compose_due() == 4
    bulk = Delivery.objects.get(kind="bulk")
    assert bulk.subject == "4 offerings of OpenRouter changed"
    assert (bulk.body["type"], bulk.body["data"]["count"], len(bulk.body["data"]["changes"])) == (
        "pricing.digest",
        4,
        4,
    )
    assert Delivery.objects.filter(kind="change").count() == 3


def test_a_huge_message_holds_the_first_changes_and_the_count(settings: Any) -> None:
    channel, watch = letterbox.webhook(), letterbox.watch()
    line = make.line(make.offering("gpt"))
    for _ in range(MOST_CHANGES + 20):
        letterbox.notice(letterbox.change(of=line, refresh_id=7), channel, watch)
    compose_due()
    told = Delivery.objects.get().body["data"]
    assert (told["count"], len(told["changes"])) == (MOST_CHANGES + 20, MOST_CHANGES)


def test_a_digest_gathers_what_a_watch_caught_until_it_is_due() -> None:
    channel, watch = letterbox.webhook(), letterbox.watch("Sellers", cadence="daily")
    for number in range(3):
        letterbox.notice(letterbox.change(f"Change {number}"), channel, watch)
    letterbox.notice(letterbox.change(), channel, watch, due_at=timezone.now() + timedelta(hours=1))
    assert compose_due() == 1
    digest = Delivery.objects.get()
    assert (digest.kind, digest.subject) == ("digest", "Sellers: 3 pricing changes, daily digest")
    assert [change["headline"] for change in digest.body["data"]["changes"]] == ["Change 0", "Change 1", "Change 2"]
    assert Notice.objects.filter(delivery__isnull=True).count() == 1


def test_a_bill_is_told_with_what_all_of_its_moves_mean_together() -> None:
    channel, watch = letterbox.webhook(), letterbox.watch(bill_percent="5")
    letterbox.notice(letterbox.change(), channel, watch, money=MONEY)
    later = {**MONEY, "old": "110", "new": "121", "amount": "11", "because": ["b"]}
    letterbox.notice(letterbox.change(), channel, watch, money=later)
    assert compose_due() == 1
    bill = Delivery.objects.get()
    assert (bill.kind, bill.body["type"]) == ("bill", "pricing.bill")
    assert bill.subject == "Your month: 100 -> 121 USD, +21.00%"
    assert bill.body["money"]["amount"] == "21"
    assert bill.body["money"]["because"] == ["a", "b"]


def test_a_correction_says_so_and_cites_the_alert_that_it_takes_back() -> None:
    line, channel = make.line(make.offering("gpt")), letterbox.webhook()
    letterbox.notice(letterbox.change("GPT: input 1 -> 9", of=line, new="9"), channel)
    compose_due()
    first = Delivery.objects.get()
    correction = letterbox.change("GPT: corrected, input 9 -> 1", of=line, old="9", new="1", nature="correction")
    letterbox.notice(correction, channel)
    letterbox.notice(correction, letterbox.webhook())
    compose_due()
    told, elsewhere = Delivery.objects.exclude(pk=first.pk).order_by("channel")
    assert told.subject == "Correction: GPT: corrected, input 9 -> 1"
    assert told.body["corrects"]["message_id"] == first.message_id
    assert told.body["corrects"]["headline"] == "GPT: input 1 -> 9"
    assert elsewhere.body["corrects"] is None, "that channel was told nothing to take back"


def test_what_cannot_be_told_is_dropped_with_its_reason() -> None:
    letterbox.notice(to=letterbox.webhook(verified_at=None))
    letterbox.notice(to=letterbox.webhook(disabled_at=timezone.now(), disabled_reason="It answered 410."))
    assert compose_due() == 0
    assert list(Notice.objects.order_by("id").values_list("dropped", "dropped_reason")) == [
        (True, "The channel was not verified."),
        (True, "The channel was disabled: It answered 410."),
    ]


def test_one_strange_notice_costs_its_own_channel_only() -> None:
    letterbox.notice(to=letterbox.webhook(), money={"nonsense": 1}, by=letterbox.watch(bill_percent="5"))
    letterbox.notice(to=letterbox.webhook())
    assert compose_due() == 1
    assert Notice.objects.filter(delivery__isnull=True, dropped=False).count() == 1, "it is kept for another look"


def test_every_notice_of_any_mixture_lands_in_exactly_one_message() -> None:
    notices = [
        DueNotice(
            id=number,
            change_id=number % 11,
            sequence=number % 11,
            watch_id=number % 4,
            cause=("refresh", number % 3) if number % 5 else None,
            in_digest=number % 4 == 1,
            on_bill=number % 4 == 2,
        )
        for number in range(60)
    ]
    for threshold in (1, 3, 100):
        messages = plan(notices, threshold)
        told = [notice.id for message in messages for notice in message.notices]
        assert sorted(told) == list(range(60))
        firsts = [message.notices[0].sequence for message in messages]
        assert firsts == sorted(firsts)


@pytest.mark.parametrize(
    ("exact", "read"),
    [("100", "100"), ("1266.4987", "1,266.50"), ("0.00431", "0.0043"), ("0", "0"), ("-1200.5", "-1,200.50")],
)
def test_money_is_written_as_people_read_it(exact: str, read: str) -> None:
    assert money_text(exact) == read
