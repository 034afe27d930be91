"""How companies, models, events and metrics are written."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_serializer
from rest_framework import serializers

from companies.models import AIModel, BusinessMetric, Company, MonetizationEvent
from tracker.api.fields import AmountText, MomentText


class SlugOf(serializers.SlugRelatedField[Any]):
    """A related row, written as its slug; null where there is none."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(slug_field="slug", read_only=True, **kwargs)


class CompanySerializer(serializers.ModelSerializer[Company]):
    """A lab, cloud, reseller or application company."""

    parent = SlugOf(allow_null=True)  # type: ignore[assignment]
    website = serializers.CharField()
    aliases: Any = serializers.SlugRelatedField(slug_field="name", many=True, read_only=True)
    updated_at = MomentText()

    class Meta:
        model = Company
        fields = [
            "slug",
            "name",
            "kind",
            "country",
            "founded",
            "website",
            "parent",
            "summary",
            "aliases",
            "needs_review",
            "updated_at",
        ]


class ModelSerializer(serializers.ModelSerializer[AIModel]):
    """What a lab makes, whoever sells it."""

    developer = SlugOf(allow_null=True)
    input_modalities = serializers.ListField(child=serializers.CharField())
    output_modalities = serializers.ListField(child=serializers.CharField())
    updated_at = MomentText()

    class Meta:
        model = AIModel
        fields = [
            "slug",
            "name",
            "developer",
            "family",
            "input_modalities",
            "output_modalities",
            "open_weights",
            "context_tokens",
            "max_output_tokens",
            "released_on",
            "release_precision",
            "deprecated_on",
            "retired_on",
            "needs_review",
            "updated_at",
        ]


CITATION_FIELDS = ["source_url", "source_title", "source_class", "confidence"]


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "An event",
            {
                "id": 12,
                "company": "deepseek",
                "key": "off-peak-discounts",
                "kind": "discount",
                "title": "Off-peak discounts of up to 75%",
                "summary": "",
                "announced_on": "2025-02-26",
                "effective_on": "2025-02-26",
                "effective_at": "2025-02-26T16:30:00Z",
                "precision": "exact",
                "affected": ["deepseek-chat", "deepseek-reasoner"],
                "cross_model": False,
                "source_url": "https://example.com/announcement",
                "source_title": "Announcement",
                "source_class": "official",
                "confidence": "high",
                "extra_sources": [],
            },
        )
    ]
)
class EventSerializer(serializers.ModelSerializer[MonetizationEvent]):
    """Something that a company did about money."""

    company = SlugOf()
    effective_at = MomentText(allow_null=True)
    source_url = serializers.CharField()
    affected = serializers.ListField(child=serializers.CharField())
    extra_sources = serializers.ListField(child=serializers.JSONField())

    class Meta:
        model = MonetizationEvent
        fields = [
            "id",
            "company",
            "key",
            "kind",
            "title",
            "summary",
            "announced_on",
            "effective_on",
            "effective_at",
            "precision",
            "affected",
            "cross_model",
            *CITATION_FIELDS,
            "extra_sources",
        ]


class MetricSerializer(serializers.ModelSerializer[BusinessMetric]):
    """One reported or estimated figure of a company."""

    company = SlugOf()
    value = AmountText()
    source_url = serializers.CharField()

    class Meta:
        model = BusinessMetric
        fields = [
            "id",
            "company",
            "key",
            "metric",
            "value",
            "currency",
            "as_of",
            "precision",
            "kind",
            "scope",
            *CITATION_FIELDS,
        ]
