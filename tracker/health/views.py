"""The pages that monitoring asks; they need no sign-in and tell no secrets."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from tracker.health.checks import readiness
from tracker.health.metrics import render_metrics


@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """Say that the process answers; nothing else is asked, so a restart can mend what this reports."""
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
def readyz(request: HttpRequest) -> HttpResponse:
    """Say whether each part is there: 200 when all are, else 503."""
    parts = readiness()
    ready = all(part["ok"] for part in parts.values())
    return JsonResponse({"status": "ok" if ready else "unavailable", **parts}, status=200 if ready else 503)


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer with the metrics in Prometheus' text format."""
    return HttpResponse(render_metrics(), content_type=CONTENT_TYPE_LATEST)
