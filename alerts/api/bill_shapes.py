"""Bills as the API writes them, each amount with the price row that it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from alerts.api.profile_serializers import ProfileLineSerializer
from alerts.bills.arithmetic import Settled
from alerts.bills.billing import Bill, BillLine, Cheaper
from alerts.bills.lines import LineError
from pricing.api.serializers import PriceSerializer
from pricing.api.shapes.prices import price_shapes
from pricing.currencies.shapes import conversion_shape
from tracker.amounts import plain
from tracker.api.moments import moment_text


def bill_shape(bill: Bill) -> dict[str, Any]:
    """The bill; its price rows come by a few queries for all lines."""
    rows = {item.price.row for line in bill.lines for item in line.priced.items if item.price.row is not None}
    prices = {shape["id"]: shape for shape in price_shapes(sorted(rows))}
    return {
        "profile": bill.profile.pk,
        "name": bill.profile.name,
        "as_of": moment_text(bill.as_of),
        "known_at": moment_text(bill.known_at),
        "currency": bill.profile.currency,
        "list_total": plain(bill.list_total),
        "total": plain(bill.total),
        "complete": bill.is_complete,
        "without_price": bill.without_price,
        "lines": [_line(line, place, prices) for place, line in enumerate(bill.lines)],
        "commitments": [_commitment(each) for each in bill.commitments],
    }


def _line(line: BillLine, place: int, prices: Mapping[int, dict[str, Any]]) -> dict[str, Any]:
    priced = line.priced
    told = ProfileLineSerializer().to_representation(priced.line)
    unknown = priced.error is not None
    return {
        **{name: value for name, value in told.items() if name != "usage"},
        "list_amount": None if unknown else plain(priced.amount),
        "discount_percent": None if line.discount is None else plain(line.discount),
        "amount": None if unknown else plain(line.amount),
        "items": [
            {
                "meter": item.meter,
                "quantity": plain(item.quantity),
                "amount": plain(item.amount),
                "sold": {"amount": plain(item.sold), "currency": item.price.currency} if item.conversion else None,
                "rate": conversion_shape(item.conversion) if item.conversion else None,
                "price": prices.get(item.price.row or 0),
            }
            for item in priced.items
        ],
        "unpriced": [
            {"meter": gap.meter, "quantity": plain(gap.quantity), "known_from": moment_text(gap.known_from)}
            for gap in priced.unpriced
        ],
        "notes": list(priced.notes),
        "error": None if priced.error is None else _problem(priced.error, place),
        "cheaper": [_cheaper(each) for each in line.cheaper],
    }


def _problem(error: LineError, place: int) -> dict[str, Any]:
    fault: dict[str, Any] = {"pointer": f"#/lines/{place}/{error.field}", "detail": error.detail}
    if error.choices:
        fault["choices"] = list(error.choices)
    status = HTTPStatus.BAD_REQUEST
    return {
        "type": "about:blank",
        "title": status.phrase,
        "status": int(status),
        "detail": f"{error.field}: {error.detail}",
        "errors": [fault],
    }


def _cheaper(cheaper: Cheaper) -> dict[str, Any]:
    offering = cheaper.offering
    return {
        "offering": offering.pk,
        "name": offering.name,
        "seller": offering.seller.slug,
        "external_id": offering.external_id,
        "amount": plain(cheaper.amount),
    }


def _commitment(settled: Settled) -> dict[str, Any]:
    scope = settled.commitment.scope
    return {
        "id": settled.commitment.id,
        "seller": scope.seller if scope.offering is None else None,
        "offering": scope.offering,
        "amount": plain(settled.commitment.amount),
        "used": plain(settled.used),
        "shortfall": plain(settled.shortfall),
    }


class BillItemSerializer(serializers.Serializer[Any]):
    """What one price is charged for in a month."""

    meter = serializers.CharField()
    quantity = serializers.CharField()
    amount = serializers.CharField(help_text="By the list price, in the bill's currency.")
    sold = serializers.DictField(
        child=serializers.CharField(), allow_null=True, help_text="Amount and currency before the conversion, if any."
    )
    rate = serializers.DictField(allow_null=True, help_text="The exchange rate, as in costs/.")
    price = PriceSerializer(help_text="The price row that the amount rests on.")


class BillGapSerializer(serializers.Serializer[Any]):
    """A count without a price: no part of any total."""

    meter = serializers.CharField()
    quantity = serializers.CharField()
    known_from = serializers.DateTimeField(allow_null=True, help_text="When its first price after the moment begins.")


class CheaperSerializer(serializers.Serializer[Any]):
    """An offering of the same model that has a price for all of the usage, and what the line would come to there."""

    offering = serializers.IntegerField()
    name = serializers.CharField()
    seller = serializers.CharField()
    external_id = serializers.CharField()
    amount = serializers.CharField(help_text="With the buyer's own discount there, before commitments.")


@extend_schema_field({"oneOf": [{"$ref": "#/components/schemas/Problem"}, {"type": "null"}]})
class LineProblemField(serializers.JSONField):
    """Why a line could not be priced, or null."""


class BillLineSerializer(serializers.Serializer[Any]):
    """A line of the bill."""

    id = serializers.IntegerField()
    offering = serializers.IntegerField()
    seller = serializers.CharField()
    external_id = serializers.CharField()
    model = serializers.CharField(allow_null=True)
    service_tier = serializers.CharField()
    region = serializers.CharField()
    variant = serializers.CharField()
    commitment = serializers.CharField()
    slot = serializers.CharField()
    requests = serializers.IntegerField(allow_null=True)
    list_amount = serializers.CharField(allow_null=True, help_text="By list prices; null where it cannot be priced.")
    discount_percent = serializers.CharField(allow_null=True)
    amount = serializers.CharField(allow_null=True, help_text="After the discount.")
    items = BillItemSerializer(many=True)
    unpriced = BillGapSerializer(many=True)
    notes = serializers.ListField(child=serializers.CharField())
    error = LineProblemField()
    cheaper = CheaperSerializer(many=True, help_text="At most five, the cheapest first.")


class CommitmentSerializer(serializers.Serializer[Any]):
    """How far a commitment was used."""

    id = serializers.IntegerField()
    seller = serializers.IntegerField(allow_null=True)
    offering = serializers.IntegerField(allow_null=True)
    amount = serializers.CharField()
    used = serializers.CharField()
    shortfall = serializers.CharField(help_text="Paid on top of what was used.")


class BillSerializer(serializers.Serializer[Any]):
    """What a month comes to at the prices of one moment."""

    profile = serializers.IntegerField()
    name = serializers.CharField()
    as_of = serializers.DateTimeField()
    known_at = serializers.DateTimeField(allow_null=True)
    currency = serializers.CharField()
    list_total = serializers.CharField(help_text="Before discounts and commitments.")
    total = serializers.CharField()
    complete = serializers.BooleanField(help_text="False: the totals leave out what `without_price` names.")
    without_price = serializers.ListField(child=serializers.CharField())
    lines = BillLineSerializer(many=True)
    commitments = CommitmentSerializer(many=True)
