"""Apprise addresses reach their services through the checked client, and nothing else."""

from __future__ import annotations

import logging
import socket
import subprocess
import sys
from typing import Any

import pytest

from alerts.channels.apprise import requests_adapter
from alerts.channels.apprise.schemas import SCHEMAS
from alerts.composing import compose_due
from alerts.models import Delivery
from alerts.sending import send_due
from tests.alerts import letterbox
from tests.alerts.receivers import Receivers

pytestmark = pytest.mark.django_db


def address(receivers: Receivers, path: str = "/good", host: str = "127.0.0.1", kind: str = "json") -> str:
    return f"{kind}://{host}:{receivers.server_port}{path}"


def sent(delivery: Delivery) -> Delivery:
    send_due()
    delivery.refresh_from_db()
    return delivery


def test_a_message_reaches_its_service_in_words(receivers: Receivers) -> None:
    receivers.good()
    change = letterbox.change("DeepSeek V4 Pro: input 1 -> 2 USD per 1M tokens, +100.00%")
    letterbox.notice(change, letterbox.chat(address(receivers)))
    compose_due()
    assert sent(Delivery.objects.get()).status == "delivered"
    (received,) = receivers.received
    assert received.body["title"] == change.headline
    assert "input per 1M tokens: 1 -> 2 USD +100.00%" in received.body["message"]
    assert f"/api/v1/changes/{change.pk}/" in received.body["message"]
    assert received.headers["user-agent"].startswith("ai-monetization-tracker/")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]"])
def test_special_addresses_are_refused(receivers: Receivers, settings: Any, host: str) -> None:
    settings.OUTBOUND_ALLOW_NETS = []
    receivers.good()
    delivery = sent(letterbox.delivery(letterbox.chat(address(receivers, host=host))))
    assert delivery.status in ("waiting", "dead")
    assert not receivers.received


def test_a_redirect_to_a_special_address_is_refused(receivers: Receivers, settings: Any) -> None:
    receivers.good("/inside")
    inside = receivers.url("/inside", "[::1]")
    receivers.redirecting(inside, "/away")
    delivery = sent(letterbox.delivery(letterbox.chat(address(receivers, "/away"))))
    assert delivery.status == "waiting"
    assert not receivers.received_at("/inside")


def test_a_name_that_resolves_elsewhere_the_second_time_finds_no_gap(
    receivers: Receivers, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.OUTBOUND_ALLOW_NETS = []
    receivers.good()
    answers = iter(["93.184.216.34", "127.0.0.1", "127.0.0.1", "127.0.0.1"])
    looked_up: list[str] = []

    def resolve(host: Any, port: int, *args: Any, **kwargs: Any) -> Any:
        looked_up.append(next(answers))
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (looked_up[-1], port))]

    connected: list[str] = []

    def connect(self: Any, host: str, *args: Any, **kwargs: Any) -> Any:
        import httpcore

        connected.append(host)
        raise httpcore.ConnectError("not in a test")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr("httpcore.SyncBackend.connect_tcp", connect)
    sent(letterbox.delivery(letterbox.chat(address(receivers, host="rebinding.example"))))
    assert connected == ["93.184.216.34"]
    assert not receivers.received


def test_a_service_that_refuses_is_tried_again_and_its_wish_is_heard(receivers: Receivers) -> None:
    receivers.busy_for_ten_years("/busy")
    delivery = sent(letterbox.delivery(letterbox.chat(address(receivers, "/busy"))))
    assert (delivery.status, delivery.attempts_made) == ("waiting", 1)
    assert "429" in delivery.last_error
    assert (delivery.next_attempt_at - delivery.created_at).total_seconds() >= 24 * 3600


def test_a_gigabyte_is_left_unread(receivers: Receivers) -> None:
    receivers.endless()
    assert sent(letterbox.delivery(letterbox.chat(address(receivers, "/endless")))).status == "delivered"
    assert len(Delivery.objects.get().attempts.get().answer) == 500


def test_tokens_are_neither_logged_nor_kept(receivers: Receivers, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    receivers.failing("/token-8472")
    channels = [letterbox.chat(address(receivers, "/token-8472")), letterbox.chat("json://receiver.invalid/token-8472")]
    kept = ""
    for channel in channels:
        delivery = sent(letterbox.delivery(channel))
        channel.refresh_from_db()
        kept += delivery.last_error + channel.last_error + delivery.attempts.get().error
    assert "token-8472" not in kept + caplog.text


def test_nothing_of_requests_goes_past_the_checked_client(receivers: Receivers) -> None:
    import requests

    sent(letterbox.delivery(letterbox.chat(address(receivers, receivers.good() and "/good"))))
    with pytest.raises(requests_adapter.NotGuarded):
        requests.get(receivers.url("/good"), timeout=1)


def test_only_plugins_that_speak_http_by_requests_are_taken() -> None:
    """Reads the sources of the installed plugins, so that a new version of Apprise is looked at anew."""
    import inspect

    from apprise.manager_plugins import NotificationManager

    manager = NotificationManager()
    manager.load_modules()
    opened_themselves = []
    for schema in sorted(SCHEMAS & set(manager.schemas())):
        source = inspect.getsource(inspect.getmodule(manager[schema]))  # type: ignore[arg-type]
        if any(f"\nimport {name}" in source for name in ("socket", "subprocess", "smtplib", "asyncio", "ssl")):
            opened_themselves.append(schema)
    assert opened_themselves == []
    dangerous = {"syslog", "rsyslog", "dbus", "gnome", "macosx", "windows", "mailto", "mqtt", "xmpp", "fcm", "vapid"}
    assert not SCHEMAS & dangerous


def test_the_web_process_never_imports_it() -> None:
    code = "import django, sys; django.setup(); import tracker.urls, tracker.celery; sys.exit('apprise' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
