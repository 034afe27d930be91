"""What is posted to webhooks, as the OpenAPI document describes it: the bodies of ``alerts.bodies`` and the headers."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiResponse,
    OpenApiWebhook,
    extend_schema,
    extend_schema_field,
    extend_schema_serializer,
)
from rest_framework import serializers

from alerts.api.watch_serializers import MoneyLineSerializer
from pricing.api.serializers import EXAMPLE_CHANGE, ChangeSerializer
from tracker.api.fields import MomentText

_MOMENT = "2026-09-08T06:00:01Z"
_WATCH = {"id": 12, "name": "Dearer models"}
_MONEY = {
    "currency": "USD",
    "old": "1200",
    "new": "1266.5",
    "percent": "+5.54",
    "amount": "66.5",
    "because": [EXAMPLE_CHANGE["headline"]],
}
_WATCHED = {"watch": _WATCH, "money": _MONEY, "watches": [{**_WATCH, "money": _MONEY}]}
_TEXT = {"type": "string"}
_HEADERS = (
    ("webhook-id", {**_TEXT, "pattern": "^msg_"}, "The message; the same over all attempts. Do nothing on a repeat."),
    ("webhook-timestamp", {**_TEXT, "pattern": r"^\d+$"}, "Seconds since 1970, of this attempt."),
    (
        "webhook-signature",
        {**_TEXT, "pattern": "^v1,[A-Za-z0-9+/=]+( v1,[A-Za-z0-9+/=]+)*$"},
        "Standard Webhooks 1.0: one or more signatures with a space between; one right one suffices.",
    ),
)


def _type(name: str) -> Any:
    """A field that is always this text, by which receivers tell bodies apart."""

    @extend_schema_field({"type": "string", "const": name})
    class Type(serializers.CharField):
        """The type of a body."""

    return Type()


# Serializers have a property ``data``, and mypy takes a field of that name for it; DRF moves fields out of the class.


class NamedWatchSerializer(serializers.Serializer[Any]):
    """A watch that caught what is told."""

    id = serializers.IntegerField()
    name = serializers.CharField()


class WatchedSerializer(NamedWatchSerializer):
    """A watch that caught what is told, and what that means for its bill."""

    money = MoneyLineSerializer(allow_null=True, help_text="Null without a usage profile, or where it touches nothing.")


class AlertSerializer(serializers.Serializer[Any]):
    """What every alert about prices says beside its data."""

    timestamp = MomentText(help_text="When it was detected or gathered.")
    watch = NamedWatchSerializer(allow_null=True, help_text="The first watch that caught it.")
    money = MoneyLineSerializer(allow_null=True, help_text="What it means for a bill: the first watch that knows.")
    watches = WatchedSerializer(many=True, help_text="All watches that caught it.")


class CorrectedSerializer(serializers.Serializer[Any]):
    """The alert that a correction takes back."""

    change = serializers.IntegerField()
    headline = serializers.CharField()
    message_id = serializers.CharField(help_text="Its webhook-id.")
    told_at = MomentText()


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "An increase",
            {
                "type": "pricing.change",
                "timestamp": EXAMPLE_CHANGE["detected_at"],
                "data": EXAMPLE_CHANGE,
                **_WATCHED,
                "corrects": None,
            },
        )
    ]
)
class ChangeMessageSerializer(AlertSerializer):
    """One change. A correction says which alert it takes back, if this channel got one."""

    type = _type("pricing.change")
    data = ChangeSerializer()  # type: ignore[assignment]
    corrects = CorrectedSerializer(allow_null=True)


class GatheredSerializer(serializers.Serializer[Any]):
    """Several changes."""

    title = serializers.CharField()
    count = serializers.IntegerField(help_text="How many there are.")
    changes = ChangeSerializer(many=True, help_text="The first 100 of them.")


class DigestSerializer(GatheredSerializer):
    """Several changes, and why they come together."""

    digest = serializers.ChoiceField(
        choices=["daily", "weekly", "bulk"], help_text="The watch's cadence, or bulk: many changes of one cause."
    )


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A daily digest",
            {
                "type": "pricing.digest",
                "timestamp": _MOMENT,
                "data": {
                    "title": "Dearer models: 1 pricing change, daily digest",
                    "count": 1,
                    "changes": [EXAMPLE_CHANGE],
                    "digest": "daily",
                },
                **_WATCHED,
            },
        )
    ]
)
class DigestMessageSerializer(AlertSerializer):
    """What a watch caught since its last digest, or many changes of one cause."""

    type = _type("pricing.digest")
    data = DigestSerializer()  # type: ignore[assignment]


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A month that moved",
            {
                "type": "pricing.bill",
                "timestamp": _MOMENT,
                "data": {
                    "title": "Your month: 1200 -> 1266.5 USD, +5.54%",
                    "count": 1,
                    "changes": [EXAMPLE_CHANGE],
                },
                **_WATCHED,
            },
        )
    ]
)
class BillMessageSerializer(AlertSerializer):
    """A month's bill that moved, and the changes that moved it."""

    type = _type("pricing.bill")
    data = GatheredSerializer()  # type: ignore[assignment]


