"""The admin of sources and of the order in which they speak."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.widgets import UnfoldAdminTextInputWidget

from pricing.models import Source, SourcePrecedence
from pricing.precedence import rank, rank_for_seller
from pricing.rulings import Ruling
from tracker.admin_base import HistoryAdmin, RecordAdmin

_REASON = {
    "required": False,
    "widget": UnfoldAdminTextInputWidget,
    "help_text": "Why. A new order is a decision: everything that it touches is settled anew as a correction.",
}


class SourceForm(forms.ModelForm):
    reason = forms.CharField(label="Reason for another precedence", **_REASON)


@admin.register(Source)
class SourceAdmin(HistoryAdmin):
    """Who speaks. One that was ever heard is never deleted."""

    form = SourceForm
    list_display = ("name", "slug", "kind", "precedence", "licence", "may_republish")
    list_filter = ("kind", "may_republish")
    search_fields = ("name", "slug")
    ordering = ("precedence", "slug")
    fieldsets = (
        (None, {"fields": ("name", "slug", "kind")}),
        ("Order", {"fields": ("precedence", "reason")}),
        ("Terms", {"fields": ("homepage", "licence", "may_republish")}),
    )

    def named_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[Any]:
        """Who it is stays: commands and the API name it by its slug, and the ledger reads it by its kind."""
        return ["slug", "kind"] if obj else []

    def has_delete_permission(self, request: HttpRequest, obj: Source | None = None) -> bool:
        heard = obj is not None and (obj.observations.exists() or obj.statements.exists())
        return not heard and super().has_delete_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: Source, form: forms.ModelForm, change: bool) -> None:
        wanted = obj.precedence
        if change and "precedence" in form.changed_data:
            obj.precedence = form.initial["precedence"]
            super().save_model(request, obj, form, change)
            rank(obj, wanted, Ruling(request.user, form.cleaned_data["reason"]))  # type: ignore[arg-type]
            obj.refresh_from_db()
            return
        super().save_model(request, obj, form, change)


class SourcePrecedenceForm(forms.ModelForm):
    reason = forms.CharField(label="Reason", **_REASON)


@admin.register(SourcePrecedence)
class SourcePrecedenceAdmin(RecordAdmin):
    """An operator's own order for one seller; adding, changing and deleting settle that seller's prices anew."""

    form = SourcePrecedenceForm
    list_display = ("source", "seller", "precedence")
    list_filter = ("source", ("seller", AutocompleteSelectFilter))
    search_fields = ("source__name", "source__slug", "seller__name", "seller__slug")
    list_select_related = ("source", "seller")
    fieldsets = ((None, {"fields": ("source", "seller", "precedence", "reason")}),)

    def named_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[Any]:
        return ["source", "seller"] if obj else []

    def save_model(self, request: HttpRequest, obj: SourcePrecedence, form: forms.ModelForm, change: bool) -> None:
        ruling = Ruling(request.user, form.cleaned_data["reason"])  # type: ignore[arg-type]
        rank_for_seller(obj.source, obj.seller, obj.precedence, ruling)
        obj.pk = SourcePrecedence.objects.values_list("pk", flat=True).get(source=obj.source, seller=obj.seller)

    def delete_model(self, request: HttpRequest, obj: SourcePrecedence) -> None:
        rank_for_seller(obj.source, obj.seller, None, Ruling(request.user, "deleted in the admin"))  # type: ignore[arg-type]

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[SourcePrecedence]) -> None:
        for row in queryset:
            self.delete_model(request, row)
