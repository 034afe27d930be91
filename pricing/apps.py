"""The pricing app."""

from __future__ import annotations

from django.apps import AppConfig


class PricingConfig(AppConfig):
    name = "pricing"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Let every process notice that the record has changed, also a worker, which loads no addresses."""
        from pricing.api.freshness import watch_ledger

        watch_ledger()
