"""The record's plans and dated prices read as a source's claims, or are refused whole."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.management import call_command

from feeds.adapters.curated import bundle, citations, parse, plan_descriptions, withdrawals
from feeds.curation import load_curated
from pricing.claims import Claim, Conditions, ParsedDocument, ParsedOffering, SlotRule, UnreadableDocument
from pricing.ledger import Ruling, relist
from pricing.models import Decision, Price, PricingChange, Reference
from tests.companies.small_record import PLANS, PRICES, write_record

DATA = Path(__file__).resolve().parents[2] / "data"


@pytest.fixture(scope="module")
def document() -> ParsedDocument:
    return parse(bundle(DATA))


def _offering(document: ParsedDocument, provider: str, model: str) -> ParsedOffering:
    (found,) = [o for o in document.offerings if (o.provider, o.model) == (provider, model)]
    return found


def _withdrawn(at: str) -> str:
    """The small record's prices, their model withdrawn."""
    cited = "source_url: 'https://acme.example/end', source_title: End, source_class: official, confidence: low"
    return PRICES.replace("    name: Acme 1\n", f"    name: Acme 1\n    withdrawn: {{{at}, {cited}}}\n")


def _at(offering: ParsedOffering, line: Conditions, moment: str) -> list[str]:
    """The amounts that hold for a line at a moment."""
    when = datetime.fromisoformat(moment).replace(tzinfo=UTC)

    def holds(claim: Claim) -> bool:
        begun = claim.effective_from is None or claim.effective_from <= when
        return begun and (claim.effective_until is None or when < claim.effective_until)

    return [str(claim.amount) for claim in offering.claims if claim.line == line and holds(claim)]


def test_equal_files_give_equal_bytes() -> None:
    assert bundle(DATA) == bundle(DATA)


def test_every_plan_of_the_record_is_an_offering(document: ParsedDocument) -> None:
    plans = [offering for offering in document.offerings if offering.model.startswith("plan:")]
    assert len(plans) == len(plan_descriptions(bundle(DATA))) >= 88
    assert {plan.facts.mode for plan in plans} == {"plan"}
    assert len({plan.provider for plan in plans}) >= 26


def test_a_plan_states_its_price_per_billing_period_and_country(document: ParsedDocument) -> None:
    doubao = _offering(document, "bytedance", "plan:doubao-standard")
    month, year = doubao.claims
    assert month.line == Conditions("subscriptions", variant="month", region="CN")
    assert (month.amount, month.currency) == (Decimal(68), "CNY")
    assert (year.line.variant, year.amount) == ("year", Decimal(688))


def test_a_plan_that_costs_nothing_states_a_zero(document: ParsedDocument) -> None:
    assert [claim.amount for claim in _offering(document, "deepseek", "plan:deepseek-app").claims] == [Decimal(0)]


def test_prices_of_one_plan_over_time_are_one_offering(document: ParsedDocument) -> None:
    business = _offering(document, "openai", "plan:chatgpt-business")
    monthly = Conditions("seats", variant="month")
    yearly = Conditions("seats", variant="month", commitment="12-month")
    assert _at(business, monthly, "2026-04-01") == ["30"]
    assert _at(business, monthly, "2026-04-02") == ["25"]
    assert _at(business, yearly, "2026-04-02") == ["20"]


@pytest.mark.parametrize(
    ("moment", "amounts"),
    [
        ("2025-02-08T15:59:59", ["0.14"]),
        ("2025-02-08T16:00:00", ["0.27"]),
        ("2025-09-05T16:00:00", ["0.56"]),
        ("2025-09-29T00:00:00", ["0.28"]),
        ("2026-07-24T15:59:00", []),
    ],
)
def test_deepseek_chat_has_its_price_at_every_moment(document: ParsedDocument, moment: str, amounts: list[str]) -> None:
    chat = _offering(document, "deepseek", "deepseek-chat")
    assert _at(chat, Conditions("input_tokens"), moment) == amounts


def test_the_night_discount_has_slots_and_hours(document: ParsedDocument) -> None:
    chat = _offering(document, "deepseek", "deepseek-chat")
    assert _at(chat, Conditions("input_tokens", slot="off-peak"), "2025-06-01") == ["0.135"]
    assert _at(chat, Conditions("input_tokens", slot="peak"), "2025-06-01") == ["0.27"]
    assert _at(chat, Conditions("input_tokens"), "2025-06-01") == []
    night, rest = chat.slots
    assert (night.windows, night.time_zone, rest.is_rest) == (((30, 510),), "Asia/Shanghai", True)


