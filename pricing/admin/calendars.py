"""The admin of calendars: who gave which, what is believed of them, and the taking back of what an editor stated."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.html import format_html_join
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import action, display

from pricing.admin import rulings
from pricing.admin.search import OfferingSearch
from pricing.calendar_belief import RULE_COLUMNS, rule_of
from pricing.calendar_rules import from_json
from pricing.calendar_text import calendar_text, hours
from pricing.models import CalendarStatement, SlotRule, Source
from tracker.admin_base import ReadOnlyAdmin
from tracker.moments import beginning, utc


def rule_hours(row: SlotRule) -> str:
    """When a believed rule holds, in words."""
    return hours(rule_of(*(getattr(row, column) for column in RULE_COLUMNS)))


def rule_since(row: SlotRule) -> str:
    """Since when a rule is in force, as exactly as that is known."""
    return beginning(row.effective_from, row.precision, row.observed_after) if row.effective_from else "the first known"


@admin.register(SlotRule)
class SlotRuleAdmin(OfferingSearch, ReadOnlyAdmin):
    """When calendar slots apply, on both time axes. Rows are never edited."""

    list_display = ("offering", "slot", "shown_hours", "begins", "ends", "source", "is_believed")
    list_filter = ("source", "is_rest", ("known_until", admin.EmptyFieldListFilter))
    search_fields = ("slot",)
    list_select_related = ("offering__seller", "source", "statement__source", "statement__offering__seller")
    fieldsets = (
        (None, {"fields": ("offering", "slot", "shown_hours", "source", "statement")}),
        (
            "Effective",
            {"fields": (("begins", "ends"), ("effective_from", "effective_until"), ("precision", "observed_after"))},
        ),
        ("Known", {"fields": (("known_from", "known_until"), "recorded_at")}),
    )

    @display(description="Hours")
    def shown_hours(self, row: SlotRule) -> str:
        return rule_hours(row)

    @display(description="Since", ordering="effective_from")
    def begins(self, row: SlotRule) -> str:
        return rule_since(row)

    @display(description="Until", ordering="effective_until")
    def ends(self, row: SlotRule) -> str:
        return utc(row.effective_until)

    @display(description="Believed", boolean=True, ordering="known_until")
    def is_believed(self, row: SlotRule) -> bool:
        return row.known_until is None


@admin.register(CalendarStatement)
class CalendarStatementAdmin(OfferingSearch, ReadOnlyAdmin):
    """Who gave which calendar for an offering, and in which readings."""

    list_display = ("offering", "shown_rules", "source", "effective_from", "first_observed_at", "ended_at")
    list_filter = ("source", ("ended_at", admin.EmptyFieldListFilter), ("author", AutocompleteSelectFilter))
    search_fields = ("citation_url",)
    list_select_related = ("source", "reference__source", "offering__seller", "author")
    actions_detail = ("take_back",)
    fieldsets = (
        (None, {"fields": ("offering", "shown_rules", "effective_from", "source", "reference")}),
        (
            "When it was read",
            {"fields": (("first_observed_at", "absent_before"), "ended_at", ("refresh_id", "ended_by_refresh_id"))},
        ),
        ("Evidence", {"fields": ("author", "citation_url", "citation_title", "note", "recorded_at")}),
    )

    @display(description="Calendar")
    def shown_rules(self, statement: CalendarStatement) -> str:
        lines = calendar_text(from_json(statement.rules)).splitlines()
        return format_html_join("", "<div>{}</div>", ((line,) for line in lines))

    def has_take_back_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("pricing.add_decision")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        stated = CalendarStatement.objects.filter(pk=object_id, source__kind=Source.Kind.EDITOR, ended_at=None)
        return super().get_actions_detail(request, object_id) if stated.exists() else []

    @action(description="Take back", url_path="take-back", permissions=["take_back"], icon="undo")
    def take_back(self, request: HttpRequest, object_id: str) -> HttpResponse:
        statement = self.get_object(request, object_id)
        if statement is None:
            raise Http404(f"no calendar statement {object_id}")
        return rulings.take_back_calendar(self, request, statement)
