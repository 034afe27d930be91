"""People reroute ids, announce it, put it off, take it back and undo it; everything is kept on both axes."""

from __future__ import annotations

from datetime import datetime

import pytest

from companies.models import AIModel, Company
from pricing import ledger
from pricing.models import Alias, Offering, PricingChange, RouteStatement
from tests.pricing.believing import day, price
from tests.pricing.conftest import SetClock
from tests.pricing.stages import Stage, everything, kinds, last_change, routed
from tests.pricing.stages import claim as stated

pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def flash(stage: Stage) -> Offering:
    """What ids are routed to: an offering that a feed lists on day 0 at 1 USD."""
    return stage.offering("V4 Flash")


@pytest.fixture
def pro(stage: Stage, flash: Offering) -> Offering:
    """An offering with a price of its own, 4 USD."""
    found = stage.offering("V4 Pro")
    stage.read("models-dev", 0, {flash: [price("1")], found: [price("4", external_id="pro")]})
    return found


@pytest.fixture
def latest(stage: Stage) -> Offering:
    """An id without a price of its own."""
    return ledger.id_to_route(stage.seller, "latest")


def said(offering: Offering) -> RouteStatement:
    """What editors say last of an offering's route."""
    found = RouteStatement.objects.filter(offering=offering).order_by("-pk").first()
    assert found is not None
    return found


class TestSaying:
    def test_a_reroute_without_a_moment_holds_from_now(self, latest: Offering, flash: Offering, person: ledger.Ruling):
        ledger.reroute(latest, flash, person)
        assert routed(latest) == [(100, None, "V4 Flash")]
        row = Alias.objects.get()
        assert (row.seller, row.external_id, row.citation_url) == (latest.seller, "latest", person.citation_url)
        assert row.statement == said(latest)
        change = last_change(latest)
        assert (change.kind, change.nature, change.routed_to) == ("rerouted", "market", (flash.pk, None))

    def test_a_moment_ahead_announces_it(self, pro: Offering, flash: Offering, person: ledger.Ruling) -> None:
        ledger.reroute(pro, flash, person, at=day(114))
        change = last_change(pro)
        assert (change.kind, change.announced_for) == ("announced", day(114))
        assert change.headline.endswith("V4 Pro at DeepSeek: rerouted to V4 Flash from 2026-04-25")

    def test_what_was_said_from_the_same_moment_is_replaced(
        self, stage: Stage, latest: Offering, flash: Offering, pro: Offering, person: ledger.Ruling, clock: SetClock
    ) -> None:
        ledger.reroute(latest, flash, person, at=day(90))
        clock(101)
        ledger.reroute(latest, pro, person, at=day(90))
        assert routed(latest) == [(90, None, "V4 Pro")]
        assert kinds(latest) == ["rerouted", "corrected"]

    def test_what_was_said_for_later_stays_unless_it_is_to_go(
        self, latest: Offering, flash: Offering, pro: Offering, person: ledger.Ruling, clock: SetClock
    ) -> None:
        ledger.reroute(latest, flash, person, at=day(120))
        clock(101)
        ledger.reroute(latest, pro, person, at=day(110))
        assert routed(latest) == [(110, 120, "V4 Pro"), (120, None, "V4 Flash")]
        clock(102)
        ledger.reroute(latest, pro, person, at=day(105), replaces_later=True)
        assert routed(latest) == [(105, None, "V4 Pro")]

    def test_a_route_may_end(self, latest: Offering, flash: Offering, person: ledger.Ruling) -> None:
        ledger.reroute(latest, flash, person, at=day(90), until=day(120))
        assert routed(latest) == [(90, 120, "V4 Flash")]

    def test_an_id_may_lead_to_a_model(self, stage: Stage, latest: Offering, person: ledger.Ruling) -> None:
        model = AIModel.objects.create(slug="v5", name="DeepSeek V5", developer=stage.seller)
        ledger.reroute(latest, model, person)
        assert routed(latest) == [(100, None, "DeepSeek V5")]
        assert last_change(latest).routed_to == (None, model.pk)

    def test_what_was_merged_stands_for_what_it_was_merged_into(
        self, stage: Stage, latest: Offering, flash: Offering, person: ledger.Ruling
    ) -> None:
        old = stage.offering("Old Flash")
        Offering.objects.filter(pk=old.pk).update(merged_into=flash, status="merged")
        old.refresh_from_db()
        ledger.reroute(latest, old, person)
        assert routed(latest) == [(100, None, "V4 Flash")]

    def test_an_id_that_is_known_already_is_no_new_offering(self, stage: Stage, latest: Offering) -> None:
        assert ledger.id_to_route(stage.seller, "LATEST") == latest
        with pytest.raises(ledger.LedgerError, match="no model id"):
            ledger.id_to_route(stage.seller, " ")


