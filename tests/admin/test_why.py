"""Why a price is believed is told from the record alone, in plain words."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from django.test import Client
from django.urls import reverse

from pricing import ledger
from pricing.claims import Claim, Conditions
from pricing.ledger import Reading, Ruling, Told
from pricing.models import Price, Reference, Source
from pricing.why import Explanation, explain
from tests.admin.conftest import INPUT, JULY, World, read, referred, sold

NOW = datetime(2026, 7, 2, tzinfo=UTC)


def price_of(world: World, meter: str, amount: str, *, believed: bool = True) -> Price:
    rows = Price.objects.filter(line__offering=world.chat, line__meter=meter, amount=Decimal(amount))
    return rows.filter(known_until__isnull=believed).latest("pk")


def verdicts(why: Explanation) -> dict[str, str]:
    return {voice.source: voice.verdict for voice in why.voices}


def test_it_names_the_source_its_id_and_its_readings(world: World) -> None:
    why = explain(price_of(world, "input_tokens", "0.27").pk, now=NOW)
    assert why.sentences[0] == (
        "models.dev states 0.27 USD under the id deepseek-chat of deepseek. "
        "It was first read so at 2026-07-01 12:00 UTC, and still so at the last reading, 2026-07-01 12:00 UTC."
    )
    assert "between 2026-06-01 12:00 UTC and 2026-07-01 12:00 UTC" in why.sentences[1]


def test_it_compares_what_every_source_says_in_their_order(world: World) -> None:
    why = explain(price_of(world, "input_tokens", "0.27").pk, now=NOW)
    assert [(v.source, v.rank, v.is_ranked_for_seller) for v in why.voices] == [
        ("models.dev", 35, True),
        ("LiteLLM", 40, False),
    ]
    assert verdicts(why) == {"models.dev": "sets", "LiteLLM": "differs"}
    litellm = why.voices[1]
    assert (litellm.amount, litellm.reference) == (Decimal("0.50"), "deepseek deepseek/ds-chat-latest")
    assert "LiteLLM says otherwise" in " ".join(why.sentences)


def test_a_past_price_is_compared_with_what_was_said_then(world: World) -> None:
    why = explain(price_of(world, "input_tokens", "0.50").pk, now=NOW)
    assert why.moment < JULY
    assert verdicts(why) == {"models.dev": "sets", "LiteLLM": "agrees"}
    assert "It ended at 2026-07-01 12:00 UTC; 0.27 USD followed." in why.sentences


def test_a_row_no_longer_believed_points_to_the_one_that_is(world: World) -> None:
    old = price_of(world, "input_tokens", "0.50", believed=False)
    why = explain(old.pk, now=NOW)
    assert why.instead is not None and why.instead.amount == Decimal("0.27")
    assert "then what was learnt put another row in its place" in why.sentences[-1]


def test_a_pin_names_who_ruled_and_why(world: World) -> None:
    why = explain(price_of(world, "requests", "1.5").pk, now=NOW)
    assert why.sentences[0].startswith("edith pinned it on ")
    assert "“sold so”" in why.sentences[0]
    assert "A person's ruling stands before every source." in why.sentences
    assert [ruling.kind for ruling in why.rulings] == ["pin a price"]


def test_what_an_editor_stated_names_its_citation(world: World) -> None:
    claim = Claim(Conditions("output_tokens"), Decimal("2"), effective_from=JULY, precision="day")
    ledger.state(world.chat, claim, Ruling(world.editor, "bills", "https://example.org/bill", "The bill"))
    why = explain(price_of(world, "output_tokens", "2").pk)
    assert "edith stated it on " in why.sentences[0]
    assert "saying “bills” (source: The bill)" in why.sentences[0]
    assert why.sentences[1] == "The source itself dates the beginning: 2026-07-01."
    assert verdicts(why)["models.dev"] == "differs"


def test_it_says_who_dates_a_move_that_another_source_only_saw(world: World) -> None:
    at = Reference.objects.get(source=world.litellm)
    dated = Claim(INPUT, Decimal("0.27"), effective_from=datetime(2026, 6, 15, tzinfo=UTC), precision="day")
    before = Claim(INPUT, Decimal("0.50"), effective_until=datetime(2026, 6, 15, tzinfo=UTC), precision="unknown")
    told = Told(at.pk, world.chat.pk, [before, dated])
    ledger.observe(Reading(world.litellm, datetime(2026, 7, 1, 13, tzinfo=UTC), "dated"), [told])
    why = explain(price_of(world, "input_tokens", "0.27").pk, now=NOW)
    assert why.sentences[1] == "LiteLLM dates the same move inside the window of the readings: 2026-06-15."


def test_a_flat_price_confirms_one_cell_of_a_finer_tariff(world: World) -> None:
    curated = Source.objects.get_or_create(slug="curated", defaults={"name": "Curated", "precedence": 10})[0]
    finer = sold(world.deepseek, "deepseek-slots", "Slots")
    peak, off_peak = Conditions("input_tokens", slot="peak"), Conditions("input_tokens", slot="off-peak")
    mine = referred(curated, "deepseek", "deepseek-slots", finer)
    theirs = referred(world.litellm, "deepseek", "deepseek-slots", finer)
    read(curated, JULY, {mine: {peak: "2", off_peak: "1"}})
    read(world.litellm, JULY, {theirs: {INPUT: "2"}})
    rows = Price.objects.filter(line__offering=finer, known_until__isnull=True)
    on_peak, off = (explain(rows.get(line__slot=slot).pk, now=NOW) for slot in ("peak", "off-peak"))
    assert verdicts(on_peak)["LiteLLM"] == "confirms"
    assert verdicts(off)["LiteLLM"] == "elsewhere"
    assert next(v.remark for v in off.voices if v.source == "LiteLLM") == "states instead: flat 2 USD"


def test_a_withdrawal_that_ends_a_price_is_named(world: World) -> None:
    ledger.withdraw(world.chat, Ruling(world.editor, "gone from the page"), at=datetime(2026, 8, 1, tzinfo=UTC))
    why = explain(price_of(world, "input_tokens", "0.27").pk)
    assert (
        "It ended at 2026-08-01 00:00 UTC, because edith withdrew the offering, saying “gone from the page”."
        in why.sentences
    )


def test_every_price_has_its_page(browser: Client, world: World) -> None:
    for price in Price.objects.all():
        answer = browser.get(reverse("admin:pricing_price_why", args=[price.pk]))
        assert answer.status_code == 200
        assert "Why this price of" in answer.content.decode()


def test_a_price_that_is_not_there_is_not_found(browser: Client, world: World) -> None:
    assert browser.get(reverse("admin:pricing_price_why", args=[10**9])).status_code == 404
    assert browser.get("/admin/pricing/price/none/why/").status_code == 404
