"""One strange row costs itself and nothing else, on every database; what nobody foresaw waits its turn."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from companies.models import AIModel
from feeds.enrolment import feed_named
from feeds.models import Refresh
from feeds.refreshing import CouldNotFetch, refresh
from feeds.registry import KnownFeed
from pricing.models import Observation, Offering, PricingChange, Statement
from tests.feeds.small_feeds import catalogue, day, price_map, read

pytestmark = pytest.mark.django_db


def _document(**fields: Any) -> bytes:
    document = json.loads(catalogue(strange={"input": 1}, good={"input": 2}))
    document["deepseek"]["models"]["strange"] |= fields
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "a\x00b"},
        {"name": "lone \ud800 surrogate"},
        {"family": "x" * 5000},
        {"family": "\x00"},
        {"modalities": {"input": ["te\x00xt"], "output": ["text"]}},
        {"limit": {"context": 10**30, "output": -5}},
    ],
    ids=["nul", "surrogate", "long family", "nul family", "nul modality", "huge context"],
)
def test_strange_facts_do_not_cost_the_document(fields: dict[str, Any]) -> None:
    assert read(_document(**fields), day(1)).status == "done"
    assert set(Offering.objects.values_list("external_id", flat=True)) >= {"good"}


def test_a_threshold_that_no_request_can_reach_costs_its_row() -> None:
    rows = {
        "strange": {"litellm_provider": "deepseek", f"input_cost_per_token_above_{10**20}k_tokens": 1e-6},
        "good": {"litellm_provider": "deepseek", "input_cost_per_token": 1e-6},
    }
    report = read(price_map(**rows), day(1), "litellm")
    assert report.status == "done"
    assert Offering.objects.filter(external_id="good").exists()


def test_a_price_field_with_an_illegible_name_is_counted_in_legible_form() -> None:
    rows = {"good": {"litellm_provider": "deepseek", "input_cost_per_token": 1e-6, "cost_per_\x00thing": 1}}
    report = read(price_map(**rows), day(1), "litellm")
    assert list(report.unrecognised) == ["cost_per_\\x00thing"]


def test_a_row_that_cannot_be_taken_is_not_a_row_that_is_gone() -> None:
    read(catalogue(kept={"input": 1}, odd={"input": 2}), day(1))
    for number in range(2, 6):
        read(catalogue(kept={"input": number}, odd={"input": -1}), day(number))
    assert not PricingChange.objects.filter(kind="withdrawn").exists()
    assert Offering.objects.get(external_id="odd").status == "listed"


def test_an_id_given_twice_is_read_as_its_first_row_again_and_again() -> None:
    model = {"id": "one", "prices": {"input_mtok": 1}}
    twice = [{"id": "deepseek", "name": "DeepSeek", "models": [model, {**model, "prices": {"input_mtok": 5}}]}]
    for number in (1, 2, 3):
        twice[0]["name"] = f"DeepSeek {number}"
        report = read(json.dumps(twice).encode(), day(number), "genai-prices")
        assert report.counts["rejected"] == 1
    assert Statement.objects.count() == 1


def test_facts_that_are_missing_are_filled_in_from_the_next_source() -> None:
    read(price_map(deepseek_chat={"litellm_provider": "deepseek", "input_cost_per_token": 1e-6}), day(1), "litellm")
    document = json.loads(catalogue(deepseek_chat={"input": 1}))
    document["deepseek"]["models"]["deepseek-chat"] |= {"release_date": "2024-12-26", "family": "deepseek"}
    read(json.dumps(document).encode(), day(2))
    model = AIModel.objects.get(slug="deepseek-chat")
    assert (str(model.released_on), model.release_precision, model.family) == ("2024-12-26", "day", "deepseek")


def test_what_a_person_edited_of_a_model_stays_as_it_is() -> None:
    read(price_map(deepseek_chat={"litellm_provider": "deepseek", "input_cost_per_token": 1e-6}), day(1), "litellm")
    AIModel.objects.update(edited=True)
    document = json.loads(catalogue(deepseek_chat={"input": 1}))
    document["deepseek"]["models"]["deepseek-chat"] |= {"family": "deepseek"}
    read(json.dumps(document).encode(), day(2))
    assert AIModel.objects.get(slug="deepseek-chat").family == ""


def test_an_error_that_nobody_foresaw_backs_off_like_any_other(monkeypatch) -> None:
    monkeypatch.setattr(KnownFeed, "parse", lambda _feed, _body: 1 / 0)
    feed = feed_named("genai-prices")
    with pytest.raises(ZeroDivisionError):
        refresh(feed, trigger="schedule")
    feed.refresh_from_db()
    assert feed.failures == 1
    assert Refresh.objects.get().status == "failed"


def test_a_feed_that_the_operator_does_not_let_out_is_not_fetched(settings) -> None:
    settings.NETWORK_FEEDS = ["none"]
    with pytest.raises(CouldNotFetch, match="NETWORK_FEEDS"):
        refresh(feed_named("models-dev"))
    assert not Refresh.objects.exists()


def test_a_curated_record_that_was_edited_loads_again_and_again(settings, tmp_path, monkeypatch) -> None:
    call_command("load_curated")
    readings = Observation.objects.filter(source__slug="curated")
    monkeypatch.setattr("feeds.embedded.bundle", _edited_bundle)
    monkeypatch.setattr("feeds.curation.bundle", _edited_bundle)
    call_command("load_curated")
    call_command("load_curated")
    assert readings.count() == 2


def _edited_bundle(folder: Any) -> bytes:
    from feeds.adapters.curated import bundle

    return bundle(folder).replace(b'"20"', b'"21"', 1)


def test_an_embedded_package_older_than_what_was_read_says_nothing() -> None:
    call_command("refresh", "genai-prices")
    newer = {"digest": "of a newer document", "observed_at": timezone.now()}
    Observation.objects.filter(source__slug="genai-prices").update(**newer)
    report = refresh(feed_named("genai-prices"))
    assert (report.status, report.note) == ("unchanged", "a newer document was taken before")