class DisabledChannelSerializer(serializers.Serializer[Any]):
    """A channel that gets no messages any more."""

    channel = serializers.IntegerField()
    name = serializers.CharField()
    address = serializers.CharField(help_text="Masked.")
    reason = serializers.CharField()


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A receiver that wants no more",
            {
                "type": "alerts.channel_disabled",
                "timestamp": _MOMENT,
                "data": {
                    "channel": 3,
                    "name": "Ops room",
                    "address": "https://receiver.example/…",
                    "reason": "It answered 410: it wants no more messages.",
                },
            },
        )
    ]
)
class DisabledMessageSerializer(serializers.Serializer[Any]):
    """Another channel of the same owner was disabled."""

    type = _type("alerts.channel_disabled")
    timestamp = MomentText()
    data = DisabledChannelSerializer()  # type: ignore[assignment]


class PingSerializer(serializers.Serializer[Any]):
    """Which channel is tested."""

    channel = serializers.IntegerField()
    text = serializers.CharField()


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A test",
            {
                "type": "ping",
                "timestamp": _MOMENT,
                "data": {"channel": 3, "text": "This is a test: pricing alerts can reach this address."},
            },
        )
    ]
)
class PingMessageSerializer(serializers.Serializer[Any]):
    """A test: sent when a webhook is made, and when somebody asks. A 2xx answer proves the webhook."""

    type = _type("ping")
    timestamp = MomentText()
    data = PingSerializer()  # type: ignore[assignment]


def _webhook(name: str, body: type[serializers.Serializer[Any]]) -> OpenApiWebhook:
    described = (body.__doc__ or "").strip()
    answers = {
        "2XX": OpenApiResponse(description="Taken. Nothing but the status counts; answer within 15 seconds."),
        "410": OpenApiResponse(description="No more: the channel is disabled."),
        "default": OpenApiResponse(description="Tried again: after 5 s, 5 min, 30 min, and then for three days."),
    }
    summary = described.partition(".")[0]
    decorator = extend_schema(
        summary=summary, description=described, tags=["webhooks"], request=body, responses=answers, auth=[]
    )
    return OpenApiWebhook(name=name, decorator=decorator)


CHANGE = _webhook("pricing.change", ChangeMessageSerializer)
DIGEST = _webhook("pricing.digest", DigestMessageSerializer)
BILL = _webhook("pricing.bill", BillMessageSerializer)
CHANNEL_DISABLED = _webhook("alerts.channel_disabled", DisabledMessageSerializer)
PING = _webhook("ping", PingMessageSerializer)


def add_webhook_headers(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """A drf-spectacular hook: its webhooks take no parameters, and the three headers are what a receiver verifies."""
    headers = [
        {"name": name, "in": "header", "required": True, "description": described, "schema": schema}
        for name, schema, described in _HEADERS
    ]
    for methods in result.get("webhooks", {}).values():
        for operation in methods.values():
            operation["parameters"] = headers
    return result
