"""The filter of the admin's lists that finds what nobody has confirmed for 30 days."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from pricing.staleness import stale_prices


class StalePrices(admin.SimpleListFilter):
    """Prices in force that nobody has confirmed for 30 days."""

    title = "stale"
    parameter_name = "stale"
    column = "pk"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Not confirmed for 30 days")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() != "yes":
            return queryset
        return queryset.filter(pk__in=stale_prices(timezone.now()).values(self.column))


class StaleOfferings(StalePrices):
    """Offerings of which nobody has confirmed a price in force for 30 days."""

    column = "line__offering"
