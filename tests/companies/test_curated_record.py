"""The record that ships with the project keeps its own rules, and a bad one is refused with a useful error."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from companies.record.entries import EventEntry
from companies.record.files import BadRecord
from companies.record.reading import CuratedRecord, read_record
from companies.record.tables import Seller, developer_table, seller_table
from tests.companies.small_record import COMPANY, EVENTS, METRICS, write_record

DATA = Path(__file__).resolve().parents[2] / "data"


@pytest.fixture(scope="module")
def record() -> CuratedRecord:
    return read_record(DATA)


def _deepseek(record: CuratedRecord) -> list[EventEntry]:
    return [event for event in record.events if event.company == "deepseek"]


def test_every_file_of_the_record_is_right(record: CuratedRecord) -> None:
    assert len(record.companies) == 57
    assert len(record.events) >= 158
    assert len(record.metrics) >= 139
    assert record.description.licence == "MIT"


def test_no_file_of_the_record_names_where_it_was_compiled() -> None:
    for path in DATA.rglob("*.yaml"):
        text = path.read_text(encoding="utf-8")
        assert "seen_in" not in text, path
        assert "/work/" not in text, path


def test_a_provider_id_means_one_seller(record: CuratedRecord) -> None:
    sellers = seller_table(record.companies)
    assert sellers["models-dev", "deepseek"] == Seller("deepseek", "", "")
    assert sellers["litellm", "azure_text"].company == "microsoft-azure"
    assert sellers["litellm", "vertex_ai-anthropic_models"].company == "google-vertex"
    assert sellers["litellm", "bedrock_converse"].company == "amazon-bedrock"


def test_what_a_company_sells_twice_under_one_id_has_a_listing(record: CuratedRecord) -> None:
    sellers = seller_table(record.companies)
    assert sellers["models-dev", "zai-coding-plan"] == Seller("zhipu", "coding-plan", "included")
    assert sellers["models-dev", "kimi-for-coding"].zeros == "included"
    for twin in ("moonshotai-cn", "alibaba-cn", "minimax-cn", "siliconflow-cn", "zhipuai"):
        assert sellers["models-dev", twin].listing == "cn"


def test_copilot_listings_cost_nothing_because_a_plan_includes_them(record: CuratedRecord) -> None:
    assert seller_table(record.companies)["models-dev", "github-copilot"].zeros == "included"


def test_the_vendor_part_of_a_model_id_names_its_developer(record: CuratedRecord) -> None:
    developers = developer_table(record.companies)
    assert developers["meta-llama"] == "meta"
    assert developers["z-ai"] == "zhipu"


def test_the_timeline_of_deepseek_goes_from_price_war_to_charging(record: CuratedRecord) -> None:
    keys = [event.key for event in _deepseek(record)]
    road = [
        "deepseek-v2-opens-price-war",
        "top-ups-suspended",
        "deepseek-v3-promotion-ends",
        "night-discount",
        "night-discount-ends",
        "v3-2-exp-cut",
        "deepseek-v4-preview",
        "cache-hits-to-a-tenth",
        "v4-pro-promotion",
        "v4-pro-promotion-extended",
        "v4-pro-promotion-permanent",
        "commentary-rite-of-passage",
        "peak-pricing-announced",
        "peak-pricing-in-force",
        "weekends-off-peak",
        "v4-pro-reroute-announced",
        "v4-1-flash-replaces-v4-flash",
        "v4-pro-reroute-postponed",
        "v4-pro-reroute-cancelled",
        "search-and-fetch-charged",
    ]
    assert [key for key in keys if key in road] == road
    assert len(keys) >= 31


def test_events_stand_in_order_of_announcement(record: CuratedRecord) -> None:
    days = [event.announced_on or event.effective_on for event in _deepseek(record)]
    assert days == sorted(days)


def test_the_moments_at_which_deepseek_began_to_charge_are_exact(record: CuratedRecord) -> None:
    moments = {event.key: event.effective_at for event in _deepseek(record) if event.effective_at}
    assert moments["deepseek-v3-promotion-ends"] == datetime(2025, 2, 8, 16, tzinfo=UTC)
    assert moments["peak-pricing-in-force"] == datetime(2026, 8, 16, 16, tzinfo=UTC)
    assert moments["search-and-fetch-charged"] == datetime(2026, 10, 31, 16, tzinfo=UTC)


def test_an_opinion_piece_is_recorded_as_commentary(record: CuratedRecord) -> None:
    (essay,) = [event for event in _deepseek(record) if event.key == "commentary-rite-of-passage"]
    assert essay.kind == "commentary"
    assert essay.citation.source_class == "press"


def test_figures_keep_every_digit(tmp_path: Path) -> None:
    (metric,) = read_record(write_record(tmp_path)).metrics
    assert metric.value == Decimal("1234567890.10")


def test_norway_is_a_country_and_not_a_no(tmp_path: Path) -> None:
    (company,) = read_record(write_record(tmp_path, company=COMPANY.replace('"NO"', "NO"))).companies
    assert company.country == "NO"


@pytest.mark.parametrize(
    ("file", "text", "complaint"),
    [
        ("events", EVENTS.replace("https://acme.example/news", "acme.example"), "source_url is 'acme.example'"),
        ("events", EVENTS.replace("precision: day", "precision: roughly"), "precision is 'roughly', but one of exact"),
        ("events", EVENTS.replace("    confidence: high\n", ""), "confidence is missing, but this entry needs it"),
        ("events", EVENTS.replace("confidence", "confidense"), "confidence is missing"),
        ("events", EVENTS.replace("kind:", "sort: x\n    kind:"), "sort is no field of this entry"),
        ("events", EVENTS.replace('on: "2025-01-02"', 'on: "2025-02-30"'), "which is no day of the calendar"),
        ("events", EVENTS.replace("company: acme", "company: other"), "the file is named acme.yaml"),
        ("events", EVENTS.replace("precision: day", "precision: exact"), "exact if and only if effective_at"),
        ("events", EVENTS.replace("A million", "A million " + "very " * 70), "a sentence of"),
        ("events", EVENTS + EVENTS.split("events:\n")[1], "the key first-price stands twice"),
        ("metrics", METRICS.replace('"1234567890.10"', "1.2e9"), "value is '1.2e9', but a number such as 0.435"),
        ("metrics", METRICS.replace("1234567890.10", "1." + "1" * 19), "more digits"),
        ("company", COMPANY.replace("kind: lab", "kind: bank"), "kind is 'bank', but one of lab, cloud"),
        ("company", COMPANY + "parent: nobody\n", "parent is nobody, which has no file"),
        ("company", COMPANY + "parent: acme\n", "makes acme its own parent"),
        ("company", COMPANY + "founded: 2001\n", "the year of foundation needs a citation"),
        ("company", COMPANY.replace("id: acme-cn", "id: acme"), "provider id acme stands for acme and acme"),
        ("company", COMPANY + "slug: acme\n", "'slug' stands here twice"),
        ("company", "just a line\n", "a mapping of fields was expected"),
        ("company", "slug: [acme\n", "the file is not YAML"),
        ("record", 'schema: "2"\ncompiled_on: "2025-07-01"\nlicence: MIT\n', "schema is '2', but one of 1"),
    ],
)
def test_a_mistake_is_refused_with_its_place_and_what_is_right(
    tmp_path: Path, file: str, text: str, complaint: str
) -> None:
    folder = write_record(tmp_path, **{file: text})
    with pytest.raises(BadRecord) as refusal:
        read_record(folder)
    message = str(refusal.value)
    assert complaint in message
    assert "\n" not in message
    assert "acme" in message or message.startswith("data/record.yaml")


def test_a_record_without_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadRecord, match="the file cannot be read"):
        read_record(tmp_path)


def test_what_was_announced_and_taken_back_has_the_day_on_which_it_was_said(record: CuratedRecord) -> None:
    days = {
        event.key: event.announced_on
        for event in record.events
        if event.effective_on is None and event.effective_at is None
    }
    assert days["v4-pro-reroute-announced"] == date(2026, 9, 9)
    assert days["v4-pro-reroute-postponed"] == date(2026, 9, 10)
    assert days["v4-pro-reroute-cancelled"] == date(2026, 9, 11)
    assert days["sonnet-5-increase-cancelled"] == date(2026, 8, 10)
    said = [event for event in record.events if event.kind == "statement" or event.kind.startswith("announcement_")]
    assert all(event.key in days for event in said)


def test_a_month_stands_at_its_first_day(record: CuratedRecord) -> None:
    coarse = [event for event in record.events if event.precision in ("month", "year")]
    assert coarse
    assert {day.day for event in coarse for day in (event.announced_on, event.effective_on) if day} == {1}
