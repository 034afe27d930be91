"""usage-profiles/: what somebody uses in a month, typed in or uploaded, and the bill that it makes."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from jsonschema import Draft202012Validator

from alerts.models import UsageProfile, Watch
from pricing.models import Offering
from tests.alerts import people
from tests.alerts.asking import Caller, body_of, fault_at
from tests.api import factories as make
from tests.api.contract import fault_of, problem_of, schema

PATH = "/api/v1/usage-profiles/"
MILLION = 1_000_000
pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(client: Client) -> Caller:
    return Caller(client)


@pytest.fixture
def outsider(client: Client) -> Caller:
    return Caller(client, "mallory")


@pytest.fixture(autouse=True)
def chat() -> Offering:
    """DeepSeek's model at 1 USD in and 2 out, and half of that in batches."""
    offering = make.offering("deepseek-chat", model=make.ai_model("deepseek-v4"))
    make.reference(offering, external_id="deepseek/deepseek-chat")
    for meter, amount in (("input_tokens", "1"), ("output_tokens", "2")):
        make.price(make.line(offering, meter), amount)
        make.price(make.line(offering, meter, service_tier="batch"), str(Decimal(amount) / 2))
    return offering


def line(**values: Any) -> dict[str, Any]:
    return {"seller": "deepseek", "model": "deepseek-chat", "usage": {"input_tokens": MILLION}, **values}


def made(caller: Caller, *lines: dict[str, Any], **values: Any) -> dict[str, Any]:
    return body_of(caller.post(PATH, {"name": "Production", "lines": list(lines), **values}), 201)


class TestWriting:
    def test_a_profile_is_made_of_lines_on_the_buyers_terms(self, ada: Caller, chat: Offering) -> None:
        profile = made(
            ada,
            line(usage={"input_tokens": "3000000", "output_tokens": MILLION}, requests=1000),
            line(offering=chat.pk, service_tier="batch"),
            adjustments=[
                {"kind": "discount", "seller": "deepseek", "percent": 10},
                {"kind": "commitment", "amount": "5"},
            ],
        )
        first, second = profile["lines"]
        assert (first["offering"], first["seller"], first["model"]) == (chat.pk, "deepseek", "deepseek-v4")
        assert first["usage"] == {"input_tokens": "3000000", "output_tokens": "1000000"}
        assert (second["service_tier"], second["requests"]) == ("batch", None)
        assert [each["kind"] for each in profile["adjustments"]] == ["discount", "commitment"]
        components = schema()["components"]
        document = {**components["schemas"]["Profile"], "components": components}
        assert not list(Draft202012Validator(document).iter_errors(profile))

    def test_a_model_may_be_called_by_any_id_that_a_source_has_for_it(self, ada: Caller, chat: Offering) -> None:
        assert made(ada, line(model="deepseek/deepseek-chat"))["lines"][0]["offering"] == chat.pk

    def test_what_was_read_can_be_sent_back(self, ada: Caller) -> None:
        profile = made(ada, line(), adjustments=[{"kind": "discount", "percent": "10"}])
        again = body_of(ada.send("put", f"{PATH}{profile['id']}/", profile))
        for each in (again, profile):
            del each["updated_at"], each["lines"][0]["id"], each["adjustments"][0]["id"]
        assert again == profile

    def test_patch_leaves_lists_that_are_not_given(self, ada: Caller) -> None:
        profile = made(ada, line())
        changed = body_of(ada.send("patch", f"{PATH}{profile['id']}/", {"name": "Staging"}))
        assert (changed["name"], changed["lines"]) == ("Staging", profile["lines"])
        emptied = body_of(ada.send("patch", f"{PATH}{profile['id']}/", {"lines": []}))
        assert emptied["lines"] == []

    def test_a_line_of_a_patch_is_a_whole_line(self, ada: Caller) -> None:
        profile = made(ada, line())
        patched = ada.send(
            "patch", f"{PATH}{profile['id']}/", {"lines": [{"seller": "deepseek", "model": "deepseek-chat"}]}
        )
        assert "required" in fault_at(patched, "#/lines/0/usage")["detail"]

    def test_a_profile_that_a_watch_uses_stays(self, ada: Caller) -> None:
        profile = made(ada, line())
        people.watch(profile=UsageProfile.objects.get(), name="Bill")
        assert "Bill" in problem_of(ada.send("delete", f"{PATH}{profile['id']}/"), 409)["detail"]
        Watch.objects.all().delete()
        assert ada.send("delete", f"{PATH}{profile['id']}/").status_code == 204

    def test_what_the_owner_edits_moves_no_bill(self, ada: Caller) -> None:
        profile = made(ada, line())
        watch = people.watch(profile=UsageProfile.objects.get(), bill_percent=Decimal(5), told_bill=Decimal(1))
        ada.send("patch", f"{PATH}{profile['id']}/", {"lines": [line(usage={"input_tokens": 9 * MILLION})]})
        watch.refresh_from_db()
        assert watch.told_bill == 9


