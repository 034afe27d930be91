"""Watches on a bill: they fire when a month has moved from what was told last, and say by how much and why."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from alerts.bills.watching import begin_watching
from alerts.composing import compose_due
from alerts.fan_out import fan_out_changes
from alerts.models import Delivery, FanOut, Notice, Watch
from pricing.models import PriceLine
from tests.alerts import people
from tests.api import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def line() -> PriceLine:
    """DeepSeek's input at 1 USD."""
    line = make.line(make.offering())
    make.price(line, "1")
    return line


def watching(line: PriceLine, **values: Any) -> Watch:
    """A watch on a month of 100M tokens, told 100 USD."""
    profile = people.profile()
    people.used(profile, line.offering, {"input_tokens": 100_000_000})
    watch = people.watch(profile=profile, **({"bill_percent": Decimal(5)} | values))
    begin_watching([watch])
    watch.refresh_from_db()
    fan_out_changes()
    return watch


def moves(line: PriceLine, new: str, headline: str, at: datetime | None = None, **values: Any) -> Any:
    """The price moves now, or will at a moment."""
    at = at or timezone.now()
    last = line.prices.order_by("-effective_from")[0]
    line.prices.filter(pk=last.pk).update(effective_until=at)
    make.price(line, new, since=at, known_from=timezone.now())
    return make.change(line, str(last.amount), new, at, headline=headline, **values)


def money() -> list[dict[str, Any]]:
    return [notice.money or {} for notice in Notice.objects.order_by("id")]


def test_a_bill_that_moves_far_enough_is_told_with_its_cause(line: PriceLine) -> None:
    watch = watching(line)
    assert watch.told_bill == 100
    change = moves(line, "1.1", "dearer")
    assert fan_out_changes() == 1
    assert money() == [
        {
            "currency": "USD",
            "old": "100",
            "new": "110",
            "percent": "+10.00",
            "amount": "10",
            "because": ["dearer"],
            "changes": [change.pk],
        }
    ]
    assert Notice.objects.get().change == change
    watch.refresh_from_db()
    assert watch.told_bill == 110
    assert fan_out_changes() == 0


def test_small_moves_add_up_and_all_of_them_are_named(line: PriceLine) -> None:
    watching(line)
    moves(line, "1.03", "a little")
    assert fan_out_changes() == 0
    moves(line, "1.06", "a little more")
    assert fan_out_changes() == 1
    (told,) = money()
    assert (told["old"], told["new"], told["because"]) == ("100", "106", ["a little", "a little more"])


def test_an_amount_fires_where_the_percent_does_not(line: PriceLine) -> None:
    watching(line, bill_percent=Decimal(50), bill_amount=Decimal(3))
    moves(line, "0.97", "cheaper")
    fan_out_changes()
    (told,) = money()
    assert (told["amount"], told["percent"]) == ("-3", "-3.00")


def test_changes_of_other_offerings_are_nothing_to_it(line: PriceLine) -> None:
    watching(line)
    other = make.line(make.offering("another"))
    make.price(other, "1")
    moves(other, "9", "elsewhere")
    assert fan_out_changes() == 0


def test_an_announced_price_fires_when_it_takes_effect(line: PriceLine) -> None:
    watching(line)
    soon = timezone.now() + timedelta(days=9)
    moves(line, "2", "dearer soon", at=soon, kind="announced", announced_for=soon)
    assert fan_out_changes() == 0
    _let_it_be(line, soon, timezone.now() - timedelta(seconds=1))
    assert fan_out_changes() == 1
    (told,) = money()
    assert (told["new"], told["because"]) == ("200", ["dearer soon"])


def test_the_end_of_a_promotion_fires_with_no_change_being_written(line: PriceLine) -> None:
    watching(line)
    ends = timezone.now() + timedelta(days=3)
    promo = make.line(line.offering, layer="promo")
    now = timezone.now()
    make.price(promo, "0.5", since=now, effective_until=ends)
    make.change(promo, None, "0.5", now, kind="promo_started", headline="half the price")
    assert fan_out_changes() == 1
    promo.prices.update(effective_until=timezone.now())
    FanOut.objects.update(bills_until=timezone.now() - timedelta(minutes=1))
    assert fan_out_changes() == 1
    assert [(told["old"], told["new"]) for told in money()] == [("100", "50"), ("50", "100")]


