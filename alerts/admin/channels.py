"""The admin of channels: how they fare, and the few things that an operator does for their owners."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from alerts import managing
from alerts.admin.own import OwnAdmin
from alerts.disabling import disable, enable
from alerts.models import Channel
from tracker.admin_base import ReadOnlyAdmin

STATE_COLOURS = {"works": "success", "not verified": "info", "failing": "warning", "disabled": "danger"}


def state_of(channel: Channel) -> str:
    """How a channel fares, in a word or two."""
    if channel.disabled_at is not None:
        return "disabled"
    if channel.verified_at is None:
        return "not verified"
    return "failing" if channel.failing_since is not None else "works"


@admin.register(Channel)
class ChannelAdmin(OwnAdmin, ReadOnlyAdmin):
    """Where people hear. Addresses are masked and secrets are not shown: they are their owners'."""

    list_display = ("name", "owner", "kind", "shown_address", "state", "failing_since", "last_success_at", "last_error")
    list_filter = ("kind", ("verified_at", admin.EmptyFieldListFilter), ("disabled_at", admin.EmptyFieldListFilter))
    search_fields = ("name", "shown_address", "owner__username", "disabled_reason", "last_error")
    list_select_related = ("owner",)
    actions = ("send_a_test", "disable_chosen", "enable_chosen")
    fieldsets = (
        (None, {"fields": (("owner", "kind"), "name", "shown_address", "state")}),
        ("Proof", {"fields": (("verified_at", "verification_sent_at"), "previous_secret_expires_at")}),
        ("How it fares", {"fields": (("last_success_at", "failing_since"), "last_error")}),
        ("Disabled", {"fields": (("disabled_at", "owner_told_at"), "disabled_reason")}),
    )

    @display(description="State", label=STATE_COLOURS)
    def state(self, channel: Channel) -> str:
        return state_of(channel)

    def has_operate_permission(self, request: HttpRequest) -> bool:
        """Whoever may change channels may do these few things."""
        return bool(request.user.has_perm("alerts.change_channel"))

    @admin.action(description="Send a test", permissions=["operate"])
    def send_a_test(self, request: HttpRequest, rows: QuerySet[Channel]) -> None:
        for channel in rows.filter(disabled_at__isnull=True):
            try:
                managing.test_channel(channel)
            except managing.TooSoon as error:
                self.message_user(request, f"{channel}: {error}.", messages.WARNING)
            else:
                self.message_user(request, f"{channel}: a test is on its way; its row under deliveries tells the rest.")

    @admin.action(description="Disable", permissions=["operate"])
    def disable_chosen(self, request: HttpRequest, rows: QuerySet[Channel]) -> None:
        chosen = list(rows.filter(disabled_at__isnull=True).select_related("owner"))
        for channel in chosen:
            disable(channel, f"By {request.user.get_username()}.")
        self._tell(request, "Disabled", chosen)

    @admin.action(description="Enable", permissions=["operate"])
    def enable_chosen(self, request: HttpRequest, rows: QuerySet[Channel]) -> None:
        chosen = list(rows.filter(disabled_at__isnull=False))
        for channel in chosen:
            enable(channel)
        self._tell(request, "Enabled", chosen)

    def _tell(self, request: HttpRequest, what: str, channels: list[Any]) -> None:
        self.message_user(request, f"{what}: {', '.join(map(str, channels)) or 'none, all were so already'}.")
