"""The admin of what stands around offerings, to be read only: references, aliases, price lines."""

from __future__ import annotations

from django.contrib import admin
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import display

from pricing.admin.search import OfferingSearch
from pricing.models import Alias, PriceLine, Reference
from tracker.admin_base import HistoryAdmin, LargeTable, ReadOnlyAdmin
from tracker.moments import beginning


@admin.register(Reference)
class ReferenceAdmin(LargeTable, OfferingSearch, ReadOnlyAdmin, HistoryAdmin):
    """The ids by which sources know offerings."""

    has_log = True
    list_display = ("external_id", "provider", "source", "offering", "first_seen_at", "absent_since")
    list_filter = ("source", ("absent_since", admin.EmptyFieldListFilter), "linked_by_person")
    search_fields = ("external_id", "provider")
    list_select_related = ("source", "offering__seller")


@admin.register(Alias)
class AliasAdmin(LargeTable, ReadOnlyAdmin):
    """Which id a seller routed where, and when. Rows are never edited, only closed and opened."""

    list_display = (
        "external_id",
        "seller",
        "target_offering",
        "target_model",
        "begins",
        "effective_until",
        "source",
        "is_believed",
    )
    list_filter = (("seller", AutocompleteSelectFilter), "source", ("known_until", admin.EmptyFieldListFilter))
    search_fields = ("external_id", "seller__name", "target_offering__name", "target_model__name")
    list_select_related = (
        "offering__seller",
        "seller",
        "target_offering__seller",
        "target_model",
        "source",
        "statement__source",
        "statement__offering__seller",
        "statement__target_offering__seller",
        "statement__target_model",
        "decision__offering__seller",
    )
    date_hierarchy = "effective_from"
    fieldsets = (
        (None, {"fields": ("offering", ("target_offering", "target_model"))}),
        (
            "Effective",
            {"fields": (("begins", "effective_until"), "effective_from", ("precision", "observed_after"))},
        ),
        ("Known", {"fields": (("known_from", "known_until"), "recorded_at")}),
        ("Evidence", {"fields": ("source", "statement", "decision", "citation_url")}),
    )

    @display(description="Since", ordering="effective_from")
    def begins(self, alias: Alias) -> str:
        if alias.effective_from is None:
            return ""
        return beginning(alias.effective_from, alias.precision, alias.observed_after)

    @display(description="Believed", boolean=True, ordering="known_until")
    def is_believed(self, alias: Alias) -> bool:
        return alias.known_until is None


@admin.register(PriceLine)
class PriceLineAdmin(LargeTable, OfferingSearch, ReadOnlyAdmin):
    """The cells of price sheets."""

    list_display = (
        "offering",
        "meter",
        "service_tier",
        "region",
        "variant",
        "commitment",
        "above_input_tokens",
        "slot",
        "layer",
    )
    list_filter = ("layer", ("offering__seller", AutocompleteSelectFilter))
    search_fields = ("meter",)
    list_select_related = ("offering__seller",)
