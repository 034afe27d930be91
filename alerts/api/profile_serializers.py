"""Usage profiles as the API reads and writes them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from alerts.api.offerings import OfferingInput
from alerts.bills.writing import (
    MOST_LINES,
    Finder,
    WrongLine,
    check_terms,
    checked_usage,
    replace_adjustments,
    replace_lines,
)
from alerts.models import ProfileAdjustment, ProfileLine, UsageProfile
from companies.models import Company
from pricing.models import Offering
from pricing.usage import UsageError
from tracker.api.inputs import (
    AmountInput,
    ChoiceInput,
    ItemsInput,
    MomentInput,
    RowInput,
    StrictSerializer,
    TextInput,
    WholeInput,
    WrongInput,
)

_CURRENCY = re.compile(r"[A-Z]{3}")
_MOST_CALLS = 10**15
_OFFERINGS = Offering.objects.select_related("seller", "model")

EXAMPLE = {
    "name": "Production",
    "currency": "USD",
    "lines": [
        {
            "seller": "deepseek",
            "model": "deepseek-chat",
            "requests": 400000,
            "usage": {"input_tokens": 1200000000, "cache_read_tokens": 700000000, "output_tokens": 90000000},
        }
    ],
    "adjustments": [{"kind": "discount", "seller": "deepseek", "percent": "10"}],
}


class CurrencyInput(TextInput):
    """An ISO 4217 code."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str) or not _CURRENCY.fullmatch(data):
            raise WrongInput("is no currency; use its ISO 4217 code, such as USD or CNY")
        return data


@extend_schema_field(
    {
        "type": "object",
        "additionalProperties": {"type": ["string", "number"]},
        "description": "The month's quantity of each usage key, as in costs/.",
        "example": {"input_tokens": "1200000000", "output_tokens": "90000000"},
    }
)
class UsageInput(serializers.Field[dict[str, str], Any, dict[str, str], Any]):
    """Counts by meter, as numbers or as decimal text; written as text."""

    def to_internal_value(self, data: Any) -> dict[str, str]:
        if not isinstance(data, dict) or not data:
            raise WrongInput('is not an object of counts by meter, such as {"input_tokens": 1000000}')
        try:
            return checked_usage(data)
        except UsageError as error:
            raise serializers.ValidationError({error.field: WrongInput(error.detail, error.choices).detail}) from None

    def to_representation(self, value: dict[str, str]) -> dict[str, str]:
        return value


class ProfileLineSerializer(StrictSerializer):
    """So much of each meter in a month on one offering: named by its number, or by seller and model as in costs/."""

    id = serializers.IntegerField(read_only=True)
    offering = RowInput(
        _OFFERINGS,
        column="id",
        required=False,
        help_text="Its number; goes before seller and model. Read: what it was merged into.",
    )
    seller = TextInput(longest=200, required=False)
    external_id = serializers.CharField(read_only=True)
    model = TextInput(
        longest=500,
        required=False,
        allow_null=True,
        help_text="Written: any id of the seller's or a source's. Read: the AI model's slug.",
    )
    service_tier = TextInput(longest=40, default="", help_text="Empty: standard.")
    region = TextInput(longest=60, default="")
    variant = TextInput(longest=120, default="")
    commitment = TextInput(longest=60, default="")
    slot = TextInput(longest=40, default="", help_text="The calendar slot that all falls into. Empty: any hour.")
    requests = WholeInput(
        least=1, most=_MOST_CALLS, default=None, allow_null=True, help_text="How many calls; thresholds look at one."
    )
    usage = UsageInput()

    def validate(self, attrs: dict[str, Any]) -> ProfileLine:
        seller, model = attrs.pop("seller", None), attrs.pop("model", None)
        if "offering" not in attrs:
            self._name_offering(attrs, seller, model)
        return ProfileLine(**attrs)

    def to_representation(self, instance: ProfileLine) -> dict[str, Any]:
        offering = instance.offering.standing
        return {
            "id": instance.pk,
            "offering": offering.pk,
            "seller": offering.seller.slug,
            "external_id": offering.external_id,
            "model": offering.model.slug if offering.model else None,
            **{name: getattr(instance, name) for name in ("service_tier", "region", "variant", "commitment", "slot")},
            "requests": instance.requests,
            "usage": instance.usage,
        }

    def _name_offering(self, attrs: dict[str, Any], seller: str | None, model: str | None) -> None:
        """Seller and model name an offering together, and the terms that the id fixes where none are said."""
        named = {"seller": seller, "model": model}
        missing = {name: WrongInput("is missing; or give the offering").detail for name in named if not named[name]}
        if missing:
            raise serializers.ValidationError(missing)
        finder: Finder = cast("dict[str, Any]", self.context).setdefault("finder", Finder())
        try:
            attrs["offering"], fixed = finder.find(seller or "", model or "")
        except WrongLine as wrong:
            raise serializers.ValidationError({wrong.field: WrongInput(wrong.detail, wrong.choices).detail}) from None
        attrs.update({term: value for term, value in fixed.items() if not attrs[term]})


