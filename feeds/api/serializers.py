"""How sources, feeds and refreshes are written."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from feeds.archive import body_in_words
from feeds.budgets import Budget
from feeds.models import Feed, Refresh
from pricing.models import Source
from tracker.api.fields import MomentText


@extend_schema_field({"type": "object", "additionalProperties": {"type": "integer"}})
class Counts(serializers.JSONField):
    """Counts by name."""


class SourceSerializer(serializers.ModelSerializer[Source]):
    """Who speaks: a feed, the curated record, the editors, a bank of exchange rates."""

    homepage = serializers.CharField()
    last_observed_at = MomentText(source="newest", allow_null=True)
    feed = serializers.SerializerMethodField(help_text="The feed that fetches it, by slug; null where nothing does.")

    class Meta:
        model = Source
        fields = [
            "slug",
            "name",
            "kind",
            "precedence",
            "homepage",
            "licence",
            "may_republish",
            "last_observed_at",
            "feed",
        ]

    def get_feed(self, source: Any) -> str | None:
        """Feeds are named by their source."""
        return source.slug if source.is_fetched else None


class BudgetSerializer(serializers.Serializer[Any]):
    """How many of a feed's refreshes failed within a window, and how many percent may."""

    window_seconds = serializers.IntegerField()
    allowed_percent = serializers.IntegerField()
    refreshes = serializers.IntegerField()
    failed = serializers.IntegerField()
    failed_percent = serializers.IntegerField()


class FeedSerializer(serializers.ModelSerializer[Feed]):
    """A source that is fetched: address, adapter, schedule, and how it goes."""

    slug = serializers.CharField()
    source = serializers.SlugRelatedField[Source](slug_field="slug", read_only=True)  # type: ignore[assignment]
    address = serializers.CharField(help_text="Empty for what the project carries itself.")
    every_seconds = serializers.SerializerMethodField(help_text="Time between refreshes.")
    next_due_at = MomentText()
    last_success_at = MomentText(allow_null=True)
    running = serializers.SerializerMethodField(help_text="Whether a refresh is under way.")
    failures = serializers.IntegerField(help_text="Failed refreshes in a row.")
    budget = serializers.SerializerMethodField(help_text="Refreshes that failed lately, and how many may.")
    is_failing = serializers.SerializerMethodField(help_text="Whether more refreshes failed than the budget allows.")
    failing_since = MomentText(allow_null=True)

    class Meta:
        model = Feed
        fields = [
            "slug",
            "source",
            "adapter",
            "address",
            "enabled",
            "every_seconds",
            "next_due_at",
            "running",
            "failures",
            "budget",
            "is_failing",
            "failing_since",
            "last_success_at",
        ]

    def get_every_seconds(self, feed: Feed) -> int:
        """The interval in seconds."""
        return int(feed.every.total_seconds())

    def get_running(self, feed: Feed) -> bool:
        """Whether somebody holds the lease now."""
        return feed.locked_until is not None and feed.locked_until > self.context["view"].moment

    @extend_schema_field(BudgetSerializer)
    def get_budget(self, feed: Feed) -> dict[str, int]:
        """The refreshes within the window of the feed's budget."""
        counted: dict[int, Budget] = self.context["view"].budgets
        return counted[feed.pk].as_json()

    def get_is_failing(self, feed: Feed) -> bool:
        """Whether the last refresh left the budget spent."""
        return feed.failing_since is not None


@extend_schema_serializer(
    examples=[
        OpenApiExample(
            "A refresh",
            {
                "id": 41,
                "feed": "models-dev",
                "trigger": "schedule",
                "status": "done",
                "started_at": "2026-11-20T06:00:00Z",
                "finished_at": "2026-11-20T06:00:09Z",
                "observed_at": "2026-11-20T06:00:00Z",
                "digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                "counts": {"seen": 3210, "new": 4, "changed": 11, "withdrawn": 0, "held": 0, "rejected": 1},
                "rejections": [{"provider": "example", "model": "broken", "reason": "input: -1 is negative"}],
                "unrecognised": {"input_cost_per_wish": 2},
                "body": "kept",
                "error": "",
            },
        )
    ]
)
class RefreshSerializer(serializers.ModelSerializer[Refresh]):
    """One run over a feed, with its report."""

    feed = serializers.CharField(source="feed.source.slug")
    started_at = MomentText()
    finished_at = MomentText(allow_null=True)
    observed_at = MomentText(allow_null=True)
    counts = Counts()
    rejections = serializers.ListField(
        child=serializers.JSONField(), help_text="The first rows that were not taken, with the reason."
    )
    unrecognised = Counts(help_text="Price fields that no rule understands, by count.")
    body = serializers.SerializerMethodField(help_text="Whether the raw document is kept: see ``digest``.")

    class Meta:
        model = Refresh
        fields = [
            "id",
            "feed",
            "trigger",
            "status",
            "started_at",
            "finished_at",
            "observed_at",
            "digest",
            "counts",
            "rejections",
            "unrecognised",
            "body",
            "error",
        ]

    def get_body(self, refresh: Refresh) -> str:
        """``kept``, ``none`` where nothing new was archived, or since when it is there no more."""
        return body_in_words(refresh.payload)
