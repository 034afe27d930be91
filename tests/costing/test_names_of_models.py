"""costs/: which offering a line's model means, by its own id, by a source's, or by an alias."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from django.db.models import Q
from django.test import Client

from pricing.costing.names import alias_routes
from pricing.identity import identity_key
from pricing.models import Alias, Offering, Price
from tests.api import factories as make
from tests.costing.asking import call, fault, results

JUNE, JULY, AUGUST = (make.moment(f"2026-0{month}-01") for month in (6, 7, 8))


def alias(external_id: str, target: Any, since: datetime | None = None, **values: Any) -> Alias:
    return make.alias(external_id, target, since, source=make.source("curated"), precision="exact", **values)


def priced(name: str, amount: str, **values: Any) -> Offering:
    offering = make.offering(name, **values)
    make.price(make.line(offering), amount)
    return offering


@pytest.mark.parametrize("name", ["deepseek-chat", "DeepSeek_Chat", "deepseek.chat", "deepseek/deepseek-chat"])
def test_model_is_found_by_any_id_that_somebody_knows_it_by(client: Client, chat: Offering, name: str) -> None:
    (result,) = results(client, call(name))
    assert result["items"][0]["price"]["offering"] == chat.pk
    assert result["alias"] is None


def test_id_that_no_source_gives_any_more_still_leads_there(client: Client, chat: Offering) -> None:
    make.reference(chat, external_id="deepseek-chat-0324", absent_since=JUNE)
    (result,) = results(client, call("deepseek-chat-0324"))
    assert result["total"] == "0.435"


def test_id_at_another_seller_is_another_offering(client: Client, chat: Offering) -> None:
    priced("deepseek-chat", "9", seller=make.company("azure"))
    own, resold = results(client, call(), call(seller="azure"))
    assert (own["total"], resold["total"]) == ("0.435", "9")


def test_plain_listing_comes_before_the_others(client: Client, db: None) -> None:
    priced("glm-5", "9", listing="coding-plan")
    priced("glm-5", "1")
    (result,) = results(client, call("glm-5"))
    assert result["total"] == "1"


def spelt(name: str, amount: str, **values: Any) -> Offering:
    """An offering whose id the seller writes in its own way."""
    offering = priced(name, amount, **values)
    Offering.objects.filter(pk=offering.pk).update(identity_key=identity_key(name))
    return offering


def in_a_plan(name: str, listing: str) -> Offering:
    offering = make.offering(name, listing=listing)
    make.price(make.line(offering), "0", zero_means="included")
    return offering


@pytest.mark.parametrize("name", ["glm-5", "GLM-5", "Glm_5"])
def test_plain_listing_is_taken_however_it_spells_the_id(client: Client, db: None, name: str) -> None:
    in_a_plan("glm-5", "coding-plan")
    spelt("glm-5", "2", listing="cn")
    spelt("GLM-5", "1")
    (result,) = results(client, call(name))
    assert (result["total"], result["notes"]) == ("1", [])


def test_plan_that_includes_a_model_is_never_chosen_while_it_is_sold_by_the_call(client: Client, db: None) -> None:
    in_a_plan("glm-5", "coding-plan")
    spelt("GLM-5", "2", listing="cn")
    (result,) = results(client, call("glm-5"))
    assert result["total"] == "2"
    assert result["notes"] == ["sold in several listings: priced as cn, and not as coding-plan"]


def test_plain_listing_in_which_nothing_has_a_price_is_not_priced_as_a_plan(client: Client, db: None) -> None:
    in_a_plan("glm-5", "coding-plan")
    make.offering("glm-5", status="unpriced")
    (result,) = results(client, call("glm-5"))
    assert [gap["meter"] for gap in result["unpriced"]] == ["input_tokens"]


def test_model_that_only_a_plan_includes_is_priced_as_the_plan(client: Client, db: None) -> None:
    in_a_plan("glm-5-code", "coding-plan")
    (result,) = results(client, call("glm-5-code"))
    assert result["total"] == "0"
    assert "included in the plan" in result["notes"][0]


def test_plain_listing_that_is_not_taken_is_named_in_words(client: Client, db: None) -> None:
    make.reference(priced("glm-5-old", "1"), external_id="glm-5", absent_since=JUNE)
    priced("glm-5", "2", listing="abroad")
    (result,) = results(client, call("glm-5"))
    assert result["total"] == "2"
    assert result["notes"] == ["sold in several listings: priced as abroad, and not as the plain listing"]


def test_listing_with_prices_comes_before_one_without(client: Client, db: None) -> None:
    make.offering("glm-5", status="unpriced")
    priced("glm-5", "1", listing="abroad")
    (result,) = results(client, call("glm-5"))
    assert result["total"] == "1"


def test_one_of_several_listings_is_taken_with_a_note_unless_a_sources_provider_id_tells_them_apart(
    client: Client, db: None
) -> None:
    for listing, amount in (("groq", "1"), ("nscale", "3")):
        make.reference(priced("glm-5", amount, listing=listing), provider=f"deepseek_{listing}")
    unclear, clear = results(client, call("glm-5"), call("glm-5", seller="deepseek_nscale"))
    assert (unclear["total"], unclear["notes"]) == (
        "1",
        ["sold in several listings: priced as groq, and not as nscale"],
    )
    assert (clear["total"], clear["notes"]) == ("3", [])


def test_offering_that_was_merged_stands_for_the_other(client: Client, chat: Offering) -> None:
    middle = make.offering("deepseek-v3", status="merged", merged_into=chat)
    make.offering("deepseek-v3-old", status="merged", merged_into=middle)
    (result,) = results(client, call("deepseek-v3-old"))
    assert result["items"][0]["price"]["offering"] == chat.pk


def test_id_that_fixes_a_region_prices_that_region(client: Client, db: None) -> None:
    offering = make.offering("gpt-5")
    inside, outside = make.line(offering, region="eu"), make.line(offering)
    make.price(inside, "1.1")
    make.price(outside, "1")
    european = make.reference(offering, external_id="azure/eu/gpt-5")
    make.statement(inside, "1.1", reference=european)
    found = results(client, call("azure/eu/gpt-5"), call("gpt-5"), call("azure/eu/gpt-5", region="us"))
    assert [result["total"] for result in found] == ["1.1", "1", "1"]


def test_alias_leads_to_its_target_and_is_named(client: Client, chat: Offering) -> None:
    row = alias("deepseek-latest", chat, JUNE, effective_until=AUGUST, citation_url="https://example.com/news")
    (result,) = results(client, call("DeepSeek-Latest", at="2026-07-01T00:00:00Z"))
    assert result["total"] == "0.435"
    assert result["alias"] == {
        "id": row.pk,
        "seller": "deepseek",
        "external_id": "deepseek-latest",
        "offering": chat.pk,
        "target": "deepseek-chat",
        "model": None,
        "effective_from": "2026-06-01T00:00:00Z",
        "effective_until": "2026-08-01T00:00:00Z",
        "precision": "exact",
        "source": "curated",
        "citation_url": "https://example.com/news",
    }


def test_alias_leads_to_another_target_at_another_moment(client: Client, chat: Offering) -> None:
    alias("latest", chat, JUNE, effective_until=JULY)
    alias("latest", priced("deepseek-v5", "2"), JULY)
    found = results(client, *(call("latest", at=at) for at in ("2026-06-30T23:59:59Z", "2026-07-01T00:00:00Z")))
    assert [result["total"] for result in found] == ["0.435", "2"]


def test_alias_to_a_model_leads_to_what_the_seller_sells_of_it(client: Client, chat: Offering) -> None:
    priced("ds-v4", "9", seller=make.company("azure"), model=chat.model)
    alias("latest", chat.model, JUNE)
    (result,) = results(client, call("latest"))
    assert (result["total"], result["alias"]["offering"], result["alias"]["model"]) == ("0.435", chat.pk, "deepseek-v4")


def test_alias_counts_as_it_was_known_then(client: Client, chat: Offering) -> None:
    announced = alias("latest", chat, JULY, known_until=JUNE)
    alias("latest", priced("deepseek-v5", "2"), JULY, known_from=JUNE)
    before, after = results(
        client,
        call("latest", at="2026-07-02T00:00:00Z", known_at="2026-05-31T00:00:00Z"),
        call("latest", at="2026-07-02T00:00:00Z"),
    )
    assert (before["alias"]["id"], before["total"]) == (announced.pk, "0.435")
    assert after["total"] == "2"


def test_own_price_wins_over_an_alias_while_it_is_in_force(client: Client, chat: Offering) -> None:
    Price.objects.update(effective_until=JULY)
    alias("deepseek-chat", priced("deepseek-v5", "2"))
    found = results(client, call(), call(at="2026-07-01T00:00:00Z"))
    assert [(result["total"], result["alias"] is None) for result in found] == [("0.435", True), ("2", False)]


def test_alias_that_has_not_begun_says_when_it_does(client: Client, chat: Offering) -> None:
    alias("latest", chat, JULY)
    (result,) = results(client, call("latest"))
    assert fault(result)["pointer"] == "#/lines/0/model"
    assert "deepseek-chat from 2026-07-01" in fault(result)["detail"]


def test_alias_mended_in_place_counts_at_once(client: Client, chat: Offering) -> None:
    row = alias("latest", chat, JUNE)
    assert results(client, call("latest"))[0]["total"] == "0.435"
    Alias.objects.filter(pk=row.pk).update(known_until=AUGUST)
    assert results(client, call("latest"))[0]["error"] is not None


def test_target_without_a_price_leads_on_and_the_first_alias_is_named(client: Client, chat: Offering) -> None:
    middle = alias("middle", chat, JUNE).offering
    first = alias("latest", middle, JUNE)
    (result,) = results(client, call("latest"))
    assert (result["total"], result["alias"]["id"]) == ("0.435", first.pk)


def test_ids_that_lead_in_a_circle_have_no_price(client: Client, db: None) -> None:
    middle = make.offering("middle", status="unpriced")
    end = alias("end", middle, JUNE).offering
    alias("middle", end, JUNE)
    (result,) = results(client, call("end"))
    assert [unpriced["meter"] for unpriced in result["unpriced"]] == ["input_tokens"]


def test_alias_to_a_model_does_not_lead_to_the_id_itself(client: Client, chat: Offering) -> None:
    routed = alias("deepseek-v4-latest", chat.model, JUNE).offering
    Offering.objects.filter(pk=routed.pk).update(model=chat.model)
    (result,) = results(client, call("deepseek-v4-latest"))
    assert result["alias"]["offering"] == chat.pk


def test_alias_is_found_by_a_sources_id_of_the_id_that_it_routes(client: Client, chat: Offering) -> None:
    row = alias("latest", chat, JUNE)
    make.reference(row.offering, external_id="deepseek/latest")
    (result,) = results(client, call("deepseek/latest"))
    assert (result["total"], result["alias"]["id"]) == ("0.435", row.pk)


def test_alias_is_found_by_a_provider_id_in_place_of_the_sellers_slug(client: Client, db: None) -> None:
    zhipu = make.company("zhipu")
    row = alias("glm-latest", priced("glm-4.6", "5", seller=zhipu), JUNE, seller=zhipu)
    make.reference(row.offering, provider="zai", external_id="glm-latest")
    for _ in range(2):
        (result,) = results(client, call("glm-latest", seller="zai"))
        assert (result["total"], result["alias"]["id"]) == ("5", row.pk)


def test_alias_is_found_by_an_id_that_was_merged_into_the_one_that_it_routes(client: Client, chat: Offering) -> None:
    row = alias("latest", chat, JUNE)
    make.offering("latest-old", status="merged", merged_into=row.offering)
    (result,) = results(client, call("latest-old"))
    assert (result["total"], result["alias"]["id"]) == ("0.435", row.pk)


def test_sources_id_of_an_alias_that_has_not_begun_says_when_it_does(client: Client, chat: Offering) -> None:
    make.reference(alias("latest", chat, JULY).offering, provider="zai", external_id="latest")
    (result,) = results(client, call("latest", seller="zai"))
    assert "deepseek-chat from 2026-07-01" in fault(result)["detail"]


def test_alias_leads_on_from_a_target_that_only_a_sources_id_spells(client: Client, chat: Offering) -> None:
    middle = alias("middle", chat, JUNE).offering
    Offering.objects.filter(pk=middle.pk).update(external_id="middle-2026")
    alias("latest", middle, JUNE)
    (result,) = results(client, call("latest"))
    assert result["total"] == "0.435"


def test_region_that_an_id_fixes_holds_where_its_alias_leads(client: Client, db: None) -> None:
    target = priced("gpt-5", "1")
    make.price(make.line(target, region="eu"), "2")
    routed = alias("gpt-latest", target, JUNE).offering
    inside = make.line(routed, region="eu")
    european = make.reference(routed, external_id="azure/eu/gpt-latest")
    make.statement(inside, "1.1", reference=european)
    make.price(inside, "1.1", effective_until=make.moment("2026-02-01"))
    found = results(client, call("gpt-latest"), call("azure/eu/gpt-latest"))
    assert [result["total"] for result in found] == ["1", "2"]


def test_alias_that_begins_comes_before_one_that_was_always_so(client: Client, chat: Offering) -> None:
    begun = alias("latest", chat, JUNE)
    always = alias("newest", priced("deepseek-v5", "2"))
    assert [route.id for route in alias_routes(Q(pk__in=[begun.pk, always.pk]))] == [begun.pk, always.pk]


def test_alias_is_assumed_before_its_first_row_only_when_asked_and_said(client: Client, chat: Offering) -> None:
    first = alias("latest", chat, JULY, effective_until=AUGUST)
    alias("latest", priced("deepseek-v5", "2"), AUGUST)
    refused, assumed = (results(client, call("latest", **said))[0] for said in ({}, {"assume_earliest": True}))
    assert fault(refused)["status"] == 404
    assert (assumed["total"], assumed["alias"]["id"]) == ("0.435", first.pk)
    assert assumed["notes"] == [
        "latest is not known to lead anywhere before 2026-07-01T00:00:00Z: taken to lead to deepseek-chat already"
    ]


def test_alias_of_an_alias_is_assumed_before_both_and_before_the_first_price(client: Client, chat: Offering) -> None:
    alias("latest", alias("middle", chat, JULY).offering, AUGUST)
    (result,) = results(client, call("latest", at="2025-06-01T00:00:00Z", assume_earliest=True))
    assert result["total"] == "0.435"
    assert [note[:7] for note in result["notes"]] == ["latest ", "middle ", "no pric"]
