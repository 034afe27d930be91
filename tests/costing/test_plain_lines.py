"""Plain lines are priced and written without ado, and never otherwise than the general way: byte for byte the same."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from companies.models import Company
from pricing.api.shapes.cost_answer import cost_answer
from pricing.claims import SlotRule
from pricing.costing.received import find_lines, read_json
from pricing.models import Alias, Offering
from tests.api import factories as make
from tests.costing.asking import PATH, answer, call, post, results, sold_by_the_hour

JULY = make.moment("2026-07-01")
MODELS = (
    "chat",
    "long",
    "nightly",
    "fee",
    "embedding",
    "yuan",
    "mixed",
    "plan",
    "gone",
    "eu/chat",
    "routed",
    "nothing",
)
KEYS = (
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "cache_write_1h_tokens",
    "reasoning_tokens",
    "input_audio_tokens",
    "web_searches",
    "requests",
    "audio_seconds",
    "input_tokenz",
)
MOMENTS = (
    "2026-06-01T00:00:00Z",
    "2026-07-01T00:00:00+00:00",
    "2026-06-30T23:59:59.999999Z",
    "2026-08-01T05:00:00+02:00",
    "2025-01-01T12:00:00Z",
    "2026-08-01T12:00:00",
    "2026-08-01",
    "soon",
    7,
    None,
)
ODD_COUNTS = (1.5, 1000.0, -1, True, "7", None, 10**18, 10**18 + 1, 10**30)


@pytest.fixture
def sellers_sheets(db: None) -> None:
    """Offerings with all that a sheet can have: moves, thresholds, slots, tiers, regions, fees, currencies, zeros."""
    source = make.source("models-dev")
    chat = _sold("chat", input_tokens="0.435", cache_read_tokens="0.0435", output_tokens="0.87")
    for meter, tier, region in (
        ("input_tokens", "batch", ""),
        ("output_tokens", "batch", ""),
        ("input_tokens", "standard", "eu"),
    ):
        make.price(make.line(chat, meter, service_tier=tier, region=region), "0.123456789", source=source)
    moved = make.line(chat, "web_searches")
    make.price(moved, "10", source=source, effective_until=JULY)
    make.price(moved, "12.5", JULY, source=source)
    fixed = make.reference(chat, source=source, external_id="eu/chat")
    make.statement(make.line(chat, "cache_write_tokens", region="eu"), reference=fixed)
    long = _sold("long", input_tokens="3", output_tokens="15", cache_write_1h_tokens="6")
    make.price(make.line(long, above_input_tokens=200_000), "6", source=source)
    night = SlotRule("night", ((0, 480),))
    sold_by_the_hour("nightly", night, input_tokens="2", night_input_tokens="1", output_tokens="4")
    _sold("fee", requests="5", input_tokens="1.000000000000000001", output_tokens="0.000000000000000001")
    _sold("embedding", input_tokens="0.02")
    _sold("yuan", currency="CNY", input_tokens="2", output_tokens="8")
    mixed = _sold("mixed", input_tokens="1")
    make.price(make.line(mixed, "output_tokens"), "2", currency="EUR", source=source)
    _sold("plan", zero_means="included", input_tokens="0", output_tokens="1000000")
    _sold("gone", effective_until=JULY, input_tokens="1", output_tokens="2")
    Alias.objects.create(
        offering=make.offering("routed"),
        seller=Company.objects.get(),
        external_id="routed",
        target_offering=long,
        known_from=make.MAY,
        source=source,
    )


def _sold(
    external_id: str, currency: str = "USD", zero_means: str = "", effective_until: Any = None, **amounts: str
) -> Offering:
    offering = make.offering(external_id)
    for meter, amount in amounts.items():
        make.price(
            make.line(offering, meter),
            amount,
            source=make.source("models-dev"),
            currency=currency,
            zero_means=zero_means,
            effective_until=effective_until,
        )
    return offering


def lines(random: Random, count: int, odd: float) -> list[Any]:
    """Random lines, of which such a share is out of the ordinary."""
    return [_odd_line(random) if random.random() < odd else _line(random) for _ in range(count)]


def _line(random: Random) -> dict[str, Any]:
    usage: dict[str, Any] = {"input_tokens": random.choice((0, 1, 999, 10_007, 200_000, 200_001, 123_456_789))}
    for key in random.sample(KEYS[1:10], random.randrange(4)):
        usage[key] = random.choice((0, 0, 1, random.randrange(100), random.randrange(300_000)))
    line = {"id": f"{random.random()}", **call(random.choice(MODELS), usage=usage), "at": random.choice(MOMENTS[:4])}
    if random.random() < 0.2:
        line["service_tier"] = random.choice(("standard", "batch", "priority"))
    if random.random() < 0.2:
        line["region"] = random.choice(("eu", "us", ""))
    return line


def _odd_line(random: Random) -> Any:
    line = _line(random)
    usage = line["usage"]
    odd_usage = {**usage, random.choice(KEYS): random.choice(ODD_COUNTS)}
    values: dict[str, tuple[Any, ...]] = {
        "id": (None, 0, -7, 2**70, True, 1.5, [], 'ü"\\\u2028\x7f😀'),
        "seller": (None, "", 5, ["deepseek"], "deepseak"),
        "model": (None, {}, "chatt"),
        "at": MOMENTS,
        "usage": (None, [], {}, [*usage], odd_usage, odd_usage, {"web_searches": 2}),
        "service_tier": (None, "btch", 5, "x" * 300),
        "known_at": ("2026-06-15T00:00:00Z", None, "then"),
        "assume_earliest": (True, False, None, 1),
        "provider_usage": (None, {"format": "openai-chat", "body": {"usage": {"prompt_tokens": 5}}}),
        "usages": (1,),
    }
    for field in random.sample(list(values), random.randrange(1, 3)):
        line[field] = random.choice(values[field])
    for field in [field for field in line if random.random() < 0.05]:
        del line[field]
    return random.choice((5, None, [], "a")) if random.random() < 0.02 else line


def general(body: bytes) -> bytes:
    """The answer the general way, line by line, as JSON values."""
    return b"".join(cost_answer(read_json(body)["lines"], None))


def fast(body: bytes) -> bytes:
    found = find_lines(body)
    assert found is not None
    return b"".join(cost_answer(found.lines, None))


@pytest.mark.usefixtures("sellers_sheets")
@pytest.mark.parametrize(("seed", "odd"), [(1, 0.0), (2, 0.0), (3, 0.1), (4, 0.5)])
def test_no_answer_differs_from_the_general_one(seed: int, odd: float) -> None:
    body = json.dumps({"lines": lines(Random(seed), 3000, odd)}).encode()
    expected = general(body)
    for _ in range(3):
        # The first time nothing is in memory; then more and more lines are plain.
        assert fast(body) == expected
    assert len(json.loads(expected)["results"]) == 3000


@pytest.mark.usefixtures("chat")
@pytest.mark.parametrize(
    "at",
    [
        "9999-12-31T23:59:59-05:00",
        "2026-12-01T00:00:00",
        "2026-12-01",
        "2026-12-01T00:00:00+02:00",
        "0001-01-01T00:00+14",
    ],
)
def test_moment_of_a_usual_line_is_read_as_that_of_any_other(at: str) -> None:
    usual, asked = (json.dumps({"lines": [call(at=moment)]}).encode() for moment in ("2026-12-01T00:00:00Z", at))
    expected = general(asked)
    for _ in range(3):
        fast(usual)
    assert fast(asked) == expected


@pytest.mark.usefixtures("sellers_sheets")
def test_lines_seen_before_need_no_look_at_the_record(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    drawn = [line for line in lines(Random(5), 900, 0) if line["model"] not in ("routed", "mixed", "gone")]
    possible = [not result["error"] for result in results(client, *drawn)]
    asked = [line for line, is_possible in zip(drawn, possible, strict=True) if is_possible]
    first = results(client, *asked)
    assert len(first) > 300
    with django_assert_num_queries(1):  # the version of the record
        assert results(client, *asked) == first


@pytest.mark.usefixtures("sellers_sheets")
@pytest.mark.parametrize(
    "body",
    [
        b'{"lines": [{"seller": "deepseek", "model": "chat", "usage": {"input_tokens": 01}}]}',
        b'{"lines": [{"seller": "deepseek", "model": "ch\xffat", "usage": {"input_tokens": 1}}]}',
        b'{"lines": [{"usage": NaN}]}',
        b'{"lines": [{"id": %s}]}' % (b"9" * 5000),
        b'{"lines": [}',
        b'{"lines": [{}]} x',
    ],
)
def test_what_is_no_json_is_refused_whole(client: Client, body: bytes) -> None:
    assert post(client, body).status_code == 400


@pytest.mark.usefixtures("sellers_sheets")
def test_lone_surrogate_and_other_encodings_are_read_as_ever(client: Client) -> None:
    text = json.dumps({"lines": [call("chat", id="\ud800")]})
    (result,) = answer(post(client, text))["results"]
    assert (result["id"], result["total"]) == ("\ud800", "0.435")
    sent = client.post(PATH, text.encode("utf-16"), content_type="application/json")
    assert answer(sent)["results"] == [result]


@pytest.mark.usefixtures("sellers_sheets")
def test_last_of_two_fields_alike_counts(client: Client) -> None:
    line = b'{"seller": "x", "seller": "deepseek", "model": "chat", "usage": {"input_tokens": 9, "input_tokens": 1000}}'
    for _ in range(3):
        (result,) = answer(post(client, b'{"lines": [%b]}' % line))["results"]
        assert result["total"] == "0.000435"
