"""Loading the record fills the tables once, keeps up with the files, and respects what people edited."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from companies.curated import load
from companies.models import BusinessMetric, Company, MonetizationEvent
from companies.record.files import BadRecord
from tests.companies.small_record import COMPANY, EVENTS, METRICS, write_record

DATA = Path(__file__).resolve().parents[2] / "data"

pytestmark = pytest.mark.django_db


def test_the_whole_record_loads_and_a_second_load_writes_nothing() -> None:
    first = load(DATA)
    assert first.companies["created"] == 57
    assert first.written == Company.objects.count() + MonetizationEvent.objects.count() + BusinessMetric.objects.count()
    histories = MonetizationEvent.history.count(), Company.history.count()
    second = load(DATA)
    assert second.written == 0
    assert second.events["unchanged"] == MonetizationEvent.objects.count()
    assert (MonetizationEvent.history.count(), Company.history.count()) == histories


def test_a_loaded_event_keeps_its_moment_and_its_citation() -> None:
    load(DATA)
    event = MonetizationEvent.objects.get(company__slug="deepseek", key="peak-pricing-in-force")
    assert event.effective_at == datetime(2026, 8, 16, 16, tzinfo=UTC)
    assert event.source_class == "official"
    assert event.extra_sources[0]["url"].startswith("https://")


def test_subsidiaries_know_their_parents_and_aliases_find_a_company() -> None:
    load(DATA)
    assert Company.objects.get(slug="volcengine").parent.slug == "bytedance"
    found = Company.objects.filter(aliases__name__iexact="zhipuai-coding-plan").distinct()
    assert [company.slug for company in found] == ["zhipu"]


def test_a_figure_is_exact(tmp_path: Path) -> None:
    load(write_record(tmp_path))
    assert BusinessMetric.objects.get().value == Decimal("1234567890.10")


def test_a_changed_entry_is_written_and_the_others_are_not(tmp_path: Path) -> None:
    load(write_record(tmp_path))
    report = load(write_record(tmp_path, events=EVENTS.replace("opens", "reopens")))
    assert (report.events["updated"], report.written) == (1, 1)
    assert MonetizationEvent.objects.get().title == "Acme reopens its API"


def test_what_a_person_edited_stays_as_it_is(tmp_path: Path) -> None:
    load(write_record(tmp_path))
    MonetizationEvent.objects.update(title="Acme, corrected", edited=True)
    Company.objects.update(name="Acme AS", edited=True)
    report = load(
        write_record(
            tmp_path,
            events=EVENTS.replace("opens", "reopens"),
            company=COMPANY.replace("name: Acme", "name: Acme Inc"),
        )
    )
    assert (report.events["edited"], report.companies["edited"], report.written) == (1, 1, 0)
    assert MonetizationEvent.objects.get().title == "Acme, corrected"
    assert Company.objects.get().name == "Acme AS"


def test_a_record_with_a_mistake_in_its_last_file_changes_nothing(tmp_path: Path) -> None:
    with pytest.raises(BadRecord):
        load(write_record(tmp_path, metrics=METRICS.replace("precision: year", "precision: century")))
    assert not Company.objects.exists()


def test_a_company_made_from_a_provider_id_is_adopted(tmp_path: Path) -> None:
    made = Company.objects.create(slug="acme", name="acme", needs_review=True)
    load(write_record(tmp_path))
    made.refresh_from_db()
    assert (made.name, made.needs_review) == ("Acme", False)


def test_an_entry_that_left_the_files_is_counted_and_kept(tmp_path: Path) -> None:
    load(write_record(tmp_path))
    report = load(write_record(tmp_path, events=EVENTS.replace("first-price", "opening-price")))
    assert (report.events["created"], report.events["dropped"]) == (1, 1)
    assert MonetizationEvent.objects.count() == 2


def test_the_report_reads_as_a_line(tmp_path: Path) -> None:
    assert str(load(write_record(tmp_path))) == "companies: 1 created; events: 1 created; metrics: 1 created"
