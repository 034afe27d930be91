"""The admin of the project's own rows: the heartbeat, and the answers kept for repeated requests."""

from __future__ import annotations

from django.contrib import admin

from tracker.admin_base import ReadOnlyAdmin
from tracker.models import Heartbeat, KeptAnswer


@admin.register(Heartbeat)
class HeartbeatAdmin(ReadOnlyAdmin):
    """When a worker last saw a tick: with an old one, nothing refreshes by itself."""

    list_display = ("name", "seen_at")
    search_fields = ("name",)
    ordering = ("name",)


@admin.register(KeptAnswer)
class KeptAnswerAdmin(ReadOnlyAdmin):
    """The keys under which requests came within the last day; what was answered is not shown."""

    list_display = ("key", "user", "status", "begun_at")
    search_fields = ("key", "user__username")
    list_select_related = ("user",)
    ordering = ("-begun_at",)
    fieldsets = ((None, {"fields": (("key", "user"), ("status", "begun_at"))}),)
