"""The fan-out: every change that was written reaches each watch that catches it, once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from alerts import fan_out as module
from alerts import leases
from alerts.fan_out import fan_out_changes
from alerts.models import Awaited, FanOut, Notice
from pricing.models import Offering, PriceLine
from tests.alerts import people
from tests.api import factories as make

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


@dataclass
class Market:
    """DeepSeek's model at DeepSeek and at Azure, and one of OpenAI's."""

    own: PriceLine
    resold: PriceLine
    other: PriceLine

    @property
    def chat(self) -> Offering:
        return self.own.offering


@pytest.fixture
def market() -> Market:
    deepseek, azure, openai = make.company("deepseek"), make.company("azure", kind="cloud"), make.company("openai")
    model = make.ai_model("deepseek-v4", developer=deepseek)
    own = make.offering("deepseek-chat", seller=deepseek, model=model)
    resold = make.offering("ds-v4", seller=azure, model=model)
    other = make.offering("gpt-6", seller=openai, model=make.ai_model("gpt-6", developer=openai))
    return Market(make.line(own), make.line(resold), make.line(other))


def happened(line: PriceLine, headline: str, old: str | None = "1", new: str | None = "2", **values: Any) -> Any:
    """A change that was written just now."""
    return make.change(line, old, new, values.pop("at", timezone.now()), headline=headline, **values)


def test_a_change_is_told_to_each_channel_of_each_watch_that_catches_it(market: Market) -> None:
    anything = people.watch(None, people.channel(name="Ops"), people.channel(name="Mail"))
    only_openai = people.watch(people.person("ben"), companies=[make.company("openai")])
    happened(market.own, "dearer")
    assert fan_out_changes() == 2
    assert people.told(anything) == ["dearer", "dearer"]
    assert people.told(only_openai) == []


def test_a_company_is_watched_as_seller_and_as_developer(market: Market) -> None:
    watch = people.watch(companies=[make.company("deepseek")])
    for line, headline in ((market.own, "own"), (market.resold, "resold"), (market.other, "other")):
        happened(line, headline)
    fan_out_changes()
    assert people.told(watch) == ["own", "resold"]


def test_nothing_is_told_twice_however_often_one_looks(market: Market) -> None:
    watch = people.watch()
    happened(market.own, "first")
    assert fan_out_changes() == 1
    assert fan_out_changes() == 0
    happened(market.own, "second", "2", "3")
    fan_out_changes()
    assert people.told(watch) == ["first", "second"]


def test_a_watch_sees_only_what_was_written_after_it_was_made(market: Market) -> None:
    happened(market.own, "before")
    watch = people.watch()
    happened(market.own, "after")
    fan_out_changes()
    assert people.told(watch) == ["after"]


@pytest.mark.parametrize("what", ["initial", "backfilled"])
def test_history_is_no_news(market: Market, what: str) -> None:
    watch = people.watch(nature="")
    happened(market.own, "history", **{what: True})
    assert fan_out_changes() == 0
    assert people.told(watch) == []
    assert FanOut.objects.get().last_sequence > 0


def test_an_absorbed_offering_counts_as_what_it_was_merged_into(market: Market) -> None:
    absorbed = make.offering("deepseek-v4-chat", seller=market.chat.seller, status="merged", merged_into=market.chat)
    on_survivor, on_absorbed = people.watch(offerings=[market.chat]), people.watch(offerings=[absorbed])
    happened(make.line(absorbed), "of the absorbed one")
    happened(market.own, "of the survivor")
    fan_out_changes()
    assert people.told(on_survivor) == people.told(on_absorbed) == ["of the absorbed one", "of the survivor"]


def test_what_happens_during_a_pause_is_never_told(market: Market) -> None:
    paused = people.watch(paused_until=timezone.now() + timedelta(days=1))
    over = people.watch(paused_until=timezone.now() - timedelta(days=1))
    happened(market.own, "now")
    fan_out_changes()
    assert people.told(paused) == []
    assert people.told(over) == ["now"]


def test_a_channel_that_is_not_proved_or_was_disabled_hears_nothing(market: Market) -> None:
    watch = people.watch(None, people.channel(verified_at=None), people.channel(disabled_at=timezone.now()))
    happened(market.own, "now")
    assert fan_out_changes() == 0
    assert people.told(watch) == []


def test_a_notice_is_due_by_the_owners_clock(market: Market) -> None:
    owner = people.person("berta", time_zone="Asia/Tokyo")
    people.watch(owner, cadence="daily", digest_hour=9)
    happened(market.own, "now")
    fan_out_changes()
    due = Notice.objects.get().due_at
    assert (due.hour, due.minute) == (0, 0)
    assert timezone.now() <= due <= timezone.now() + timedelta(days=1)


def test_announced_and_retracted_changes_are_told(market: Market) -> None:
    watch = people.watch()
    ahead = timezone.now() + timedelta(days=30)
    happened(market.own, "announced", kind="announced", announced_for=ahead, at=ahead)
    happened(market.own, "retracted", kind="retracted", announced_for=ahead, at=ahead)
    fan_out_changes()
    assert people.told(watch) == ["announced", "retracted"]


def test_more_changes_than_one_batch_are_told_in_order(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH", 3)
    watch = people.watch()
    for number in range(8):
        happened(market.own, f"change {number}")
    assert fan_out_changes() == 8
    assert people.told(watch) == [f"change {number}" for number in range(8)]


class TestTheLease:
    def test_while_another_works_nothing_is_done(self, market: Market) -> None:
        people.watch()
        happened(market.own, "now")
        FanOut.objects.create(pk=1, owner="another", locked_until=timezone.now() + timedelta(minutes=1))
        assert fan_out_changes() == 0
        FanOut.objects.update(locked_until=timezone.now() - timedelta(seconds=1))
        assert fan_out_changes() == 1
        assert FanOut.objects.get().owner == ""

    def test_who_lost_it_writes_nothing(self, market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
        people.watch()
        happened(market.own, "now")
        write = module._write

        def write_too_late(*args: Any) -> int:
            FanOut.objects.update(owner="another", locked_until=timezone.now() + timedelta(minutes=1))
            return write(*args)

        monkeypatch.setattr(module, "_write", write_too_late)
        assert fan_out_changes() == 0
        assert not Notice.objects.exists()
        assert FanOut.objects.get().last_sequence == 0

    def test_who_dies_before_the_place_is_written_leaves_nothing_behind(
        self, market: Market, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        watch = people.watch()
        happened(market.own, "now")

        def die(*_: Any) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patched:
            patched.setattr(module, "await_confirmation", die)
            with pytest.raises(KeyboardInterrupt):
                fan_out_changes()
        assert not Notice.objects.exists()
        assert fan_out_changes() == 1
        assert people.told(watch) == ["now"]

    def test_who_works_long_holds_on_and_who_has_lost_it_is_told(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(leases, "_KEPT_EVERY", 0.0)
        assert leases.claim()
        FanOut.objects.update(locked_until=timezone.now() + timedelta(seconds=1))
        hold = leases.Hold()
        hold.keep()
        assert FanOut.objects.get().locked_until > timezone.now() + leases.LEASE / 2
        FanOut.objects.update(owner="another")
        with pytest.raises(leases.LeaseLost):
            hold.keep()

    def test_it_is_claimed_once(self) -> None:
        assert leases.claim()
        assert not leases.claim()
        leases.release()
        assert leases.claim()


class TestConfirmation:
    def test_an_unconfirmed_change_waits_for_a_second_source(self, market: Market) -> None:
        first, second = make.source("models-dev"), make.source("litellm")
        careful, hasty = people.watch(confirmed_only=True), people.watch()
        now = timezone.now()
        happened(market.own, "dearer", source=first, at=now)
        make.statement(market.own, "2", now, source=first)
        fan_out_changes()
        assert (people.told(careful), people.told(hasty)) == ([], ["dearer"])
        make.statement(market.own, "2", now + timedelta(hours=1), source=second)
        assert fan_out_changes() == 1
        assert fan_out_changes() == 0
        assert people.told(careful) == ["dearer"]
        assert not Awaited.objects.exists()

    def test_what_is_confirmed_already_is_told_at_once(self, market: Market) -> None:
        watch = people.watch(confirmed_only=True)
        now = timezone.now()
        happened(market.own, "dearer", source=make.source("models-dev"), at=now)
        make.statement(market.own, "2", now - timedelta(days=1), source=make.source("litellm"))
        fan_out_changes()
        assert people.told(watch) == ["dearer"]

    def test_a_channel_that_is_added_later_hears_nothing_of_it_again(self, market: Market) -> None:
        watch = people.watch(confirmed_only=True)
        now = timezone.now()
        happened(market.own, "dearer", source=make.source("models-dev"), at=now)
        make.statement(market.own, "2", now - timedelta(days=1), source=make.source("litellm"))
        fan_out_changes()
        watch.channels.add(people.channel())
        make.statement(market.own, "2", now, source=make.source("curated"))
        assert fan_out_changes() == 0

    def test_after_thirty_days_nobody_waits_any_more(self, market: Market) -> None:
        people.watch(confirmed_only=True)
        happened(market.own, "dearer", source=make.source("models-dev"))
        fan_out_changes()
        assert timedelta(days=29) < Awaited.objects.get().until - timezone.now() <= timedelta(days=30)
        Awaited.objects.update(until=timezone.now() - timedelta(seconds=1))
        make.observation()
        fan_out_changes()
        assert not Awaited.objects.exists()


class TestCorrections:
    def test_a_correction_of_what_was_told_goes_the_same_way(self, market: Market) -> None:
        told, untold = people.watch(kinds=["increase"]), people.watch(companies=[make.company("openai")])
        happened(market.own, "wrong", "1", "2")
        fan_out_changes()
        happened(market.own, "right", "2", "1", nature="correction", kind="corrected", at=NOW)
        assert fan_out_changes() == 1
        assert people.told(told) == ["wrong", "right"]
        assert people.told(untold) == []

    def test_who_hears_of_corrections_anyway_hears_of_it_once(self, market: Market) -> None:
        watch = people.watch(nature="")
        happened(market.own, "wrong", "1", "2")
        fan_out_changes()
        happened(market.own, "right", "2", "1", nature="correction", kind="corrected", at=NOW)
        assert fan_out_changes() == 1
        assert people.told(watch) == ["wrong", "right"]

    def test_both_in_one_batch_are_told_too(self, market: Market) -> None:
        watch = people.watch()
        happened(market.own, "wrong", "1", "2")
        happened(market.own, "right", "2", "1", nature="correction", kind="corrected", at=NOW)
        fan_out_changes()
        assert people.told(watch) == ["wrong", "right"]

    def test_a_correction_of_something_else_is_not_told(self, market: Market) -> None:
        watch = people.watch()
        happened(market.own, "right", "1", "2")
        fan_out_changes()
        happened(market.own, "of an old price", "0.5", "0.6", nature="correction", kind="corrected", at=NOW)
        assert fan_out_changes() == 0
        assert people.told(watch) == ["right"]


class TestMoney:
    def test_a_watch_with_a_profile_says_what_the_change_comes_to(self, market: Market) -> None:
        now = timezone.now()
        make.price(market.own, "1", effective_until=now)
        make.price(market.own, "1.5", since=now)
        profile = people.profile()
        people.used(profile, market.chat, {"input_tokens": 100_000_000})
        people.watch(profile=profile)
        happened(market.own, "dearer", "1", "1.5", at=now)
        happened(market.other, "of something else")
        fan_out_changes()
        by_headline = {notice.change.headline: notice.money for notice in Notice.objects.select_related("change")}
        assert by_headline == {
            "dearer": {
                "currency": "USD",
                "old": "100",
                "new": "150",
                "percent": "+50.00",
                "amount": "50",
                "because": ["dearer"],
            },
            "of something else": None,
        }

    def test_an_announced_change_says_what_it_will_come_to(self, market: Market) -> None:
        ahead = timezone.now() + timedelta(days=30)
        make.price(market.own, "1", effective_until=ahead)
        make.price(market.own, "0.8", since=ahead, known_from=timezone.now())
        profile = people.profile()
        people.used(profile, market.chat, {"input_tokens": 100_000_000})
        people.watch(profile=profile)
        happened(market.own, "cheaper soon", "1", "0.8", kind="announced", announced_for=ahead, at=ahead)
        fan_out_changes()
        money = Notice.objects.get().money
        assert money is not None
        assert (money["old"], money["new"], money["percent"]) == ("100", "80", "-20.00")

    def test_a_correction_is_weighed_by_what_was_believed_before(self, market: Market) -> None:
        now = timezone.now()
        make.price(market.own, "2", known_until=now)
        make.price(market.own, "1", known_from=now)
        profile = people.profile()
        people.used(profile, market.chat, {"input_tokens": 1_000_000})
        people.watch(profile=profile, nature="correction")
        happened(market.own, "right", "2", "1", nature="correction", kind="corrected", at=now)
        fan_out_changes()
        money = Notice.objects.get().money
        assert money is not None
        assert (money["old"], money["new"], Decimal(money["amount"])) == ("2", "1", -1)
