"""The alerts app."""

from __future__ import annotations

from django.apps import AppConfig


class AlertsConfig(AppConfig):
    name = "alerts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Look at changes as soon as they are written."""
        from alerts.tasks import look_now
        from pricing.signals import news_written

        news_written.connect(look_now, dispatch_uid="alerts.look_now")
