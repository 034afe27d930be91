"""Mail goes to proved addresses only, says what changed, ends with one click, and cannot be bent by what it tells."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.core.signing import TimestampSigner
from django.test import Client
from django.utils import timezone

from alerts import managing
from alerts.composing import compose_due
from alerts.models import Channel, Delivery
from alerts.sending import send_due
from tests.alerts import letterbox
from tests.api import factories as make

pytestmark = pytest.mark.django_db


class Mailbox:
    """What a real mail server on loopback took."""

    def __init__(self) -> None:
        self.raw: list[bytes] = []
        self.recipients: list[str] = []
        self.refusal = ""

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.refusal:
            return self.refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.raw.append(bytes(envelope.content or b""))
        self.recipients += envelope.rcpt_tos
        return "250 OK"

    @property
    def messages(self) -> list[EmailMessage]:
        return [message_from_bytes(raw, policy=policy.default) for raw in self.raw]  # type: ignore[misc]

    def last(self) -> EmailMessage:
        return self.messages[-1]


@pytest.fixture
def mailbox(settings: Any) -> Iterator[Mailbox]:
    taken = Mailbox()
    controller = Controller(taken, hostname="127.0.0.1", port=_free_port())
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST = "127.0.0.1"
    settings.EMAIL_PORT = controller.port
    settings.LINKS_BASE = settings.SITE_URL = "https://tracker.example"
    yield taken
    controller.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def part(message: EmailMessage, kind: str) -> str:
    body = message.get_body((kind,))
    assert body is not None
    return str(body.get_content())


def path_in(text: str, what: str) -> str:
    found = re.search(rf"https://tracker\.example(/alerts/{what}/[^\s>\"]+)", text)
    assert found is not None
    return found[1]


def asked(address: str = "ops@example.org") -> Channel:
    channel, secret = managing.create_channel(letterbox.owner(), kind="email", name="Ops", address=address)
    assert secret == ""
    return channel


def test_an_address_is_asked_first_and_proved_by_the_button_on_the_page(mailbox: Mailbox, client: Client) -> None:
    channel = asked()
    send_due()
    assert mailbox.recipients == ["ops@example.org"]
    path = path_in(part(mailbox.last(), "plain"), "verify")
    page = client.get(path)
    assert page.status_code == 200
    assert b"<form" in page.content
    channel.refresh_from_db()
    assert channel.verified_at is None, "looking proves nothing: mail programs look at links"
    assert client.post(path).status_code == 200
    channel.refresh_from_db()
    assert channel.verified_at is not None


def test_an_address_that_is_not_proved_gets_no_alert(mailbox: Mailbox) -> None:
    channel = asked()
    send_due()
    letterbox.delivery(channel)
    send_due()
    assert len(mailbox.raw) == 1


def test_a_link_expires_and_ends_with_the_next_and_with_the_address(mailbox: Mailbox, client: Client) -> None:
    channel = asked()
    send_due()
    first = path_in(part(mailbox.last(), "plain"), "verify")
    managing.test_channel(channel, timezone.now() + timedelta(minutes=6))
    Delivery.objects.update(next_attempt_at=timezone.now())
    send_due()
    second = path_in(part(mailbox.last(), "plain"), "verify")
    assert client.post(first).status_code == 400
    managing.change_address(channel, "eve@example.org")
    assert client.post(second).status_code == 400
    assert client.post(second[:-5] + "AAAA/").status_code == 400
    channel.refresh_from_db()
    assert channel.verified_at is None


def test_a_link_is_of_no_use_after_three_days(
    mailbox: Mailbox, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked()
    old = str(_base62(int(timezone.now().timestamp()) - 4 * 24 * 3600))
    with monkeypatch.context() as patched:
        patched.setattr(TimestampSigner, "timestamp", lambda signer: old)
        send_due()
    answer = client.post(path_in(part(mailbox.last(), "plain"), "verify"))
    assert answer.status_code == 400
    assert b"expired" in answer.content


def _base62(number: int) -> str:
    from django.core.signing import b62_encode

    return b62_encode(number)


def test_nobody_is_asked_again_and_again(mailbox: Mailbox) -> None:
    channel = asked()
    send_due()
    with pytest.raises(managing.TooSoon):
        managing.test_channel(channel)


def test_an_alert_tells_what_changed_in_text_and_in_html(mailbox: Mailbox) -> None:
    line = make.line(make.offering("deepseek-v4-pro", name="DeepSeek V4 Pro"))
    change = make.change(
        line,
        "0.435",
        "0.66",
        headline="DeepSeek V4 Pro: input 0.435 -> 0.66 USD per 1M tokens, +51.72%",
        observed_after=make.moment("2026-04-30T18:00"),
    )
    money = {"currency": "USD", "old": "100", "new": "105.2", "percent": "+5.20", "amount": "5.2", "because": []}
    letterbox.notice(change, letterbox.mailbox(), money=money)
    compose_due()
    send_due()
    message = mailbox.last()
    assert message["Subject"] == change.headline
    as_read = re.sub(r"<br>|</?span[^>]*>", " ", part(message, "html")).replace("-&gt;", "->")
    for text in (part(message, "plain"), re.sub(" +", " ", as_read)):
        for said in (
            "0.435",
            "0.66 USD",
            "+51.72%",
            "input per 1M tokens",
            "between 2026-04-30 18:00 UTC and 2026-05-01 00:00 UTC",
            "Your month: 100 -> 105.20 USD, +5.20%",
            f"https://tracker.example/api/v1/changes/{change.pk}/",
        ):
            assert said in text, said


def test_one_click_ends_it_without_a_login(mailbox: Mailbox, client: Client) -> None:
    channel = letterbox.mailbox()
    letterbox.delivery(channel)
    send_due()
    message = mailbox.last()
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    path = path_in(message["List-Unsubscribe"], "unsubscribe")
    assert client.get(path).status_code == 200
    channel.refresh_from_db()
    assert channel.disabled_at is None, "looking ends nothing"
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(path, {"List-Unsubscribe": "One-Click"}).status_code == 200
    channel.refresh_from_db()
    assert channel.disabled_reason == "Its reader unsubscribed."
    assert channel.verified_at is None, "its owner has to ask the reader anew"
    assert client.post(path).status_code == 200, "a second click does no harm"


def test_a_forged_link_ends_nothing(client: Client) -> None:
    channel = letterbox.mailbox()
    assert client.post("/alerts/unsubscribe/WzEsImFiYyJd:1abc:forged/").status_code == 400
    channel.refresh_from_db()
    assert channel.disabled_at is None


def test_the_message_id_stays_over_attempts(mailbox: Mailbox) -> None:
    delivery = letterbox.delivery(letterbox.mailbox())
    send_due()
    from alerts import resending

    delivery.refresh_from_db()
    resending.retry(delivery)
    send_due()
    first, second = mailbox.messages
    assert first["Message-ID"] == second["Message-ID"] == f"<{delivery.message_id}@tracker.example>"


@pytest.mark.parametrize(
    "headline",
    [
        "GPT\r\nBcc: eve@example.org",
        "GPT\nBcc: eve@example.org\n\nhello",
        "GPT\u2028Bcc: eve@example.org",
        "GPT\x85Bcc: eve@example.org",
        "GPT \u202egnp.exe\u202c",
        "GPT\x01\x1b[31m\x7f",
        "<script>alert(1)</script> & <img src=x>",
        "é" * 400,
    ],
)
def test_a_headline_cannot_bend_the_message(mailbox: Mailbox, headline: str) -> None:
    letterbox.notice(letterbox.change(headline), letterbox.mailbox())
    compose_due()
    send_due()
    message = mailbox.last()
    assert message["Bcc"] is None
    assert mailbox.recipients == ["ops@example.org"]
    subject = str(message["Subject"]).strip()
    assert subject.isprintable()
    assert len(subject) <= 200
    assert b"\nBcc:" not in mailbox.raw[-1].split(b"\r\n\r\n")[0]
    assert "<script>" not in part(message, "html")
    assert "<img" not in part(message, "html")
    assert "\u202e" not in subject


def test_a_refused_address_gives_up_at_once(mailbox: Mailbox) -> None:
    mailbox.refusal = "550 5.1.1 no such\x1b user"
    delivery = letterbox.delivery(letterbox.mailbox())
    send_due()
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts_made) == ("dead", 1)
    assert "550" in delivery.last_error
    assert delivery.attempts.get().answer.isprintable()


def test_a_busy_mail_server_is_asked_again(mailbox: Mailbox) -> None:
    mailbox.refusal = "451 try later"
    delivery = letterbox.delivery(letterbox.mailbox())
    send_due()
    delivery.refresh_from_db()
    assert (delivery.status, delivery.attempts_made) == ("waiting", 1)


def test_a_mail_server_that_is_down_is_asked_again(settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    delivery = letterbox.delivery(letterbox.mailbox())
    send_due()
    delivery.refresh_from_db()
    assert (delivery.status, delivery.last_error) == (
        "waiting",
        "the mail server cannot be reached: ConnectionRefusedError",
    )