def _let_it_be(line: PriceLine, planned: datetime, moment: datetime) -> None:
    """Travel in time: what was planned happens at another moment, a little while ago."""
    line.prices.filter(effective_until=planned).update(effective_until=moment)
    line.prices.filter(effective_from=planned).update(effective_from=moment)
    line.offering.changes.filter(announced_for=planned).update(announced_for=moment)
    FanOut.objects.update(bills_until=moment - timedelta(minutes=1))
    Watch.objects.update(told_bill_at=moment - timedelta(minutes=1))


def test_during_a_pause_the_bill_is_followed_in_silence(line: PriceLine) -> None:
    watch = watching(line, paused_until=timezone.now() + timedelta(days=1))
    moves(line, "2", "during the pause")
    assert fan_out_changes() == 0
    Watch.objects.update(paused_until=timezone.now() - timedelta(seconds=1))
    moves(line, "2.2", "after it")
    assert fan_out_changes() == 1
    (told,) = money()
    assert (told["old"], told["new"], told["because"]) == ("200", "220", ["after it"])
    assert people.told(watch) == ["after it"]


def test_without_a_bill_told_the_one_of_its_making_counts(line: PriceLine) -> None:
    watching(line)
    Watch.objects.update(told_bill=None, told_bill_at=None)
    moves(line, "1.5", "dearer")
    fan_out_changes()
    assert money()[0]["old"] == "100"


def test_what_becomes_unpriced_is_named(line: PriceLine) -> None:
    watching(line)
    now = timezone.now()
    line.prices.update(effective_until=now)
    make.change(line, "1", None, now, kind="withdrawn", headline="gone")
    fan_out_changes()
    (told,) = money()
    assert (told["new"], told["unpriced"]) == ("0", ["deepseek-chat at Deepseek: input_tokens has no price"])


def test_a_correction_of_what_was_told_is_told_however_little_it_comes_to(line: PriceLine) -> None:
    watching(line)
    wrong = moves(line, "1.05", "wrong")
    fan_out_changes()
    line.prices.filter(amount=Decimal("1.05")).delete()
    line.prices.update(effective_until=None)
    correction = {"nature": "correction", "kind": "corrected", "headline": "right"}
    make.change(line, "1.05", "1", wrong.effective_at, detected_at=timezone.now(), **correction)
    fan_out_changes()
    assert [(told["new"], told["because"]) for told in money()] == [("105", ["wrong"]), ("100", ["right"])]


def test_cheaper_sellers_of_the_same_model_are_named_where_most_can_be_saved_first(line: PriceLine) -> None:
    model, azure = make.ai_model("deepseek-v4"), make.company("azure", kind="cloud")
    for offering in (line.offering, resold := make.offering("ds-v4", seller=azure, name="DeepSeek V4")):
        offering.model = model
        offering.save()
    make.price(make.line(resold), "0.9")
    watching(line)
    moves(line, "1.1", "dearer")
    fan_out_changes()
    assert money()[0]["cheaper"] == [
        {
            "offering": resold.pk,
            "name": str(resold),
            "seller": "azure",
            "external_id": "ds-v4",
            "amount": "90",
            "instead_of": {"offering": line.offering.pk, "name": str(line.offering), "amount": "110"},
        }
    ]


def test_the_message_of_a_bill_tells_all_changes_that_moved_it(line: PriceLine) -> None:
    other = make.line(make.offering("gpt-6"))
    make.price(other, "1")
    watch = watching(line)
    assert watch.profile is not None
    people.used(watch.profile, other.offering, {"input_tokens": 100_000_000})
    begin_watching([watch])
    changes = [moves(line, "1.5", "dearer"), moves(other, "0.9", "cheaper")]
    fan_out_changes()
    compose_due()
    body = Delivery.objects.get().body
    assert body["data"]["title"] == "Your month: 200 -> 240 USD, +20.00%"
    assert [told["id"] for told in body["data"]["changes"]] == [change.pk for change in changes]
    assert body["data"]["count"] == 2


def test_a_digest_says_what_changes_of_one_moment_mean_together(line: PriceLine) -> None:
    other = make.line(make.offering("gpt-6"))
    make.price(other, "1")
    profile = people.profile()
    for used in (line, other):
        people.used(profile, used.offering, {"input_tokens": 100_000_000})
    people.watch(profile=profile, cadence="daily")
    now = timezone.now()
    moves(line, "1.5", "dearer", at=now)
    moves(other, "0.9", "cheaper", at=now)
    fan_out_changes()
    assert [(each["old"], each["new"]) for each in money()] == [("190", "240"), ("250", "240")]
    compose_due(now + timedelta(days=2))
    told = Delivery.objects.get().body["money"]
    assert (told["old"], told["new"], told["amount"], told["percent"]) == ("200", "240", "40", "+20.00")
