"""``channels/``: where the caller wants to hear, with the acts that prove, test and send again."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request

from alerts import managing, resending
from alerts.api.deliveries import DeliverySerializer
from alerts.api.secrets import ACTION_PROBLEMS, action_answer, created_answer
from alerts.channels.addresses import BadAddress
from alerts.channels.apprise.addresses import UnknownSchema
from alerts.disabling import disable, enable
from alerts.models import Channel
from tracker.api.fields import MomentText
from tracker.api.filters import Choices, Flag, StrictFilterSet
from tracker.api.inputs import ChoiceInput, MomentInput, StrictSerializer, TextInput, TruthInput, WrongInput
from tracker.api.owned import KEY_PARAMETER, OwnedDetailView, OwnedListView, OwnedView, described_writes
from tracker.api.problems import Conflict, Unprocessable
from tracker.api.twins import answered_once
from tracker.api.views import NumberedView

_LONGEST_ADDRESS = 2000
EXAMPLE = OpenApiExample(
    "A webhook",
    {"kind": "webhook", "name": "Ops room", "address": "https://receiver.example/hooks/4711"},
    request_only=True,
)


class ChannelSerializer(StrictSerializer):
    """A webhook, an email address or an Apprise address. Addresses are masked on reading."""

    new_secret = ""

    id = serializers.IntegerField(read_only=True)
    kind = ChoiceInput(Channel.Kind.values, help_text="What it is; it stays so.")
    name = TextInput(longest=100, may_be_empty=False, help_text="How you call it.")
    address = TextInput(
        longest=_LONGEST_ADDRESS,
        may_be_empty=False,
        help_text="URL, email address or Apprise address. Another one has to be proved anew.",
    )
    disabled = TruthInput(required=False, help_text="Write true to stop it, false to start it again.")
    verified_at = MomentText(read_only=True, allow_null=True, help_text="When it was proved; null: it gets no alerts.")
    disabled_at = MomentText(read_only=True, allow_null=True)
    disabled_reason = serializers.CharField(read_only=True)
    failing_since = MomentText(read_only=True, allow_null=True, help_text="First failure since the last success.")
    last_error = serializers.CharField(read_only=True, help_text="Why the last attempt failed; empty if it did not.")
    old_secret_valid_until = MomentText(
        source="previous_secret_expires_at", read_only=True, allow_null=True, help_text="After a rotation."
    )
    created_at = MomentText(read_only=True)

    def to_representation(self, instance: Channel) -> dict[str, Any]:
        """The channel with its address masked, and without what changes at each message."""
        return {
            name: field.to_representation(value) if (value := self._value_of(instance, name)) is not None else None
            for name, field in self.fields.items()
        }

    def _value_of(self, channel: Channel, name: str) -> Any:
        if name == "address":
            return channel.shown_address
        if name == "disabled":
            return channel.disabled_at is not None
        return getattr(channel, self.fields[name].source or name)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Check the address by its kind. What is written as it is shown stays as it is."""
        channel: Channel | None = self.instance
        kind = attrs.get("kind") or (channel.kind if channel else "")
        if channel is not None and kind != channel.kind:
            raise serializers.ValidationError({"kind": WrongInput("stays as it is", [channel.kind]).detail})
        address = attrs.get("address")
        if address is not None and not (channel and address == channel.shown_address):
            attrs["address"] = _checked_address(kind, address)
        return attrs

    def create(self, validated: dict[str, Any]) -> Channel:
        """A new channel; the serializer keeps its secret for the one answer that shows it."""
        is_off = validated.pop("disabled", False)
        try:
            channel, self.new_secret = managing.create_channel(**validated)
        except managing.TooManyChannels as error:
            raise Unprocessable(f"{error}.") from None
        if is_off:
            disable(channel, "By its owner.", tell=False)
        return channel

    def update(self, channel: Channel, validated: dict[str, Any]) -> Channel:
        """Write what is given."""
        channel.name = validated.get("name", channel.name)
        channel.save(update_fields=["name", "updated_at"])
        address = validated.get("address", channel.shown_address)
        if address != channel.shown_address:
            managing.change_address(channel, address)
        # In a replacement, what is left out is as in a new channel.
        is_off = validated.get("disabled", channel.disabled_at is not None if self.partial else False)
        if is_off and channel.disabled_at is None:
            disable(channel, "By its owner.", tell=False)
        elif not is_off and channel.disabled_at is not None:
            enable(channel)
        return channel


def _checked_address(kind: str, address: str) -> str:
    try:
        return managing.checked_address(kind, address)
    except UnknownSchema as error:
        raise serializers.ValidationError({"address": WrongInput(str(error), error.choices).detail}) from None
    except BadAddress as error:
        raise serializers.ValidationError({"address": WrongInput(str(error)).detail}) from None


class NewChannelSerializer(ChannelSerializer):
    """A channel as it is answered once, when it has been made; the context holds its ``secret``."""

    secret = serializers.CharField(
        read_only=True, allow_null=True, help_text="The signing secret of a webhook, shown this once."
    )

    def _value_of(self, channel: Channel, name: str) -> Any:
        return self.context["secret"] or None if name == "secret" else super()._value_of(channel, name)


