"""The project itself as an app: it brings commands and the heartbeat."""

from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig


class TrackerConfig(AppConfig):
    """Loads the Celery app with Django, so that a task sent from any process goes to this project's broker."""

    name = "tracker"
    verbose_name = "Tracker"

    def ready(self) -> None:
        import_module("tracker.celery")
