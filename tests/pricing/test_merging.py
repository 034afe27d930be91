"""Two offerings ruled to be one: the evidence speaks for one of them, and an undone merge leaves no trace in belief."""

from __future__ import annotations

import pytest

from companies.models import Company
from pricing import ledger
from pricing.claims import Conditions, SlotRule
from pricing.models import Decision, Hold, Offering, PricingChange, Reference, Statement
from tests.pricing.believing import day, price
from tests.pricing.conftest import SetClock
from tests.pricing.stages import Stage, believed, claim, everything, last_change, leading, routed
from tests.pricing.worlds import PEAK, PLAIN, REST

OUTPUT = Conditions("output_tokens")
pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def twins(stage: Stage) -> tuple[Offering, Offering]:
    """One thing under two ids: one feed knows the first since day 0, another the second since day 10."""
    kept, absorbed = stage.offering("deepseek-chat"), stage.offering("DeepSeek Chat (API)")
    stage.read("models-dev", 0, {kept: [price("2", external_id="chat")]})
    stage.source("litellm", 40)
    said = [price("2", external_id="ds-chat"), price("8", OUTPUT, external_id="ds-chat")]
    stage.read("litellm", 10, {absorbed: said})
    return kept, absorbed


def merged() -> Decision:
    return Decision.objects.filter(kind=Decision.Kind.MERGE).latest("pk")


def test_a_merged_offering_lets_its_evidence_speak_for_the_other(
    twins: tuple[Offering, Offering], person: ledger.Ruling
) -> None:
    kept, absorbed = twins
    ledger.merge(absorbed, kept, person)
    assert believed(kept, OUTPUT) == [(10, None, "8", "observed", None)]
    assert (believed(absorbed), believed(absorbed, OUTPUT)) == ([], [])
    assert set(Reference.objects.values_list("offering", "linked_by_person")) == {(kept.pk, False), (kept.pk, True)}
    absorbed.refresh_from_db()
    assert (absorbed.merged_into, absorbed.status) == (kept, Offering.Status.MERGED)


def test_a_merge_is_one_correction(twins: tuple[Offering, Offering], person: ledger.Ruling) -> None:
    kept, absorbed = twins
    before = PricingChange.objects.count()
    ledger.merge(absorbed, kept, person)
    assert PricingChange.objects.count() == before + 1
    assert (last_change(kept).nature, last_change(kept).decision) == ("correction", merged())


def test_a_merge_that_teaches_nothing_new_is_one_correction_of_what_was_absorbed(
    stage: Stage, person: ledger.Ruling
) -> None:
    kept, absorbed = stage.offering("one"), stage.offering("two")
    stage.read("models-dev", 0, {kept: [price("2", external_id="a")], absorbed: [price("2", external_id="b")]})
    ledger.merge(absorbed, kept, person)
    assert believed(kept) == [(0, None, "2", "observed", None)]
    assert PricingChange.objects.filter(decision=merged()).count() == 1
    assert last_change(absorbed).nature == "correction"


def test_later_readings_of_either_id_speak_for_the_one_that_stands(
    stage: Stage, twins: tuple[Offering, Offering], person: ledger.Ruling
) -> None:
    kept, absorbed = twins
    ledger.merge(absorbed, kept, person)
    stage.read("litellm", 101, {kept: [price("9", OUTPUT, external_id="ds-chat")]})
    assert believed(kept, OUTPUT)[-1] == (101, None, "9", "observed", 10)
    assert believed(absorbed, OUTPUT) == []


def test_an_undone_merge_gives_each_offering_back_what_was_its_own(
    stage: Stage, twins: tuple[Offering, Offering], person: ledger.Ruling, clock: SetClock
) -> None:
    kept, absorbed = twins
    ledger.state(absorbed, claim("7", OUTPUT, since=50), person)
    ledger.pin(absorbed, claim("1", since=60), person)
    before = [believed(each, line) for each in twins for line in (PLAIN, OUTPUT)]
    clock(101)
    ledger.merge(absorbed, kept, person)
    assert believed(kept, OUTPUT)[-1][:3] == (50, None, "7")
    assert believed(kept)[-1][:3] == (60, None, "1")
    clock(102)
    ledger.undo(merged(), person)
    assert [believed(each, line) for each in twins for line in (PLAIN, OUTPUT)] == before
    absorbed.refresh_from_db()
    assert (absorbed.merged_into, absorbed.status) == (None, Offering.Status.LISTED)
    assert set(Reference.objects.values_list("offering", "linked_by_person")) == {
        (kept.pk, False),
        (absorbed.pk, False),
    }
    ledger.undo(Decision.objects.get(kind=Decision.Kind.STATE), person)
    assert believed(absorbed, OUTPUT)[-1][2] == "8"


