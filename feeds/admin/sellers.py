"""The admin of whose ids are whose."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import path
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from feeds.admin.identity import identity_page
from feeds.models import SellerAlias
from feeds.repointing import repoint
from pricing.ledger import Ruling
from pricing.models import Source
from tracker.admin_base import HistoryAdmin


@admin.register(SellerAlias)
class SellerAliasAdmin(HistoryAdmin):
    """Whose offerings a source means by a provider id. What the source has said under it moves to that seller."""

    list_display = ("provider", "source", "company", "listing", "zeros")
    list_filter = ("source", "zeros", ("company", AutocompleteSelectFilter))
    search_fields = ("provider", "company__name", "company__slug", "listing")
    list_select_related = ("source", "company")
    fieldsets = ((None, {"fields": (("source", "provider"), ("company", "listing"), "zeros")}),)

    def get_urls(self) -> list[Any]:
        """With the page of what may be one offering."""
        view = self.admin_site.admin_view(lambda request: identity_page(self, request))
        return [path("identity/", view, name="feeds_identity"), *super().get_urls()]

    def save_model(self, request: HttpRequest, obj: SellerAlias, form: forms.ModelForm, change: bool) -> None:
        before = {(obj.source, obj.provider)}
        if change:
            kept = SellerAlias.objects.select_related("source").get(pk=obj.pk)
            before.add((kept.source, kept.provider))
        with transaction.atomic():
            super().save_model(request, obj, form, change)
            self._repoint(request, before, f"seller alias {obj}")

    def delete_model(self, request: HttpRequest, obj: SellerAlias) -> None:
        with transaction.atomic():
            super().delete_model(request, obj)
            self._repoint(request, {(obj.source, obj.provider)}, f"seller alias taken back: {obj}")

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[SellerAlias]) -> None:
        for row in queryset.select_related("source", "company"):
            self.delete_model(request, row)

    def _repoint(self, request: HttpRequest, meant: set[tuple[Source, str]], note: str) -> None:
        ruling = Ruling(request.user, note)  # type: ignore[arg-type]
        moved = sum(repoint(source, provider, ruling) for source, provider in meant)
        if moved:
            done = f"{moved} references went to the seller that they mean now. Undoing one decision brings all back."
            messages.success(request, done)
