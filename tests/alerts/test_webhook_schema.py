"""What the OpenAPI document says of webhooks is what they get: every kind of body, as a receiver took it."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator, ValidationError

from accounts.models import User
from alerts import bodies
from alerts.composing import compose_due
from alerts.disabling import disable
from alerts.managing import ping
from alerts.models import Channel
from alerts.sending import send_due
from tests.alerts import letterbox
from tests.alerts.receivers import Received, Receivers
from tests.api import factories as make
from tests.api.contract import schema

pytestmark = pytest.mark.django_db(transaction=True)
MONEY = {"currency": "USD", "old": "100", "new": "110", "percent": "+10.00", "amount": "10", "because": ["a"]}


def check(received: Received) -> str:
    """Hold a call against the section of its type; returns the type."""
    name = str(received.body["type"])
    operation = schema()["webhooks"][name]["post"]
    described = operation["requestBody"]["content"]["application/json"]["schema"]
    validator({**described, "components": schema()["components"]}).validate(received.body)
    for header in operation["parameters"]:
        validator(header["schema"]).validate(received.headers[header["name"]])
    return name


def validator(of: dict[str, Any]) -> Draft202012Validator:
    return Draft202012Validator(of)


@pytest.fixture
def channel(receivers: Receivers) -> Channel:
    return letterbox.webhook(receivers.good())


def sent(receivers: Receivers) -> list[str]:
    """Compose and send what is due, and hold all that came against the document."""
    compose_due()
    send_due()
    return [check(received) for received in receivers.received]


def test_a_change_with_its_money_line(receivers: Receivers, channel: Channel) -> None:
    change = letterbox.change()
    letterbox.notice(change, channel, money=MONEY)
    letterbox.notice(change, channel, letterbox.watch("Another"))
    assert sent(receivers) == ["pricing.change"]


def test_a_correction_of_an_alert(receivers: Receivers, channel: Channel) -> None:
    line = make.line(make.offering("gpt"))
    letterbox.notice(letterbox.change("GPT: input 1 -> 9", of=line, new="9"), channel)
    sent(receivers)
    letterbox.notice(letterbox.change(of=line, old="9", new="1", nature="correction"), channel)
    assert sent(receivers) == ["pricing.change", "pricing.change"]
    assert receivers.received[1].body["corrects"]["headline"] == "GPT: input 1 -> 9"


@pytest.mark.parametrize("cadence", ["daily", "weekly"])
def test_a_digest(receivers: Receivers, channel: Channel, cadence: str) -> None:
    letterbox.notice(letterbox.change(), channel, letterbox.watch(cadence=cadence))
    assert sent(receivers) == ["pricing.digest"]


def test_many_changes_of_one_refresh(receivers: Receivers, channel: Channel, settings: Any) -> None:
    settings.ALERTS_BULK_THRESHOLD = 1
    watch = letterbox.watch()
    for _ in range(2):
        letterbox.notice(letterbox.change(refresh_id=7), channel, watch)
    assert sent(receivers) == ["pricing.digest"]
    assert receivers.received[0].body["data"]["digest"] == "bulk"


def test_a_bill_that_moved_and_leaves_something_out(receivers: Receivers, channel: Channel) -> None:
    money = {**MONEY, "unpriced": ["GPT: reasoning tokens"]}
    letterbox.notice(letterbox.change(), channel, letterbox.watch(bill_percent="5"), money=money)
    assert sent(receivers) == ["pricing.bill"]


def test_word_of_a_channel_that_was_disabled(receivers: Receivers, channel: Channel) -> None:
    disable(letterbox.webhook(receivers.gone(), owner=User.objects.get(username="olga")), "It answered 410.")
    assert sent(receivers) == ["alerts.channel_disabled"]


def test_a_test(receivers: Receivers, channel: Channel) -> None:
    ping(channel)
    assert sent(receivers) == ["ping"]


def test_the_document_knows_every_type_that_is_sent() -> None:
    letters = [name for name in dir(bodies) if name.endswith("_letter")]
    assert len(letters) == 6, "a new letter needs a body in the document and a test here"
    assert set(schema()["webhooks"]) == {
        "pricing.change",
        "pricing.digest",
        "pricing.bill",
        "alerts.channel_disabled",
        "ping",
    }


def test_every_example_is_right_and_a_wrong_body_is_not() -> None:
    for name, methods in schema()["webhooks"].items():
        described = methods["post"]["requestBody"]["content"]["application/json"]
        asked = validator({**described["schema"], "components": schema()["components"]})
        (example,) = described["examples"].values()
        asked.validate(example["value"])
        assert example["value"]["type"] == name
        with pytest.raises(ValidationError):
            asked.validate({**example["value"], "type": "another"})


def test_a_receiver_is_told_of_the_three_headers() -> None:
    for methods in schema()["webhooks"].values():
        names = {header["name"] for header in methods["post"]["parameters"]}
        assert names == {"webhook-id", "webhook-timestamp", "webhook-signature"}