class TestMoney:
    def test_a_reroute_tells_the_prices_on_both_sides(
        self, latest: Offering, pro: Offering, flash: Offering, person: ledger.Ruling, clock: SetClock
    ) -> None:
        ledger.reroute(latest, flash, person, at=day(90))
        clock(101)
        ledger.reroute(latest, pro, person)
        change = last_change(latest)
        (line,) = change.lines.all()
        assert (line.line.offering, line.old, line.new, line.percent) == (pro, 1, 4, 300)
        assert change.headline.endswith("rerouted from V4 Flash to V4 Pro, input 1 -> 4 USD per 1M tokens, +300.00%")

    def test_while_an_own_price_is_in_force_nothing_moves_in_money(
        self, pro: Offering, flash: Offering, person: ledger.Ruling
    ) -> None:
        ledger.reroute(pro, flash, person)
        assert not last_change(pro).lines.exists()

    def test_where_the_own_price_ends_the_targets_follows_it(
        self, stage: Stage, latest: Offering, flash: Offering, pro: Offering, person: ledger.Ruling
    ) -> None:
        ledger.state(latest, stated("3", since=50, until=100), person)
        ledger.reroute(latest, flash, person, at=day(100))
        (line,) = last_change(latest).lines.all()
        assert (line.old, line.new) == (3, 1)

    def test_a_target_without_a_price_leads_on(
        self, stage: Stage, latest: Offering, flash: Offering, pro: Offering, person: ledger.Ruling
    ) -> None:
        middle = ledger.id_to_route(stage.seller, "middle")
        ledger.reroute(middle, flash, person, at=day(90))
        ledger.reroute(latest, middle, person)
        (line,) = last_change(latest).lines.all()
        assert (line.line.offering, line.old, line.new) == (flash, None, 1)


class TestPuttingOff:
    def test_one_that_is_to_come_is_rescheduled(
        self, pro: Offering, flash: Offering, person: ledger.Ruling, clock: SetClock
    ) -> None:
        ledger.reroute(pro, flash, person, at=day(114))
        clock(101)
        ledger.reschedule_route(said(pro), person, at=day(121))
        assert routed(pro) == [(121, None, "V4 Flash")]
        change = last_change(pro)
        assert (change.kind, change.announced_for) == ("rescheduled", day(121))
        assert "reroute to V4 Flash rescheduled for 2026-05-02" in change.headline

    def test_one_that_has_begun_is_corrected(
        self, latest: Offering, flash: Offering, person: ledger.Ruling, clock: SetClock
    ) -> None:
        ledger.reroute(latest, flash, person, at=day(90))
        clock(101)
        ledger.reschedule_route(said(latest), person, at=day(95))
        assert routed(latest) == [(95, None, "V4 Flash")]
        assert (last_change(latest).kind, last_change(latest).nature) == ("corrected", "correction")

    def test_undoing_it_brings_the_old_moment_back(
        self, pro: Offering, flash: Offering, person: ledger.Ruling, clock: SetClock
    ) -> None:
        ledger.reroute(pro, flash, person, at=day(114))
        clock(101)
        ledger.reschedule_route(said(pro), person, at=day(121))
        decision = last_change(pro).decision
        assert decision is not None
        clock(102)
        ledger.undo(decision, person)
        assert routed(pro) == [(114, None, "V4 Flash")]
        assert last_change(pro).kind == "rescheduled"
        with pytest.raises(ledger.LedgerError, match="undone already"):
            ledger.undo(decision, person)

    def test_taking_back_what_was_put_off_brings_nothing_back(
        self, pro: Offering, flash: Offering, person: ledger.Ruling, clock: SetClock
    ) -> None:
        ledger.reroute(pro, flash, person, at=day(114))
        clock(101)
        ledger.reschedule_route(said(pro), person, at=day(121))
        clock(102)
        ledger.retire_route(said(pro), person)
        assert routed(pro) == []
        assert kinds(pro)[-3:] == ["announced", "rescheduled", "retracted"]


class TestTakingBack:
    def test_a_mistake_is_corrected_and_what_it_replaced_stands_again(
        self, latest: Offering, flash: Offering, pro: Offering, person: ledger.Ruling, clock: SetClock
    ) -> None:
        ledger.reroute(latest, flash, person, at=day(90))
        clock(101)
        ledger.reroute(latest, pro, person, at=day(90))
        clock(102)
        ledger.retire_route(said(latest), person)
        assert routed(latest) == [(90, None, "V4 Flash")]
        assert last_change(latest).nature == "correction"
        assert routed(latest, known_at=101.5) == [(90, None, "V4 Pro")]

    def test_what_ended_cannot_be_taken_back_again(
        self, latest: Offering, flash: Offering, person: ledger.Ruling, clock: SetClock
    ) -> None:
        ledger.reroute(latest, flash, person)
        clock(101)
        ledger.retire_route(said(latest), person)
        with pytest.raises(ledger.LedgerError, match="already"):
            ledger.retire_route(said(latest), person)

    def test_what_a_source_says_is_not_for_people_to_take_back(
        self, stage: Stage, latest: Offering, flash: Offering, person: ledger.Ruling
    ) -> None:
        from tests.pricing.stages import leading

        stage.read("openrouter", 90, {}, routes={latest: [leading(flash)]})
        with pytest.raises(ledger.LedgerError, match="only what an editor said"):
            ledger.retire_route(said(latest), person)


