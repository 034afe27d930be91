"""The admin of the evidence: readings, statements and decisions, which nobody edits."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.html import format_html
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import action, display

from pricing.admin import routing, rulings
from pricing.admin.search import OfferingSearch
from pricing.models import Decision, Observation, RouteStatement, Source, Statement
from pricing.rulings.undoing import UNDOABLE
from tracker.admin_base import LargeTable, ReadOnlyAdmin
from tracker.amounts import plain

_UNDONE_HERE = (*UNDOABLE, Decision.Kind.REROUTE)


@admin.register(Observation)
class ObservationAdmin(LargeTable, ReadOnlyAdmin):
    """The successful readings of each source, unchanged ones included."""

    list_display = ("source", "observed_at", "shown_digest", "refresh_id", "recorded_at")
    list_filter = ("source",)
    search_fields = ("digest",)
    list_select_related = ("source",)
    ordering = ("-observed_at",)

    @display(description="Digest")
    def shown_digest(self, reading: Observation) -> str:
        return reading.digest[:12]


@admin.register(Statement)
class StatementAdmin(LargeTable, OfferingSearch, ReadOnlyAdmin):
    """Who said what of which line, and in which readings."""

    offering_path = "line__offering"
    list_display = (
        "shown_offering",
        "line",
        "shown_amount",
        "source",
        "first_observed_at",
        "ended_at",
        "effective_from",
    )
    list_filter = ("source", ("ended_at", admin.EmptyFieldListFilter), ("author", AutocompleteSelectFilter))
    search_fields = ("citation_url",)
    list_select_related = ("source", "reference__source", "line__offering__seller", "author")
    actions_detail = ("take_back",)
    fieldsets = (
        (None, {"fields": ("shown_offering", "line", "shown_amount", "source", "reference")}),
        ("What it claims", {"fields": (("effective_from", "effective_until"), ("precision", "zero_means"))}),
        (
            "When it was read",
            {
                "fields": (("first_observed_at", "absent_before"), "ended_at", ("refresh_id", "ended_by_refresh_id")),
            },
        ),
        ("Evidence", {"fields": ("author", "citation_url", "citation_title", "note", "recorded_at")}),
    )

    @display(description="Offering", ordering="line__offering__name")
    def shown_offering(self, statement: Statement) -> str:
        return str(statement.line.offering)

    @display(description="Amount", ordering="amount")
    def shown_amount(self, statement: Statement) -> str:
        return f"{plain(statement.amount)} {statement.currency} {statement.line.unit}"

    def has_take_back_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("pricing.add_decision")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        mine = Statement.objects.filter(pk=object_id, source__kind=Source.Kind.EDITOR, ended_at__isnull=True)
        return super().get_actions_detail(request, object_id) if mine.exists() else []

    @action(description="Take back", url_path="take-back", permissions=["take_back"], icon="undo")
    def take_back(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return rulings.take_back(self, request, _found(self, request, object_id))


@admin.register(RouteStatement)
class RouteStatementAdmin(LargeTable, OfferingSearch, ReadOnlyAdmin):
    """Who said where an id leads, and in which readings."""

    list_display = (
        "offering",
        "target_offering",
        "target_model",
        "source",
        "first_observed_at",
        "ended_at",
        "effective_from",
        "effective_until",
    )
    list_filter = ("source", ("ended_at", admin.EmptyFieldListFilter), ("author", AutocompleteSelectFilter))
    search_fields = ("citation_url",)
    list_select_related = (
        "source",
        "reference__source",
        "offering__seller",
        "target_offering__seller",
        "target_model",
        "author",
    )
    actions_detail = ("reschedule", "take_back")
    fieldsets = (
        (None, {"fields": ("offering", ("target_offering", "target_model"), "source", "reference")}),
        ("What it claims", {"fields": (("effective_from", "effective_until"), "precision")}),
        (
            "When it was read",
            {
                "fields": (("first_observed_at", "absent_before"), "ended_at", ("refresh_id", "ended_by_refresh_id")),
            },
        ),
        ("Evidence", {"fields": ("author", "citation_url", "citation_title", "note", "recorded_at")}),
    )

    def has_rule_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("pricing.add_decision")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        mine = RouteStatement.objects.filter(pk=object_id, source__kind=Source.Kind.EDITOR, ended_at__isnull=True)
        return super().get_actions_detail(request, object_id) if mine.exists() else []

    @action(description="Reschedule", url_path="reschedule", permissions=["rule"], icon="event_repeat")
    def reschedule(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return routing.reschedule(self, request, _found(self, request, object_id))

    @action(description="Take back", url_path="take-back", permissions=["rule"], icon="undo")
    def take_back(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return routing.take_back(self, request, _found(self, request, object_id))


@admin.register(Decision)
class DecisionAdmin(OfferingSearch, ReadOnlyAdmin):
    """What people ruled; undone by a later decision, never deleted."""

    list_display = ("made_at", "kind", "offering", "line", "shown_amount", "made_by", "note", "is_undone")
    list_filter = ("kind", ("made_by", AutocompleteSelectFilter))
    search_fields = ("note",)
    list_select_related = ("offering__seller", "line", "made_by", "undone_by")
    date_hierarchy = "made_at"
    actions_detail = ("undo",)
    fieldsets = (
        (None, {"fields": ("kind", "offering", "line", "shown_amount")}),
        ("Holds", {"fields": (("effective_from", "effective_until"), "precision")}),
        ("Ruling", {"fields": (("made_by", "made_at"), "note", "shown_citation", ("undoes", "is_undone"), "details")}),
    )

    @display(description="Amount", ordering="amount")
    def shown_amount(self, decision: Decision) -> str:
        return "" if decision.amount is None else f"{plain(decision.amount)} {decision.currency}"

    @display(description="Undone", boolean=True)
    def is_undone(self, decision: Decision) -> bool:
        return hasattr(decision, "undone_by")

    @display(description="Citation")
    def shown_citation(self, decision: Decision) -> str:
        address = decision.citation_url
        return format_html('<a class="text-link" href="{}" rel="noopener">{}</a>', address, address) if address else ""

    def has_undo_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("pricing.add_decision")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        undoable = Decision.objects.filter(pk=object_id, kind__in=_UNDONE_HERE, undone_by__isnull=True)
        return super().get_actions_detail(request, object_id) if undoable.exists() else []

    @action(description="Undo", url_path="undo", permissions=["undo"], icon="undo")
    def undo(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return rulings.undo(self, request, _found(self, request, object_id))


def _found(admin_of_it: Any, request: HttpRequest, object_id: str) -> Any:
    row = admin_of_it.get_object(request, object_id)
    if row is None:
        raise Http404(f"no {admin_of_it.opts.verbose_name} {object_id}")
    return row
