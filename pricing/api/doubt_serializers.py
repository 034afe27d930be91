"""The shapes of holds, disagreements and rulings on holds for the schema; ``shapes/doubts.py`` writes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from pricing.api.serializers import EXAMPLE_LINE, LineSerializer
from pricing.api.shapes.doubts import CLOSED, OPEN
from pricing.meters import METERS
from pricing.models import Decision, Disagreement, Hold
from tracker.api.fields import AmountText, MomentText

LONGEST_NOTE = 10_000
_OFFERING = {"offering": 17, "seller": "deepseek", "external_id": "deepseek-v4-pro", "model": "deepseek-v4-pro"}
EXAMPLE_HOLD = {
    "id": 31,
    "source": "models-dev",
    "reason": "leap",
    "reason_text": "a move beyond ten times",
    "status": "open",
    "outcome": None,
    **_OFFERING,
    **{**EXAMPLE_LINE, "meter": "cache_read_tokens"},
    "amount": "0.003625",
    "currency": "USD",
    "instead": {"amount": "0.145", "currency": "USD"},
    "percent": "-97.50",
    "believed": {"source": "models-dev", "amount": "0.145", "currency": "USD"},
    "others": [{"source": "litellm", "amount": "0.145", "currency": "USD", "since": "2026-06-01T06:00:00Z"}],
    "details": {},
    "observed_at": "2026-11-20T06:00:00Z",
    "raised_at": "2026-11-20T06:00:03Z",
    "closed_at": None,
    "age_days": 3,
    "evidence": {"statement": 8123, "refresh": 41},
    "decision": None,
}
EXAMPLE_DISAGREEMENT = {
    "id": 57,
    "source": "litellm",
    "kind": "amount",
    "status": "open",
    **_OFFERING,
    **EXAMPLE_LINE,
    "amount": "0.435",
    "currency": "USD",
    "believed": {"source": "models-dev", "amount": "0.66", "currency": "USD"},
    "percent": "-34.09",
    "others": [{"source": "models-dev", "amount": "0.66", "currency": "USD", "since": "2026-09-06T00:00:00Z"}],
    "since": "2026-09-06T00:00:00Z",
    "opened_at": "2026-09-08T06:00:03Z",
    "closed_at": None,
    "age_days": 78,
    "evidence": {"statement": 7950},
}


class MoneySerializer(serializers.Serializer[Any]):
    """An amount as sold."""

    amount = AmountText(allow_null=True)
    currency = serializers.CharField(allow_null=True)


class BelievedSerializer(MoneySerializer):
    """What the record believes of the line, and who says it; no source where a person pinned it."""

    source = serializers.CharField(allow_null=True)  # type: ignore[assignment]


class OtherSerializer(MoneySerializer):
    """What another source says of the line now."""

    source = serializers.CharField()  # type: ignore[assignment]
    since = MomentText(help_text="Since when it says so, or says that it is so.")


class _DecisionSerializer(serializers.Serializer[Any]):
    """What a person ruled, and why."""

    id = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=Decision.Kind.values)
    note = serializers.CharField()
    made_at = MomentText()


class _StatementSerializer(serializers.Serializer[Any]):
    """What says it."""

    statement = serializers.IntegerField(allow_null=True)


class _ReadSerializer(_StatementSerializer):
    """What says it, and the refresh that read it."""

    refresh = serializers.IntegerField(allow_null=True)


class DoubtfulLineSerializer(LineSerializer):
    """The coordinates of a line; null where a whole document is held."""

    meter = serializers.ChoiceField(choices=list(METERS), allow_null=True)
    unit = serializers.CharField(allow_null=True)
    service_tier = serializers.CharField(allow_null=True)
    region = serializers.CharField(allow_null=True)
    variant = serializers.CharField(allow_null=True)
    commitment = serializers.CharField(allow_null=True)
    above_input_tokens = serializers.IntegerField(allow_null=True)
    slot = serializers.CharField(allow_null=True)
    layer = serializers.ChoiceField(choices=["list", "promo"], allow_null=True)


@extend_schema_field({"type": "object", "additionalProperties": True})
class _Details(serializers.JSONField):
    """What was counted in a document that is held whole."""


@extend_schema_serializer(examples=[OpenApiExample("A hold", EXAMPLE_HOLD)])
class HoldSerializer(DoubtfulLineSerializer):
    """Something that a source says and that does not count until a second source, time or a person speaks for it."""

    id = serializers.IntegerField()
    source = serializers.CharField(help_text="Who says it.")  # type: ignore[assignment]
    reason = serializers.ChoiceField(choices=Hold.Reason.values)
    reason_text = serializers.CharField(help_text="The reason in words.")
    status = serializers.ChoiceField(choices=[OPEN, CLOSED])
    outcome = serializers.ChoiceField(choices=Hold.Outcome.values, allow_null=True, help_text="How it ended.")
    offering = serializers.IntegerField(allow_null=True, help_text="Null where a whole document is held.")
    seller = serializers.CharField(allow_null=True)
    external_id = serializers.CharField(allow_null=True)
    model = serializers.CharField(allow_null=True)
    amount = AmountText(allow_null=True, help_text="What is held.")
    currency = serializers.CharField(allow_null=True)
    instead = MoneySerializer(allow_null=True, help_text="What the source is read as saying meanwhile.")
    percent = serializers.CharField(allow_null=True, help_text="From `instead` to what is held.")
    believed = BelievedSerializer(allow_null=True, help_text="What the record believes of the line now.")
    others = OtherSerializer(many=True, help_text="What the other sources say of the line now.")
    details = _Details()
    observed_at = MomentText(help_text="The reading that first said it.")
    raised_at = MomentText()
    closed_at = MomentText(allow_null=True)
    age_days = serializers.IntegerField(help_text="Days since it was raised, until it was closed.")
    evidence = _ReadSerializer()
    decision = _DecisionSerializer(allow_null=True)


@extend_schema_serializer(examples=[OpenApiExample("A disagreement", EXAMPLE_DISAGREEMENT)])
class DisagreementSerializer(LineSerializer):
    """A source that says something else of a line than what is believed, while it says so."""

    id = serializers.IntegerField()
    source = serializers.CharField(help_text="Who disagrees.")  # type: ignore[assignment]
    kind = serializers.ChoiceField(choices=Disagreement.Kind.values)
    status = serializers.ChoiceField(choices=[OPEN, CLOSED])
    offering = serializers.IntegerField()
    seller = serializers.CharField()
    external_id = serializers.CharField()
    model = serializers.CharField(allow_null=True)
    amount = AmountText(help_text="What the source says.")
    currency = serializers.CharField()
    believed = BelievedSerializer(help_text="Without an amount where the believed tariff has no such line.")
    percent = serializers.CharField(allow_null=True, help_text="From what is believed to what the source says.")
    others = OtherSerializer(many=True, help_text="What the other sources say of the line now.")
    since = MomentText(help_text="Since when both have said so.")
    opened_at = MomentText(help_text="When it was noticed.")
    closed_at = MomentText(allow_null=True)
    age_days = serializers.IntegerField(help_text="Days since `since`, until it was closed.")
    evidence = _StatementSerializer()


@extend_schema_serializer(examples=[OpenApiExample("A ruling", {"note": "announced on their pricing page today"})])
class RulingSerializer(serializers.Serializer[Any]):
    """Why somebody releases or refuses what is held; kept with the decision, and shown with the hold."""

    note = serializers.CharField(max_length=LONGEST_NOTE, help_text="Why. Anybody who reads the hold can read it.")

    def to_internal_value(self, data: Any) -> Any:
        """Take no field that does not exist."""
        if isinstance(data, Mapping):
            unknown = {str(name)[:100]: ["unknown field; `note` is the only one"] for name in data if name != "note"}
            if unknown:
                raise serializers.ValidationError(unknown)
            if not isinstance(data.get("note", ""), str):
                raise serializers.ValidationError({"note": ["text was expected"]})
        return super().to_internal_value(data)
