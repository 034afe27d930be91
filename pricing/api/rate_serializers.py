"""The shapes of exchange rates and converted prices for the schema; ``currencies/shapes.py`` writes them."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from pricing.api.serializers import EXAMPLE_PRICE, PriceSerializer
from tracker.api.fields import AmountText, MomentText


class QuoteSerializer(serializers.Serializer[Any]):
    """Units of a currency for one euro on a day, as they were published."""

    currency = serializers.CharField()
    per_euro = AmountText()
    date = serializers.DateField()
    source = serializers.CharField()  # type: ignore[assignment]
    carried_by = serializers.CharField(
        allow_null=True, help_text="The package whose data it was read from; null where the source's feed read it."
    )
    known_from = MomentText()


_EXAMPLE_QUOTE = {
    "currency": "CNY",
    "per_euro": "7.92",
    "date": "2026-11-20",
    "source": "ecb",
    "carried_by": None,
    "known_from": "2026-11-20T16:00:00Z",
}


@extend_schema_serializer(
    examples=[
        OpenApiExample("A rate on a Sunday", {**_EXAMPLE_QUOTE, "for_date": "2026-11-22", "stands_in": True}),
    ]
)
class DaysQuoteSerializer(QuoteSerializer):
    """The rate of a currency that applies on a day."""

    for_date = serializers.DateField(help_text="The day that was asked about.")
    stands_in = serializers.BooleanField(help_text="Whether an earlier day's rate stands in for that day's.")


class _RateSerializer(serializers.Serializer[Any]):
    to = serializers.CharField()
    rate = AmountText(help_text="Units of `to` for one of `from`, to 18 significant digits.")
    date = serializers.DateField(help_text="The day that the rate is of.")
    for_date = serializers.DateField(help_text="The day in UTC that a rate was wanted for.")
    stands_in = serializers.BooleanField(help_text="Whether an earlier day's rate stands in for that day's.")
    source = serializers.CharField()  # type: ignore[assignment]
    legs = QuoteSerializer(many=True, help_text="What it was worked out from; the euro needs no quote.")


class CitedRateSerializer(_RateSerializer):
    """The rate at which an amount was converted, with the quotes that it rests on."""

    def get_fields(self) -> dict[str, Any]:
        """``from`` besides, which Python keeps for itself."""
        return {"from": serializers.CharField(), **super().get_fields()}


class SoldSerializer(serializers.Serializer[Any]):
    """A price as it is sold."""

    amount = AmountText()
    currency = serializers.CharField()


EXAMPLE_RATE = {
    "from": "USD",
    "to": "CNY",
    "rate": "7.2",
    "date": "2026-11-20",
    "for_date": "2026-11-22",
    "stands_in": True,
    "source": "ecb",
    "legs": [{**_EXAMPLE_QUOTE, "currency": "USD", "per_euro": "1.1"}, _EXAMPLE_QUOTE],
}


@extend_schema_serializer(
    examples=[
        OpenApiExample("A price", EXAMPLE_PRICE),
        OpenApiExample(
            "A price in the currency asked for",
            {
                **EXAMPLE_PRICE,
                "amount": "4.752",
                "currency": "CNY",
                "sold": {"amount": "0.66", "currency": "USD"},
                "rate": EXAMPLE_RATE,
                "not_converted": None,
            },
        ),
    ]
)
class ListedPriceSerializer(PriceSerializer):
    """A price; with ``currency`` converted to that, and then also as it is sold."""

    amount = AmountText(allow_null=True, help_text="Null where `currency` is asked for and there is no rate.")
    sold = SoldSerializer(required=False, help_text="With `currency`: the amount and currency as sold.")
    rate = CitedRateSerializer(
        required=False, allow_null=True, help_text="With `currency`: null where it is sold in that."
    )
    not_converted = serializers.CharField(
        required=False, allow_null=True, help_text="With `currency`: why there is no amount."
    )