def test_a_promotion_is_a_layer_with_an_end(document: ParsedDocument) -> None:
    pro = _offering(document, "deepseek", "deepseek-v4-pro")
    promo = [claim for claim in pro.claims if claim.line.layer == "promo"]
    assert {claim.effective_until for claim in promo} == {datetime(2026, 5, 31, 15, 59, tzinfo=UTC)}
    assert _at(pro, Conditions("input_tokens"), "2026-05-01") == ["1.74"]
    assert _at(pro, Conditions("input_tokens"), "2026-06-01") == ["0.435"]


def test_weekends_leave_the_peak_from_23_august(document: ParsedDocument) -> None:
    flash = _offering(document, "deepseek", "deepseek-v4-flash")
    before, after = [rule for rule in flash.slots if rule.slot == "peak"]
    assert (before.weekdays, after.weekdays) == ((), (1, 2, 3, 4, 5))
    assert before.effective_until == after.effective_from == datetime(2026, 8, 22, 16, tzinfo=UTC)


def test_every_api_price_of_the_record_says_since_when(document: ParsedDocument) -> None:
    for offering in document.offerings:
        if not offering.model.startswith("plan:"):
            assert all(claim.effective_from for claim in offering.claims), offering.model


def test_a_price_sheet_ends_where_another_begins_or_for_good_and_else_is_open(document: ParsedDocument) -> None:
    """A stop without any of these reads as a withdrawal that never happened."""
    retired = withdrawals(bundle(DATA))
    for offering in document.offerings:
        ends = {claim.effective_until for claim in offering.claims}
        if offering.model.startswith("plan:") or offering.model == "o3" or not offering.claims:
            continue
        withdrawal = retired.get((offering.provider, offering.model))
        last = None if None in ends else max(end for end in ends if end)
        assert last == (withdrawal.at if withdrawal else None), offering.model
        starts = {claim.effective_from for claim in offering.claims}
        surcharge = {claim.effective_until for claim in offering.claims if claim.line.above_input_tokens}
        assert len(ends - starts - surcharge) == 1, offering.model


def test_what_was_switched_off_is_withdrawn_with_a_citation() -> None:
    found = withdrawals(bundle(DATA))
    chat = found["deepseek", "deepseek-chat"]
    assert chat.at == datetime(2026, 7, 24, 15, 59, tzinfo=UTC)
    assert chat.citation.url.startswith("https://")
    assert set(found) == {
        ("anthropic", "claude-3-5-haiku-20241022"),
        ("deepseek", "deepseek-chat"),
        ("deepseek", "deepseek-reasoner"),
        ("openai", "gpt-4.5-preview"),
        ("openai", "o1-mini"),
    }


def test_every_offering_has_a_citation(document: ParsedDocument) -> None:
    cited = citations(bundle(DATA))
    assert set(cited) == {(offering.provider, offering.model) for offering in document.offerings}
    assert all(citation.url.startswith("http") for found in cited.values() for citation in found)


def test_amounts_keep_the_digits_that_were_written(tmp_path: Path) -> None:
    small = parse(bundle(write_record(tmp_path)))
    assert _at(
        _offering(small, "acme", "plan:acme-plus"), Conditions("subscriptions", variant="month"), "2025-07-01"
    ) == ["12.50"]
    assert _offering(small, "acme", "acme-1").slots == (
        SlotRule("night", ((30, 510),), (1, 2), "Asia/Shanghai"),
        SlotRule("rest", is_rest=True),
    )


def test_a_plan_is_described_by_the_price_that_lasts(tmp_path: Path) -> None:
    described = plan_descriptions(bundle(write_record(tmp_path)))["acme", "acme-plus"]
    assert (described.audience, described.allowances) == ("consumer", "A hundred questions.")


