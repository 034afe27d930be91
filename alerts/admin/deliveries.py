"""The admin of deliveries, and the page that tells what waits, what fails, and why."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Min, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils import timezone
from django.utils.html import format_html
from unfold.decorators import action, display

from alerts import resending
from alerts.admin.own import OwnAdmin
from alerts.composing import due_notices
from alerts.models import Attempt, Channel, Delivery, Notice
from tracker.admin_base import LargeTable, ReadOnlyAdmin, ReadOnlyInline
from tracker.admin_pages import list_url, show

STATUS_COLOURS = {"waiting": "info", "delivered": "success", "given up": "danger", "cancelled": "warning"}
_REASONS_SHOWN = 20
_LATELY = timedelta(days=7)


class AttemptRows(ReadOnlyInline):
    """Each try at a message."""

    model = Attempt
    fields = ("started_at", "seconds", "succeeded", "status_code", "error", "answer")
    readonly_fields = fields


@admin.register(Delivery)
class DeliveryAdmin(LargeTable, OwnAdmin, ReadOnlyAdmin):
    """Each message to one channel, and what became of it."""

    owner_path = "channel__owner"
    list_display = ("created_at", "channel", "kind", "subject", "shown_status", "attempts_made", "last_error")
    list_filter = ("status", "kind", "channel__kind")
    search_fields = ("subject", "message_id", "channel__name", "channel__owner__username", "last_error")
    list_select_related = ("channel",)
    date_hierarchy = "created_at"
    inlines = (AttemptRows,)
    actions = ("send_again",)
    actions_list = ("backlog",)
    fieldsets = (
        (None, {"fields": ("channel", ("kind", "shown_status"), "subject", "message_id")}),
        ("Attempts", {"fields": (("attempts_made", "next_attempt_at"), "last_error", ("owner", "locked_until"))}),
        ("When", {"fields": (("created_at", "finished_at"),)}),
        ("What it says", {"fields": ("shown_body",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Delivery]:
        """Lists do without what the messages say."""
        return super().get_queryset(request).defer("body")

    def get_urls(self) -> list[Any]:
        page = self.admin_site.admin_view(self.backlog_page)
        return [path("backlog/", page, name="alerts_delivery_backlog_page"), *super().get_urls()]

    @display(description="Status", ordering="status", label=STATUS_COLOURS)
    def shown_status(self, delivery: Delivery) -> str:
        return delivery.get_status_display()

    @display(description="Body")
    def shown_body(self, delivery: Delivery) -> str:
        return format_html("<pre>{}</pre>", json.dumps(delivery.body, indent=2, ensure_ascii=False)[:20_000])

    def has_resend_permission(self, request: HttpRequest) -> bool:
        """Whoever may change deliveries may send them again."""
        return bool(request.user.has_perm("alerts.change_delivery"))

    @admin.action(description="Send again", permissions=["resend"])
    def send_again(self, request: HttpRequest, rows: QuerySet[Delivery]) -> None:
        sent = 0
        for delivery in rows.select_related("channel"):
            try:
                resending.retry(delivery)
                sent += 1
            except (resending.ChannelIsOff, resending.IsBeingSent) as error:
                self.message_user(request, f"{delivery}: {error}.", messages.WARNING)
        self.message_user(request, f"{sent} will be sent again.")

    @action(description="Backlog and failures", url_path="what-waits", icon="pending_actions")
    def backlog(self, request: HttpRequest) -> HttpResponse:
        return self.backlog_page(request)

    def backlog_page(self, request: HttpRequest) -> HttpResponse:
        """What waits, what fails, and why, whosever it is: for those who run the site."""
        if not request.user.is_superuser:
            raise PermissionDenied
        return show(self, request, "admin/alerts/backlog.html", title="Backlog and failures", **backlog())


@admin.register(Attempt)
class AttemptAdmin(LargeTable, OwnAdmin, ReadOnlyAdmin):
    """Each try at any message, the newest first."""

    owner_path = "delivery__channel__owner"
    list_display = ("started_at", "delivery", "succeeded", "status_code", "seconds", "error")
    list_filter = ("succeeded", "delivery__channel__kind")
    search_fields = ("delivery__subject", "delivery__message_id", "error", "delivery__channel__name")
    list_select_related = ("delivery",)


def backlog() -> dict[str, Any]:
    """What the page tells; tests of channels are no part of it."""
    now = timezone.now()
    told = Delivery.objects.exclude(kind=Delivery.Kind.PING)
    waiting = told.filter(status=Delivery.Status.WAITING)
    due = waiting.filter(next_attempt_at__lte=now).aggregate(count=Count("pk"), oldest=Min("next_attempt_at"))
    dead = told.filter(status=Delivery.Status.DEAD, finished_at__gte=now - _LATELY)
    return {
        "facts": [
            ("notices due", due_notices(now).count(), list_url(Notice, dropped__exact=0)),
            ("messages due", due["count"], list_url(Delivery, status__exact="waiting")),
            ("wait for another attempt", waiting.filter(next_attempt_at__gt=now).count(), list_url(Delivery)),
            ("given up in 7 days", dead.count(), list_url(Delivery, status__exact="dead")),
        ],
        "oldest": due["oldest"],
        "reasons": _by_reason(waiting.exclude(last_error=""), "waiting") + _by_reason(dead, "given up"),
        "failing": _channels(failing_since__isnull=False, disabled_at__isnull=True).order_by("failing_since"),
        "disabled": _channels(disabled_at__isnull=False, disabled_at__gte=now - _LATELY).order_by("-disabled_at"),
        "untold": _channels(disabled_at__isnull=False, owner_told_at__isnull=True),
    }


def _by_reason(rows: QuerySet[Delivery], state: str) -> list[tuple[str, str, int]]:
    counted = rows.order_by().values_list("last_error").annotate(count=Count("pk")).order_by("-count")
    return [(state, reason, count) for reason, count in counted[:_REASONS_SHOWN]]


def _channels(**conditions: Any) -> QuerySet[Channel]:
    return Channel.objects.filter(**conditions).select_related("owner")
