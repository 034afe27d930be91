"""The admin of feeds: their schedule, their lease, and "refresh now"."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from unfold.decorators import action, display

from feeds.admin.refreshes import counts_in_short
from feeds.budgets import budgets
from feeds.leases import lease_in_words
from feeds.models import Feed, Refresh
from tracker.admin_base import HistoryAdmin
from tracker.admin_pages import FormPage, answer, list_url, posted
from tracker.moments import utc

logger = logging.getLogger(__name__)
REFRESHES_SHOWN = 20


def ask_for_refresh(feed: Feed) -> bool:
    """Make a feed due now and tell a worker; whether one could be told.

    The database is the queue: when the broker is down the next tick finds the feed due.
    """
    from feeds.tasks import enqueue_refresh

    Feed.objects.filter(pk=feed.pk).update(next_due_at=timezone.now())
    try:
        return enqueue_refresh(feed.slug)
    except Exception:  # whatever the broker does, the feed is due and the page must answer
        logger.exception("No worker could be told to refresh %s", feed.slug)
        return False


def what_was_asked(feed: Feed, was_told: bool) -> str:
    """What asking for a refresh did, for the person who asked."""
    if was_told:
        return f"{feed} is due now and a worker was told; its refresh appears below when it is done."
    if feed.enabled:
        return f"{feed} is due now. No worker could be told; the next tick refreshes it."
    return f"{feed} is due now, but no worker could be told, and the tick passes it by while it is not enabled."


@admin.register(Feed)
class FeedAdmin(HistoryAdmin):
    """What is fetched, when, and by whom just now. The feeds themselves come with the project."""

    list_display = (
        "source",
        "enabled",
        "every",
        "next_due_at",
        "last_success_at",
        "failures",
        "within_budget",
        "lease",
    )
    list_filter = ("enabled", ("failing_since", admin.EmptyFieldListFilter), "failures")
    search_fields = ("source__slug", "source__name", "address")
    list_select_related = ("source",)
    actions = ("refresh_chosen", "release_chosen")
    actions_detail = ("refresh_now", "release_lease")
    fieldsets = (
        (None, {"fields": ("source", "adapter", "address")}),
        ("Schedule", {"fields": (("enabled", "every"), "next_due_at")}),
        ("Failure budget", {"fields": (("failure_budget", "budget_window"), "failed_lately")}),
        ("State", {"fields": (("last_success_at", "failures"), "lease", ("etag", "last_modified"), "current_digest")}),
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def named_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[Any]:
        held = ("last_success_at", "failures", "failed_lately", "lease", "etag", "last_modified", "current_digest")
        return ["source", "adapter", *held]

    def save_model(self, request: HttpRequest, obj: Feed, form: forms.ModelForm, change: bool) -> None:
        """Write what the form holds and nothing else: a worker may be writing the rest of the row."""
        obj._history_user = request.user  # type: ignore[attr-defined]
        if form.changed_data:
            obj.save(update_fields=[name for name in form.changed_data if name in form.base_fields])

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        latest = Refresh.objects.filter(feed_id=object_id) if object_id.isdecimal() else Refresh.objects.none()
        told = {
            "refreshes": [
                (run, counts_in_short(run))
                for run in latest.select_related("payload").defer("payload__compressed")[:REFRESHES_SHOWN]
            ],
            "all_refreshes": list_url(Refresh, feed__id__exact=object_id),
        }
        return super().change_view(request, object_id, form_url, {**told, **(extra_context or {})})

    @display(description="Lease")
    def lease(self, feed: Feed) -> str:
        return lease_in_words(feed)

    @display(description="Within its budget", ordering="failing_since", boolean=True)
    def within_budget(self, feed: Feed) -> bool:
        return feed.failing_since is None

    @display(description="Failed lately")
    def failed_lately(self, feed: Feed) -> str:
        budget = budgets([feed])[feed.pk]
        since = f"; beyond its budget since {utc(feed.failing_since)}" if feed.failing_since is not None else ""
        return f"{budget.failed} of {budget.refreshes} refreshes, {budget.failed_percent}%{since}"

    @admin.action(description="Refresh now", permissions=["change"])
    def refresh_chosen(self, request: HttpRequest, rows: QuerySet[Feed]) -> None:
        for feed in rows.select_related("source"):
            told = ask_for_refresh(feed)
            self.message_user(request, what_was_asked(feed, told), messages.SUCCESS if told else messages.WARNING)

    @admin.action(description="Release the lease", permissions=["change"])
    def release_chosen(self, request: HttpRequest, rows: QuerySet[Feed]) -> None:
        from feeds.leases import force_release

        freed = [feed for feed in rows.select_related("source") if force_release(feed)]
        self.message_user(request, f"Released: {', '.join(map(str, freed)) or 'none was held'}.")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """A lease can be released only while there is one."""
        is_held = Feed.objects.filter(pk=object_id, locked_until__isnull=False).exists()
        actions = super().get_actions_detail(request, object_id)
        return [chosen for chosen in actions if is_held or chosen.path != "release-lease"]

    @action(description="Refresh now", url_path="refresh-now", permissions=["change"], icon="refresh")
    def refresh_now(self, request: HttpRequest, object_id: str) -> HttpResponse:
        feed = self._found(request, object_id)
        page = FormPage(
            about=feed,
            title=f"Refresh {feed} now",
            form=forms.Form(posted(request)),
            submit="Refresh now",
            explanation=f"Makes the feed due now and tells a worker. It is due at {utc(feed.next_due_at)} otherwise.",
        )
        return answer(self, request, page, lambda _said: what_was_asked(feed, ask_for_refresh(feed)), refusals=())

    @action(description="Release the lease", url_path="release-lease", permissions=["change"], icon="lock_open")
    def release_lease(self, request: HttpRequest, object_id: str) -> HttpResponse:
        from feeds.leases import force_release

        feed = self._found(request, object_id)
        page = FormPage(
            about=feed,
            title=f"Release the lease of {feed}",
            form=forms.Form(posted(request)),
            submit="Release it",
            explanation=f"{self.lease(feed).capitalize()}. Release it only when that worker is gone: a lease that "
            "runs out is free again by itself.",
            is_grave=True,
        )

        def act(_said: Any) -> str:
            return f"The lease of {feed} is released." if force_release(feed) else f"{feed} held no lease any more."

        return answer(self, request, page, act, refusals=())

    def _found(self, request: HttpRequest, object_id: str) -> Feed:
        feed: Feed | None = self.get_object(request, object_id)
        if feed is None:
            raise Http404(f"no feed {object_id}")
        return feed