class AdjustmentSerializer(StrictSerializer):
    """The buyer's own discount or commitment: for a seller, for an offering, or for all of the bill."""

    id = serializers.IntegerField(read_only=True)
    kind = ChoiceInput(ProfileAdjustment.Kind.values)
    seller = RowInput(Company.objects, default=None, allow_null=True)
    offering = OfferingInput(_OFFERINGS, column="id", default=None, allow_null=True)
    percent = AmountInput(at_most=100, default=None, allow_null=True, help_text="Of a discount.")
    amount = AmountInput(default=None, allow_null=True, help_text="Of a commitment, a month, in the bill's currency.")
    note = TextInput(longest=300, default="")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        is_discount = attrs["kind"] == ProfileAdjustment.Kind.DISCOUNT
        wanted, other = ("percent", "amount") if is_discount else ("amount", "percent")
        if attrs[wanted] is None:
            raise serializers.ValidationError({wanted: WrongInput(f"a {attrs['kind']} needs it").detail})
        if attrs[other] is not None:
            raise serializers.ValidationError({other: WrongInput(f"a {attrs['kind']} has none").detail})
        if attrs["seller"] is not None and attrs["offering"] is not None:
            detail = "name a seller or an offering, or neither for all of the bill"
            raise serializers.ValidationError({"offering": WrongInput(detail).detail})
        return attrs


class ProfileSerializer(StrictSerializer):
    """A month's usage of some offerings on the buyer's own terms. Lists that are given replace those there are."""

    id = serializers.IntegerField(read_only=True)
    name = TextInput(longest=100, may_be_empty=False)
    currency = CurrencyInput(longest=3, default="USD", help_text="Of the bill, as ISO 4217 code.")
    lines = ItemsInput(ProfileLineSerializer, most=MOST_LINES, default=list)
    adjustments = ItemsInput(AdjustmentSerializer, most=100, default=list)
    created_at = MomentInput(read_only=True)
    updated_at = MomentInput(read_only=True)

    def validate_adjustments(self, adjustments: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """No two discounts, and no two commitments, for the same."""
        seen: set[tuple[Any, ...]] = set()
        for place, each in enumerate(adjustments):
            key = (each["kind"], each["seller"], each["offering"])
            if key in seen:
                again = WrongInput(f"there is a {each['kind']} for the same already").detail
                raise serializers.ValidationError({str(place): {"kind": again}})
            seen.add(key)
        return adjustments

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        currency = str(attrs.get("currency") or getattr(self.instance, "currency", "USD"))
        wrong = check_terms(attrs.get("lines", []), UsageProfile(currency=currency))
        if wrong:
            faults = {
                str(place): {error.field: WrongInput(error.detail, error.choices).detail}
                for place, error in wrong.items()
            }
            raise serializers.ValidationError({"lines": faults})
        return attrs

    def create(self, validated_data: dict[str, Any]) -> UsageProfile:
        lists: dict[str, Any] = {name: validated_data.pop(name) for name in ("lines", "adjustments")}
        profile = UsageProfile.objects.create(**validated_data)
        self._replace(profile, lists)
        return profile

    def update(self, instance: UsageProfile, validated_data: dict[str, Any]) -> UsageProfile:
        given = [name for name in ("lines", "adjustments") if name in validated_data]
        lists: dict[str, Any] = {name: validated_data.pop(name) for name in given}
        for name, value in validated_data.items():
            setattr(instance, name, value)
        instance.save()
        self._replace(instance, lists)
        return instance

    def _replace(self, profile: UsageProfile, lists: Mapping[str, Any]) -> None:
        if "adjustments" in lists:
            replace_adjustments(profile, [ProfileAdjustment(**each) for each in lists["adjustments"]])
        if "lines" in lists:
            replace_lines(profile, lists["lines"])
