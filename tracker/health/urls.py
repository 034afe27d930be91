"""The addresses that monitoring asks."""

from __future__ import annotations

from django.urls import path

from tracker.health.views import healthz, metrics, readyz

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
]
