"""The admin of what is believed: prices, each with its "why", and the changes between beliefs."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from unfold.contrib.filters.admin import AutocompleteSelectFilter
from unfold.decorators import action, display

from pricing.admin.search import OfferingSearch
from pricing.admin.staleness import StalePrices
from pricing.api.shapes.changes import change_witnesses
from pricing.models import Price, PricingChange, PricingChangeLine, SettledTime
from pricing.why import explain
from tracker.admin_base import LargeTable, ReadOnlyAdmin, ReadOnlyInline
from tracker.admin_pages import show
from tracker.amounts import plain
from tracker.moments import beginning, utc


@admin.register(Price)
class PriceAdmin(LargeTable, OfferingSearch, ReadOnlyAdmin):
    """Prices on both time axes. Rows are never edited: what is learnt later closes one and opens another."""

    offering_path = "line__offering"
    list_display = ("shown_offering", "line", "shown_amount", "begins", "ends", "source", "is_believed", "why_link")
    list_filter = (
        ("known_until", admin.EmptyFieldListFilter),
        StalePrices,
        "source",
        "precision",
        ("line__offering__seller", AutocompleteSelectFilter),
    )
    search_fields = ("line__offering__name",)
    list_select_related = (
        "line__offering__seller",
        "source",
        "statement__source",
        "statement__line",
        "dated_by__source",
    )
    actions_detail = ("why",)
    fieldsets = (
        (None, {"fields": ("shown_offering", "line", "shown_amount", "zero_means")}),
        (
            "Effective",
            {"fields": (("begins", "ends"), ("effective_from", "effective_until"), ("precision", "observed_after"))},
        ),
        ("Known", {"fields": (("known_from", "known_until"), "recorded_at")}),
        ("Evidence", {"fields": ("source", "statement", "dated_by", "decision")}),
    )

    @display(description="Offering", ordering="line__offering__name")
    def shown_offering(self, price: Price) -> str:
        return str(price.line.offering)

    @display(description="Price", ordering="amount")
    def shown_amount(self, price: Price) -> str:
        return f"{plain(price.amount)} {price.currency} {price.line.unit}"

    @display(description="Since", ordering="effective_from")
    def begins(self, price: Price) -> str:
        return beginning(price.effective_from, price.precision, price.observed_after)

    @display(description="Until", ordering="effective_until")
    def ends(self, price: Price) -> str:
        return utc(price.effective_until)

    @display(description="Believed", boolean=True, ordering="known_until")
    def is_believed(self, price: Price) -> bool:
        return price.known_until is None

    @display(description="Why")
    def why_link(self, price: Price) -> str:
        return format_html('<a class="text-link" href="{}">why?</a>', why_url(price))

    def has_why_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return self.has_view_permission(request)

    @action(description="Why this price", url_path="why", permissions=["why"], icon="help")
    def why(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Why this price is believed, in plain words."""
        try:
            explanation = explain(int(object_id))
        except (Price.DoesNotExist, ValueError):
            raise Http404(f"no price {object_id}") from None
        return show(
            self,
            request,
            "admin/pricing/why.html",
            title="Why this price",
            original=explanation.price,
            why=explanation,
            price=explanation.price,
            offering=explanation.price.line.offering,
        )


def why_url(price: Price) -> str:
    """The address of the page that explains a price."""
    return reverse("admin:pricing_price_why", args=[price.pk])


class PricingChangeLineInline(ReadOnlyInline):
    model = PricingChangeLine
    fields = readonly_fields = ("line", "shown_old", "shown_new", "shown_percent")
    verbose_name_plural = "Lines that moved"

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("line")

    @display(description="Old")
    def shown_old(self, moved: PricingChangeLine) -> str:
        return "" if moved.old is None else f"{plain(moved.old)} {moved.old_currency}"

    @display(description="New")
    def shown_new(self, moved: PricingChangeLine) -> str:
        return "" if moved.new is None else f"{plain(moved.new)} {moved.currency}"

    @display(description="Change")
    def shown_percent(self, moved: PricingChangeLine) -> str:
        return "" if moved.percent is None else f"{moved.percent:+.2f}%"


@admin.register(PricingChange)
class PricingChangeAdmin(LargeTable, OfferingSearch, ReadOnlyAdmin):
    """What happened to offerings, in the order in which it was written."""

    list_display = ("headline", "kind", "nature", "effective_at", "detected_at", "source", "initial")
    list_filter = ("nature", "kind", "initial", "backfilled", "source", ("offering__seller", AutocompleteSelectFilter))
    search_fields = ("headline",)
    list_select_related = ("offering__seller", "source", "decision__offering__seller")
    ordering = ("-sequence",)
    inlines = (PricingChangeLineInline,)
    fieldsets = (
        (None, {"fields": ("headline", "offering", ("kind", "nature"), ("initial", "backfilled"), "shown_route")}),
        ("When", {"fields": (("begins", "announced_for"), ("detected_at", "recorded_at"))}),
        ("Seen by", {"fields": ("shown_witnesses",)}),
        ("Cause", {"fields": (("source", "refresh_id"), "decision", "shown_citation", "sequence")}),
    )

    @display(description="Effective")
    def begins(self, change: PricingChange) -> str:
        return beginning(change.effective_at, change.precision, change.observed_after)

    @display(description="Route")
    def shown_route(self, change: PricingChange) -> str:
        old = change.routed_from_offering or change.routed_from_model
        new = change.routed_to_offering or change.routed_to_model
        return f"{old or 'none'} to {new or 'none'}" if change.is_route else ""

    @display(description="Witnesses")
    def shown_witnesses(self, change: PricingChange) -> str:
        """Counted as the API counts them."""
        seen = change_witnesses([change])[change.pk]
        confirmed = f"; confirmed by {', '.join(seen.confirmed_by)}" if seen.confirmed_by else ""
        return f"seen by {seen.seen_by} of {seen.of} sources that state what moved{confirmed}"

    @display(description="Citation")
    def shown_citation(self, change: PricingChange) -> str:
        address = change.decision.citation_url if change.decision else ""
        return format_html('<a class="text-link" href="{}" rel="noopener">{}</a>', address, address) if address else ""


@admin.register(PricingChangeLine)
class PricingChangeLineAdmin(LargeTable, OfferingSearch, ReadOnlyAdmin):
    """The single lines of changes."""

    offering_path = "line__offering"
    list_display = ("change", "line", "old", "new", "currency", "percent")
    list_filter = ("change__nature",)
    search_fields = ("change__headline",)
    list_select_related = ("change", "line")


@admin.register(SettledTime)
class SettledTimeAdmin(ReadOnlyAdmin):
    """Up to when prices that were announced have been told to be in force."""

    list_display = ("__str__", "until")
    search_fields = ("until",)
