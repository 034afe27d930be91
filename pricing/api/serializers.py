"""The shapes of prices, offerings and changes for the schema; ``shapes/`` writes them, a test holds both together."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from companies.api.serializers import EventSerializer
from pricing.meters import METERS
from pricing.models import Offering, PricingChange
from tracker.api.fields import AmountText, MomentText

EXAMPLE_LINE = {
    "meter": "input_tokens",
    "unit": "per 1M tokens",
    "service_tier": "standard",
    "region": "",
    "variant": "",
    "commitment": "",
    "above_input_tokens": 0,
    "slot": "",
    "layer": "list",
}
_EXAMPLE_REFERENCE = {"source": "models-dev", "provider": "deepseek", "id": "deepseek-v4-pro", "current": True}
_EXAMPLE_RULE = {
    "slot": "peak",
    "hours": "Mon–Fri 01:00–04:00, 06:00–10:00 UTC",
    "time_zone": "UTC",
    "weekdays": [1, 2, 3, 4, 5],
    "windows": [[60, 240], [360, 600]],
    "holidays": "",
    "is_rest": False,
    "effective_from": "2026-08-22T16:00:00Z",
    "effective_until": None,
    "source": "models-dev",
}
EXAMPLE_PRICE = {
    "id": 4711,
    "offering": 17,
    "seller": "deepseek",
    "external_id": "deepseek-v4-pro",
    "model": "deepseek-v4-pro",
    **EXAMPLE_LINE,
    "amount": "0.66",
    "currency": "USD",
    "zero_means": None,
    "effective_from": "2026-09-06T00:00:00Z",
    "effective_until": None,
    "precision": "day",
    "observed_after": None,
    "known_from": "2026-09-08T06:00:00Z",
    "known_until": None,
    "sources": ["models-dev", "litellm"],
    "last_confirmed_at": "2026-11-20T06:00:00Z",
    "stale": False,
    "unconfirmed": False,
    "derived_from": None,
    "factor": None,
}
EXAMPLE_OFFERING = {
    "id": 17,
    "kind": "api",
    "name": "DeepSeek V4 Pro",
    "seller": "deepseek",
    "external_id": "deepseek-v4-pro",
    "listing": "",
    "model": "deepseek-v4-pro",
    "status": "listed",
    "mode": "chat",
    "context_tokens": 1_000_000,
    "deprecated_on": None,
    "retired_on": None,
    "references": [_EXAMPLE_REFERENCE],
    "calendar": [_EXAMPLE_RULE],
    "slots": [_EXAMPLE_RULE],
    "prices": [EXAMPLE_PRICE],
    "aliases": [],
    "stale": False,
    "merged_into": None,
}
EXAMPLE_CHANGE = {
    "id": 902,
    "sequence": 902,
    "initial": False,
    "backfilled": False,
    "offering": 17,
    "seller": "deepseek",
    "external_id": "deepseek-v4-pro",
    "model": "deepseek-v4-pro",
    "references": [_EXAMPLE_REFERENCE],
    "kind": "increase",
    "nature": "market",
    "headline": "DeepSeek V4 Pro: input 0.435 -> 0.66 USD per 1M tokens, +51.72%",
    "source": "models-dev",
    "effective_at": "2026-09-06T00:00:00Z",
    "precision": "day",
    "observed_after": None,
    "detected_at": "2026-09-08T06:00:00Z",
    "announced_for": None,
    "confirmed_by": ["litellm"],
    "witnesses": {"seen_by": 2, "of": 3},
    "superseded_by": None,
    "calendar": None,
    "route": None,
    "lines": [
        {**EXAMPLE_LINE, "currency": "USD", "old_currency": "USD", "old": "0.435", "new": "0.66", "percent": "+51.72"}
    ],
}


EXAMPLE_PRICE_VERSION = {
    **EXAMPLE_PRICE,
    "recorded_at": "2026-09-08T06:00:03Z",
    "evidence": {
        "source": "models-dev",
        "statement": 8123,
        "dated_by": None,
        "decision": None,
        "citation_url": "",
        "citation_title": "",
    },
}
EXAMPLE_PLAN = {
    "id": 23,
    "kind": "plan",
    "name": "ChatGPT Plus",
    "seller": "openai",
    "external_id": "chatgpt-plus",
    "status": "listed",
    "audience": "consumer",
    "allowances": "",
    "references": [],
    "prices": [],
    "stale": False,
}


class LineSerializer(serializers.Serializer[Any]):
    """The coordinates of one price line."""

    meter = serializers.ChoiceField(choices=list(METERS), help_text="What is counted.")
    unit = serializers.CharField(help_text="The quantity that the amount is for.")
    service_tier = serializers.CharField()
    region = serializers.CharField(help_text="Empty, the seller's region or, for plans, the country.")
    variant = serializers.CharField(help_text="Resolution, quality or size; for plans the billing period.")
    commitment = serializers.CharField()
    above_input_tokens = serializers.IntegerField(help_text="The line applies when the input is strictly above this.")
    slot = serializers.CharField(help_text="Empty, or a slot of the offering's calendar.")
    layer = serializers.ChoiceField(choices=["list", "promo"])


class EvidenceSerializer(serializers.Serializer[Any]):
    """What a price rests on."""

    source = serializers.CharField(allow_null=True)  # type: ignore[assignment]
    statement = serializers.IntegerField(allow_null=True)
    dated_by = serializers.IntegerField(allow_null=True, help_text="The statement that gave the better date.")
    decision = serializers.IntegerField(allow_null=True)
    citation_url = serializers.CharField(help_text="Where it was read; empty when the source is a feed.")
    citation_title = serializers.CharField()


@extend_schema_serializer(examples=[OpenApiExample("A price", EXAMPLE_PRICE)])
class PriceSerializer(LineSerializer):
    """Amount and currency of a line over an effective interval, as known over a known interval."""

    id = serializers.IntegerField()
    offering = serializers.IntegerField()
    seller = serializers.CharField()
    external_id = serializers.CharField()
    model = serializers.CharField(allow_null=True)
    amount = AmountText()
    currency = serializers.CharField()
    zero_means = serializers.ChoiceField(choices=["free", "included"], allow_null=True)
    effective_from = MomentText()
    effective_until = MomentText(allow_null=True)
    precision = serializers.CharField()
    observed_after = MomentText(
        allow_null=True, help_text="Where no source dates the beginning: it lies after this moment."
    )
    known_from = MomentText()
    known_until = MomentText(allow_null=True)
    sources = serializers.ListField(child=serializers.CharField(), help_text="Who states this price, by precedence.")
    last_confirmed_at = MomentText(allow_null=True)
    stale = serializers.BooleanField(help_text="Whether nobody has confirmed a price in force for 30 days.")
    unconfirmed = serializers.BooleanField(
        help_text="Whether the price was announced, and no source has been seen to state it since it took effect."
    )
    derived_from = LineSerializer(
        allow_null=True, help_text="The line on whose price this one is a factor: the price follows it."
    )
    factor = AmountText(allow_null=True, help_text="What the price of that line is multiplied by.")


@extend_schema_serializer(examples=[OpenApiExample("A price row", EXAMPLE_PRICE_VERSION)])
class PriceVersionSerializer(PriceSerializer):
    """A price row as the history shows it, superseded or not, with its evidence."""

    recorded_at = MomentText()
    evidence = EvidenceSerializer()


class ReferenceSerializer(serializers.Serializer[Any]):
    """The id by which one source knows an offering."""

    source = serializers.CharField()  # type: ignore[assignment]
    provider = serializers.CharField()
    id = serializers.CharField()
    current = serializers.BooleanField(help_text="Whether the source still names it.")


class AliasTermsSerializer(serializers.Serializer[Any]):
    """An id that its seller routes to a target over an interval."""

    id = serializers.IntegerField()
    seller = serializers.CharField()
    external_id = serializers.CharField()
    offering = serializers.IntegerField(allow_null=True, help_text="The offering that it leads to, if one is sold.")
    target = serializers.CharField(allow_null=True, help_text="That offering's own id.")
    model = serializers.CharField(
        allow_null=True, help_text="The AI model that the seller routes to, where it says so."
    )
    effective_from = MomentText(allow_null=True)
    effective_until = MomentText(allow_null=True)
    precision = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]
    citation_url = serializers.CharField()


class AliasSerializer(AliasTermsSerializer):
    """A route of a model id on both time axes."""

    observed_after = MomentText(
        allow_null=True, help_text="Where no source dates the beginning: it lies after this moment."
    )
    known_from = MomentText()
    known_until = MomentText(allow_null=True)
    recorded_at = MomentText()


class SlotSerializer(serializers.Serializer[Any]):
    """When a calendar slot applies. Several rules of one slot add up."""

    slot = serializers.CharField()
    hours = serializers.CharField(help_text="The rule in words.")
    time_zone = serializers.CharField()
    weekdays = serializers.ListField(
        child=serializers.IntegerField(), help_text="ISO numbers of the day on which a window begins; empty: every day."
    )
    windows = serializers.ListField(
        child=serializers.ListField(child=serializers.IntegerField()), help_text="Pairs of minutes from midnight."
    )
    holidays = serializers.CharField()
    is_rest = serializers.BooleanField(help_text="Holds whenever no other slot does.")
    effective_from = MomentText(allow_null=True, help_text="Null: the first that is known of the slot.")
    effective_until = MomentText(allow_null=True)
    source = serializers.CharField(help_text="Whose calendar it is.")  # type: ignore[assignment]


@extend_schema_serializer(examples=[OpenApiExample("An offering", EXAMPLE_OFFERING)], deprecate_fields=["slots"])
class OfferingSerializer(serializers.Serializer[Any]):
    """Something that a company sells, with the prices now in force."""

    id = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=Offering.Kind.choices)
    name = serializers.CharField()
    seller = serializers.CharField()
    external_id = serializers.CharField()
    listing = serializers.CharField(help_text="Sets apart what the seller sells twice under one id.")
    model = serializers.CharField(allow_null=True)
    status = serializers.ChoiceField(choices=Offering.Status.choices)
    mode = serializers.CharField()
    context_tokens = serializers.IntegerField(allow_null=True)
    deprecated_on = serializers.DateField(allow_null=True)
    retired_on = serializers.DateField(allow_null=True)
    references = ReferenceSerializer(many=True)
    calendar = SlotSerializer(
        many=True, help_text="The rules in force and to come, of the sources that set the prices."
    )
    slots = SlotSerializer(many=True, help_text="What `calendar` holds, by its former name.")
    prices = PriceSerializer(many=True)
    aliases = AliasSerializer(
        many=True, help_text="Where its id leads, now and as announced. A price of its own comes first."
    )
    stale = serializers.BooleanField(help_text="Whether nobody has confirmed one of the prices for 30 days.")
    merged_into = serializers.IntegerField(allow_null=True)


@extend_schema_serializer(
    examples=[OpenApiExample("An offering", {**EXAMPLE_OFFERING, "holds": 0, "disagreements": 1})],
    deprecate_fields=["slots"],
)
class OfferingDetailSerializer(OfferingSerializer):
    """One offering, with how much of it is in doubt."""

    holds = serializers.IntegerField(help_text="Statements about it that are held now; see `holds/?offering=`.")
    disagreements = serializers.IntegerField(
        help_text="Lines on which a source disagrees now; see `disagreements/?offering=`."
    )


@extend_schema_serializer(examples=[OpenApiExample("A plan", EXAMPLE_PLAN)])
class PlanSerializer(serializers.Serializer[Any]):
    """A subscription plan, with the prices now in force."""

    id = serializers.IntegerField()
    kind = serializers.CharField()
    name = serializers.CharField()
    seller = serializers.CharField()
    external_id = serializers.CharField()
    status = serializers.ChoiceField(choices=Offering.Status.choices)
    audience = serializers.CharField()
    allowances = serializers.CharField(help_text="What is included, in words.")
    references = ReferenceSerializer(many=True)
    prices = PriceSerializer(many=True)
    stale = serializers.BooleanField(help_text="Whether nobody has confirmed one of the prices for 30 days.")


class ChangeLineSerializer(LineSerializer):
    """One line of a change: what it was and what it became; null where there was or is no price."""

    currency = serializers.CharField()
    old_currency = serializers.CharField()
    old = AmountText(allow_null=True)
    new = AmountText(allow_null=True)
    percent = serializers.RegexField(
        r"^[+-]\d+\.\d\d$", allow_null=True, help_text="Null from or to zero, or where there was or is no price."
    )


class ChangedCalendarSerializer(serializers.Serializer[Any]):
    """The hours of each slot in words, by slot."""

    old = serializers.DictField(child=serializers.CharField())
    new = serializers.DictField(child=serializers.CharField())


class RouteTargetSerializer(serializers.Serializer[Any]):
    """An offering of the same seller, or an AI model."""

    offering = serializers.IntegerField(allow_null=True)
    external_id = serializers.CharField(allow_null=True, help_text="The offering's own id.")
    model = serializers.CharField(allow_null=True, help_text="The AI model's slug.")
    name = serializers.CharField()


class RouteSerializer(serializers.Serializer[Any]):
    """Where an id led, and where it leads instead; null for nowhere."""

    def get_fields(self) -> dict[str, Any]:
        """Named so: ``from`` is a word of Python."""
        return {"from": RouteTargetSerializer(allow_null=True), "to": RouteTargetSerializer(allow_null=True)}


class WitnessesSerializer(serializers.Serializer[Any]):
    """How many of the sources that state the moved tariffs have seen the move."""

    seen_by = serializers.IntegerField(help_text="The source of the change, and those that confirm it.")
    of = serializers.IntegerField(
        help_text="The sources that state one of the moved tariffs at the move or within 30 days after, and its own."
    )


@extend_schema_serializer(examples=[OpenApiExample("An increase", EXAMPLE_CHANGE)])
class ChangeSerializer(serializers.Serializer[Any]):
    """One thing that happened to the prices of one offering."""

    id = serializers.IntegerField()
    sequence = serializers.IntegerField(help_text="Rises in the order in which changes became visible.")
    initial = serializers.BooleanField(help_text="Was already so when its source was first read: history, not news.")
    backfilled = serializers.BooleanField(help_text="Read from an old document: history, not news.")
    offering = serializers.IntegerField()
    seller = serializers.CharField()
    external_id = serializers.CharField()
    model = serializers.CharField(allow_null=True)
    references = ReferenceSerializer(many=True)
    kind = serializers.CharField()
    nature = serializers.ChoiceField(choices=PricingChange.Nature.choices)
    headline = serializers.CharField()
    source = serializers.CharField(  # type: ignore[assignment]
        allow_null=True, help_text="Whose statement moved it; null for a person's ruling."
    )
    effective_at = MomentText(help_text="When it took effect, as dated best by now.")
    precision = serializers.CharField()
    observed_after = MomentText(allow_null=True, help_text="Where no source dates the move: it came after this moment.")
    detected_at = MomentText()
    announced_for = MomentText(allow_null=True)
    confirmed_by = serializers.ListField(child=serializers.CharField())
    witnesses = WitnessesSerializer()
    superseded_by = serializers.IntegerField(allow_null=True)
    calendar = ChangedCalendarSerializer(
        allow_null=True, help_text="Where only the hours moved: there are no lines then. Null for a change of prices."
    )
    route = RouteSerializer(
        allow_null=True, help_text="Where the id led before and leads from then on; null where prices moved."
    )
    lines = ChangeLineSerializer(many=True, help_text="For a route what it means in money, if anything.")


@extend_schema_serializer(examples=[])
class TimelineEventSerializer(EventSerializer):
    """An event in its place on a timeline."""

    at = MomentText()
    type = serializers.ChoiceField(choices=["event"])

    class Meta(EventSerializer.Meta):
        fields = ["at", "precision", "type", *(name for name in EventSerializer.Meta.fields if name != "precision")]


@extend_schema_serializer(
    examples=[
        OpenApiExample("A change", {"at": EXAMPLE_CHANGE["effective_at"], "type": "pricing_change", **EXAMPLE_CHANGE})
    ]
)
class TimelineChangeSerializer(ChangeSerializer):
    """A pricing change in its place on a timeline."""

    at = MomentText()
    type = serializers.ChoiceField(choices=["pricing_change"])
