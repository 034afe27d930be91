"""The admin of exchange rates: to be read only, since they are as their bank published them."""

from __future__ import annotations

from django.contrib import admin
from unfold.decorators import display

from pricing.models import ExchangeRate
from tracker.admin_base import LargeTable, ReadOnlyAdmin
from tracker.amounts import plain


@admin.register(ExchangeRate)
class ExchangeRateAdmin(LargeTable, ReadOnlyAdmin):
    """What feeds have read. The history that the project carries besides is no row here."""

    list_display = ("day", "currency", "shown_rate", "source", "known_from")
    list_filter = ("source", "currency")
    search_fields = ("currency",)
    list_select_related = ("source",)
    fieldsets = (
        (None, {"fields": (("base", "currency"), "day", "shown_rate")}),
        ("Known", {"fields": (("known_from", "recorded_at"), ("source", "refresh_id"))}),
    )

    @display(description="Rate", ordering="rate")
    def shown_rate(self, rate: ExchangeRate) -> str:
        return f"{plain(rate.rate)} {rate.currency} for 1 {rate.base}"