def test_what_was_read_during_a_merge_goes_back_with_its_reference(
    stage: Stage, twins: tuple[Offering, Offering], person: ledger.Ruling, clock: SetClock
) -> None:
    kept, absorbed = twins
    ledger.merge(absorbed, kept, person)
    clock(102)
    stage.read("litellm", 101, {kept: [price("9", OUTPUT, external_id="ds-chat")]})
    ledger.undo(merged(), person)
    assert believed(kept, OUTPUT) == []
    assert believed(absorbed, OUTPUT)[-1] == (101, None, "9", "observed", 10)
    assert not Statement.objects.filter(reference__external_id="ds-chat", line__offering=kept).exists()


def test_what_an_editor_said_may_be_taken_back_during_the_merge_and_stays_so(
    twins: tuple[Offering, Offering], person: ledger.Ruling, clock: SetClock
) -> None:
    kept, absorbed = twins
    ledger.state(absorbed, claim("7", OUTPUT, since=50), person)
    clock(101)
    ledger.merge(absorbed, kept, person)
    clock(102)
    ledger.undo(Decision.objects.get(kind=Decision.Kind.STATE), person)
    assert believed(kept, OUTPUT) == [(10, None, "8", "observed", None)]
    clock(103)
    ledger.undo(merged(), person)
    assert believed(absorbed, OUTPUT) == [(10, None, "8", "observed", None)]


def test_a_hold_goes_with_its_statement(
    stage: Stage, twins: tuple[Offering, Offering], person: ledger.Ruling, clock: SetClock
) -> None:
    kept, absorbed = twins
    clock(120)
    dear = [price("2", external_id="ds-chat"), price("800", OUTPUT, external_id="ds-chat")]
    stage.read("litellm", 101, {absorbed: dear})
    hold = Hold.objects.get(closed_at=None)
    ledger.merge(absorbed, kept, person)
    hold.refresh_from_db()
    assert (hold.offering, hold.is_open) == (kept, True)
    ledger.release_hold(hold, person)
    assert believed(kept, OUTPUT)[-1][2] == "800"
    clock(121)
    ledger.undo(merged(), person)
    assert believed(absorbed, OUTPUT)[-1][2] == "800"


def test_merges_in_a_row_are_undone_from_the_last_one(
    stage: Stage, twins: tuple[Offering, Offering], person: ledger.Ruling, clock: SetClock
) -> None:
    kept, absorbed = twins
    third = stage.offering("third")
    ledger.merge(absorbed, kept, person)
    first = merged()
    clock(101)
    ledger.merge(kept, third, person)
    absorbed.refresh_from_db()
    assert absorbed.standing == third
    assert believed(third, OUTPUT)[-1][2] == "8"
    with pytest.raises(ledger.LedgerError, match="undo that merge first"):
        ledger.undo(first, person)
    clock(102)
    ledger.undo(merged(), person)
    ledger.undo(first, person)
    assert believed(absorbed, OUTPUT)[-1][2] == "8"


def test_a_person_may_merge_what_two_listings_of_one_seller_call_apart(
    stage: Stage, twins: tuple[Offering, Offering], person: ledger.Ruling
) -> None:
    kept, absorbed = twins
    Offering.objects.filter(pk=absorbed.pk).update(listing="china")
    ledger.merge(absorbed, kept, person)
    assert believed(kept, OUTPUT) != []


