"""The admin of refreshes and of the documents that they read: to be read only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db.models.functions import Length
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from unfold.decorators import display

from feeds.archive import body_in_words
from feeds.models import Payload, Refresh, TakenRows
from tracker.admin_base import LargeTable, ReadOnlyAdmin

STATUS_COLOURS = {
    "running": "info",
    "done": "success",
    "nothing new": "success",
    "could not fetch": "danger",
    "document refused": "danger",
}
_COUNTED_IN_LISTS = ("seen", "new", "changed", "withdrawn", "held", "rejected")


def counts_in_short(refresh: Refresh) -> str:
    """The counts that matter, those of zero left out: ``2,310 seen, 4 new, 12 changed``."""
    found = [(name, refresh.counts.get(name, 0)) for name in _COUNTED_IN_LISTS]
    return ", ".join(f"{count:,} {name}" for name, count in found if count)


@admin.register(Refresh)
class RefreshAdmin(LargeTable, ReadOnlyAdmin):
    """Each run over a feed: what it read, wrote and did not understand."""

    list_display = ("started_at", "feed", "shown_status", "shown_counts", "unknown_fields", "trigger", "observed_at")
    list_filter = ("feed__source", "status", "trigger")
    search_fields = ("feed__source__slug", "feed__source__name", "digest", "error")
    list_select_related = ("feed__source",)
    ordering = ("-started_at", "-id")
    date_hierarchy = "started_at"
    fieldsets = (
        (None, {"fields": ("feed", ("shown_status", "trigger"), "error")}),
        ("When", {"fields": (("started_at", "finished_at"), "observed_at")}),
        ("Document", {"fields": ("digest", "shown_payload")}),
        ("What it did", {"fields": ("all_counts",)}),
        ("What was not taken", {"fields": ("shown_unrecognised", "shown_rejections")}),
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        """Without the documents themselves, which are large."""
        return super().get_queryset(request).select_related("payload").defer("payload__compressed")

    @display(description="Status", ordering="status", label=STATUS_COLOURS)
    def shown_status(self, refresh: Refresh) -> str:
        return refresh.get_status_display()

    @display(description="Counts")
    def shown_counts(self, refresh: Refresh) -> str:
        return counts_in_short(refresh) or refresh.error[:80]

    @display(description="Fields not understood")
    def unknown_fields(self, refresh: Refresh) -> str:
        return f"{len(refresh.unrecognised)}" if refresh.unrecognised else ""

    @display(description="Payload")
    def shown_payload(self, refresh: Refresh) -> str:
        if refresh.payload is None:
            return "not kept: nothing new in it"
        kept = body_in_words(refresh.payload)
        return f"{filesizeformat(refresh.payload.size)}, {kept if kept == 'kept' else f'body {kept}'}"

    @display(description="Counts")
    def all_counts(self, refresh: Refresh) -> SafeString:
        rows = [(name.replace("_", " "), f"{count:,}") for name, count in refresh.counts.items()]
        return _table(("what", "count"), rows)

    @display(description="Price fields not understood")
    def shown_unrecognised(self, refresh: Refresh) -> SafeString:
        return _table(("field", "rows"), [(name, f"{count:,}") for name, count in refresh.unrecognised.items()])

    @display(description="Rows not taken")
    def shown_rejections(self, refresh: Refresh) -> SafeString:
        rows = [(r.get("provider", ""), r.get("model", ""), r.get("reason", "")) for r in refresh.rejections]
        return _table(("provider", "id", "reason"), rows)


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> SafeString:
    """A small table; every cell is escaped."""
    return render_to_string("tracker/admin/small_table.html", {"headings": headings, "rows": rows})


@admin.register(Payload)
class PayloadAdmin(LargeTable, ReadOnlyAdmin):
    """The raw documents, each kept once."""

    list_display = ("shown_digest", "shown_size", "created_at", "shown_body")
    list_filter = (("dropped_at", admin.EmptyFieldListFilter),)
    search_fields = ("digest",)
    fieldsets = ((None, {"fields": ("digest", "shown_size", "created_at", "shown_body", "read_by")}),)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).defer("compressed")

    @display(description="Digest", ordering="digest")
    def shown_digest(self, payload: Payload) -> str:
        return payload.digest[:12]

    @display(description="Body", ordering="dropped_at")
    def shown_body(self, payload: Payload) -> str:
        return body_in_words(payload)

    @display(description="Size before compression", ordering="size")
    def shown_size(self, payload: Payload) -> str:
        return f"{filesizeformat(payload.size)} ({payload.size:,} bytes)"

    @display(description="Read by")
    def read_by(self, payload: Payload) -> str:
        runs = payload.refreshes.select_related("feed__source")[:20]
        return "\n".join(str(run) for run in runs)


@admin.register(TakenRows)
class TakenRowsAdmin(LargeTable, ReadOnlyAdmin):
    """What is remembered of the newest documents, so that the next are read faster."""

    list_display = ("feed", "written_at", "shown_size")
    search_fields = ("feed__source__slug", "feed__source__name")
    list_select_related = ("feed__source",)
    fieldsets = ((None, {"fields": ("feed", "written_at", "shown_size")}),)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).defer("content").annotate(size=Length("content"))

    @display(description="Size")
    def shown_size(self, rows: TakenRows) -> str:
        return filesizeformat(getattr(rows, "size", 0))