@pytest.mark.parametrize(
    ("file", "text", "complaint"),
    [
        ("plans", PLANS.replace('"12.50"', "null"), "amount is 'null', but a number such as 0.435"),
        ("plans", PLANS.replace("billing_period: month", "billing_period: moon"), "billing_period is 'moon'"),
        ("plans", PLANS.replace('until: "2025-06-01"', 'until: "2025-06-02"'), "two prices of subscriptions hold"),
        ("plans", PLANS.replace('until: "2025-06-01"', 'until: "2024-06-01"'), "has to be after effective_from"),
        ("plans", PLANS.replace('        effective_from: "2025-01-02"\n', ""), "precision is unknown if and only if"),
        ("plans", PLANS.replace("source_class: official", "source_class: rumour"), "source_class is 'rumour'"),
        ("plans", PLANS + PLANS.split("plans:\n")[1], "the plan acme-plus stands twice"),
        ("prices", PRICES.replace('effective_from: "2025-01-02"', "note: new"), "effective_from is missing"),
        ("prices", PRICES.replace("output_tokens", "outputs"), "outputs is no meter"),
        ("prices", PRICES.replace("slot: night\n        amounts", "slot: noon\n        amounts"), "no rule for noon"),
        ("prices", PRICES.replace("00:30-08:30", "half past"), "holds 'half past', but hours such as"),
        ("prices", PRICES.replace("Asia/Shanghai", "Asia/Atlantis"), "time_zone is 'Asia/Atlantis'"),
        ("prices", PRICES.replace("16:00:00Z", "16:00:00"), "2026-08-16T16:00:00Z was expected"),
        ("prices", _withdrawn("at: yesterday"), "at is 'yesterday'"),
        ("prices", _withdrawn("until: '2025-04-01'"), "at is missing"),
        ("prices", _withdrawn("at: '2025-04-01'").replace("low", "some"), "confidence is 'some'"),
        ("prices", _withdrawn("at: '2025-03-01'"), "withdrawn comes before the end of a sheet"),
        ("prices", PRICES.replace("seller: acme", "seller: other"), "the file is named acme.yaml"),
    ],
)
def test_a_mistake_refuses_the_whole_bundle(tmp_path: Path, file: str, text: str, complaint: str) -> None:
    folder = write_record(tmp_path, **{file: text})
    with pytest.raises(UnreadableDocument) as refusal:
        bundle(folder)
    assert complaint in str(refusal.value)
    assert f"{file}/acme.yaml" in str(refusal.value)


def test_plans_of_a_company_without_a_file_are_refused(tmp_path: Path) -> None:
    folder = write_record(tmp_path)
    (folder / "plans" / "nobody.yaml").write_text(PLANS.replace("company: acme", "company: nobody"))
    with pytest.raises(UnreadableDocument, match="nobody has no file in data/companies"):
        bundle(folder)


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"schema": "1"}', b'{"plans": '])
def test_what_is_no_bundle_is_refused(body: bytes) -> None:
    with pytest.raises(UnreadableDocument):
        parse(body)


def test_a_bundle_of_another_schema_is_refused() -> None:
    other = json.dumps({**json.loads(bundle(DATA)), "schema": "9"}).encode()
    with pytest.raises(UnreadableDocument, match="schema is '9'"):
        parse(other)


@pytest.mark.django_db
def test_what_is_switched_off_stays_so_although_a_feed_lists_it() -> None:
    assert load_curated().withdrawn == 5
    call_command("refresh", "genai-prices")
    chat = Reference.objects.get(source__slug="genai-prices", external_id="deepseek-chat").offering
    assert chat.status == "withdrawn"
    moment = datetime(2026, 11, 23, tzinfo=UTC)
    in_force = Price.objects.filter(line__offering=chat, known_until__isnull=True, effective_from__lte=moment)
    assert not in_force.exclude(effective_until__lte=moment).exists()
    assert not PricingChange.objects.filter(kind="relisted", offering=chat).exists()


@pytest.mark.django_db
def test_a_withdrawal_is_ruled_once_and_a_person_may_relist() -> None:
    load_curated()
    decisions, changes = Decision.objects.count(), PricingChange.objects.count()
    assert load_curated().withdrawn == 0
    assert (Decision.objects.count(), PricingChange.objects.count()) == (decisions, changes)
    chat = Reference.objects.get(source__slug="curated", external_id="deepseek-chat").offering
    relist(chat, Ruling(by=None, note="It is back."))
    assert load_curated().withdrawn == 0