def test_what_cannot_be_one_is_refused_with_the_reason_and_writes_nothing(
    stage: Stage, twins: tuple[Offering, Offering], person: ledger.Ruling
) -> None:
    kept, absorbed = twins
    plan, other = stage.offering("plan"), stage.offering("other", Company.objects.create(slug="other", name="Other"))
    Offering.objects.filter(pk=plan.pk).update(kind=Offering.Kind.PLAN)
    before = everything()
    for offering, into, reason in (
        (kept, kept, "into itself"),
        (kept, plan, "one is of kind API model, the other of kind plan"),
        (kept, other, "two sellers"),
    ):
        with pytest.raises(ledger.LedgerError, match=reason):
            ledger.merge(offering, into, person)
    assert everything() == before
    ledger.merge(absorbed, kept, person)
    third = stage.offering("third")
    for offering, into, reason in (
        (kept, absorbed, "in a circle"),
        (third, absorbed, "choose deepseek-chat"),
        (absorbed, third, "was merged into deepseek-chat"),
    ):
        with pytest.raises(ledger.LedgerError, match=reason):
            ledger.merge(offering, into, person)


def test_sellers_are_one_where_a_person_says_so(
    stage: Stage, twins: tuple[Offering, Offering], person: ledger.Ruling
) -> None:
    other = stage.offering("other", Company.objects.create(slug="other", name="Other"))
    ledger.merge(twins[1], other, person, across_sellers=True)
    assert believed(other, OUTPUT)[-1][2] == "8"


def test_a_merge_is_undone_once(twins: tuple[Offering, Offering], person: ledger.Ruling) -> None:
    ledger.merge(twins[1], twins[0], person)
    ledger.undo(merged(), person)
    with pytest.raises(ledger.LedgerError, match="undone already"):
        ledger.undo(merged(), person)


def test_where_an_id_leads_goes_with_it(stage: Stage, person: ledger.Ruling, clock: SetClock) -> None:
    target, chat, kept = (stage.offering(name) for name in ("v4", "chat", "Chat-x"))
    stage.read("models-dev", 0, {target: [price("1", external_id="v4")]})
    ledger.reroute(chat, target, person)
    clock(111)
    ledger.merge(chat, kept, person)
    assert routed(chat) == []
    assert [row[2] for row in routed(kept)] == ["v4"]
    clock(112)
    ledger.undo(Decision.objects.get(kind="merge"), person)
    assert [row[2] for row in routed(chat)] == ["v4"]
    assert routed(kept) == []


def test_the_route_that_a_feed_states_is_no_news_after_a_merge(
    stage: Stage, person: ledger.Ruling, clock: SetClock
) -> None:
    target, chat, kept = (stage.offering(name) for name in ("v4", "chat", "Chat-x"))
    stage.read("models-dev", 0, {target: [price("1", external_id="v4")]})
    for at in (1, 2):
        stage.read("genai-prices", at, {chat: [price("7", OUTPUT)]}, routes={chat: [leading(target)]})
    ledger.merge(chat, kept, person)
    before = PricingChange.objects.count()
    clock(112)
    reference = Reference.objects.get(source__slug="genai-prices")
    reading = ledger.Reading(stage.source("genai-prices"), day(112), "the same")
    told = ledger.Told(reference.pk, kept.pk, [price("7", OUTPUT).claim])
    ledger.observe(reading, [told], routes=[ledger.ToldRoute(reference.pk, kept.pk, *leading(target))])
    assert PricingChange.objects.count() == before
    assert [row[2] for row in routed(kept)] == ["v4"]


def test_announced_hours_that_go_with_a_merge_are_no_news_of_the_market(
    stage: Stage, person: ledger.Ruling, clock: SetClock
) -> None:
    kept, absorbed = stage.offering("v4"), stage.offering("x-v4")
    stage.read("models-dev", 0, {kept: [price("1", external_id="v4")]})
    ledger.state_together(absorbed, [claim("1", REST), claim("2", PEAK)], person)
    ledger.state_calendar(absorbed, [SlotRule("peak", ((60, 240),)), SlotRule("off-peak", is_rest=True)], person)
    clock(111)
    later = [SlotRule("peak", ((60, 600),)), SlotRule("off-peak", is_rest=True)]
    ledger.state_calendar(absorbed, later, person, effective_from=day(120))
    clock(112)
    ledger.merge(absorbed, kept, person)
    made = PricingChange.objects.filter(decision__kind="merge")
    assert set(made.values_list("nature", flat=True)) == {"correction"}
