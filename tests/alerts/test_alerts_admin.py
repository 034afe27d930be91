"""What operators see and do in the admin: no addresses, no secrets, and the reasons why messages fail."""

from __future__ import annotations

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from alerts.models import Delivery
from tests.alerts import letterbox

pytestmark = pytest.mark.django_db
HOOK = "https://receiver.example/hooks/very-secret"


@pytest.fixture
def browser(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("edith", "edith@example.org", "a long enough passphrase"))
    return client


def test_the_backlog_page_tells_what_fails_and_why(browser: Client) -> None:
    failing = letterbox.webhook(HOOK, failing_since=timezone.now(), last_error="answered 503", name="Broken")
    letterbox.delivery(failing, last_error="answered 503", attempts_made=1)
    letterbox.webhook(HOOK, disabled_at=timezone.now(), disabled_reason="It answered 410.", name="Closed")
    page = browser.get("/admin/alerts/delivery/backlog/").content.decode()
    for said in ("answered 503", "Broken", "Closed", "It answered 410.", "Owners who could not be told"):
        assert said in page
    assert "very-secret" not in page


def test_an_address_and_a_secret_are_nowhere_in_the_admin(browser: Client) -> None:
    channel = letterbox.webhook(HOOK)
    delivery = letterbox.delivery(channel)
    for address in (
        "/admin/alerts/channel/",
        f"/admin/alerts/channel/{channel.pk}/change/",
        f"/admin/alerts/delivery/{delivery.pk}/change/",
    ):
        page = browser.get(address)
        assert page.status_code == 200
        assert b"very-secret" not in page.content
        assert letterbox.secret_of(channel).encode() not in page.content
        assert channel.secret.encode() not in page.content
        assert channel.address.encode() not in page.content


def test_a_message_is_sent_again_from_the_list(browser: Client) -> None:
    dead = letterbox.delivery(letterbox.webhook(HOOK), status="dead", attempts_made=10)
    body = {"action": "send_again", "_selected_action": [dead.pk]}
    assert browser.post("/admin/alerts/delivery/", body).status_code == 302
    dead.refresh_from_db()
    assert (dead.status, dead.attempts_made) == ("waiting", 0)


def test_channels_are_disabled_enabled_and_tested_from_the_list(browser: Client) -> None:
    channel = letterbox.webhook(HOOK)
    for act in ("disable_chosen", "enable_chosen", "send_a_test"):
        assert (
            browser.post("/admin/alerts/channel/", {"action": act, "_selected_action": [channel.pk]}).status_code == 302
        )
        channel.refresh_from_db()
        assert (channel.disabled_at is not None) == (act == "disable_chosen")
    assert Delivery.objects.filter(channel=channel, kind="ping").count() == 1


def test_who_may_only_look_cannot_send_again(client: Client) -> None:
    from django.contrib.auth.models import Permission

    viewer = User.objects.create_user("vera", password="a long enough passphrase", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_delivery"))
    client.force_login(viewer)
    dead = letterbox.delivery(letterbox.webhook(HOOK), status="dead")
    client.post("/admin/alerts/delivery/", {"action": "send_again", "_selected_action": [dead.pk]})
    dead.refresh_from_db()
    assert dead.status == "dead"
    assert client.get("/admin/alerts/delivery/backlog/").status_code == 403, "it is for those who run the site"
    assert client.get(f"/admin/alerts/delivery/{dead.pk}/change/").status_code == 302, "it is another's"
