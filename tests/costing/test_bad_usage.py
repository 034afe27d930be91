"""costs/: what is wrong with a request is told where it is wrong, and one bad line errs alone."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from pricing.api.views import costs
from tests.api.contract import problem_of
from tests.costing.asking import answer, call, fault, post, results

pytestmark = pytest.mark.usefixtures("chat")


@pytest.mark.parametrize(
    ("line", "where", "says"),
    [
        (call(seller="deepsek"), "seller", "deepseek"),
        (call("deepseek-caht"), "model", "deepseek-chat"),
        (call("a\0b"), "model", "nothing called"),
        (call("\ud800"), "model", "nothing called"),
        (call("x" * 100_000), "model", "nothing called"),
        (call(model=None), "model", "is missing"),
        (call(model=["deepseek-chat"]), "model", "a list"),
        (call(at="2026-06-01T00:00:00"), "at", "no time zone"),
        (call(at="2026-06-01"), "at", "no time zone"),
        (call(at="soon"), "at", "not a moment"),
        (call(at=1780272000), "at", "a number"),
        (call(at="0001-01-01T00:00:00+14:00"), "at", "outside the years"),
        (call(known_at="2026-06-01T00:00:00"), "known_at", "no time zone"),
        (call(usage={"input_tokens": -1}), "usage/input_tokens", "-1"),
        (call(usage={"input_tokens": 1.5}), "usage/input_tokens", "whole number"),
        (call(usage={"input_tokens": "many"}), "usage/input_tokens", "number was expected"),
        (call(usage={"input_tokens": True}), "usage/input_tokens", "number was expected"),
        (call(usage={"input_tokens": 10**30}), "usage/input_tokens", "10^18"),
        (call(usage={"input_tokens": 5, "cache_read_tokens": 6}), "usage/cache_read_tokens", "more than input_tokens"),
        (call(usage={"cache_read_tokens": 6}), "usage/cache_read_tokens", "more than input_tokens"),
        (call(usage={"output_tokens": 5, "reasoning_tokens": 6}), "usage/reasoning_tokens", "more than output_tokens"),
        (call(usage={"inptu_tokens": 6}), "usage/inptu_tokens", "input_tokens"),
        (call(usage={"a/b~c": 6}), "usage/a~1b~0c", "no usage key"),
        (call(usage=[1]), "usage", "a list"),
        (call(usage=None), "usage", "is missing"),
        (call(service_tier="bacth"), "service_tier", "batch"),
        (call(variant="huge"), "variant", "huge"),
        (call(region=5), "region", "a number"),
        (call(assume_earliest="yes"), "assume_earliest", "true or false"),
        (call(id={"a": 1}), "id", "an object"),
        (call(service_teir="batch"), "service_teir", "service_tier"),
        (call(provider_usage={"format": "opnai-chat", "body": {}}), "provider_usage/format", "openai-chat"),
        (call(provider_usage={"format": "openai-chat", "body": 5}), "provider_usage/body", "object was expected"),
        (call(provider_usage={"body": {}}), "provider_usage/format", "null"),
        (
            call(provider_usage={"format": "openai-chat", "body": {"usage": {"prompt_tokens": -4}}}),
            "provider_usage/body/usage/prompt_tokens",
            "-4",
        ),
        (call(usage={}, provider_usage={"format": "openai-chat", "body": {}}), "provider_usage", "beside usage"),
    ],
)
def test_bad_line_errs_alone_and_names_the_field(client: Client, line: Any, where: str, says: str) -> None:
    before, wrong, after = results(client, call(), line, call())
    assert (before["total"], after["total"]) == ("0.435", "0.435")
    said = fault(wrong)
    assert said["pointer"] == f"#/lines/1/{where}"
    assert says in said["detail"]


def test_unknown_names_come_with_the_nearest_as_choices(client: Client) -> None:
    wrong = results(client, call("deepseek-caht"), call(seller="deepsek"))
    assert [fault(result)["choices"][0] for result in wrong] == ["deepseek-chat", "deepseek"]
    assert [fault(result)["status"] for result in wrong] == [404, 404]


def test_line_that_is_no_object_errs_alone(client: Client) -> None:
    wrong = results(client, 5, None, [], call())
    assert [fault(result)["pointer"] for result in wrong[:3]] == ["#/lines/0", "#/lines/1", "#/lines/2"]
    assert wrong[3]["total"] == "0.435"


def test_line_that_errs_keeps_its_id(client: Client) -> None:
    (wrong,) = results(client, call("nothing", id="call-7"))
    assert wrong["id"] == "call-7"


def test_one_bad_line_of_ten_thousand_errs_alone(client: Client) -> None:
    found = results(client, *([call()] * 6_000), call(at="now"), *([call()] * 3_999))
    assert [place for place, result in enumerate(found) if result["error"]] == [6_000]
    assert fault(found[6_000])["pointer"] == "#/lines/6000/at"


BEYOND = "1e1000000000000000000"


def anthropic(field: str, number: str) -> str:
    """A line with a body of Anthropic's, of whose fields one has a number as it is written."""
    usage = json.dumps({"input_tokens": 1, "output_tokens": 1})[:-1] + f', "{field}": {number}}}'
    line = call(provider_usage={"format": "anthropic", "body": {"usage": "?"}})
    return json.dumps(line).replace('"?"', usage)