class TestWithdrawing:
    def test_an_id_that_is_sold_no_more_leads_nowhere(
        self, latest: Offering, flash: Offering, pro: Offering, person: ledger.Ruling, clock: SetClock
    ) -> None:
        ledger.reroute(latest, flash, person, at=day(90))
        clock(101)
        ledger.withdraw(latest, person)
        assert routed(latest) == [(90, 101, "V4 Flash")]
        assert last_change(latest).kind == "withdrawn"
        clock(102)
        ledger.relist(latest, person, at=day(102))
        assert routed(latest) == [(90, 101, "V4 Flash"), (102, None, "V4 Flash")]

    def test_one_with_prices_is_withdrawn_once(
        self, pro: Offering, flash: Offering, person: ledger.Ruling, clock: SetClock
    ) -> None:
        ledger.reroute(pro, flash, person, at=day(90))
        clock(101)
        ledger.withdraw(pro, person)
        assert kinds(pro)[-2:] == ["rerouted", "withdrawn"]
        assert routed(pro) == [(90, 101, "V4 Flash")]


class TestRefusals:
    def refused(self, match: str, *args: object, **how: object) -> None:
        before = everything()
        with pytest.raises(ledger.LedgerError, match=match):
            ledger.reroute(*args, **how)  # type: ignore[arg-type]
        assert everything() == before

    def test_to_itself(self, latest: Offering, person: ledger.Ruling) -> None:
        self.refused("to itself", latest, latest, person)

    def test_in_a_circle(
        self, stage: Stage, latest: Offering, flash: Offering, person: ledger.Ruling, clock: SetClock
    ) -> None:
        middle = ledger.id_to_route(stage.seller, "middle")
        ledger.reroute(latest, middle, person, at=day(110), until=day(120))
        ledger.reroute(middle, flash, person, at=day(90))
        self.refused("circle", flash, latest, person, at=day(115))
        ledger.reroute(flash, latest, person, at=day(120))

    def test_in_a_circle_by_way_of_a_model(self, stage: Stage, latest: Offering, person: ledger.Ruling) -> None:
        model = AIModel.objects.create(slug="v5", name="DeepSeek V5", developer=stage.seller)
        sold = stage.offering("V5")
        Offering.objects.filter(pk=sold.pk).update(model=model)
        ledger.reroute(sold, latest, person)
        self.refused("circle", latest, model, person)

    def test_an_end_before_the_beginning(self, latest: Offering, flash: Offering, person: ledger.Ruling) -> None:
        self.refused("end after it starts", latest, flash, person, at=day(90), until=day(80))
        self.refused("end after it starts", latest, flash, person, until=day(80))

    def test_naive_times(self, latest: Offering, flash: Offering, person: ledger.Ruling) -> None:
        self.refused("no time zone", latest, flash, person, at=datetime(2026, 5, 1))  # noqa: DTZ001
        self.refused("no time zone", latest, flash, person, until=datetime(2026, 5, 1))  # noqa: DTZ001

    def test_an_unknown_precision(self, latest: Offering, flash: Offering, person: ledger.Ruling) -> None:
        self.refused("unknown precision", latest, flash, person, precision="week")

    def test_plans(self, stage: Stage, latest: Offering, flash: Offering, person: ledger.Ruling) -> None:
        plan = stage.offering("Pro plan")
        Offering.objects.filter(pk=plan.pk).update(kind="plan")
        plan.refresh_from_db()
        self.refused("is a plan", plan, flash, person)
        self.refused("is a plan", latest, plan, person)

    def test_what_was_merged_away(self, latest: Offering, flash: Offering, person: ledger.Ruling) -> None:
        Offering.objects.filter(pk=latest.pk).update(merged_into=flash, status="merged")
        latest.refresh_from_db()
        self.refused("was merged into", latest, flash, person)

    def test_what_another_sells(self, stage: Stage, latest: Offering, person: ledger.Ruling) -> None:
        other = stage.offering("gpt", seller=Company.objects.create(slug="openai", name="OpenAI"))
        self.refused("does not sell", latest, other, person)

    def test_to_replace_only_a_part_of_what_was_said(
        self, latest: Offering, flash: Offering, pro: Offering, person: ledger.Ruling
    ) -> None:
        ledger.reroute(latest, flash, person, at=day(110))
        self.refused("end this route by then", latest, pro, person, at=day(105), until=day(120))


def test_every_change_of_a_route_says_from_where_to_where(
    latest: Offering, flash: Offering, pro: Offering, person: ledger.Ruling, clock: SetClock
) -> None:
    ledger.reroute(latest, flash, person, at=day(90))
    clock(101)
    ledger.reroute(latest, pro, person, at=day(110))
    clock(102)
    ledger.retire_route(said(latest), person)
    told = [(c.routed_from_offering, c.routed_to_offering) for c in latest.changes.order_by("sequence")]
    assert told == [(None, flash), (flash, pro), (flash, pro)]
    assert all(change.is_route for change in PricingChange.objects.filter(offering=latest))
