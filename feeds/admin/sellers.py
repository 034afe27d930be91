"""The admin of whose ids are whose."""

from __future__ import annotations

from django.contrib import admin
from unfold.contrib.filters.admin import AutocompleteSelectFilter

from feeds.models import SellerAlias
from tracker.admin_base import HistoryAdmin


@admin.register(SellerAlias)
class SellerAliasAdmin(HistoryAdmin):
    """Whose offerings a source means by a provider id. A row counts from the source's next refresh on."""

    list_display = ("provider", "source", "company", "listing", "zeros")
    list_filter = ("source", "zeros", ("company", AutocompleteSelectFilter))
    search_fields = ("provider", "company__name", "company__slug", "listing")
    list_select_related = ("source", "company")
    fieldsets = ((None, {"fields": (("source", "provider"), ("company", "listing"), "zeros")}),)
