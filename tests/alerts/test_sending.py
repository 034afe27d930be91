"""Messages are sent in order, tried again on schedule, and each receiver is dealt with as it deserves."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from alerts.models import Attempt, Delivery
from alerts.retrying import WAITS
from alerts.sending import send_due
from tests.alerts import letterbox
from tests.alerts.receivers import Receivers

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def sent(delivery: Delivery) -> Delivery:
    """The delivery as it is after one look."""
    send_due()
    delivery.refresh_from_db()
    return delivery


def test_a_message_arrives_signed_and_is_logged(receivers: Receivers) -> None:
    channel = letterbox.webhook(receivers.good())
    delivery = sent(letterbox.delivery(channel))
    assert delivery.status == "delivered"
    assert (delivery.owner, delivery.locked_until, delivery.last_error) == ("", None, "")
    (received,) = receivers.received
    assert received.verified_by(letterbox.secret_of(channel)) == delivery.body
    assert received.message_id == delivery.message_id
    assert received.headers["content-type"] == "application/json"
    attempt = Attempt.objects.get()
    assert (attempt.status_code, attempt.succeeded, attempt.answer) == (200, True, "thanks")
    channel.refresh_from_db()
    assert channel.last_success_at is not None


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_is_success(receivers: Receivers, status: int) -> None:
    assert sent(letterbox.delivery(letterbox.webhook(receivers.good(status=status, body=b"")))).status == "delivered"


def test_nothing_is_sent_before_its_time_or_twice(receivers: Receivers) -> None:
    channel = letterbox.webhook(receivers.good())
    letterbox.delivery(channel, attempts_made=3, next_attempt_at=timezone.now() + timedelta(minutes=1))
    done = letterbox.delivery(channel)
    send_due()
    send_due()
    assert [received.message_id for received in receivers.received] == [done.message_id]


def test_messages_of_a_channel_arrive_in_order(receivers: Receivers) -> None:
    channel = letterbox.webhook(receivers.good())
    expected = [letterbox.delivery(channel).message_id for _ in range(25)]
    send_due()
    assert [received.message_id for received in receivers.received] == expected


def test_a_failure_holds_up_its_own_channel_and_no_other(receivers: Receivers) -> None:
    broken = letterbox.webhook(receivers.failing())
    good = letterbox.webhook(receivers.good())
    first, second = letterbox.delivery(broken), letterbox.delivery(broken)
    other = letterbox.delivery(good)
    send_due()
    assert [received.message_id for received in receivers.received_at("/failing")] == [first.message_id]
    other.refresh_from_db()
    assert other.status == "delivered"
    second.refresh_from_db()
    assert (second.status, second.attempts_made, second.locked_until) == ("waiting", 0, None)


def test_after_three_failures_later_messages_may_pass(receivers: Receivers) -> None:
    channel = letterbox.webhook(receivers.changing("/mended", 500, 500, 500, 200))
    first, second = letterbox.delivery(channel), letterbox.delivery(channel)
    for _ in range(2):
        assert sent(second).status == "waiting"
        letterbox.let_pass(timedelta(minutes=10))
    assert sent(second).status == "delivered"
    first.refresh_from_db()
    assert (first.status, first.attempts_made) == ("waiting", 3)
    letterbox.let_pass(timedelta(hours=1))
    assert sent(first).status == "delivered"


def test_it_is_tried_ten_times_on_schedule_under_one_id_and_signed_anew(receivers: Receivers) -> None:
    channel = letterbox.webhook(receivers.failing(body=b"\x00\x1b[31mred\n"))
    delivery = letterbox.delivery(channel)
    for number, wait in enumerate(WAITS, start=1):
        before = timezone.now()
        assert sent(delivery).attempts_made == number
        assert delivery.status == "waiting"
        assert wait * 0.9 <= delivery.next_attempt_at - before <= wait * 1.1 + timedelta(seconds=5)
        assert sent(delivery).attempts_made == number, "not before its time"
        letterbox.let_pass(delivery.next_attempt_at - timezone.now())
    assert sent(delivery).status == "dead"
    assert (delivery.attempts_made, delivery.last_error) == (10, "answered 500")
    received = receivers.received
    assert {each.message_id for each in received} == {delivery.message_id}
    for each in received:
        each.verified_by(letterbox.secret_of(channel))
    assert Attempt.objects.filter(delivery=delivery, succeeded=False).count() == 10
    assert Attempt.objects.first().answer == r"\x00\x1b[31mred\n"  # type: ignore[union-attr]


def test_waits_differ_a_little_each_time(receivers: Receivers) -> None:
    deliveries = [letterbox.delivery(letterbox.webhook(receivers.failing())) for _ in range(8)]
    send_due()
    for delivery in deliveries:
        delivery.refresh_from_db()
    lasting = [delivery.next_attempt_at - Attempt.objects.get(delivery=delivery).started_at for delivery in deliveries]
    assert len({round(wait.total_seconds(), 2) for wait in lasting}) > 1


def test_retry_after_is_honoured_within_a_day(receivers: Receivers) -> None:
    asked = letterbox.delivery(letterbox.webhook(receivers.failing("/hour", 503, Retry_After="3600")))
    clipped = letterbox.delivery(letterbox.webhook(receivers.busy_for_ten_years()))
    unreadable = letterbox.delivery(letterbox.webhook(receivers.failing("/odd", 503, Retry_After="soon")))
    now = timezone.now()
    send_due()
    waits = {}
    for delivery in (asked, clipped, unreadable):
        delivery.refresh_from_db()
        waits[delivery.pk] = delivery.next_attempt_at - now
    assert timedelta(hours=1) <= waits[asked.pk] < timedelta(hours=1, seconds=20)
    assert DAY <= waits[clipped.pk] < DAY + timedelta(seconds=20)
    assert waits[unreadable.pk] < timedelta(seconds=20)


def test_410_disables_the_channel_and_gives_up_what_waits(receivers: Receivers) -> None:
    channel = letterbox.webhook(receivers.gone())
    first, second = letterbox.delivery(channel), letterbox.delivery(channel)
    assert sent(first).status == "dead"
    second.refresh_from_db()
    assert (second.status, second.attempts_made) == ("dead", 0)
    assert "410" in second.last_error
    channel.refresh_from_db()
    assert channel.disabled_at is not None
    assert "410" in channel.disabled_reason
    assert len(receivers.received) == 1


def test_redirects_are_not_followed(receivers: Receivers) -> None:
    receivers.good("/elsewhere")
    delivery = sent(letterbox.delivery(letterbox.webhook(receivers.redirecting(receivers.url("/elsewhere")))))
    assert delivery.status == "waiting"
    assert "redirects are not followed" in delivery.last_error
    assert not receivers.received_at("/elsewhere")


def test_a_gigabyte_after_a_200_is_left_unread(receivers: Receivers) -> None:
    delivery = sent(letterbox.delivery(letterbox.webhook(receivers.endless())))
    assert delivery.status == "delivered"
    assert len(Attempt.objects.get().answer) == 500


def test_a_receiver_that_closes_early_has_failed(receivers: Receivers) -> None:
    delivery = sent(letterbox.delivery(letterbox.webhook(receivers.closing_early())))
    assert (delivery.status, delivery.attempts_made) == ("waiting", 1)
    assert "broke off" in delivery.last_error


def test_broken_tls_has_failed(receivers: Receivers) -> None:
    receivers.good()
    url = receivers.url("/good").replace("http://", "https://")
    delivery = sent(letterbox.delivery(letterbox.webhook(url)))
    assert (delivery.status, delivery.attempts_made) == ("waiting", 1)
    assert not receivers.received


@pytest.mark.usefixtures("impatient")
def test_those_that_hang_or_drip_fail_in_time_and_delay_nobody(receivers: Receivers, settings: Any) -> None:
    settings.ALERTS_CONCURRENCY = 30
    stuck = [letterbox.delivery(letterbox.webhook(receivers.hanging(f"/hang{number}"))) for number in range(10)]
    stuck += [letterbox.delivery(letterbox.webhook(receivers.dripping(f"/drip{number}"))) for number in range(10)]
    good = [letterbox.delivery(letterbox.webhook(receivers.good(f"/good{number}"))) for number in range(60)]
    started = timezone.now()
    send_due()
    for delivery in good:
        delivery.refresh_from_db()
        assert delivery.status == "delivered", delivery.last_error
        assert delivery.finished_at is not None
        assert delivery.finished_at - started < timedelta(seconds=2), "the others did not wait for those that hang"
    for delivery in stuck:
        delivery.refresh_from_db()
        assert (delivery.status, delivery.attempts_made) == ("waiting", 1)
        assert "within 2 s" in delivery.last_error or "silent for 2 s" in delivery.last_error


def test_channels_that_fail_leave_half_of_the_places_to_the_others(receivers: Receivers, settings: Any) -> None:
    settings.ALERTS_CONCURRENCY = 4
    failing = [letterbox.webhook(receivers.gated(f"/gate{n}"), failing_since=timezone.now()) for n in range(6)]
    for channel in failing:
        letterbox.delivery(channel)
    good = letterbox.delivery(letterbox.webhook(receivers.on("/opens", lambda exchange: _open(receivers, exchange))))
    send_due()
    good.refresh_from_db()
    assert good.status == "delivered"
    order = [received.path for received in receivers.received]
    assert order.index("/opens") <= 2, "two of four places were left free"


def test_news_is_matched_and_sent_while_the_only_worker_waits_for_a_receiver(receivers: Receivers) -> None:
    stuck = letterbox.delivery(letterbox.webhook(receivers.gated()))
    watch = letterbox.watch()
    watch.channels.add(
        letterbox.webhook(receivers.on("/opens", lambda exchange: _open(receivers, exchange)), owner=watch.owner)
    )
    change = letterbox.change()
    send_due()
    stuck.refresh_from_db()
    assert stuck.status == "delivered", "its receiver answered once the news had arrived elsewhere"
    assert [each.body["data"]["id"] for each in receivers.received_at("/opens")] == [change.pk]


def _open(receivers: Receivers, exchange: Any) -> None:
    receivers.gate.set()
    exchange.answer(200)


def test_unproved_and_disabled_channels_get_nothing_but_tests(receivers: Receivers) -> None:
    unproved = letterbox.webhook(receivers.good("/unproved"), verified_at=None)
    disabled = letterbox.webhook(receivers.good("/disabled"), disabled_at=timezone.now())
    waiting = [letterbox.delivery(unproved), letterbox.delivery(disabled)]
    ping = letterbox.delivery(unproved, kind="ping")
    send_due()
    first = receivers.received[0]
    assert first.message_id == ping.message_id
    unproved.refresh_from_db()
    assert unproved.verified_at is not None, "the answer to its ping proves a webhook"
    waiting[1].refresh_from_db()
    assert waiting[1].status == "waiting"
    assert not receivers.received_at("/disabled")


def test_a_test_that_fails_says_why_and_is_not_tried_again(receivers: Receivers) -> None:
    channel = letterbox.webhook(receivers.failing(status=404), verified_at=None)
    assert sent(letterbox.delivery(channel, kind="ping")).status == "dead"
    channel.refresh_from_db()
    assert (channel.verified_at, channel.failing_since) == (None, None)
    assert channel.last_error == "answered 404"


def test_a_row_that_another_worker_holds_is_left_to_it(receivers: Receivers) -> None:
    channel = letterbox.webhook(receivers.good())
    held = letterbox.delivery(channel, owner="another", locked_until=timezone.now() + timedelta(seconds=30))
    later = letterbox.delivery(channel)
    assert sent(later).status == "waiting", "the order is kept across workers"
    letterbox.let_pass(timedelta(seconds=31))
    send_due()
    assert [received.message_id for received in receivers.received] == [held.message_id, later.message_id]


def test_special_addresses_are_refused_and_tried_again(receivers: Receivers, settings: Any) -> None:
    settings.OUTBOUND_ALLOW_NETS = []
    receivers.good()
    addresses = [receivers.url("/good"), receivers.url("/good", "localhost"), receivers.url("/good", "2130706433")]
    addresses += [receivers.url("/good", "[::ffff:127.0.0.1]"), receivers.url("/good", "0x7f.1")]
    for address in addresses:
        delivery = sent(letterbox.delivery(letterbox.webhook(address)))
        assert (delivery.status, delivery.attempts_made) == ("waiting", 1), address
        assert "refused" in delivery.last_error, address
    assert not receivers.received


def test_no_secret_and_no_path_is_logged_or_kept(receivers: Receivers, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    url = receivers.failing("/token-8472") + "?key=very-private"
    channels = [letterbox.webhook(url), letterbox.webhook("https://receiver.invalid/token-8472?key=very-private")]
    deliveries = [letterbox.delivery(channel) for channel in channels]
    send_due()
    kept = caplog.text
    for delivery, channel in zip(deliveries, channels, strict=True):
        delivery.refresh_from_db()
        channel.refresh_from_db()
        kept += delivery.last_error + channel.last_error
        kept += "".join(f"{attempt.error}{attempt.answer}" for attempt in delivery.attempts.all())
        assert letterbox.secret_of(channel) not in kept
        assert letterbox.secret_of(channel).removeprefix("whsec_") not in kept
    assert "token-8472" not in kept
    assert "very-private" not in kept


def test_what_cannot_be_decrypted_waits_and_says_why(receivers: Receivers, settings: Any) -> None:
    delivery = letterbox.delivery(letterbox.webhook(receivers.good()))
    kept, settings.SECRET_KEY = settings.SECRET_KEY, "another key"
    assert "SECRET_KEY_FALLBACKS" in sent(delivery).last_error
    settings.SECRET_KEY_FALLBACKS = [kept]
    letterbox.let_pass(timedelta(minutes=1))
    assert sent(delivery).status == "delivered"


def test_a_message_that_was_deleted_on_the_way_troubles_nobody(receivers: Receivers) -> None:
    channel = letterbox.webhook(receivers.on("/deleting", lambda exchange: exchange.answer(200)))
    gone, stays = letterbox.delivery(channel), letterbox.delivery(letterbox.webhook(receivers.good()))
    from alerts.recording import Result, record
    from alerts.retrying import Outcome

    results = [Result(each, timezone.now(), 0.1, Outcome(succeeded=True)) for each in (gone, stays)]
    Delivery.objects.filter(pk=gone.pk).delete()
    record(results, "anybody", timezone.now())
    stays.refresh_from_db()
    assert stays.status == "delivered"


def test_an_outcome_that_cannot_be_noted_costs_its_own_message_only(
    receivers: Receivers, monkeypatch: pytest.MonkeyPatch
) -> None:
    strange, good = letterbox.webhook(receivers.good("/strange")), letterbox.webhook(receivers.good())
    set_aside, arrived = letterbox.delivery(strange), letterbox.delivery(good)
    from alerts import recording

    written = recording._attempt

    def refusing(result: recording.Result) -> Attempt:
        if result.delivery.channel_id == strange.pk:
            raise ValueError("such text cannot be kept")
        return written(result)

    monkeypatch.setattr(recording, "_attempt", refusing)
    send_due()
    arrived.refresh_from_db()
    set_aside.refresh_from_db()
    assert arrived.status == "delivered"
    assert (set_aside.status, set_aside.attempts_made, set_aside.locked_until) == ("waiting", 1, None)
    assert set_aside.next_attempt_at > timezone.now() + timedelta(hours=23), "it is not sent again and again"
