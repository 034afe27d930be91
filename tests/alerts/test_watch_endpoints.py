"""watches/: made, read, replaced and deleted by their owner, seen by nobody else, and tried before they are made."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from jsonschema import Draft202012Validator

from alerts.models import Channel, Watch
from tests.alerts import people
from tests.alerts.asking import Caller, body_of, fault_at
from tests.api import factories as make
from tests.api.contract import fault_of, problem_of, schema

PATH = "/api/v1/watches/"
pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(client: Client) -> Caller:
    return Caller(client)


@pytest.fixture
def outsider(client: Client) -> Caller:
    return Caller(client, "mallory")


@pytest.fixture
def channel(ada: Caller) -> Channel:
    return people.channel(people.person())


@pytest.fixture
def record() -> None:
    """DeepSeek's model, and OpenAI."""
    make.offering("deepseek-chat", model=make.ai_model("deepseek-v4", developer=make.company("deepseek")))
    make.company("openai", name="OpenAI")


def made(caller: Caller, **values: Any) -> dict[str, Any]:
    return body_of(caller.post(PATH, {"name": "prices", **values}), 201)


class TestMaking:
    def test_a_watch_is_made_and_says_what_it_will_catch(self, ada: Caller, record: None, channel: Channel) -> None:
        people.person().__class__.objects.update(time_zone="Europe/Berlin")
        response = ada.post(
            PATH,
            {
                "name": "Dearer models",
                "companies": ["deepseek", "openai"],
                "direction": "up",
                "min_percent": 5,
                "quiet_from": "22:00",
                "quiet_until": "07:00",
                "channels": [channel.pk],
            },
        )
        watch = body_of(response, 201)
        assert watch["summary"] == (
            "Price increases of at least 5% on any offering of Deepseek or OpenAI, at once, to Ops room; "
            "quiet 22:00-07:00 Europe/Berlin"
        )
        assert response.headers["Location"] == f"{PATH}{watch['id']}/"
        assert body_of(ada.get(response.headers["Location"])) == watch
        assert ada.get(response.headers["Location"]).headers["ETag"] == response.headers["ETag"]

    def test_what_is_left_out_lets_everything_pass_at_once(self, ada: Caller) -> None:
        watch = made(ada)
        assert watch["summary"] == "Price changes on anything, at once, to no channel yet"
        expected = {"nature": "market", "direction": None, "min_percent": None, "cadence": "instant", "meters": []}
        assert {name: watch[name] for name in expected} == expected

    def test_a_watch_on_a_bill_begins_with_the_bill_of_now(self, ada: Caller, record: None) -> None:
        offering = make.offering("gpt-6", seller=make.company("openai"))
        make.price(make.line(offering), "2")
        profile = people.profile()
        people.used(profile, offering, {"input_tokens": 1_000_000})
        watch = made(ada, profile=profile.pk, bill_percent="5", cadence="daily")
        assert (watch["told_bill"], watch["told_bill_at"] is not None) == ("2", True)
        assert watch["summary"].startswith(
            "The monthly bill of Production moving by at least 5%, in a daily digest at 08:00, to no channel yet"
        )

    def test_the_answer_is_as_the_schema_says(self, ada: Caller) -> None:
        watch = made(ada)
        components = schema()["components"]
        document = {**components["schemas"]["Watch"], "components": components}
        assert not list(Draft202012Validator(document).iter_errors(watch))


BAD: list[tuple[dict[str, Any], str, str]] = [
    ({"name": ""}, "#/name", "empty"),
    ({"companies": ["deepsek"]}, "#/companies/0", "no company"),
    ({"models": ["deepseek-v5"]}, "#/models/0", "no AI model"),
    ({"offerings": [999_999]}, "#/offerings/0", "no offering"),
    ({"offerings": ["deepseek-chat"]}, "#/offerings/0", "no offering"),
    ({"meters": ["input_token"]}, "#/meters/0", "did you mean 'input_tokens'"),
    ({"kinds": ["increased"]}, "#/kinds/0", "did you mean 'increase'"),
    ({"nature": "weather"}, "#/nature", "unknown value"),
    ({"direction": "sideways"}, "#/direction", "unknown value"),
    ({"min_percent": 0}, "#/min_percent", "above 0"),
    ({"min_percent": "-5"}, "#/min_percent", "above 0"),
    ({"min_percent": "a lot"}, "#/min_percent", "not a number"),
    ({"bill_percent": "5"}, "#/profile", "usage profile"),
    ({"cadence": "hourly"}, "#/cadence", "unknown value"),
    ({"digest_hour": 24}, "#/digest_hour", "0 to 23"),
    ({"digest_weekday": 0}, "#/digest_weekday", "1 to 7"),
    ({"quiet_from": "22:00"}, "#/quiet_until", "an end"),
    ({"quiet_from": "22:00", "quiet_until": "22:00"}, "#/quiet_until", "as they begin"),
    ({"quiet_from": "25:00", "quiet_until": "07:00"}, "#/quiet_from", "time of day"),
    ({"paused_until": "2026-12-01T00:00:00"}, "#/paused_until", "time zone"),
    ({"confirmed_only": "yes"}, "#/confirmed_only", "true nor false"),
    ({"compagnies": []}, "#/compagnies", "did you mean 'companies'"),
    ({"channels": "ops"}, "#/channels", "list"),
]