BAD: list[tuple[dict[str, Any], str, str]] = [
    ({"currency": "usd"}, "#/currency", "ISO 4217"),
    ({"lines": [line(seller="deepsek")]}, "#/lines/0/seller", "no company"),
    ({"lines": [line(), line(model="deepseek-chet")]}, "#/lines/1/model", "nothing called"),
    ({"lines": [line(model=None)]}, "#/lines/0/model", "missing"),
    ({"lines": [line(usage={})]}, "#/lines/0/usage", "object of counts"),
    ({"lines": [line(usage={"input_token": 5})]}, "#/lines/0/usage/input_token", "no usage key"),
    ({"lines": [line(usage={"input_tokens": -5})]}, "#/lines/0/usage/input_tokens", "from 0"),
    ({"lines": [line(usage={"input_tokens": "many"})]}, "#/lines/0/usage/input_tokens", "a number"),
    (
        {"lines": [line(usage={"input_tokens": 1, "cache_read_tokens": 2})]},
        "#/lines/0/usage/cache_read_tokens",
        "more than input_tokens",
    ),
    ({"lines": [line(service_tier="bach")]}, "#/lines/0/service_tier", "did you mean batch"),
    ({"lines": [line(requests=0)]}, "#/lines/0/requests", "from 1"),
    ({"lines": [line(useage={})]}, "#/lines/0/useage", "did you mean 'usage'"),
    ({"adjustments": [{"kind": "discount"}]}, "#/adjustments/0/percent", "needs it"),
    ({"adjustments": [{"kind": "discount", "percent": 101}]}, "#/adjustments/0/percent", "at most 100"),
    ({"adjustments": [{"kind": "commitment", "amount": 5, "percent": 5}]}, "#/adjustments/0/percent", "has none"),
    ({"adjustments": [{"kind": "discount", "percent": 5, "seller": "x"}]}, "#/adjustments/0/seller", "no company"),
    ({"adjustments": [{"kind": "discount", "percent": 5}] * 2}, "#/adjustments/1/kind", "already"),
]


@pytest.mark.parametrize(("values", "pointer", "said"), BAD, ids=[pointer + said for _, pointer, said in BAD])
def test_the_problem_names_the_field(ada: Caller, values: dict[str, Any], pointer: str, said: str) -> None:
    assert said in fault_at(ada.post(PATH, {"name": "x", **values}), pointer)["detail"]
    assert not UsageProfile.objects.exists()


def test_nearest_names_are_given(ada: Caller) -> None:
    answer = ada.post(PATH, {"name": "x", "lines": [line(model="deepseek-chet")]})
    assert fault_at(answer, "#/lines/0/model")["choices"] == ["deepseek-chat"]


class TestWhoMay:
    def test_without_a_token_or_its_scope_nothing_is_told(self, client: Client) -> None:
        problem_of(client.get(PATH), 401)
        problem_of(Caller(client, scopes=("read",)).get(PATH), 403)

    def test_anothers_profile_is_not_there(self, ada: Caller, outsider: Caller) -> None:
        path = f"{PATH}{made(ada, line())['id']}/"
        tag = ada.get(path).headers["ETag"]
        assert body_of(outsider.get(PATH))["results"] == []
        for ask in (path, f"{path}bill/"):
            problem_of(outsider.get(ask), 404)
        for method in ("put", "patch", "delete"):
            problem_of(outsider.send(method, path, {"name": "mine"}, **{"If-Match": tag}), 404)
        problem_of(upload(outsider, path, "seller,model,input_tokens\ndeepseek,deepseek-chat,5\n"), 404)


