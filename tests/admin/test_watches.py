"""Watches and usage profiles in the admin: everybody's own, in plain words, tried, priced and uploaded."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts.models import User
from alerts.models import Channel, ProfileLine, UsageProfile, Watch
from tests.admin.conftest import World


def address(model: str, page: str, *args: Any) -> str:
    return reverse(f"admin:alerts_{model}_{page}", args=args)


def filled(**values: Any) -> dict[str, Any]:
    """The form of a watch as a browser sends it."""
    return {"name": "prices", "nature": "market", "cadence": "instant", "digest_hour": 8, "digest_weekday": 1, **values}


@pytest.fixture
def outsider(world: World) -> User:
    """A member of the staff who may manage watches and profiles, and has none."""
    user = User.objects.create_user("mallory", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="alerts"))
    return user


@pytest.fixture
def their_browser(outsider: User) -> Client:
    browser = Client()
    browser.force_login(outsider)
    return browser


def test_a_watch_is_made_and_told_in_plain_words(browser: Client, world: World) -> None:
    form = filled(owner=world.editor.pk, companies=[world.deepseek.pk], direction="up", min_percent="5")
    assert browser.post(address("watch", "add"), form).status_code == 302
    watch = Watch.objects.get(name="prices")
    page = browser.get(address("watch", "change", watch.pk)).content.decode()
    assert "Price increases of at least 5% on any offering of DeepSeek, at once, to no channel yet" in page


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"bill_percent": "5"}, "a bill needs a usage profile"),
        ({"quiet_from": "22:00"}, "quiet hours need a beginning and an end"),
        ({"min_percent": "0"}, "a number above 0 was expected"),
        ({"digest_hour": "24"}, "an hour from 0 to 23 was expected"),
    ],
)
def test_what_cannot_be_is_said_where_it_is_typed(
    browser: Client, world: World, values: dict[str, str], said: str
) -> None:
    answer = browser.post(address("watch", "add"), filled(owner=world.editor.pk, **values))
    assert said in answer.content.decode()
    assert not Watch.objects.filter(name="prices").exists()


def test_a_watch_is_tried_over_the_past(browser: Client, world: World) -> None:
    watch = Watch.objects.filter(name="Dearer 1").get()
    page = browser.get(address("watch", "preview", watch.pk)).content.decode()
    assert "times in the last 90 days" in page


class TestOutsiders:
    def test_they_see_nobody_elses(self, their_browser: Client, world: World) -> None:
        for model in ("watch", "usageprofile", "profileline", "profileadjustment", "notice", "awaited"):
            assert not their_browser.get(address(model, "changelist")).context["cl"].result_list, model
        watch, profile = Watch.objects.all()[0], UsageProfile.objects.all()[0]
        assert their_browser.get(address("watch", "change", watch.pk)).status_code == 302
        assert their_browser.get(address("watch", "preview", watch.pk)).status_code == 404
        assert their_browser.get(address("usageprofile", "bill", profile.pk)).status_code == 404
        assert their_browser.post(address("usageprofile", "import_usage", profile.pk)).status_code == 404

    def test_what_they_make_is_theirs(self, their_browser: Client, world: World, outsider: User) -> None:
        their_browser.post(address("watch", "add"), filled(owner=world.editor.pk))
        assert Watch.objects.get(name="prices").owner == outsider

    def test_they_cannot_name_what_is_somebody_elses(self, their_browser: Client, world: World) -> None:
        for values in ({"profile": UsageProfile.objects.all()[0].pk}, {"channels": [Channel.objects.all()[0].pk]}):
            their_browser.post(address("watch", "add"), filled(**values))
        assert not Watch.objects.filter(name="prices").exists()

    def test_a_superuser_gives_nobody_anothers_channel(self, browser: Client, world: World, outsider: User) -> None:
        answer = browser.post(
            address("watch", "add"), filled(owner=outsider.pk, channels=[Channel.objects.all()[0].pk])
        )
        assert "somebody else" in answer.content.decode()


def inlines(*lines: dict[str, Any]) -> dict[str, Any]:
    """A profile's form with these lines and no adjustments."""
    form: dict[str, Any] = {"name": "Staging", "currency": "usd"}
    for prefix, rows in (("lines", lines), ("adjustments", ())):
        form |= {f"{prefix}-TOTAL_FORMS": len(rows), f"{prefix}-INITIAL_FORMS": 0}
        for place, row in enumerate(rows):
            form |= {f"{prefix}-{place}-{name}": value for name, value in row.items()}
    return form


