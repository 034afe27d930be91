"""Watches, profiles and terms that name an offering follow its merge into another, and return when that is undone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone

from alerts.bills.billing import bill_of
from alerts.bills.watching import begin_watching
from alerts.fan_out import fan_out_changes
from alerts.models import Notice, UsageProfile
from alerts.previews import Named, preview
from alerts.summaries import in_words
from pricing import ledger
from pricing.models import Decision, Offering
from tests.alerts import people
from tests.alerts.asking import Caller, body_of
from tests.api import factories as make
from tests.pricing.believing import price
from tests.pricing.conftest import SetClock, clock, person, stage
from tests.pricing.stages import Stage

__all__ = ["clock", "person", "stage"]
pytestmark = pytest.mark.usefixtures("clock")
MILLION = 1_000_000


@dataclass
class Twins:
    """One thing under two ids: one feed knows the first at 2 USD, another the second at 3."""

    stage: Stage
    kept: Offering
    absorbed: Offering
    person: ledger.Ruling

    def merge(self) -> None:
        ledger.merge(self.absorbed, self.kept, self.person)
        self._look_anew()

    def undo(self) -> None:
        ledger.undo(Decision.objects.get(kind=Decision.Kind.MERGE), self.person)
        self._look_anew()

    def move_kept(self, at: int, to: str) -> None:
        self.stage.read("models-dev", at, {self.kept: [price(to, external_id="chat")]})

    def move_absorbed(self, at: int, to: str) -> None:
        self.stage.read("litellm", at, {self.absorbed: [price(to, external_id="ds-chat")]})

    def _look_anew(self) -> None:
        for offering in (self.kept, self.absorbed):
            offering.refresh_from_db()


@pytest.fixture
def twins(stage: Stage, person: ledger.Ruling) -> Twins:
    stage.source("models-dev", 30)
    stage.source("litellm", 40)
    twins = Twins(stage, stage.offering("deepseek-chat"), stage.offering("ds-chat"), person)
    twins.move_kept(90, "2")
    twins.move_absorbed(90, "3")
    fan_out_changes()
    return twins


def used(offering: Offering) -> UsageProfile:
    profile = people.profile()
    people.used(profile, offering, {"input_tokens": MILLION})
    return profile


def total(profile: UsageProfile) -> Decimal:
    """The bill of now, of rows read afresh."""
    return bill_of(UsageProfile.objects.get(pk=profile.pk), timezone.now()).total


def test_a_change_of_what_stands_fires_the_watch_on_what_was_absorbed_once(twins: Twins, clock: SetClock) -> None:
    one, both = people.watch(offerings=[twins.absorbed]), people.watch(offerings=[twins.absorbed, twins.kept])
    twins.merge()
    fan_out_changes()
    assert (people.told(one), people.told(both)) == ([], []), "a merge moves no market"
    clock(102)
    twins.move_kept(101, "4")
    assert fan_out_changes() == 2
    assert people.told(one) == people.told(both) == [Notice.objects.latest("pk").change.headline]
    assert Notice.objects.latest("pk").change.offering == twins.kept
    assert fan_out_changes() == 0


def test_when_the_merge_is_undone_each_watch_is_on_its_own_again(twins: Twins, clock: SetClock) -> None:
    on_absorbed, on_kept = people.watch(offerings=[twins.absorbed]), people.watch(offerings=[twins.kept])
    twins.merge()
    twins.undo()
    clock(102)
    twins.move_kept(101, "4")
    fan_out_changes()
    assert (len(people.told(on_absorbed)), len(people.told(on_kept))) == (0, 1)
    twins.move_absorbed(101.5, "5")
    fan_out_changes()
    assert (len(people.told(on_absorbed)), len(people.told(on_kept))) == (1, 1)


def test_what_was_written_of_the_absorbed_one_before_the_merge_is_told_and_taken_back_by_it(
    twins: Twins, clock: SetClock
) -> None:
    on_absorbed, on_kept = people.watch(offerings=[twins.absorbed]), people.watch(offerings=[twins.kept])
    clock(102)
    twins.move_absorbed(101, "5")
    twins.merge()
    fan_out_changes()
    move, correction = people.told(on_absorbed)
    assert ("3 -> 5" in move, "corrected" in correction) == (True, True)
    assert people.told(on_kept) == [move, correction]


def test_the_preview_and_the_words_follow(twins: Twins, clock: SetClock) -> None:
    watch = people.watch(offerings=[twins.absorbed])
    clock(102)
    twins.move_kept(101, "4")
    assert preview(Named.of(watch), timezone.now()).fired == 0
    twins.merge()
    assert preview(Named.of(watch), timezone.now()).fired == 1
    watch.offerings.add(twins.kept)
    assert in_words(Named.of(watch).words, timezone.now()).startswith(f"Price changes on {twins.kept}, at once")
    twins.undo()
    assert f"{twins.kept} or {twins.absorbed}" in in_words(Named.of(watch).words, timezone.now())


def test_the_bill_follows_and_returns(twins: Twins) -> None:
    profile = used(twins.absorbed)
    assert total(profile) == 3
    twins.merge()
    assert total(profile) == 2
    twins.undo()
    assert total(profile) == 3


def test_terms_of_either_id_count_and_those_of_what_stands_come_first(twins: Twins) -> None:
    profile = used(twins.absorbed)
    people.discount(profile, "50", offering=twins.absorbed)
    twins.merge()
    assert total(profile) == 1
    people.discount(profile, "25", offering=twins.kept)
    assert total(profile) == Decimal("1.5")
    twins.undo()
    assert total(profile) == Decimal("1.5"), "half of three"


def test_a_watch_on_the_bill_follows_and_names_the_merge_as_the_cause(twins: Twins, clock: SetClock) -> None:
    watch = people.watch(profile=used(twins.absorbed), bill_percent=Decimal(5))
    begin_watching([watch])
    clock(101)
    twins.merge()
    assert fan_out_changes() == 1
    (notice,) = Notice.objects.all()
    assert notice.money is not None
    assert (notice.money["old"], notice.money["new"], notice.change.nature) == ("3", "2", "correction")
    clock(103)
    twins.move_kept(102, "4")
    assert fan_out_changes() == 1
    assert (Notice.objects.latest("pk").money or {})["new"] == "4"


def test_an_ordinary_watch_tells_the_money_of_a_line_on_the_absorbed_one(twins: Twins, clock: SetClock) -> None:
    people.watch(profile=used(twins.absorbed), offerings=[twins.kept])
    twins.merge()
    clock(102)
    twins.move_kept(101, "4")
    fan_out_changes()
    assert Notice.objects.get().money == {
        "currency": "USD",
        "old": "2",
        "new": "4",
        "percent": "+100.00",
        "amount": "2",
        "because": [Notice.objects.get().change.headline],
    }


def test_cheaper_sellers_are_those_of_the_model_that_stands(twins: Twins) -> None:
    Offering.objects.filter(pk=twins.kept.pk).update(model=make.ai_model("deepseek-v4"))
    rival = twins.stage.offering("azure-ds")
    Offering.objects.filter(pk=rival.pk).update(model=make.ai_model("deepseek-v4"))
    twins.stage.source("models-dev-2", 45)
    twins.stage.read("models-dev-2", 95, {rival: [price("1", external_id="azure-ds")]})
    profile = used(twins.absorbed)
    twins.merge()
    profile = UsageProfile.objects.get(pk=profile.pk)
    (line,) = bill_of(profile, timezone.now() + timedelta(seconds=1), cheaper=True).lines
    assert [each.offering.pk for each in line.cheaper] == [rival.pk]


def test_the_api_shows_what_stands_and_keeps_what_was_written(twins: Twins, client: Client) -> None:
    ada = Caller(client)
    owner = people.person("ada")
    watch = people.watch(owner, offerings=[twins.absorbed, twins.kept])
    profile = people.profile(owner)
    people.used(profile, twins.absorbed, {"input_tokens": MILLION})
    people.commitment(profile, "10", offering=twins.absorbed)
    twins.merge()
    assert body_of(ada.get(f"/api/v1/watches/{watch.pk}/"))["offerings"] == [twins.kept.pk]
    told = body_of(ada.get(f"/api/v1/usage-profiles/{profile.pk}/"))
    (line,), (commitment,) = told["lines"], told["adjustments"]
    assert (line["offering"], line["external_id"]) == (twins.kept.pk, "deepseek-chat")
    assert commitment["offering"] == twins.kept.pk
    bill = body_of(ada.get(f"/api/v1/usage-profiles/{profile.pk}/bill/"))
    assert (bill["lines"][0]["offering"], bill["commitments"][0]["offering"]) == (twins.kept.pk, twins.kept.pk)
    twins.undo()
    body = body_of(ada.get(f"/api/v1/watches/{watch.pk}/"))
    assert body["offerings"] == sorted([twins.absorbed.pk, twins.kept.pk])


def test_a_commitment_to_what_was_absorbed_is_used_up_by_what_stands(twins: Twins) -> None:
    profile = used(twins.kept)
    people.commitment(profile, "10", offering=twins.absorbed)
    assert total(profile) == 12
    twins.merge()
    assert total(profile) == 10
