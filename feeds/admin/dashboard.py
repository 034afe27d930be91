"""What the admin's first page tells: how large the record is, whether it is fresh, and what waits for a person."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from companies.models import AIModel, Company
from feeds.admin.refreshes import counts_in_short
from feeds.models import Feed, Refresh
from pricing.models import Decision, Offering, Price, PricingChange
from tracker.admin_pages import list_url
from tracker.models import Heartbeat

SHOWN = 8


def facts(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """The context of the first page; what the person may not see is left out by the template."""
    return {
        **context,
        "facts": _facts(),
        "feeds": Feed.objects.select_related("source"),
        "now": timezone.now(),
        "last_tick": Heartbeat.last_seen(Heartbeat.TICK),
        "refreshes": [(run, counts_in_short(run)) for run in _refreshes()[:SHOWN]],
        "changes": _changes()[:SHOWN],
        "unreviewed": Company.objects.filter(needs_review=True).order_by("-created_at")[:SHOWN],
        "unreviewed_count": Company.objects.filter(needs_review=True).count(),
        "unreviewed_list": list_url(Company, needs_review__exact=1),
        "decisions": Decision.objects.select_related("offering__seller", "made_by")[:SHOWN],
    }


def _facts() -> list[tuple[str, int, str]]:
    """Name, count and list of what the record holds."""
    in_force = Price.objects.filter(known_until__isnull=True, effective_from__lte=timezone.now())
    return [
        ("companies", Company.objects.count(), list_url(Company)),
        ("AI models", AIModel.objects.count(), list_url(AIModel)),
        ("offerings listed", Offering.objects.filter(status=Offering.Status.LISTED).count(), list_url(Offering)),
        (
            "prices in force",
            in_force.exclude(effective_until__lte=timezone.now()).count(),
            list_url(Price, known_until__isempty=1),
        ),
        (
            "pricing changes",
            PricingChange.objects.filter(initial=False).count(),
            list_url(PricingChange, initial__exact=0),
        ),
    ]


def _refreshes() -> Any:
    return Refresh.objects.select_related("feed__source").order_by("-started_at", "-id")


def _changes() -> Any:
    return PricingChange.objects.filter(initial=False).select_related("offering__seller").order_by("-sequence")
