"""A reading looks only at the rows that are new to its feed; whatever may decide otherwise makes it look at all."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import transaction

from companies.models import AIModel, Company
from feeds.enrolment import feed_named
from feeds.models import SellerAlias, TakenRows
from feeds.replaying import replay, stretch_at
from feeds.row_reading import rows_to_take
from feeds.sellers import Sellers
from pricing.ledger import Ruling, merge, undo
from pricing.models import Decision, Hold, Offering, Price, PricingChange, Reference, Statement
from tests.feeds.small_feeds import catalogue, day, price_map, read
from tests.pricing.stages import assert_clean

pytestmark = pytest.mark.django_db
RULING = Ruling(by=None, note="looked at the page")
COST = {"input": 2.0, "output": 8.0}


def models(count: int = 9, **others: dict[str, float] | None) -> bytes:
    return catalogue(**{f"model_{n}": {"input": n, "output": 4 * n} for n in range(1, count + 1)}, **others)


def going_on(body: bytes, slug: str = "models-dev") -> int:
    """How many rows of a document would not be read anew."""
    feed = feed_named(slug)
    with transaction.atomic():
        rows = rows_to_take(feed, body)
        assert rows is not None
        _, found = rows.begin(Sellers(feed.source), is_old=False)
    return len(found.references)


def news() -> list[str]:
    return list(PricingChange.objects.filter(initial=False).order_by("sequence").values_list("kind", flat=True))


def test_only_rows_that_changed_are_read() -> None:
    read(models(x=COST), day(1))
    changed = models(x=COST | {"input": 3})
    assert (going_on(models(x=COST)), going_on(changed)) == (10, 9)
    report = read(changed, day(2))
    assert (report.counts["seen"], report.counts["changed"], report.counts["statements_new"]) == (10, 1, 1)
    assert going_on(changed) == 10
    assert_clean()


def test_rows_go_on_however_their_document_is_laid_out() -> None:
    read(models(), day(1))
    laid_out = json.dumps(json.loads(models()), indent=4).encode()
    assert going_on(laid_out) == 9
    report = read(laid_out, day(2))
    assert (report.status, report.counts["seen"], report.counts["statements_new"], news()) == ("done", 9, 0, [])


def test_true_is_not_the_row_that_one_was() -> None:
    read(models(x=COST | {"cache_read": 1}), day(1))
    spoilt: dict[str, Any] = COST | {"cache_read": True}
    report = read(models(x=spoilt), day(2))
    assert (going_on(models(x=spoilt)), report.counts["rejected"]) == (9, 1)


def test_what_cannot_be_taken_is_told_of_each_time() -> None:
    spoilt = models(x={"input": -1})
    read(spoilt, day(1))
    report = read(models(x={"input": -1}, y=COST), day(2))
    assert (report.counts["seen"], report.counts["rejected"], len(report.rejections)) == (10, 1, 1)


def test_zeros_that_say_nothing_are_counted_of_every_row() -> None:
    rows = {f"mystery__{name}": {"litellm_provider": "mystery", "input_cost_per_token": 0} for name in ("a", "b")}
    priced = {"litellm_provider": "mystery", "input_cost_per_token": 1e-06}
    read(price_map(**rows, mystery__c=priced), day(1), "litellm")
    report = read(price_map(**rows, mystery__c=priced | {"input_cost_per_token": 2e-06}), day(2), "litellm")
    assert (report.counts["zeros_unknown"], report.counts["seen"]) == (2, 3)


def test_a_rename_in_a_document_that_changed_goes_on_as_one_offering() -> None:
    read(models(claude_sonnet_4_5_20250929=COST), day(1))
    renamed = models(claude_sonnet_4_5={"input": 3.0, "output": 9.0})
    assert going_on(renamed) == 9
    read(renamed, day(2))
    assert (Offering.objects.count(), news()) == (10, ["increase"])
    came = Reference.objects.get(external_id="claude-sonnet-4-5")
    assert came.continues is not None and came.continues.absent_since == day(2)
    assert_clean()


def test_a_price_that_comes_back_while_it_was_held_is_no_news() -> None:
    read(models(x=COST), day(1))
    read(models(x=COST | {"input": 200.0}), day(2))
    assert Hold.objects.get(reason="leap").is_open
    assert going_on(models(x=COST)) == 9
    read(models(x=COST), day(6))
    assert (Hold.objects.get(reason="leap").outcome, news()) == ("lapsed", [])
    assert_clean()


def test_a_held_price_that_goes_on_is_let_go_when_its_source_insists() -> None:
    read(models(x=COST), day(1))
    leapt = COST | {"input": 200.0}
    for number in (2, 4, 6):
        read(models(x=leapt, y={"input": number}), day(number))
    assert (Hold.objects.get(reason="leap").outcome, news().count("increase")) == ("persistence", 3)
    assert_clean()


def test_an_alias_edited_between_readings_is_heard_of_every_row() -> None:
    body = price_map(mystery__a={"litellm_provider": "mystery", "input_cost_per_token": 0})
    read(body, day(1), "litellm")
    assert going_on(body, "litellm") == 1
    company = Company.objects.get(slug="mystery")
    alias = SellerAlias(source=feed_named("litellm").source, provider="mystery", company=company, zeros="free")
    alias.save()
    assert going_on(body, "litellm") == 0
    other = {"litellm_provider": "mystery", "input_cost_per_token": 1e-06}
    read(price_map(mystery__a=json.loads(body)["mystery/a"], mystery__b=other), day(2), "litellm")
    assert Price.objects.filter(line__offering__external_id="a", zero_means="free").count() == 1


def test_another_kind_of_company_is_heard_of_every_row() -> None:
    body = price_map(mystery__a={"litellm_provider": "mystery", "input_cost_per_token": 0})
    read(body, day(1), "litellm")
    Company.objects.filter(slug="mystery").update(kind=Company.Kind.LAB)
    assert going_on(body, "litellm") == 0


def test_after_a_merge_every_row_is_read_and_then_those_of_the_merged_alone() -> None:
    read(models(), day(1))
    one, other = Offering.objects.get(external_id="model-1"), Offering.objects.get(external_id="model-2")
    merge(one, other, RULING)
    assert going_on(models()) == 0
    read(models(x=COST), day(2))
    assert going_on(models(x=COST)) == 10
    undo(Decision.objects.get(kind=Decision.Kind.MERGE), RULING)
    assert going_on(models(x=COST)) == 0
    read(models(x=COST, y=COST), day(3))
    assert_clean()


def test_a_reference_that_leads_elsewhere_is_read_however_it_came_to() -> None:
    read(models(), day(1))
    moved = Reference.objects.get(external_id="model-1")
    other = Offering.objects.get(external_id="model-2")
    Reference.objects.filter(pk=moved.pk).update(offering=other)
    assert going_on(models()) == 8


def test_a_row_that_vanishes_and_comes_back_is_absent_in_between() -> None:
    read(models(x=COST), day(1))
    read(models(), day(2))
    reference = Reference.objects.get(external_id="x")
    assert reference.absent_since == day(2)
    assert Statement.objects.filter(reference=reference, ended_at=day(2)).count() == 2
    read(models(x=COST), day(3))
    reference.refresh_from_db()
    assert (reference.absent_since, news()) == (None, [])
    assert_clean()


def test_a_row_that_stays_away_is_withdrawn_though_nothing_else_changed() -> None:
    read(models(x=COST), day(1))
    for number in (2, 3, 4):
        read(models(9, y={"input": number}), day(number))
    assert "withdrawn" in news()
    assert_clean()


def test_of_twins_one_may_move_while_the_other_goes_on() -> None:
    row = {"litellm_provider": "openai", "input_cost_per_token": 1e-06, "output_cost_per_token": 4e-06}
    read(price_map(gpt_5=row, openai__gpt_5=row), day(1), "litellm")
    moved = price_map(gpt_5=row, openai__gpt_5=row | {"input_cost_per_token": 2e-06})
    assert (Offering.objects.count(), going_on(moved, "litellm")) == (1, 1)
    read(moved, day(2), "litellm")
    assert news() == ["increase"]
    read(price_map(openai__gpt_5=row | {"input_cost_per_token": 2e-06}), day(3), "litellm")
    assert (Statement.objects.filter(ended_at=None).count(), Reference.objects.filter(absent_since=None).count()) == (
        2,
        1,
    )
    assert_clean()


def test_what_a_hold_keeps_back_of_a_document_is_read_each_time() -> None:
    read(models(20), day(1))
    cut = models(10)
    read(cut, day(2))
    assert Hold.objects.get().is_open
    assert (going_on(cut), going_on(models(20))) == (10, 10)
    read(models(20), day(3))
    assert (Hold.objects.get().outcome, going_on(models(20)), news()) == ("lapsed", 20, [])
    assert_clean()


def test_facts_that_a_person_took_away_are_filled_in_again() -> None:
    priced = {"litellm_provider": "openai", "input_cost_per_token": 1e-06, "max_input_tokens": 8000, "mode": "chat"}
    read(price_map(gpt_5=priced), day(1), "litellm")
    offering = Offering.objects.get()
    offering.context_tokens = None
    offering.save()
    read(price_map(gpt_5=priced, gpt_6=priced), day(2), "litellm")
    offering.refresh_from_db()
    assert offering.context_tokens == 8000


def test_an_edited_model_makes_every_row_be_read() -> None:
    read(models(gpt_5=COST), day(1))
    model = AIModel.objects.first()
    assert model is not None
    model.save()
    assert going_on(models(gpt_5=COST)) == 0


def test_an_old_document_read_late_makes_every_row_be_read_once() -> None:
    read(models(), day(4))
    read(models(7), day(1), backfilled=True)
    assert going_on(models()) == 0
    read(models(x=COST), day(5))
    assert going_on(models(x=COST)) == 10


def test_a_document_told_anew_makes_every_row_be_read_once() -> None:
    read(models(), day(1))
    feed = feed_named("models-dev")
    replay(feed, stretch_at(feed))
    assert going_on(models()) == 0


def test_reading_the_same_document_again_forgets_nothing() -> None:
    read(models(), day(1))
    read(models(), day(2))
    assert going_on(models()) == 9


@pytest.mark.parametrize("content", [b"", b"no message pack"])
def test_what_is_remembered_may_be_lost(content: bytes) -> None:
    read(models(), day(1))
    TakenRows.objects.update(content=content)
    assert going_on(models()) == 0
    report = read(models(x=COST), day(2))
    assert (report.counts["seen"], going_on(models(x=COST))) == (10, 10)


def test_all_rows_are_read_on_request() -> None:
    read(models(), day(1))
    report = read(models(x=COST), day(2), in_full=True)
    assert (report.counts["seen"], going_on(models(x=COST))) == (10, 10)


def test_a_dry_run_remembers_nothing() -> None:
    read(models(), day(1))
    read(models(x=COST), day(2), dry_run=True)
    assert going_on(models(x=COST)) == 9
