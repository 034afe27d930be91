"""Watches as the API reads and writes them, and what a preview answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from alerts.api.offerings import OfferingsInput
from alerts.bills.watching import begin_watching
from alerts.models import Channel, UsageProfile, Watch
from alerts.previews import Named
from alerts.summaries import in_words
from companies.models import AIModel, Company
from pricing.api.filters import CHANGE_KINDS
from pricing.api.serializers import ChangeSerializer
from pricing.meters import METERS
from pricing.models import Offering, PricingChange
from tracker.api.inputs import (
    AmountInput,
    ChoiceInput,
    ChoicesInput,
    ClockInput,
    MomentInput,
    RowInput,
    RowsInput,
    StrictSerializer,
    TextInput,
    TruthInput,
    WholeInput,
    WrongInput,
)

_LISTS = ("companies", "models", "offerings", "channels")
_BILL = ("bill_percent", "bill_amount")
# What makes the bill that was told last the bill of another question.
_OF_THE_BILL = ("profile", *_BILL)

EXAMPLE = {
    "name": "Dearer models",
    "companies": ["deepseek", "openai"],
    "direction": "up",
    "min_percent": "5",
    "cadence": "instant",
    "quiet_from": "22:00",
    "quiet_until": "07:00",
    "channels": [3],
}
BILL_EXAMPLE = {"name": "Production's bill", "profile": 1, "bill_percent": "5", "channels": [3]}


def own_channels(context: Mapping[str, Any]) -> QuerySet[Channel]:
    """The channels that the caller may name."""
    return Channel.objects.filter(owner=context["request"].user)


def own_profiles(context: Mapping[str, Any]) -> QuerySet[UsageProfile]:
    """The usage profiles that the caller may name."""
    return UsageProfile.objects.filter(owner=context["request"].user)


class WatchSerializer(StrictSerializer):
    """A watch. What is left out of a new one lets everything pass, and is told at once."""

    id = serializers.IntegerField(read_only=True)
    name = TextInput(longest=100, may_be_empty=False)
    summary = serializers.SerializerMethodField(help_text="What it catches and tells, in plain words.")
    companies = RowsInput(Company.objects, default=list, help_text="Slugs: as seller, or as the model's developer.")
    models = RowsInput(AIModel.objects, default=list, help_text="Slugs of AI models.")
    offerings = OfferingsInput(
        Offering.objects, column="id", default=list, help_text="Numbers of offerings; read: what they were merged into."
    )
    meters = ChoicesInput(METERS, default=list, help_text="A moved line has one of these meters.")
    kinds = ChoicesInput(CHANGE_KINDS, default=list, help_text="The change is of one of these kinds.")
    nature = ChoiceInput(
        PricingChange.Nature.values, default="market", allow_null=True, help_text="Null: corrections as well."
    )
    direction = ChoiceInput(Watch.Direction.values, default="", allow_null=True)
    min_percent = AmountInput(
        at_most=1_000_000, default=None, allow_null=True, help_text="A line moved by at least so many percent."
    )
    confirmed_only = TruthInput(default=False, help_text="Wait until a second source states the new price.")
    profile = RowInput(own_profiles, column="id", default=None, allow_null=True, help_text="By which money is told.")
    bill_percent = AmountInput(at_most=1_000_000, default=None, allow_null=True, help_text="Fire on the bill instead.")
    bill_amount = AmountInput(default=None, allow_null=True, help_text="The same, in the profile's currency.")
    told_bill = AmountInput(read_only=True, allow_null=True, help_text="The bill that was told last.")
    told_bill_at = MomentInput(read_only=True, allow_null=True)
    cadence = ChoiceInput(Watch.Cadence.values, default="instant")
    digest_hour = WholeInput(least=0, most=23, default=8, help_text="In the owner's time zone.")
    digest_weekday = WholeInput(least=1, most=7, default=1, help_text="ISO: Monday is 1.")
    quiet_from = ClockInput(default=None, allow_null=True, help_text="In the owner's time zone.")
    quiet_until = ClockInput(default=None, allow_null=True)
    paused_until = MomentInput(default=None, allow_null=True, help_text="What happens before it is never told.")
    channels = RowsInput(own_channels, column="id", default=list, help_text="Numbers of your channels.")
    created_at = MomentInput(read_only=True)
    updated_at = MomentInput(read_only=True)

    @extend_schema_field(str)
    def get_summary(self, watch: Watch) -> str:
        return in_words(Named.of(watch).words, timezone.now())

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        def said(name: str) -> Any:
            return attrs[name] if name in attrs else getattr(self.instance, name, None)

        if any(said(name) is not None for name in _BILL) and said("profile") is None:
            raise serializers.ValidationError({"profile": WrongInput("a bill needs a usage profile").detail})
        if (said("quiet_from") is None) != (said("quiet_until") is None):
            missing = "quiet_from" if said("quiet_from") is None else "quiet_until"
            raise serializers.ValidationError({missing: WrongInput("quiet hours need a beginning and an end").detail})
        if said("quiet_from") is not None and said("quiet_from") == said("quiet_until"):
            raise serializers.ValidationError({"quiet_until": WrongInput("quiet hours end as they begin").detail})
        return attrs

    def create(self, validated_data: dict[str, Any]) -> Watch:
        lists = {name: validated_data.pop(name) for name in _LISTS}
        watch = Watch.objects.create(**validated_data)
        for name, rows in lists.items():
            getattr(watch, name).set(rows)
        begin_watching([watch])
        return watch

    def update(self, instance: Watch, validated_data: dict[str, Any]) -> Watch:
        before = [getattr(instance, name) for name in _OF_THE_BILL]
        for name in _LISTS:
            if name in validated_data:
                getattr(instance, name).set(validated_data.pop(name))
        for name, value in validated_data.items():
            setattr(instance, name, value)
        instance.save()
        if [getattr(instance, name) for name in _OF_THE_BILL] != before:
            begin_watching([instance])
        return instance

    def named(self) -> Named:
        """The watch that was sent, without saving it."""
        values = dict(self.validated_data)
        companies, models, offerings, channels = (values.pop(name) for name in _LISTS)
        watch = Watch(owner=self.context["request"].user, after_sequence=0, **values)
        return Named(watch, companies, models, offerings, [channel.name for channel in channels])


class InsteadOfSerializer(serializers.Serializer[Any]):
    """A line of a bill that could be had for less."""

    offering = serializers.IntegerField()
    name = serializers.CharField()
    amount = serializers.CharField()


class CheaperSellerSerializer(serializers.Serializer[Any]):
    """The cheapest seller of the same model for one line of a bill."""

    offering = serializers.IntegerField()
    name = serializers.CharField()
    seller = serializers.CharField()
    external_id = serializers.CharField()
    amount = serializers.CharField(help_text="What the line would come to there, with the buyer's own discount.")
    instead_of = InsteadOfSerializer()


class MoneyLineSerializer(serializers.Serializer[Any]):
    """A bill before and after: the money line of a notice."""

    currency = serializers.CharField()
    old = serializers.CharField()
    new = serializers.CharField()
    percent = serializers.CharField(allow_null=True)
    amount = serializers.CharField()
    because = serializers.ListField(child=serializers.CharField(), help_text="Headlines of the changes.")
    unpriced = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="What the new bill leaves out because it has no price."
    )
    changes = serializers.ListField(
        child=serializers.IntegerField(), required=False, help_text="On a bill: the numbers of these changes."
    )
    cheaper = CheaperSellerSerializer(
        many=True, required=False, help_text="On a bill: where a line could be had for less, at most five."
    )


class BillMoveSerializer(MoneyLineSerializer):
    """A money line, and when it would have been told."""

    at = serializers.DateTimeField()


class PreviewSerializer(serializers.Serializer[Any]):
    """How often a watch would have fired in the last days, and on what."""

    summary = serializers.CharField()
    days = serializers.IntegerField()
    since = serializers.DateTimeField()
    fired = serializers.IntegerField(help_text="How many changes, or moves of the bill, it would have told.")
    changes = ChangeSerializer(many=True, help_text="The latest of them, at most 100.")
    bills = BillMoveSerializer(many=True, help_text="Of a watch on a bill: its moves, the latest first.")
