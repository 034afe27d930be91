"""A refresh takes a document whole, says what it did, and changes nothing when it cannot."""

from __future__ import annotations

from decimal import Decimal

import pytest

from companies.models import Company
from feeds.enrolment import feed_named
from feeds.models import Payload, Refresh
from feeds.refreshing import RefreshRefused
from pricing.models import Observation, Offering, Price, PricingChange, Reference, Statement
from tests.feeds.small_feeds import catalogue, day, price_map, read

pytestmark = pytest.mark.django_db

FIRST = catalogue(deepseek_chat={"input": 0.27, "output": 1.1})
SECOND = catalogue(deepseek_chat={"input": 0.56, "output": 1.68})


def test_a_first_document_lists_what_it_sells_and_none_of_it_is_news() -> None:
    report = read(FIRST, day(1))
    assert (report.status, report.counts["seen"], report.counts["new"]) == ("done", 1, 1)
    offering = Offering.objects.get()
    assert (offering.seller.slug, offering.external_id, offering.status) == ("deepseek", "deepseek-chat", "listed")
    assert list(PricingChange.objects.values_list("kind", "initial")) == [("listed", True)]


def test_a_moved_price_is_one_change_with_both_lines() -> None:
    read(FIRST, day(1))
    read(SECOND, day(2))
    change = PricingChange.objects.get(initial=False)
    assert change.kind == "increase"
    assert {line.line.meter: (line.old, line.new) for line in change.lines.all()} == {
        "input_tokens": (Decimal("0.27"), Decimal("0.56")),
        "output_tokens": (Decimal("1.1"), Decimal("1.68")),
    }
    assert change.observed_after == day(1)
    assert change.effective_at == change.detected_at == day(2)


def test_the_same_document_again_only_says_that_it_was_read_again() -> None:
    read(FIRST, day(1))
    report = read(FIRST, day(2))
    assert report.status == "unchanged"
    assert Observation.objects.filter(source__slug="models-dev").count() == 2
    assert Statement.objects.count() == 2
    assert PricingChange.objects.filter(initial=False).count() == 0


def test_the_same_reading_again_writes_nothing() -> None:
    read(FIRST, day(1))
    before = _rows()
    assert read(FIRST, day(1)).status == "unchanged"
    assert _rows() == before


def test_a_reading_older_than_the_last_is_refused_and_nothing_is_written() -> None:
    read(FIRST, day(2))
    before = _rows()
    with pytest.raises(RefreshRefused, match="last read at 2026-01-02"):
        read(SECOND, day(1))
    assert _rows() == before


def test_a_dry_run_says_what_it_would_do_and_writes_nothing() -> None:
    before = _rows()
    report = read(FIRST, day(1), dry_run=True)
    assert report.counts["statements_new"] == 2
    assert "nothing was written" in report.note
    assert _rows() == before


