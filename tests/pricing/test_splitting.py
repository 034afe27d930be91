"""An offering ruled to be two: references take all that they said along, and an undone split leaves no trace."""

from __future__ import annotations

import pytest

from companies.models import AIModel, Company
from pricing import ledger
from pricing.models import Decision, Offering, PricingChange, Reference
from tests.pricing.believing import price
from tests.pricing.conftest import SetClock
from tests.pricing.stages import Stage, believed, claim, everything, last_change

pytestmark = pytest.mark.usefixtures("clock")


@pytest.fixture
def mixed(stage: Stage) -> Offering:
    """One offering that gathered the ids of two things: the first source's id and another source's."""
    found = stage.offering("glm-4.6")
    stage.read("models-dev", 0, {found: [price("1", external_id="glm-4.6")]})
    stage.source("litellm", 40)
    stage.read("litellm", 5, {found: [price("3", external_id="glm-4.6-turbo")]})
    return found


def reference(external_id: str) -> Reference:
    return Reference.objects.get(external_id=external_id)


def split() -> Decision:
    return Decision.objects.filter(kind=Decision.Kind.SPLIT).latest("pk")


def test_references_that_are_split_off_make_an_offering_of_their_own(mixed: Offering, person: ledger.Ruling) -> None:
    assert believed(mixed)[-1][2] == "3"
    before = PricingChange.objects.count()
    ledger.split(mixed, [reference("glm-4.6-turbo")], person)
    made = reference("glm-4.6-turbo").offering
    assert (made.external_id, made.seller, made.status) == ("glm-4.6-turbo", mixed.seller, Offering.Status.LISTED)
    assert believed(mixed) == [(0, None, "1", "observed", None)]
    assert believed(made) == [(5, None, "3", "observed", None)]
    assert PricingChange.objects.count() == before + 1
    assert last_change(mixed).nature == "correction"


def test_references_may_be_split_off_onto_a_named_offering(
    stage: Stage, mixed: Offering, person: ledger.Ruling
) -> None:
    turbo = stage.offering("turbo")
    ledger.split(mixed, [reference("glm-4.6-turbo")], person, turbo)
    assert believed(turbo)[-1][2] == "3"
    assert reference("glm-4.6-turbo").linked_by_person


def test_an_undone_split_gives_the_references_back(
    stage: Stage, mixed: Offering, person: ledger.Ruling, clock: SetClock
) -> None:
    before = believed(mixed)
    ledger.split(mixed, [reference("glm-4.6-turbo")], person)
    made = reference("glm-4.6-turbo").offering
    clock(101)
    ledger.undo(split(), person)
    assert believed(mixed) == before
    assert believed(made) == []
    made.refresh_from_db()
    assert (made.merged_into, made.status) == (mixed, Offering.Status.MERGED)
    assert not reference("glm-4.6-turbo").linked_by_person


def test_an_offering_that_a_split_made_and_others_speak_for_stays(
    stage: Stage, mixed: Offering, person: ledger.Ruling, clock: SetClock
) -> None:
    ledger.split(mixed, [reference("glm-4.6-turbo")], person)
    made = reference("glm-4.6-turbo").offering
    ledger.state(made, claim("9", since=50), person)
    clock(101)
    ledger.undo(split(), person)
    made.refresh_from_db()
    assert (made.merged_into, believed(made)) == (None, [(50, None, "9", "exact", None)])


def test_the_plain_key_stays_with_the_offering_that_has_it(
    stage: Stage, mixed: Offering, person: ledger.Ruling
) -> None:
    ledger.split(mixed, [reference("glm-4.6")], person)
    made = reference("glm-4.6").offering
    assert made.identity_key.startswith("glm-4-6") or made.identity_key == "glm-4-6"
    assert made.identity_key != mixed.identity_key


def test_a_split_that_a_later_one_went_past_is_undone_after_it(
    stage: Stage, mixed: Offering, person: ledger.Ruling, clock: SetClock
) -> None:
    first_target, second_target = stage.offering("a"), stage.offering("b")
    ledger.split(mixed, [reference("glm-4.6-turbo")], person, first_target)
    first = split()
    clock(101)
    ledger.split(first_target, [reference("glm-4.6-turbo")], person, second_target)
    with pytest.raises(ledger.LedgerError, match="by a later decision; undo that one first"):
        ledger.undo(first, person)


def test_what_cannot_be_split_is_refused_with_the_reason_and_writes_nothing(
    stage: Stage, mixed: Offering, person: ledger.Ruling
) -> None:
    elsewhere = stage.offering("elsewhere", Company.objects.create(slug="other", name="Other"))
    other = stage.offering("other")
    both = [reference("glm-4.6"), reference("glm-4.6-turbo")]
    before = everything()
    for offering, references, into, reason in (
        (mixed, [], None, "no reference was chosen"),
        (mixed, both, None, "nothing would be left"),
        (other, both, None, "not of other"),
        (mixed, both[:1], mixed, "choose another offering"),
        (mixed, both[:1], elsewhere, "another company"),
    ):
        with pytest.raises(ledger.LedgerError, match=reason):
            ledger.split(offering, references, person, into)
    assert everything() == before


def test_a_link_by_a_person_is_kept_and_may_be_undone(mixed: Offering, person: ledger.Ruling) -> None:
    model, other = (AIModel.objects.create(slug=slug, name=slug) for slug in ("glm-4-6", "glm-4-6-turbo"))
    Offering.objects.filter(pk=mixed.pk).update(model=model, model_linked_by="rule")
    ledger.link(mixed, other, person)
    assert (mixed.model, mixed.model_linked_by) == (other, "person")
    first = Decision.objects.get(kind=Decision.Kind.LINK)
    ledger.link(mixed, None, person)
    assert (mixed.model, mixed.model_linked_by) == (None, "person")
    with pytest.raises(ledger.LedgerError, match="undo that one first"):
        ledger.undo(first, person)
    ledger.undo(Decision.objects.filter(kind=Decision.Kind.LINK).latest("pk"), person)
    ledger.undo(first, person)
    mixed.refresh_from_db()
    assert (mixed.model, mixed.model_linked_by) == (model, "rule")


def test_a_link_that_says_nothing_new_or_of_a_plan_is_refused(mixed: Offering, person: ledger.Ruling) -> None:
    model = AIModel.objects.create(slug="glm-4-6", name="GLM")
    ledger.link(mixed, model, person)
    with pytest.raises(ledger.LedgerError, match="to GLM already"):
        ledger.link(mixed, model, person)
    Offering.objects.filter(pk=mixed.pk).update(kind=Offering.Kind.PLAN)
    with pytest.raises(ledger.LedgerError, match="is a plan"):
        ledger.link(mixed, None, person)
