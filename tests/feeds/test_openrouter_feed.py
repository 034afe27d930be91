"""OpenRouter's listings in the ledger: its own prices go first, and a free twin is another offering."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pricing.models import Offering, Price, PricingChange, Reference
from tests.feeds.small_feeds import day, read

pytestmark = pytest.mark.django_db


def listings(**pricing: dict[str, Any]) -> bytes:
    rows = [
        {"id": name.replace("__", "/", 1).replace("___", ":"), "pricing": prices, "canonical_slug": "acme/large-1"}
        for name, prices in pricing.items()
    ]
    return json.dumps({"data": rows}).encode()


PAID = {"prompt": "0.000001", "completion": "0.000002"}
FREE = {"prompt": "0", "completion": "0"}


def test_a_free_twin_never_makes_the_paid_id_free_or_paid() -> None:
    read(listings(acme__large=PAID), day(1), "openrouter")
    read(listings(acme__large=PAID, acme__large___free=FREE), day(2), "openrouter")
    read(listings(acme__large___free=FREE), day(3), "openrouter")
    read(listings(acme__large=PAID), day(4), "openrouter")
    assert not PricingChange.objects.filter(kind__in=["became_free", "became_paid"]).exists()
    assert set(Offering.objects.values_list("external_id", flat=True)) == {"acme/large", "acme/large:free"}
    assert {str(c.offering.external_id) for c in PricingChange.objects.filter(kind="listed")} == {
        "acme/large",
        "acme/large:free",
    }


def test_a_zero_on_a_paid_id_is_unknown_and_not_free() -> None:
    read(listings(acme__large=PAID), day(1), "openrouter")
    report = read(listings(acme__large=FREE), day(2), "openrouter")
    assert report.counts["zeros_unknown"] == 2
    assert not PricingChange.objects.filter(kind="became_free").exists()


def test_batch_prices_are_a_tier_of_the_base_offering() -> None:
    half = {"prompt": "0.0000005", "completion": "0.000001"}
    read(listings(acme__large=PAID, acme__large___batch=half), day(1), "openrouter")
    offering = Offering.objects.get()
    assert set(Price.objects.values_list("line__meter", "line__service_tier", "amount")) == {
        ("input_tokens", "standard", 1),
        ("output_tokens", "standard", 2),
        ("input_tokens", "batch", 0.5),
        ("output_tokens", "batch", 1),
    }
    assert set(offering.references.values_list("external_id", flat=True)) == {"acme/large", "acme/large:batch"}


def test_its_own_listing_speaks_before_what_others_collected_of_it() -> None:
    row = {"litellm_provider": "openrouter", "input_cost_per_token": 5e-6}
    read(json.dumps({"openrouter/acme/large": row}).encode(), day(1), "litellm")
    read(listings(acme__large=PAID), day(2), "openrouter")
    assert Reference.objects.values("offering").distinct().count() == 1
    believed = Price.objects.get(line__meter="input_tokens", known_until=None, effective_until=None)
    assert (believed.amount, believed.source.slug) == (1, "openrouter")
    assert not believed.source.may_republish


def test_a_price_that_comes_to_be_decided_at_run_time_is_named_and_ends() -> None:
    read(listings(acme__large=PAID), day(1), "openrouter")
    at_run_time = {"prompt": "-1", "completion": "-1"}
    report = read(listings(acme__large=at_run_time), day(2), "openrouter")
    assert report.counts["rejected"] == 1
    assert report.rejections[0]["model"] == "acme/large"
    assert report.counts["statements_ended"] == 2
