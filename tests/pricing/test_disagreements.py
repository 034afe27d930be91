"""A source that says something else than what is believed disagrees, visibly, for as long as it does."""

from __future__ import annotations

import pytest

from pricing import ledger
from pricing.models import Disagreement
from tests.pricing.believing import day, price
from tests.pricing.stages import Stage, claim
from tests.pricing.worlds import LONG, PEAK, PROMO, REST

pytestmark = pytest.mark.usefixtures("clock")


def standing() -> list[tuple[str, str, str]]:
    rows = Disagreement.objects.filter(closed_at=None).select_related("source").order_by("pk")
    return [(row.source.slug, row.kind, f"{row.amount.normalize():f}") for row in rows]


def test_another_amount_is_a_disagreement_with_its_age(stage: Stage) -> None:
    offering = stage.offering()
    stage.source("models-dev", 30)
    stage.read("models-dev", 0, {offering: [price("1")]})
    stage.read("litellm", 4, {offering: [price("2")]})
    row = Disagreement.objects.get()
    assert (row.source.slug, row.believed_source, row.since) == ("litellm", stage.source("models-dev"), day(4))
    assert (row.amount, row.believed_amount, row.kind) == (2, 1, "amount")


def test_it_ends_when_they_agree(stage: Stage) -> None:
    offering = stage.offering()
    stage.source("models-dev", 30)
    stage.read("models-dev", 0, {offering: [price("1")]})
    stage.read("litellm", 4, {offering: [price("2")]})
    stage.read("models-dev", 7, {offering: [price("2")]})
    assert standing() == []
    assert Disagreement.objects.get().closed_at is not None


def test_it_is_kept_while_nothing_changes(stage: Stage) -> None:
    offering = stage.offering()
    stage.source("models-dev", 30)
    stage.read("models-dev", 0, {offering: [price("1")]})
    for at in (4, 5, 6):
        stage.read("litellm", at, {offering: [price("2")]})
    stage.read("models-dev", 7, {offering: [price("1")]})
    assert Disagreement.objects.count() == 1


def test_a_flat_price_that_equals_a_slot_or_a_promotion_agrees(stage: Stage) -> None:
    slotted, promoted = stage.offering("slotted"), stage.offering("promoted")
    stage.source("calendar", 10)
    both = {slotted: [price("2", PEAK), price("1", REST)], promoted: [price("4"), price("1", PROMO)]}
    stage.read("calendar", 0, both)
    stage.read("flat", 1, {slotted: [price("2")], promoted: [price("1")]})
    assert standing() == []


def test_a_flat_price_that_equals_none_of_the_slots_disagrees(stage: Stage) -> None:
    offering = stage.offering()
    stage.source("calendar", 10)
    stage.read("calendar", 0, {offering: [price("2", PEAK), price("1", REST)]})
    stage.read("flat", 1, {offering: [price("3")]})
    assert standing() == [("flat", "structure", "3")]


def test_another_currency_and_another_structure_are_named(stage: Stage) -> None:
    offering = stage.offering()
    stage.source("models-dev", 30)
    stage.read("models-dev", 0, {offering: [price("1")]})
    stage.read("litellm", 4, {offering: [price("1", currency="CNY"), price("9", LONG)]})
    assert sorted(kind for _, kind, _ in standing()) == ["currency", "structure"]


def test_what_is_held_is_doubted_and_does_not_disagree(stage: Stage) -> None:
    offering = stage.offering()
    stage.source("models-dev", 30)
    stage.read("models-dev", 0, {offering: [price("1")]})
    stage.read("litellm", 4, {offering: [price("1")]})
    stage.read("litellm", 5, {offering: [price("100")]})
    assert standing() == []


def test_what_is_believed_is_what_the_first_speaker_says_whoever_said_it_first(stage: Stage) -> None:
    offering = stage.offering()
    stage.source("openrouter", 20)
    stage.read("models-dev", 0, {offering: [price("1"), price("2", LONG)]})
    stage.read("openrouter", 1, {offering: [price("1")]})
    row = Disagreement.objects.get(closed_at=None)
    assert (row.source.slug, row.kind, row.line.above_input_tokens > 0) == ("models-dev", "structure", True)
    assert row.believed_source == stage.source("openrouter")


def test_who_said_the_believed_price_once_and_left_it_disagrees_with_who_says_it_now(stage: Stage) -> None:
    offering = stage.offering()
    stage.source("openrouter", 20)
    stage.read("models-dev", 0, {offering: [price("1")]})
    stage.read("openrouter", 1, {offering: [price("1")]})
    stage.read("models-dev", 2, {offering: [price("2")]})
    row = Disagreement.objects.get(closed_at=None)
    assert (row.source.slug, row.believed_source) == ("models-dev", stage.source("openrouter"))


def test_it_ends_when_a_reading_no_longer_has_the_line(stage: Stage) -> None:
    offering, other = stage.offering(), stage.offering("another")
    stage.source("models-dev", 30)
    stage.read("models-dev", 0, {offering: [price("1")]})
    stage.read("litellm", 4, {offering: [price("2")], other: [price("3")]})
    assert standing() == [("litellm", "amount", "2")]
    stage.read("litellm", 5, {other: [price("3")]})
    assert standing() == []


def test_against_a_pin_no_source_is_believed(stage: Stage, person: ledger.Ruling) -> None:
    offering = stage.offering()
    stage.source("models-dev", 30)
    stage.read("models-dev", 0, {offering: [price("1")]})
    stage.read("litellm", 4, {offering: [price("2")]})
    ledger.pin(offering, claim("3", since=50), person)
    rows = {row.source.slug: row for row in Disagreement.objects.filter(closed_at=None)}
    assert set(rows) == {"models-dev", "litellm"}
    assert {(row.believed_source, row.believed_amount) for row in rows.values()} == {(None, 3)}
