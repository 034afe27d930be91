"""``deliveries/``: every message to the caller's channels, what became of it, and each attempt."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch, QuerySet
from django.http.response import HttpResponseBase
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request

from alerts import resending
from alerts.api.secrets import ACTION_PROBLEMS, action_answer
from alerts.models import Attempt, Delivery
from tracker.api.fields import MomentText
from tracker.api.filters import Choices, Moment, StrictFilterSet, Wholes
from tracker.api.owned import OwnedView
from tracker.api.problems import Conflict
from tracker.api.views import NumberedView, StreamView


class AttemptSerializer(serializers.ModelSerializer[Attempt]):
    """One try to hand a message over."""

    started_at = MomentText()

    class Meta:
        model = Attempt
        fields = ["started_at", "seconds", "succeeded", "status_code", "answer", "error"]


class DeliverySerializer(serializers.ModelSerializer[Delivery]):
    """One message to one channel."""

    next_attempt_at = serializers.SerializerMethodField(help_text="When it is tried next; null when it is done.")
    created_at = MomentText()
    finished_at = MomentText(allow_null=True)

    class Meta:
        model = Delivery
        fields = [
            "id",
            "message_id",
            "channel",
            "kind",
            "status",
            "subject",
            "attempts_made",
            "next_attempt_at",
            "last_error",
            "created_at",
            "finished_at",
        ]

    @extend_schema_field({"type": ["string", "null"], "format": "date-time"})
    def get_next_attempt_at(self, delivery: Delivery) -> str | None:
        """A moment only while it waits."""
        waits = delivery.status == Delivery.Status.WAITING
        return MomentText().to_representation(delivery.next_attempt_at) if waits else None


class WholeDeliverySerializer(DeliverySerializer):
    """One message with what it says and its attempts, the first first."""

    body = serializers.JSONField(help_text="As a webhook gets it.")
    attempts = AttemptSerializer(many=True)

    class Meta(DeliverySerializer.Meta):
        fields = [*DeliverySerializer.Meta.fields, "body", "attempts"]


class DeliveryFilters(StrictFilterSet):
    """Filters of ``deliveries/``."""

    channel = Wholes("channel__in", description="Number of the channel.")
    status = Choices("status__in", choices=Delivery.Status.values, description="What became of it.")
    kind = Choices("kind__in", choices=Delivery.Kind.values, description="What it is; tests only when asked for.")
    created_after = Moment("created_at__gte", description="Composed at that moment or later.")
    created_before = Moment("created_at__lt", description="Composed before that moment.")

    class Meta:
        model = Delivery
        fields: list[str] = []


class DeliveryRows(OwnedView):
    """Messages to the caller's channels."""

    owned = Delivery.objects.all()

    def get_queryset(self) -> QuerySet[Delivery]:
        """Those of the caller's channels."""
        if getattr(self, "swagger_fake_view", False):
            return Delivery.objects.none()
        return Delivery.objects.filter(channel__owner=self.request.user.pk)


class DeliveryListView(DeliveryRows, StreamView):
    """Messages to the caller's channels, the newest first. Tests of channels are left out unless ``kind`` asks."""

    serializer_class = DeliverySerializer
    filterset_class = DeliveryFilters
    cursor_key = "id"
    newest_first = True

    def get_queryset(self) -> QuerySet[Delivery]:
        """Without tests."""
        rows = super().get_queryset().defer("body")
        return rows if "kind" in self.request.query_params else rows.exclude(kind=Delivery.Kind.PING)


class DeliveryView(DeliveryRows, NumberedView):
    """One message with what it says and its attempts."""

    serializer_class = WholeDeliverySerializer

    def get_queryset(self) -> QuerySet[Delivery]:
        """With attempts."""
        return (
            super().get_queryset().prefetch_related(Prefetch("attempts", Attempt.objects.order_by("started_at", "id")))
        )


class DeliveryRetryView(DeliveryRows, NumberedView):
    """Send a message again now, under the same message id, whatever became of it."""

    http_method_names = ["post", "options"]
    serializer_class = DeliverySerializer

    def parameter_names(self) -> set[str]:
        return {"format"}

    @extend_schema(
        operation_id="deliveries_retry", request=None, responses={202: DeliverySerializer, **ACTION_PROBLEMS}
    )
    def post(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer with the message, which waits again."""
        delivery: Delivery = self.get_object()
        try:
            resending.retry(delivery)
        except (resending.ChannelIsOff, resending.IsBeingSent) as error:
            raise Conflict(f"It is not sent again: {error}.") from None
        delivery.refresh_from_db()
        return action_answer(request, DeliverySerializer(delivery).data, status=202)
