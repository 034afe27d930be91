"""A channel that only fails is taken out of use, and its owner hears of it by another way."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from alerts.models import Channel, Delivery
from alerts.sending import send_due
from tests.alerts import letterbox
from tests.alerts.receivers import Receivers

pytestmark = pytest.mark.django_db
FIVE_DAYS = timedelta(days=5)


def failed_for_five_days(receivers: Receivers) -> Channel:
    channel = letterbox.webhook(receivers.failing(), failing_since=timezone.now() - FIVE_DAYS, name="Broken")
    letterbox.delivery(channel)
    return channel


def test_five_days_of_failures_disable_a_channel(receivers: Receivers) -> None:
    channel = failed_for_five_days(receivers)
    send_due()
    channel.refresh_from_db()
    assert channel.disabled_at is not None
    assert channel.disabled_reason == "It only failed for five days; the last time: answered 500."
    assert Delivery.objects.get().status == "dead"


def test_one_success_begins_the_days_anew(receivers: Receivers) -> None:
    channel = letterbox.webhook(
        receivers.changing("/mended", 500, 200, 500), failing_since=timezone.now() - timedelta(days=4)
    )
    for _ in range(3):
        letterbox.delivery(channel)
        send_due()
        letterbox.let_pass(timedelta(minutes=6))
    channel.refresh_from_db()
    assert channel.disabled_at is None
    assert channel.failing_since is not None
    assert timezone.now() - channel.failing_since < timedelta(days=1)


def test_its_owner_is_told_by_another_channel_email_first(receivers: Receivers) -> None:
    failed_for_five_days(receivers)
    letterbox.webhook(receivers.good(), name="Other")
    letterbox.mailbox()
    send_due()
    (message,) = mail.outbox
    assert message.to == ["ops@example.org"]
    assert message.subject == "Your channel Broken gets no alerts any more"
    assert "answered 500" in str(message.body)
    assert not receivers.received_at("/good")


def test_without_another_channel_the_verified_email_of_the_account_is_used(receivers: Receivers) -> None:
    letterbox.owner(email="olga@example.org", email_verified_at=timezone.now())
    channel = failed_for_five_days(receivers)
    send_due()
    assert [message.to for message in mail.outbox] == [["olga@example.org"]]
    channel.refresh_from_db()
    assert channel.owner_told_at is not None


def test_where_nobody_can_be_told_the_admin_sees_it(receivers: Receivers) -> None:
    letterbox.owner(email="olga@example.org")
    channel = failed_for_five_days(receivers)
    send_due()
    channel.refresh_from_db()
    assert (channel.owner_told_at, mail.outbox) == (None, [])


def test_another_owners_channel_is_never_used_for_that(receivers: Receivers) -> None:
    letterbox.mailbox(owner=letterbox.owner("sam"))
    failed_for_five_days(receivers)
    send_due()
    assert mail.outbox == []