class TestBill:
    def test_a_bill_tells_each_amount_with_its_price(self, ada: Caller, chat: Offering) -> None:
        lines = [line(), line(service_tier="batch", usage={"output_tokens": MILLION, "web_searches": 5})]
        profile = made(ada, *lines, adjustments=[{"kind": "discount", "percent": "10"}])
        bill = body_of(ada.get(f"{PATH}{profile['id']}/bill/"))
        assert (bill["total"], bill["list_total"], bill["currency"], bill["complete"]) == ("1.8", "2", "USD", False)
        first, second = bill["lines"]
        (item,) = first["items"]
        assert (item["meter"], item["quantity"], item["amount"]) == ("input_tokens", "1000000", "1")
        assert (item["price"]["offering"], item["price"]["amount"]) == (chat.pk, "1")
        assert (first["list_amount"], first["discount_percent"], first["amount"]) == ("1", "10", "0.9")
        assert second["unpriced"] == [{"meter": "web_searches", "quantity": "5", "known_from": None}]
        assert bill["without_price"] == ["deepseek-chat at Deepseek: web_searches has no price"]
        described = schema()["paths"]["/api/v1/usage-profiles/{id}/bill/"]["get"]["responses"]["200"]
        document = {**described["content"]["application/json"]["schema"], "components": schema()["components"]}
        assert not list(Draft202012Validator(document).iter_errors(bill))

    def test_a_bill_is_of_any_moment(self, ada: Caller, chat: Offering) -> None:
        price = chat.lines.get(meter="input_tokens", service_tier="standard").prices.get()
        chat.lines.get(pk=price.line_id).prices.update(effective_until=make.MAY)
        make.price(price.line, "4", since=make.MAY)
        path = f"{PATH}{made(ada, line())['id']}/bill/"
        assert body_of(ada.get(path))["total"] == "4"
        assert body_of(ada.get(path, {"as_of": "2026-04-30T23:59:59Z"}))["total"] == "1"
        assert "zone" in fault_of(ada.get(path, {"as_of": "2026-04-30T23:59:59"}), "as_of")["detail"]

    def test_cheaper_sellers_stand_beside_a_line(self, ada: Caller) -> None:
        rival = make.offering("ds-v4", seller=make.company("azure"), model=make.ai_model("deepseek-v4"))
        make.price(make.line(rival), "0.4")
        bill = body_of(ada.get(f"{PATH}{made(ada, line())['id']}/bill/"))
        assert bill["lines"][0]["cheaper"] == [
            {"offering": rival.pk, "name": "ds-v4", "seller": "azure", "external_id": "ds-v4", "amount": "0.4"}
        ]

    def test_another_currency_is_an_error_of_the_line(self, ada: Caller) -> None:
        bill = body_of(ada.get(f"{PATH}{made(ada, line(), currency='XTS')['id']}/bill/"))
        (told,) = bill["lines"]
        assert (told["amount"], told["error"]["errors"][0]["pointer"]) == (None, "#/lines/0/currency")


def upload(caller: Caller, path: str, text: str | bytes, **headers: str) -> Any:
    content = text.encode() if isinstance(text, str) else text
    return caller.client.post(f"{path}import/", content, content_type="text/csv", headers={**caller.headers, **headers})


class TestImport:
    @pytest.fixture
    def path(self, ada: Caller) -> str:
        return f"{PATH}{made(ada, line())['id']}/"

    def test_a_file_replaces_the_lines(self, ada: Caller, path: str) -> None:
        text = "seller,model,service_tier,requests,input_tokens\ndeepseek,deepseek-chat,batch,7,500\n"
        (told,) = body_of(upload(ada, path, text))["lines"]
        assert (told["service_tier"], told["requests"], told["usage"]) == ("batch", 7, {"input_tokens": "500"})
        assert body_of(ada.get(path))["lines"][0]["usage"] == {"input_tokens": "500"}

    def test_a_form_with_a_file_does_as_well(self, ada: Caller, path: str) -> None:
        file = SimpleUploadedFile("usage.csv", b"seller,model,input_tokens\ndeepseek,deepseek-chat,500\n", "text/csv")
        answer = ada.client.post(f"{path}import/", {"file": file}, headers=ada.headers)
        assert body_of(answer)["lines"][0]["usage"] == {"input_tokens": "500"}

    def test_each_bad_row_is_named_by_its_line_and_nothing_is_saved(self, ada: Caller, path: str) -> None:
        text = (
            "seller,model,input_tokens\n"
            "deepsek,deepseek-chat,500\n"
            "deepseek,deepseek-chat,600\n"
            "deepseek,deepseek-chet,500\n"
            "deepseek,deepseek-chat,many\n"
        )
        problem = problem_of(upload(ada, path, text), 400)
        assert [fault["pointer"] for fault in problem["errors"]] == ["#/2", "#/4", "#/5"]
        assert problem["errors"][1]["detail"].startswith("line 4: model: deepseek sells nothing called")
        assert problem["errors"][1]["choices"] == ["deepseek-chat"]
        assert body_of(ada.get(path))["lines"][0]["usage"] == {"input_tokens": "1000000"}

    def test_a_file_that_is_too_large_is_refused(self, ada: Caller, path: str) -> None:
        problem_of(upload(ada, path, b"seller,model,input_tokens\n" + b" " * (2 * 1024 * 1024)), 413)
        problem_of(upload(ada, path, b" " * (3 * 1024 * 1024)), 413)

    def test_another_kind_of_body_is_refused(self, ada: Caller, path: str) -> None:
        problem_of(ada.post(f"{path}import/", {"lines": []}), 415)

    def test_a_file_sent_twice_under_one_key_is_read_once(self, ada: Caller, path: str) -> None:
        text, key = "seller,model,input_tokens\ndeepseek,deepseek-chat,500\n", {"Idempotency-Key": "k1"}
        upload(ada, path, text, **key)
        again = upload(ada, path, text, **key)
        assert again.headers["Idempotent-Replayed"] == "true"
