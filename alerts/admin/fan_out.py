"""The admin of how far changes have been matched, what was caught, and what waits: to be read only."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from unfold.decorators import display

from alerts.admin.own import OwnAdmin
from alerts.models import Awaited, FanOut, Notice
from tracker.admin_base import LargeTable, ReadOnlyAdmin


@admin.register(FanOut)
class FanOutAdmin(ReadOnlyAdmin):
    """How far the stream of changes has been matched against the watches, and who is at it."""

    list_display = ("last_sequence", "bills_sequence", "bills_until", "owner", "locked_until", "updated_at")
    search_fields = ("owner",)


@admin.register(Notice)
class NoticeAdmin(LargeTable, OwnAdmin, ReadOnlyAdmin):
    """What watches caught, for which channel, and whether it was told."""

    owner_path = "watch__owner"
    list_display = ("change", "watch", "channel", "due_at", "shown_money", "shown_state", "dropped_reason")
    list_filter = ("dropped", ("delivery", admin.EmptyFieldListFilter))
    search_fields = ("watch__name", "change__headline", "channel__name")
    list_select_related = ("change", "watch", "channel")

    @display(description="Money")
    def shown_money(self, notice: Notice) -> str:
        money: dict[str, Any] | None = notice.money
        return f"{money['old']} -> {money['new']} {money['currency']}" if money else ""

    @display(description="State", label={"told": "success", "waits": "info", "dropped": "warning"})
    def shown_state(self, notice: Notice) -> str:
        if notice.dropped:
            return "dropped"
        return "told" if notice.delivery_id is not None else "waits"


@admin.register(Awaited)
class AwaitedAdmin(OwnAdmin, ReadOnlyAdmin):
    """Changes that wait for a second source, for watches that hear of confirmed changes only."""

    owner_path = "watch__owner"
    list_display = ("change", "watch", "until")
    search_fields = ("watch__name", "change__headline")
    list_select_related = ("change", "watch")
    ordering = ("until",)