class TestWhatIsRefused:
    @pytest.mark.parametrize(("values", "pointer", "said"), BAD, ids=[pointer + said for _, pointer, said in BAD])
    def test_the_problem_names_the_field(
        self, ada: Caller, record: None, values: dict[str, Any], pointer: str, said: str
    ) -> None:
        assert said in fault_at(ada.post(PATH, {"name": "prices", **values}), pointer)["detail"]
        assert not Watch.objects.exists()

    def test_the_problem_names_the_choices(self, ada: Caller, record: None) -> None:
        assert fault_at(ada.post(PATH, {"name": "x", "companies": ["deepsek"]}), "#/companies/0")["choices"] == [
            "deepseek"
        ]
        assert "became_paid" in fault_at(ada.post(PATH, {"name": "x", "kinds": ["paid"]}), "#/kinds/0")["choices"]

    def test_anothers_channel_is_no_channel(self, ada: Caller, channel: Channel) -> None:
        theirs = people.channel(people.person("mallory"))
        fault = fault_at(ada.post(PATH, {"name": "x", "channels": [theirs.pk]}), "#/channels/0")
        assert fault["choices"] == [str(channel.pk)]

    def test_anothers_profile_is_no_profile(self, ada: Caller) -> None:
        theirs = people.profile(people.person("mallory"))
        fault_at(ada.post(PATH, {"name": "x", "profile": theirs.pk}), "#/profile")

    @pytest.mark.parametrize("body", [[], "watch", 7, None])
    def test_the_body_has_to_be_an_object(self, ada: Caller, body: Any) -> None:
        problem_of(ada.post(PATH, body), 400)


class TestWhoMay:
    def test_without_a_token_nothing_is_told(self, client: Client) -> None:
        for ask in (client.get, client.post):
            refused = ask(PATH)
            problem_of(refused, 401)
            assert refused.headers["WWW-Authenticate"].startswith("Bearer")

    def test_a_token_without_the_scope_is_refused(self, client: Client) -> None:
        reader = Caller(client, scopes=("read", "write"))
        problem_of(reader.get(PATH), 403)
        problem_of(reader.post(PATH, {"name": "x"}), 403)

    def test_anothers_watch_is_not_there(self, ada: Caller, outsider: Caller) -> None:
        path = f"{PATH}{made(ada)['id']}/"
        tag = ada.get(path).headers["ETag"]
        assert body_of(outsider.get(PATH))["results"] == []
        fault = fault_of(outsider.get(path), "id", 404)
        assert "choices" not in fault
        for method in ("put", "patch", "delete"):
            problem_of(outsider.send(method, path, {"name": "mine"}, **{"If-Match": tag}), 404)
        problem_of(outsider.get(f"{path}preview/"), 404)
        assert Watch.objects.get().name == "prices"

    def test_the_list_has_the_callers_own(self, ada: Caller, outsider: Caller) -> None:
        made(ada, name="mine"), made(outsider, name="theirs")
        page = body_of(ada.get(PATH))
        assert (page["count"], [row["name"] for row in page["results"]]) == (1, ["mine"])
        assert "record_as_of" in page


