"""The shapes of a request for costs and of its answer, for the schema; ``shapes/costs.py`` writes them."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from pricing.api.rate_serializers import CitedRateSerializer
from pricing.api.serializers import EXAMPLE_PRICE, AliasTermsSerializer, PriceSerializer
from tracker.api.fields import AmountText, MomentText

EXAMPLE_REQUEST = {
    "lines": [
        {
            "id": "call-1",
            "seller": "deepseek",
            "model": "deepseek-v4-pro",
            "at": "2026-11-20T12:00:00Z",
            "usage": {"input_tokens": 1000, "output_tokens": 200},
        },
        {
            "id": "call-2",
            "seller": "deepseek",
            "model": "deepseek-v4-pro",
            "at": "2026-11-20T12:00:00Z",
            "provider_usage": {
                "format": "openai-chat",
                "body": {"usage": {"prompt_tokens": 1000, "completion_tokens": 200}},
            },
        },
        {"id": "call-3", "seller": "deepseek", "model": "deepseek-v4-por", "usage": {"input_tokens": 1000}},
    ]
}
_EXAMPLE_COST = {
    "id": "call-1",
    "total": "0.00066",
    "currency": "USD",
    "alias": None,
    "items": [
        {
            "meter": "input_tokens",
            "quantity": 1000,
            "amount": "0.00066",
            "price": {**EXAMPLE_PRICE, "source": "models-dev"},
        }
    ],
    "unpriced": [{"meter": "output_tokens", "quantity": 200, "known_from": None}],
    "notes": [],
    "unused": [],
    "rates": [],
    "error": None,
}
EXAMPLE_ANSWER = {
    "results": [
        _EXAMPLE_COST,
        {**_EXAMPLE_COST, "id": "call-2"},
        {
            "id": "call-3",
            "total": None,
            "currency": None,
            "alias": None,
            "items": [],
            "unpriced": [],
            "notes": [],
            "unused": [],
            "rates": [],
            "error": {
                "type": "about:blank",
                "title": "Not Found",
                "status": 404,
                "detail": "model: deepseek sells nothing called 'deepseek-v4-por'; the nearest: deepseek-v4-pro",
                "errors": [
                    {
                        "pointer": "#/lines/2/model",
                        "detail": "deepseek sells nothing called 'deepseek-v4-por'; the nearest: deepseek-v4-pro",
                        "choices": ["deepseek-v4-pro"],
                    }
                ],
            },
        },
    ]
}


@extend_schema_field({"type": ["string", "integer", "null"]})
class GivenId(serializers.JSONField):
    """What a client calls a line."""


@extend_schema_field({"oneOf": [{"$ref": "#/components/schemas/Problem"}, {"type": "null"}]})
class LineProblem(serializers.JSONField):
    """Why a line could not be priced, or null."""


class ProviderUsageSerializer(serializers.Serializer[Any]):
    """A provider's own answer, or the usage object in it."""

    format = serializers.CharField(help_text="Such as `openai-chat`, `anthropic`, `gemini`; an error names them all.")
    body = serializers.DictField(help_text="The body as the provider sent it.")


class CostLineSerializer(serializers.Serializer[Any]):
    """Usage to be priced, as `usage` or as `provider_usage`."""

    id = GivenId(required=False, help_text="Comes back with the result.")
    seller = serializers.CharField(help_text="Slug of the company that sells the model.")
    model = serializers.CharField(help_text="An id by which the seller, or a source, knows the offering; or an alias.")
    at = MomentText(required=False, allow_null=True, help_text="When the call was made; now if left out.")
    service_tier = serializers.CharField(required=False, allow_null=True, help_text="`standard` if left out.")
    region = serializers.CharField(required=False, allow_null=True)
    variant = serializers.CharField(required=False, allow_null=True)
    commitment = serializers.CharField(required=False, allow_null=True)
    known_at = MomentText(
        required=False, allow_null=True, help_text="Price it by what was known at this moment; now if left out."
    )
    assume_earliest = serializers.BooleanField(
        required=False, allow_null=True, help_text="Before the first known price, take that one and say so in `notes`."
    )
    usage = serializers.DictField(
        child=serializers.FloatField(),
        required=False,
        help_text="Counts by meter. `input_tokens` includes cached ones, `output_tokens` includes reasoning.",
    )
    provider_usage = ProviderUsageSerializer(required=False)


class CostRequestSerializer(serializers.Serializer[Any]):
    """Up to 10,000 lines of usage."""

    currency = serializers.RegexField(
        r"^[A-Z]{3}$", required=False, allow_null=True, help_text="That all amounts are to be in; as sold if left out."
    )
    assume_earliest = serializers.BooleanField(
        required=False, allow_null=True, help_text="For every line that does not say it itself; false if left out."
    )
    lines = CostLineSerializer(many=True)


class CitedPriceSerializer(PriceSerializer):
    """The price row that an amount was worked out from."""

    source = serializers.CharField(  # type: ignore[assignment]
        allow_null=True, help_text="Whose statement set the price; null for a person's ruling."
    )


class CostItemSerializer(serializers.Serializer[Any]):
    """What one price was charged for."""

    meter = serializers.CharField()
    quantity = serializers.FloatField()
    amount = AmountText()
    price = CitedPriceSerializer()


class UnpricedSerializer(serializers.Serializer[Any]):
    """A count that no price is known for; it is no part of the total."""

    meter = serializers.CharField()
    quantity = serializers.FloatField()
    known_from = MomentText(allow_null=True, help_text="When its first price after the moment begins, if any.")


class CostAliasSerializer(AliasTermsSerializer):
    """The alias row by which the model was found."""

    offering = serializers.IntegerField(help_text="The offering that it leads to.")
    target = serializers.CharField(help_text="That offering's own id.")


class CostResultSerializer(serializers.Serializer[Any]):
    """What one line cost, or why it cannot be told."""

    id = GivenId()
    total = AmountText(allow_null=True, help_text="The exact sum of the items; null with an error.")
    currency = serializers.CharField(allow_null=True)
    alias = CostAliasSerializer(allow_null=True)
    items = CostItemSerializer(many=True)
    unpriced = UnpricedSerializer(many=True)
    notes = serializers.ListField(child=serializers.CharField(), help_text="What a reader would not expect.")
    unused = serializers.ListField(
        child=serializers.CharField(), help_text="Fields of the provider's usage that had no part in the cost."
    )
    rates = CitedRateSerializer(many=True, help_text="At which what is sold in another currency was converted.")
    error = LineProblem()


class CostAnswerSerializer(serializers.Serializer[Any]):
    """One result for each line, in the order of the request."""

    results = CostResultSerializer(many=True)
