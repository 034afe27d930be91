"""``channels/``: made, read, changed, tested, rotated and deleted by their owner alone."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from jsonschema import Draft202012Validator

from alerts.encryption import decrypted
from alerts.models import Channel, Delivery
from alerts.sending import send_due
from alerts.signing import key_of
from tests.alerts import letterbox
from tests.alerts.receivers import Receivers
from tests.api import factories as make
from tests.api.contract import fault_of, problem_of, schema

pytestmark = pytest.mark.django_db
PATH = "/api/v1/channels/"
HOOK = "https://receiver.example/hooks/very-secret?key=also-secret"


class Caller:
    """Somebody with a token."""

    def __init__(self, client: Client, username: str = "olga", scopes: tuple[str, ...] = ("alerts",)) -> None:
        self.client = client
        self.authorization = f"Bearer {make.token(username, scopes=list(scopes))}"

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        sent = {"Authorization": self.authorization, **headers}
        content = "" if body is None else json.dumps(body)
        return self.client.generic(method, path, content, content_type="application/json", headers=sent)


@pytest.fixture
def olga(client: Client) -> Caller:
    return Caller(client)


@pytest.fixture
def stranger(client: Client) -> Caller:
    return Caller(client, "sam")


def test_creation_shows_the_secret_once_and_masks_the_address(olga: Caller) -> None:
    made = olga("POST", PATH, {"kind": "webhook", "name": "Ops room", "address": HOOK})
    assert made.status_code == 201, made.content
    body = made.json()
    key_of(body["secret"])
    assert body["address"] == "https://receiver.example/…"
    assert (body["verified_at"], body["disabled"], body["kind"]) == (None, False, "webhook")
    assert made.headers["Cache-Control"] == "no-store"
    read = olga("GET", made.headers["Location"])
    assert read.status_code == 200
    assert "secret" not in read.json()
    assert read.headers["ETag"] == made.headers["ETag"]
    for response in (made, read, olga("GET", PATH)):
        assert "very-secret" not in response.content.decode()
        assert "also-secret" not in response.content.decode()
    row = Channel.objects.get()
    assert HOOK not in row.address
    assert decrypted(row.address) == HOOK
    assert decrypted(row.secret) == body["secret"]


def test_creation_sends_a_ping_that_proves_the_channel(olga: Caller, receivers: Receivers) -> None:
    made = olga("POST", PATH, {"kind": "webhook", "name": "Ops room", "address": receivers.good()})
    send_due()
    (ping,) = receivers.received
    assert ping.verified_by(made.json()["secret"])["type"] == "ping"
    assert olga("GET", made.headers["Location"]).json()["verified_at"] is not None
    assert olga("GET", "/api/v1/deliveries/").json()["results"] == [], "tests are no part of the deliveries"
    assert len(olga("GET", "/api/v1/deliveries/?kind=ping").json()["results"]) == 1


def test_a_ping_that_fails_leaves_the_reason_and_a_test_tries_again(olga: Caller, receivers: Receivers) -> None:
    url = receivers.changing("/mended", 404, 200)
    location = olga("POST", PATH, {"kind": "webhook", "name": "Ops", "address": url}).headers["Location"]
    send_due()
    told = olga("GET", location).json()
    assert (told["verified_at"], told["last_error"]) == (None, "answered 404")
    asked = olga("POST", f"{location}test/")
    assert (asked.status_code, asked.json()["kind"]) == (202, "ping")
    problem_of(olga("POST", f"{location}test/"), 409)
    send_due()
    told = olga("GET", location).json()
    assert told["verified_at"] is not None
    assert told["last_error"] == ""


@pytest.mark.parametrize(
    ("kind", "address", "said"),
    [
        ("webhook", "receiver.example/hook", "http or https"),
        ("webhook", "ftp://receiver.example/", "http or https"),
        ("webhook", "https://user:pass-word@receiver.example/", "user name or password"),
        ("webhook", "https://receiver.example/a b", "without spaces"),
        ("webhook", "https://receiver.example:99999/", ""),
        ("email", "ops", "email address"),
        ("email", "Ops <ops@example.org>", "email address"),
        ("email", "ops@example.org,eve@example.org", "email address"),
        ("email", "ops@example.org\nBcc: eve@example.org", "characters"),
        ("email", "öps@example.org", "email address"),
        ("apprise", "not a url", "slack://"),
        ("apprise", "file:///etc/passwd", "file://"),
        ("apprise", "syslog://", "slack://"),
        ("apprise", "dbus://session", "dbus://"),
        ("apprise", "mailto://user:pass@example.org", "mailto://"),
        ("apprise", "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ?template=/etc/passwd", "template"),
        ("apprise", "slack://", "slack://"),
        ("apprise", "slack://wrong-token", "slack://"),
    ],
)
def test_addresses_that_cannot_be_are_refused_by_name(olga: Caller, kind: str, address: str, said: str) -> None:
    problem = problem_of(olga("POST", PATH, {"kind": kind, "name": "Ops", "address": address}), 400)
    (fault,) = problem["errors"]
    assert fault["pointer"] == "#/address"
    assert said in fault["detail"]
    assert "pass-word" not in json.dumps(problem)
    assert not Channel.objects.exists()


def test_an_unknown_kind_of_apprise_address_names_those_that_are_taken(olga: Caller) -> None:
    problem = problem_of(olga("POST", PATH, {"kind": "apprise", "name": "Chat", "address": "slak://a/b/c"}), 400)
    assert "slack" in problem["errors"][0]["choices"]


def test_an_apprise_address_is_encrypted_and_shown_by_its_kind_alone(olga: Caller) -> None:
    address = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#general"
    made = olga("POST", PATH, {"kind": "apprise", "name": "Chat", "address": address})
    assert made.status_code == 201, made.content
    assert (made.json()["address"], made.json()["secret"]) == ("slack://…", None)
    assert "T1JJ3T3L2" not in Channel.objects.get().address
    assert decrypted(Channel.objects.get().address) == address


def test_a_key_makes_a_channel_once_and_does_not_keep_its_secret(olga: Caller) -> None:
    body = {"kind": "webhook", "name": "Ops room", "address": HOOK}
    first = olga("POST", PATH, body, **{"Idempotency-Key": "one"})
    again = olga("POST", PATH, body, **{"Idempotency-Key": "one"})
    assert Channel.objects.count() == 1
    assert (again.status_code, again.json()["id"]) == (201, first.json()["id"])
    assert (bool(first.json()["secret"]), again.json()["secret"]) == (True, None)


def test_rotation_gives_a_new_secret_and_the_old_one_signs_on_for_a_day(olga: Caller, receivers: Receivers) -> None:
    channel = letterbox.webhook(receivers.good())
    old = letterbox.secret_of(channel)
    rotated = olga("POST", f"{PATH}{channel.pk}/rotate-secret/")
    assert rotated.status_code == 200, rotated.content
    new = rotated.json()["secret"]
    letterbox.delivery(channel)
    send_due()
    (received,) = receivers.received
    for secret in (old, new):
        received.verified_by(secret)
    assert len(received.headers["webhook-signature"].split(" ")) == 2
    letterbox.let_pass(timezone.timedelta(hours=25))
    letterbox.delivery(channel)
    send_due()
    assert len(receivers.received[-1].headers["webhook-signature"].split(" ")) == 1
    receivers.received[-1].verified_by(new)


def test_only_webhooks_have_secrets_to_rotate(olga: Caller) -> None:
    problem_of(olga("POST", f"{PATH}{letterbox.mailbox().pk}/rotate-secret/"), 422)


def test_a_new_address_has_to_be_proved_anew(olga: Caller, receivers: Receivers) -> None:
    channel = letterbox.webhook(receivers.good("/first"))
    waiting = letterbox.delivery(channel)
    path = f"{PATH}{channel.pk}/"
    tag = olga("GET", path).headers["ETag"]
    url = receivers.failing("/second")
    changed = olga("PATCH", path, {"address": url}, **{"If-Match": tag})
    assert changed.status_code == 200, changed.content
    assert changed.json()["verified_at"] is None
    send_due()
    waiting.refresh_from_db()
    assert waiting.status == "waiting"
    assert [received.path for received in receivers.received] == ["/second"]


def test_what_is_written_as_it_was_shown_stays(olga: Caller) -> None:
    channel = letterbox.webhook(HOOK)
    path = f"{PATH}{channel.pk}/"
    read = olga("GET", path)
    body = {name: read.json()[name] for name in ("kind", "address")} | {"name": "Renamed"}
    put = olga("PUT", path, body, **{"If-Match": read.headers["ETag"]})
    assert put.status_code == 200, put.content
    channel.refresh_from_db()
    assert (channel.name, decrypted(channel.address)) == ("Renamed", HOOK)
    assert channel.verified_at is not None


def test_the_kind_stays(olga: Caller) -> None:
    channel = letterbox.webhook(HOOK)
    path = f"{PATH}{channel.pk}/"
    tag = olga("GET", path).headers["ETag"]
    problem = problem_of(olga("PATCH", path, {"kind": "email"}, **{"If-Match": tag}), 400)
    assert problem["errors"][0]["pointer"] == "#/kind"


def test_its_owner_stops_and_starts_it(olga: Caller, receivers: Receivers) -> None:
    channel = letterbox.webhook(receivers.good())
    delivery = letterbox.delivery(channel)
    path = f"{PATH}{channel.pk}/"
    stopped = olga("PATCH", path, {"disabled": True}, **{"If-Match": olga("GET", path).headers["ETag"]})
    assert stopped.json()["disabled"] is True
    delivery.refresh_from_db()
    assert delivery.status == "dead"
    problem_of(olga("POST", f"/api/v1/deliveries/{delivery.pk}/retry/"), 409)
    problem_of(olga("POST", f"{path}resend/", {"since": "2026-01-01T00:00:00Z"}), 409)
    olga("PATCH", path, {"disabled": False}, **{"If-Match": stopped.headers["ETag"]})
    again = olga("POST", f"{path}resend/", {"since": "2026-01-01T00:00:00Z"})
    assert (again.status_code, again.json()) == (202, {"messages": 1})
    send_due()
    delivery.refresh_from_db()
    assert delivery.status == "delivered"


def test_writes_name_what_they_replace(olga: Caller) -> None:
    channel = letterbox.webhook(HOOK)
    path = f"{PATH}{channel.pk}/"
    problem_of(olga("PATCH", path, {"name": "New"}), 428)
    failed = olga("PATCH", path, {"name": "New"}, **{"If-Match": '"old"'})
    problem_of(failed, 412)
    assert failed.headers["ETag"] == olga("GET", path).headers["ETag"]
    problem_of(olga("DELETE", path), 428)
    assert olga("DELETE", path, **{"If-Match": failed.headers["ETag"]}).status_code == 204
    problem_of(olga("GET", path), 404)


def test_messages_that_arrive_do_not_change_the_tag(olga: Caller, receivers: Receivers) -> None:
    channel = letterbox.webhook(receivers.good())
    path = f"{PATH}{channel.pk}/"
    tag = olga("GET", path).headers["ETag"]
    letterbox.delivery(channel)
    send_due()
    assert olga("GET", path).headers["ETag"] == tag


def test_nobody_else_sees_or_touches_a_channel(olga: Caller, stranger: Caller, client: Client) -> None:
    channel = letterbox.webhook(HOOK)
    delivery = letterbox.delivery(channel)
    paths = [f"{PATH}{channel.pk}/", f"/api/v1/deliveries/{delivery.pk}/"]
    acts = [f"{paths[0]}{act}/" for act in ("test", "rotate-secret", "resend")] + [f"{paths[1]}retry/"]
    assert stranger("GET", PATH).json()["results"] == []
    assert stranger("GET", "/api/v1/deliveries/").json()["results"] == []
    for path in paths:
        problem_of(stranger("GET", path), 404)
    for path in acts:
        problem_of(stranger("POST", path, {"since": "2026-01-01T00:00:00Z"}), 404)
    problem_of(stranger("DELETE", paths[0], **{"If-Match": "*"}), 404)
    for path in [PATH, "/api/v1/deliveries/", *paths]:
        assert problem_of(client.get(path), 401)
        assert Caller(client, "rita", ("read", "write"))("GET", path).status_code == 403
    for path in acts:
        problem_of(client.post(path), 401)


def test_nobody_has_channels_without_end(olga: Caller, settings: Any) -> None:
    settings.ALERTS_CHANNELS_PER_USER = 1
    body = {"kind": "webhook", "name": "Ops room", "address": HOOK}
    assert olga("POST", PATH, body).status_code == 201
    problem_of(olga("POST", PATH, body), 422)


def test_lists_can_be_filtered(olga: Caller) -> None:
    hook = letterbox.webhook(HOOK, verified_at=None)
    mail = letterbox.mailbox(disabled_at=timezone.now())

    def found(query: str) -> list[int]:
        return [row["id"] for row in olga("GET", f"{PATH}?{query}").json()["results"]]

    assert found("kind=email") == [mail.pk]
    assert found("disabled=false") == [hook.pk]
    assert found("verified=true") == [mail.pk]
    fault_of(olga("GET", f"{PATH}?kind=fax"), "kind")


def test_deliveries_tell_their_attempts_and_are_sent_again(olga: Caller, receivers: Receivers) -> None:
    channel = letterbox.webhook(receivers.changing("/once", 500, 200))
    delivery = letterbox.delivery(channel)
    send_due()
    path = f"/api/v1/deliveries/{delivery.pk}/"
    told = olga("GET", path).json()
    assert (told["status"], told["attempts_made"], told["attempts"][0]["status_code"]) == ("waiting", 1, 500)
    assert told["body"]["type"] == "ping"
    assert told["next_attempt_at"] is not None
    assert olga("POST", f"{path}retry/").status_code == 202
    send_due()
    told = olga("GET", path).json()
    assert (told["status"], told["next_attempt_at"], len(told["attempts"])) == ("delivered", None, 2)
    first, second = receivers.received
    assert first.message_id == second.message_id == told["message_id"]


def test_deliveries_page_by_cursor_newest_first(olga: Caller) -> None:
    channel = letterbox.webhook(HOOK)
    ids = [letterbox.delivery(channel).pk for _ in range(5)]
    page = olga("GET", "/api/v1/deliveries/?limit=2").json()
    assert [row["id"] for row in page["results"]] == ids[:-3:-1]
    page = olga("GET", page["next"].removeprefix("http://testserver")).json()
    assert [row["id"] for row in page["results"]] == [ids[2], ids[1]]
    assert "count" not in page


@pytest.mark.parametrize(
    ("template", "path"),
    [
        ("/api/v1/channels/", "/api/v1/channels/"),
        ("/api/v1/channels/{id}/", "/api/v1/channels/{channel}/"),
        ("/api/v1/deliveries/", "/api/v1/deliveries/"),
        ("/api/v1/deliveries/{id}/", "/api/v1/deliveries/{delivery}/"),
    ],
)
def test_answers_are_as_the_schema_says(olga: Caller, receivers: Receivers, template: str, path: str) -> None:
    channel = letterbox.webhook(receivers.failing())
    delivery = letterbox.delivery(channel)
    send_due()
    described = schema()["paths"][template]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    document = {**described, "components": schema()["components"]}
    answer = olga("GET", path.format(channel=channel.pk, delivery=delivery.pk))
    assert not list(Draft202012Validator(document).iter_errors(answer.json()))


def test_resending_leaves_tests_and_what_arrived_alone_unless_asked(olga: Caller) -> None:
    channel = letterbox.webhook(HOOK)
    for status, kind in (("dead", "change"), ("delivered", "change"), ("dead", "ping"), ("waiting", "change")):
        letterbox.delivery(channel, status=status, kind=kind)
    path = f"{PATH}{channel.pk}/resend/"
    problem_of(olga("POST", path, {"since": "2026-01-01T00:00:00"}), 400)
    assert olga("POST", path, {"since": "2026-01-01T00:00:00Z"}).json() == {"messages": 1}
    assert olga("POST", path, {"since": "2026-01-01T00:00:00Z", "also_delivered": True}).json() == {"messages": 1}
    assert Delivery.objects.filter(status="waiting").count() == 3