@pytest.mark.parametrize(
    ("line", "where", "says"),
    [
        (json.dumps(call(usage={"input_tokens": "?"})).replace('"?"', BEYOND), "usage/input_tokens", "10^18"),
        (json.dumps(call(usage={"input_tokens": "?"})).replace('"?"', f"-{BEYOND}"), "usage/input_tokens", "10^18"),
        (json.dumps(call(usage={"audio_seconds": "?"})).replace('"?"', BEYOND), "usage/audio_seconds", "10^18"),
        (json.dumps(call(id="?")).replace('"?"', BEYOND), "id", "whole number was expected"),
        (json.dumps(call(at="?")).replace('"?"', BEYOND), "at", "a moment such as"),
        (anthropic("cache_read_input_tokens", BEYOND), "provider_usage/body/usage/cache_read_input_tokens", "10^18"),
        (
            anthropic("cache_read_input_tokens", "1e-300"),
            "provider_usage/body/usage/cache_read_input_tokens",
            "at most 18 decimals",
        ),
    ],
)
@pytest.mark.parametrize("extra", ["", '"surplus": 1, '], ids=["found", "read with care"])
def test_number_that_no_amount_can_hold_errs_alone(
    client: Client, line: str, where: str, says: str, extra: str
) -> None:
    good = json.dumps(call())
    sent = f'{{"lines": [{good}, {line}, {good}, {{{extra}{good[1:]}]}}'
    before, wrong, after, _ = answer(post(client, sent))["results"]
    assert (before["total"], after["total"]) == ("0.435", "0.435")
    assert fault(wrong)["pointer"] == f"#/lines/1/{where}"
    assert says in fault(wrong)["detail"]


def test_number_that_no_decimal_can_hold_is_no_field_of_a_body(client: Client) -> None:
    sent = f'{{"lines": [], "currency": {BEYOND}, "assume_earliest": {BEYOND}}}'
    pointers = [each["pointer"] for each in problem_of(post(client, sent), 400)["errors"]]
    assert pointers == ["#/currency", "#/assume_earliest"]


@pytest.mark.parametrize("number", [f"1.{'0' * 100_000}1", f"0.{'1' * 100_000}", f"{'9' * 100_000}.5"])
@pytest.mark.parametrize(
    "line",
    [
        call(usage={"input_tokens": "?"}),
        call(usage={"audio_seconds": "?"}),
        call(provider_usage={"format": "mistral", "body": {"usage": {"prompt_audio_seconds": "?"}}}),
    ],
    ids=["tokens", "seconds", "body"],
)
def test_echo_of_a_number_is_bounded(client: Client, line: Any, number: str) -> None:
    response = post(client, json.dumps({"lines": [line]}).replace('"?"', number))
    assert fault(answer(response)["results"][0])["status"] == 400
    assert int(response.headers["Content-Length"]) < 2_000


def test_more_than_ten_thousand_lines_are_too_many(client: Client) -> None:
    assert "10,000" in problem_of(post(client, {"lines": [{}] * 10_001}), 413)["detail"]


def test_body_larger_than_the_bound_is_too_large(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(costs, "MOST_BYTES", 100)
    problem_of(post(client, {"lines": [call()]}), 413)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ("", "#"),
        ("{", "#"),
        ("[" * 100_000, "#"),
        ('{"lines": [NaN]}', "#"),
        ('{"lines": [' + "9" * 5000 + "]}", "#"),
        (b'{"lines": ["\xff"]}', "#"),
        ("[]", "#"),
        ("{}", "#/lines"),
        ('{"lines": {}}', "#/lines"),
        ('{"lines": [], "line": []}', "#/line"),
        ('{"lines": [], "currency": 5}', "#/currency"),
        ('{"lines": [], "currency": "dollars"}', "#/currency"),
        ('{"lines": [], "assume_earliest": "yes"}', "#/assume_earliest"),
        ('{"lines": [], "currency": "USD", "lines": [{}]}', "#/lines"),
        ('{"currency": "USD", "lines": [], "currency": "EUR"}', "#/currency"),
    ],
)
def test_body_of_another_shape_is_a_400_that_points_at_it(client: Client, body: Any, pointer: str) -> None:
    assert [each["pointer"] for each in problem_of(post(client, body), 400)["errors"]] == [pointer]


def test_second_list_of_lines_is_found_in_a_long_body_too(client: Client) -> None:
    lines = ",".join([json.dumps(call())] * 500)
    (said,) = problem_of(post(client, f'{{"lines": [{lines}], "lines": [{lines}]}}'), 400)["errors"]
    assert said["pointer"] == "#/lines"


def test_name_of_a_field_within_a_line_is_no_repetition(client: Client) -> None:
    line = call(provider_usage={"format": "openai-chat", "body": {"lines": 1, "currency": 2, "prompt_tokens": 1}})
    assert results(client, line, currency="USD")[0]["error"] is None


def test_form_is_no_json(client: Client) -> None:
    problem_of(post(client, "lines=1", content_type="application/x-www-form-urlencoded"), 415)


def test_query_parameter_is_unknown_here(client: Client) -> None:
    response = client.post("/api/v1/costs/?at=now", "{}", content_type="application/json")
    assert problem_of(response, 400)["errors"][0]["parameter"] == "at"