class TestProfiles:
    def test_usage_is_typed_in_one_meter_a_line(self, browser: Client, world: World) -> None:
        line = {"offering": world.chat.pk, "usage": "input_tokens 1,000,000\r\noutput_tokens: 5"}
        assert (
            browser.post(address("usageprofile", "add"), inlines(line) | {"owner": world.editor.pk}).status_code == 302
        )
        profile = UsageProfile.objects.get(name="Staging")
        assert (profile.currency, profile.lines.get().usage) == (
            "USD",
            {"input_tokens": "1000000", "output_tokens": "5"},
        )

    @pytest.mark.parametrize("usage", ["input_token 5", "input_tokens many", "input_tokens", "cache_read_tokens 5"])
    def test_usage_that_cannot_be_is_refused(self, browser: Client, world: World, usage: str) -> None:
        form = inlines({"offering": world.chat.pk, "usage": usage}) | {"owner": world.editor.pk}
        assert browser.post(address("usageprofile", "add"), form).status_code == 200
        assert not UsageProfile.objects.filter(name="Staging").exists()

    def test_the_page_says_what_the_month_comes_to(self, browser: Client, world: World) -> None:
        profile = UsageProfile.objects.get(name="Production 1")
        page = browser.get(address("usageprofile", "change", profile.pk)).content.decode()
        # A million tokens at 0.27 less 10 percent.
        assert "0.243 USD a month (0.27 USD by list prices)" in page
        bill = browser.get(address("usageprofile", "bill", profile.pk)).content.decode()
        assert "0.243" in bill
        assert "input_tokens" in bill

    def test_a_bill_is_of_any_day(self, browser: Client, world: World) -> None:
        profile = UsageProfile.objects.get(name="Production 1")
        june = {"as_of_0": "2026-06-02", "as_of_1": "00:00"}
        assert "0.45 USD a month" in browser.get(address("usageprofile", "bill", profile.pk), june).content.decode()

    def test_a_file_takes_the_place_of_the_lines(self, browser: Client, world: World) -> None:
        profile = UsageProfile.objects.get(name="Production 1")
        file = SimpleUploadedFile("usage.csv", b"seller,model,input_tokens\ndeepseek,deepseek-chat,7\n")
        assert browser.post(address("usageprofile", "import_usage", profile.pk), {"file": file}).status_code == 302
        assert profile.lines.get().usage == {"input_tokens": "7"}

    def test_a_bad_file_changes_nothing_and_says_which_lines(self, browser: Client, world: World) -> None:
        profile = UsageProfile.objects.get(name="Production 1")
        file = SimpleUploadedFile("usage.csv", b"seller,model,input_tokens\ndeepseek,nothing,7\n")
        answer = browser.post(address("usageprofile", "import_usage", profile.pk), {"file": file})
        assert "line 2: model" in answer.content.decode()
        assert profile.lines.get().usage == {"input_tokens": "1000000"}

    def test_what_is_edited_here_moves_no_bill(self, browser: Client, world: World) -> None:
        profile = UsageProfile.objects.get(name="Production 1")
        Watch.objects.filter(profile=profile).update(bill_percent=Decimal(5), told_bill=Decimal(1))
        ProfileLine.objects.filter(profile=profile).update(usage={"input_tokens": "10000000"})
        file = SimpleUploadedFile("usage.csv", b"seller,model,input_tokens\ndeepseek,deepseek-chat,10000000\n")
        browser.post(address("usageprofile", "import_usage", profile.pk), {"file": file})
        assert Watch.objects.get(profile=profile).told_bill == Decimal("2.43")