class TestWriting:
    def test_put_replaces_the_whole(self, ada: Caller, record: None) -> None:
        watch = made(ada, companies=["deepseek"], min_percent="5")
        replaced = body_of(ada.send("put", f"{PATH}{watch['id']}/", {"name": "all"}))
        assert (replaced["name"], replaced["companies"], replaced["min_percent"]) == ("all", [], None)

    def test_patch_changes_what_is_given(self, ada: Caller, record: None) -> None:
        watch = made(ada, companies=["deepseek"], min_percent="5")
        changed = body_of(ada.send("patch", f"{PATH}{watch['id']}/", {"min_percent": None, "nature": None}))
        assert (changed["companies"], changed["min_percent"], changed["nature"]) == (["deepseek"], None, None)

    def test_what_was_read_can_be_sent_back(self, ada: Caller, record: None, channel: Channel) -> None:
        watch = made(ada, companies=["deepseek"], channels=[channel.pk], quiet_from="22:00", quiet_until="07:00")
        again = body_of(ada.send("put", f"{PATH}{watch['id']}/", watch))
        assert {**again, "updated_at": None} == {**watch, "updated_at": None}

    def test_delete_ends_it(self, ada: Caller) -> None:
        path = f"{PATH}{made(ada)['id']}/"
        assert ada.send("delete", path).status_code == 204
        problem_of(ada.get(path), 404)

    @pytest.mark.parametrize("method", ["put", "patch", "delete"])
    def test_a_write_has_to_say_what_it_replaces(self, ada: Caller, method: str) -> None:
        path = f"{PATH}{made(ada)['id']}/"
        problem_of(ada.send(method, path, {"name": "x"}, **{"If-Match": ""}), 428)
        refused = ada.send(method, path, {"name": "x"}, **{"If-Match": '"old"'})
        problem_of(refused, 412)
        assert refused.headers["ETag"] == ada.get(path).headers["ETag"]
        assert Watch.objects.get().name == "prices"

    def test_who_writes_upon_a_change_of_somebody_else_loses_nothing(self, ada: Caller) -> None:
        path = f"{PATH}{made(ada)['id']}/"
        tag = ada.get(path).headers["ETag"]
        first = ada.send("patch", path, {"name": "first"}, **{"If-Match": tag})
        assert first.status_code == 200
        problem_of(ada.send("patch", path, {"name": "second"}, **{"If-Match": tag}), 412)
        assert ada.send("patch", path, {"name": "third"}, **{"If-Match": first.headers["ETag"]}).status_code == 200

    def test_an_unchanged_watch_is_a_304(self, ada: Caller) -> None:
        path = f"{PATH}{made(ada)['id']}/"
        assert ada.get(path, **{"If-None-Match": ada.get(path).headers["ETag"]}).status_code == 304

    def test_unknown_parameters_of_writes_are_named(self, ada: Caller) -> None:
        fault_of(ada.post(f"{PATH}?dry_run=1", {"name": "x"}), "dry_run")


class TestPreview:
    @pytest.fixture
    def history(self, record: None) -> None:
        """Two increases, one of them long ago, a cut, and a first load."""
        line = make.line(make.offering("v4-pro", model=make.ai_model("deepseek-v4")))
        now = timezone.now()
        make.change(line, "1", "2", now - timedelta(days=100), headline="long ago")
        make.change(line, "2", "3", now - timedelta(days=10), headline="dearer")
        make.change(line, "3", "2", now - timedelta(days=5), headline="cheaper")
        make.change(line, None, "2", now, headline="loaded", initial=True)

    def test_a_draft_says_how_often_it_would_have_fired_and_saves_nothing(self, ada: Caller, history: None) -> None:
        found = body_of(ada.post(f"{PATH}preview/", {"name": "x", "direction": "up"}))
        assert (found["fired"], found["days"]) == (1, 90)
        assert [change["headline"] for change in found["changes"]] == ["dearer"]
        assert found["summary"].startswith("Price increases on anything")
        assert not Watch.objects.exists()

    def test_a_watch_that_is_there_is_tried_over_the_days_asked(self, ada: Caller, history: None) -> None:
        path = f"{PATH}{made(ada, models=['deepseek-v4'])['id']}/preview/"
        assert [change["headline"] for change in body_of(ada.get(path))["changes"]] == ["cheaper", "dearer"]
        assert body_of(ada.get(path, {"days": 120}))["fired"] == 3
        assert body_of(ada.get(path, {"days": 7}))["fired"] == 1

    @pytest.mark.parametrize("days", ["0", "366", "x", "-1"])
    def test_days_are_bounded(self, ada: Caller, days: str) -> None:
        assert "1 to 365" in fault_of(ada.post(f"{PATH}preview/?days={days}", {"name": "x"}), "days")["detail"]

    def test_a_draft_that_is_wrong_is_refused_as_a_watch_is(self, ada: Caller) -> None:
        fault_at(ada.post(f"{PATH}preview/", {"name": "x", "kinds": ["x"]}), "#/kinds/0")

    def test_a_bill_is_followed_through_the_past(self, ada: Caller, record: None) -> None:
        line = make.line(make.offering("gpt-6", seller=make.company("openai")))
        moved = timezone.now() - timedelta(days=30)
        make.price(line, "1", effective_until=moved)
        make.price(line, "1.2", since=moved)
        make.change(line, "1", "1.2", moved, headline="dearer")
        profile = people.profile()
        people.used(profile, line.offering, {"input_tokens": 1_000_000})
        body = {"name": "x", "profile": profile.pk, "bill_percent": "5"}
        found = body_of(ada.post(f"{PATH}preview/", body))
        assert found["fired"] == 1
        (bill,) = found["bills"]
        assert (bill["old"], bill["new"], bill["percent"], bill["because"]) == ("1", "1.2", "+20.00", ["dearer"])


def test_a_list_asks_as_often_for_many_watches_as_for_one(
    ada: Caller, record: None, channel: Channel, django_assert_max_num_queries: Any
) -> None:
    filters = {"companies": ["deepseek"], "models": ["deepseek-v4"], "channels": [channel.pk]}
    for _ in range(5):
        made(ada, **filters)
    with django_assert_max_num_queries(12):
        assert body_of(ada.get(PATH))["count"] == 5