class SecretSerializer(serializers.Serializer[Any]):
    """A new signing secret."""

    secret = serializers.CharField(help_text="Shown this once.")
    old_secret_valid_until = MomentText(help_text="Until then messages carry both signatures.")


class ResendSerializer(StrictSerializer):
    """What is to be sent again."""

    since = MomentInput(help_text="Messages composed at that moment or later.")
    also_delivered = TruthInput(required=False, help_text="Those that arrived, too; false unless given.")


class ResentSerializer(serializers.Serializer[Any]):
    """How many messages will be sent again."""

    messages = serializers.IntegerField()


class ChannelFilters(StrictFilterSet):
    """Filters of ``channels/``."""

    kind = Choices("kind__in", choices=Channel.Kind.values, description="Webhook, email or Apprise.")
    disabled = Flag(description="Whether it is disabled.", method="by_disabled")
    verified = Flag(description="Whether it is proved.", method="by_verified")

    class Meta:
        model = Channel
        fields: list[str] = []

    def by_disabled(self, queryset: Any, name: str, value: bool) -> Any:
        return queryset.filter(disabled_at__isnull=not value)

    def by_verified(self, queryset: Any, name: str, value: bool) -> Any:
        return queryset.filter(verified_at__isnull=not value)


_DESCRIBED = described_writes(ChannelSerializer, "channel", "channels", request=[EXAMPLE])


class ChannelRows(OwnedView):
    """The caller's channels."""

    owned = Channel.objects.all()
    serializer_class = ChannelSerializer


@extend_schema_view(
    post=extend_schema(
        operation_id="channels_create",
        summary="Make a channel",
        request=ChannelSerializer,
        parameters=[KEY_PARAMETER],
        responses={201: NewChannelSerializer, **ACTION_PROBLEMS},
        examples=[EXAMPLE],
    )
)
class ChannelListView(ChannelRows, OwnedListView):
    """The caller's channels.

    A new one is sent a test: a webhook and an Apprise address are proved when it is answered well, an email address by
    the link in it. The answer to the creation of a webhook holds its signing secret, this once.
    """

    filterset_class = ChannelFilters

    def post(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Make a channel."""
        # Asking Apprise about an address takes most of a second: before the transaction, not within it.
        serializer = self.checked(request)
        return answered_once(request, lambda: self._made_with_secret(serializer, request))

    def _made_with_secret(self, serializer: ChannelSerializer, request: Request) -> HttpResponse:
        channel = serializer.save(owner=request.user)
        location = f"{request.path}{channel.pk}/"
        body = NewChannelSerializer(channel, context={"secret": serializer.new_secret}).data
        return created_answer(request, body, tag=self.told(channel).headers["ETag"], location=location)


@extend_schema_view(**{name: _DESCRIBED[name] for name in ("put", "patch", "delete")})
class ChannelView(ChannelRows, OwnedDetailView):
    """One of the caller's channels. Deleting it deletes its deliveries."""


class ChannelAct(ChannelRows, NumberedView):
    """Something that is done with one channel."""

    http_method_names = ["post", "options"]

    def parameter_names(self) -> set[str]:
        return {"format"}


class ChannelTestView(ChannelAct):
    """Send a test to a channel; it proves a webhook that answers well, and asks an email address again."""

    @extend_schema(operation_id="channels_test", request=None, responses={202: DeliverySerializer, **ACTION_PROBLEMS})
    def post(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer with the test as a delivery, whose status tells what came of it."""
        channel = self.get_object()
        try:
            delivery = managing.test_channel(channel)
        except managing.TooSoon as error:
            raise Conflict(f"The test was {error}.", wait=error.wait) from None
        return action_answer(request, DeliverySerializer(delivery).data, status=202)


class ChannelRotateSecretView(ChannelAct):
    """Give a webhook a new signing secret; the old one signs beside it for 24 hours."""

    @extend_schema(
        operation_id="channels_rotate_secret",
        request=None,
        parameters=[KEY_PARAMETER],
        responses={200: SecretSerializer, **ACTION_PROBLEMS},
    )
    def post(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer with the new secret, this once."""
        channel = self.get_object()
        try:
            return answered_once(request, lambda: self._rotated(channel, request))
        except managing.NotAWebhook as error:
            raise Unprocessable(f"{error}.") from None

    def _rotated(self, channel: Channel, request: Request) -> HttpResponse:
        secret = managing.rotate_secret(channel)
        told = SecretSerializer({"secret": secret, "old_secret_valid_until": channel.previous_secret_expires_at})
        return action_answer(request, told.data)


class ChannelResendView(ChannelAct):
    """Send again what was given up since a moment, under the same message ids."""

    @extend_schema(
        operation_id="channels_resend", request=ResendSerializer, responses={202: ResentSerializer, **ACTION_PROBLEMS}
    )
    def post(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer with how many messages there are."""
        channel = self.get_object()
        asked = ResendSerializer(data=self.body(request))
        asked.is_valid(raise_exception=True)
        said = asked.validated_data
        try:
            with transaction.atomic():
                count = resending.resend_since(channel, said["since"], also_delivered=said.get("also_delivered", False))
        except resending.ChannelIsOff as error:
            raise Conflict(f"Nothing can be sent: {error}.") from None
        return action_answer(request, {"messages": count}, status=202)
