"""The admin of the project's own rows: the heartbeat."""

from __future__ import annotations

from django.contrib import admin

from tracker.admin_base import ReadOnlyAdmin
from tracker.models import Heartbeat


@admin.register(Heartbeat)
class HeartbeatAdmin(ReadOnlyAdmin):
    """When a worker last saw a tick: with an old one, nothing refreshes by itself."""

    list_display = ("name", "seen_at")
    search_fields = ("name",)
    ordering = ("name",)