@pytest.mark.parametrize("share", range(1, 10))
def test_a_document_cut_short_anywhere_changes_nothing(share: int) -> None:
    read(FIRST, day(1))
    before = _rows()
    with pytest.raises(RefreshRefused):
        read(SECOND[: len(SECOND) * share // 10], day(2))
    assert _rows() == before


@pytest.mark.parametrize("body", [b"", b"<html>busy</html>", b"[]", b"{}", b"\xff\xfe", b'{"a": NaN}'])
def test_what_is_no_document_of_the_feed_is_refused_in_one_line(body: bytes) -> None:
    with pytest.raises(RefreshRefused) as refused:
        read(body, day(1))
    assert "\n" not in str(refused.value)
    assert not Refresh.objects.exists()


def test_a_bad_row_is_rejected_with_its_reason_and_the_rest_is_taken() -> None:
    report = read(catalogue(good={"input": 1}, bad={"input": -1}), day(1))
    assert report.counts["rejected"] == 1
    assert "0 or more" in report.rejections[0]["reason"]
    assert Offering.objects.get().external_id == "good"
    assert Refresh.objects.get().rejections == report.rejections


def test_an_id_with_control_characters_or_without_end_is_rejected() -> None:
    report = read(catalogue(**{"good": {"input": 1}, "a\x00b": {"input": 1}, "x" * 600: {"input": 1}}), day(1))
    assert report.counts["rejected"] == 2
    assert Offering.objects.count() == 1


def test_the_document_is_archived_once_however_often_it_is_read() -> None:
    read(FIRST, day(1))
    read(SECOND, day(2))
    read(FIRST, day(3))
    assert Payload.objects.count() == 2
    assert Refresh.objects.filter(payload__isnull=False).count() == 3


def test_a_price_in_two_sources_is_one_offering_with_two_references() -> None:
    read(FIRST, day(1))
    row = {"litellm_provider": "deepseek", "input_cost_per_token": 2.7e-07, "output_cost_per_token": 1.1e-06}
    read(price_map(deepseek__deepseek_chat=row), day(2), "litellm")
    assert Offering.objects.count() == 1
    assert set(Reference.objects.values_list("source__slug", "external_id")) == {
        ("models-dev", "deepseek-chat"),
        ("litellm", "deepseek/deepseek-chat"),
    }
    assert Price.objects.filter(known_until__isnull=True).count() == 2


def test_an_unknown_provider_makes_a_company_to_be_reviewed() -> None:
    body = FIRST.replace(
        b'"deepseek": {"id": "deepseek", "name": "DeepSeek"', b'"acme": {"id": "acme", "name": "Acme AI"'
    )
    read(body, day(1))
    company = Company.objects.get(slug="acme")
    assert (company.name, company.needs_review) == ("Acme AI", True)


def test_a_zero_is_free_at_a_lab_and_says_nothing_at_a_reseller_that_is_not_known() -> None:
    read(catalogue(free_model={"input": 0, "output": 0}), day(1))
    assert set(Price.objects.values_list("zero_means", flat=True)) == {"free"}
    body = catalogue(other={"input": 0, "output": 2}).replace(b'"deepseek"', b'"acme"')
    assert read(body, day(2)).counts["zeros_unknown"] == 1


def test_a_model_missing_from_three_readings_over_two_days_is_withdrawn_from_the_first_miss() -> None:
    read(catalogue(kept={"input": 1}, gone={"input": 2}), day(1))
    for number in (2, 3, 4):
        read(catalogue(kept={"input": number}), day(number))
    change = PricingChange.objects.get(kind="withdrawn")
    assert (change.offering.external_id, change.effective_at, change.detected_at) == ("gone", day(2), day(4))
    assert Offering.objects.get(external_id="gone").status == "withdrawn"
    assert Reference.objects.get(external_id="gone").absent_since == day(2)


def test_unchanged_readings_count_towards_a_withdrawal() -> None:
    read(catalogue(kept={"input": 1}, gone={"input": 2}), day(1))
    for number in (2, 3, 4):
        read(catalogue(kept={"input": 1}), day(number))
    assert PricingChange.objects.filter(kind="withdrawn").count() == 1


def test_a_model_missing_twice_and_back_never_left() -> None:
    both = catalogue(kept={"input": 1}, shy={"input": 2})
    read(both, day(1))
    for number in (2, 3):
        read(catalogue(kept={"input": 1}), day(number))
    read(both, day(4))
    assert not PricingChange.objects.filter(initial=False).exists()
    assert Price.objects.get(line__offering__external_id="shy", known_until__isnull=True).effective_from == day(1)


def test_float_noise_is_no_news() -> None:
    read(catalogue(a={"input": 0.39999999999999997}), day(1))
    read(catalogue(a={"input": 0.4}), day(2))
    assert PricingChange.objects.filter(initial=False).count() == 0


def test_what_an_operator_set_on_a_feed_stays_when_the_feeds_are_enrolled_again() -> None:
    from feeds.enrolment import enrol_feeds

    feed = feed_named("litellm")
    feed.enabled = False
    feed.save()
    enrol_feeds()
    assert feed_named("litellm").enabled is False


def _rows() -> dict[str, int]:
    models = (Observation, Statement, Price, PricingChange, Offering, Reference, Company, Refresh, Payload)
    return {model.__name__: model._default_manager.count() for model in models}
