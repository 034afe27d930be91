"""What the admin's first page tells: how large the record is, whether it is fresh, and what waits for a person."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from companies.models import AIModel, Company
from feeds.admin.refreshes import counts_in_short
from feeds.models import Feed, Refresh
from pricing.models import Decision, Disagreement, Hold, Offering, Price, PricingChange
from pricing.staleness import stale_prices
from tracker.admin_pages import list_url
from tracker.models import Heartbeat

SHOWN = 8


def facts(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """The context of the first page; the template leaves out what the person may not see."""
    unreviewed = Company.objects.filter(needs_review=True)
    return {
        **context,
        "facts": [(name, count(), address) for name, label, count, address in _counted() if _may_see(request, label)],
        "feeds": Feed.objects.select_related("source"),
        "failing": Feed.objects.filter(enabled=True, failing_since__isnull=False).select_related("source"),
        "last_tick": Heartbeat.last_seen(Heartbeat.TICK),
        "refreshes": [(run, counts_in_short(run)) for run in _refreshes()[:SHOWN]],
        "changes": _changes().select_related("offering__seller").order_by("-sequence")[:SHOWN],
        "unreviewed": unreviewed.order_by("-created_at")[:SHOWN],
        "unreviewed_count": unreviewed.count(),
        "unreviewed_list": list_url(Company, needs_review__exact=1),
        "decisions": Decision.objects.select_related("offering__seller", "made_by")[:SHOWN],
    }


def _may_see(request: HttpRequest, label: str) -> bool:
    app, model = label.split(".")
    return request.user.has_perm(f"{app}.view_{model}")


def _counted() -> list[tuple[str, str, Callable[[], int], str]]:
    """What the record holds: name, model, count, and the list of it."""
    listed = Offering.objects.filter(status=Offering.Status.LISTED)
    return [
        ("companies", "companies.company", Company.objects.count, list_url(Company)),
        ("AI models", "companies.aimodel", AIModel.objects.count, list_url(AIModel)),
        ("offerings listed", "pricing.offering", listed.count, list_url(Offering, status__exact="listed")),
        ("prices in force", "pricing.price", _in_force().count, list_url(Price, known_until__isempty=1)),
        ("stale prices", "pricing.price", _stale().count, list_url(Price, stale="yes")),
        ("pricing changes", "pricing.pricingchange", _changes().count, list_url(PricingChange, initial__exact=0)),
        ("holds open", "pricing.hold", _open(Hold).count, reverse("admin:pricing_in_doubt")),
        ("disagreements open", "pricing.disagreement", _open(Disagreement).count, reverse("admin:pricing_in_doubt")),
    ]


def _in_force() -> QuerySet[Price]:
    now = timezone.now()
    return Price.objects.filter(known_until__isnull=True, effective_from__lte=now).exclude(effective_until__lte=now)


def _stale() -> QuerySet[Price]:
    return stale_prices(timezone.now())


def _open(doubt: type[Hold] | type[Disagreement]) -> QuerySet[Any]:
    return doubt._default_manager.filter(closed_at=None)


def _refreshes() -> QuerySet[Refresh]:
    return Refresh.objects.select_related("feed__source").order_by("-started_at", "-id")


def _changes() -> QuerySet[PricingChange]:
    """What is news: not what was so when its source was first loaded."""
    return PricingChange.objects.filter(initial=False)
