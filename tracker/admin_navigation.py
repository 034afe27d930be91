"""The admin's sidebar: what people come for first, the machinery last."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

_GROUPS: tuple[tuple[str, tuple[tuple[str, str, str, str], ...]], ...] = (
    (
        "Record",
        (
            ("Offerings", "sell", "pricing", "offering"),
            ("Prices", "payments", "pricing", "price"),
            ("Pricing changes", "trending_up", "pricing", "pricingchange"),
            ("Companies", "apartment", "companies", "company"),
            ("AI models", "neurology", "companies", "aimodel"),
            ("Events", "event", "companies", "monetizationevent"),
            ("Metrics", "monitoring", "companies", "businessmetric"),
        ),
    ),
    (
        "Evidence",
        (
            ("Decisions", "gavel", "pricing", "decision"),
            ("Holds", "front_hand", "pricing", "hold"),
            ("Disagreements", "contrast", "pricing", "disagreement"),
            ("Statements", "format_quote", "pricing", "statement"),
            ("Route statements", "fork_right", "pricing", "routestatement"),
            ("References", "link", "pricing", "reference"),
            ("Aliases", "alt_route", "pricing", "alias"),
            ("Observations", "visibility", "pricing", "observation"),
            ("Calendar slots", "schedule", "pricing", "slotrule"),
            ("Exchange rates", "currency_exchange", "pricing", "exchangerate"),
            ("Calendars stated", "edit_calendar", "pricing", "calendarstatement"),
        ),
    ),
    (
        "Sources",
        (
            ("Feeds", "rss_feed", "feeds", "feed"),
            ("Refreshes", "sync", "feeds", "refresh"),
            ("Sources", "source", "pricing", "source"),
            ("Order by seller", "swap_vert", "pricing", "sourceprecedence"),
            ("Seller aliases", "badge", "feeds", "selleralias"),
            ("Identity", "join", "feeds", "identity"),
        ),
    ),
    (
        "Alerts",
        (
            ("Watches", "notifications", "alerts", "watch"),
            ("Usage profiles", "receipt_long", "alerts", "usageprofile"),
            ("Channels", "forward_to_inbox", "alerts", "channel"),
            ("Deliveries", "send", "alerts", "delivery"),
            ("Notices", "campaign", "alerts", "notice"),
        ),
    ),
    (
        "Access",
        (
            ("Users", "person", "accounts", "user"),
            ("Groups", "group", "auth", "group"),
            ("API tokens", "key", "accounts", "apitoken"),
        ),
    ),
    (
        "Details",
        (
            ("Price lines", "table_rows", "pricing", "priceline"),
            ("Change lines", "difference", "pricing", "pricingchangeline"),
            ("Settled time", "update", "pricing", "settledtime"),
            ("Other names", "label", "companies", "companyalias"),
            ("Payloads", "inventory_2", "feeds", "payload"),
            ("Usage lines", "data_usage", "alerts", "profileline"),
            ("Discounts and commitments", "percent", "alerts", "profileadjustment"),
            ("Attempts", "replay", "alerts", "attempt"),
            ("Awaiting confirmation", "hourglass", "alerts", "awaited"),
            ("Fan-out", "hub", "alerts", "fanout"),
            ("Kept answers", "repeat", "tracker", "keptanswer"),
            ("Heartbeat", "ecg_heart", "tracker", "heartbeat"),
        ),
    ),
)

# No table of its own: a page of what may be one offering.
_IDENTITY = ("feeds", "identity")


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The groups of links that the person may follow."""
    first = [{"title": "Overview", "icon": "dashboard", "link": reverse("admin:index")}]
    if request.user.has_perm("pricing.view_hold"):
        first.append({"title": "In doubt", "icon": "help", "link": reverse("admin:pricing_in_doubt")})
    groups = [_group(request, title, links) for title, links in _GROUPS]
    return [{"items": first}, *(group for group in groups if group["items"])]


def _address(app: str, model: str) -> str:
    return reverse("admin:feeds_identity") if (app, model) == _IDENTITY else reverse(f"admin:{app}_{model}_changelist")


def _group(request: HttpRequest, title: str, links: tuple[tuple[str, str, str, str], ...]) -> dict[str, Any]:
    items = [
        {"title": name, "icon": icon, "link": _address(app, model)}
        for name, icon, app, model in links
        if request.user.has_perm(f"{app}.view_{model}")
        or request.user.has_perm(f"{app}.change_{model}")
        or ((app, model) == _IDENTITY and request.user.has_perm("pricing.view_offering"))
    ]
    return {"title": title, "separator": True, "collapsible": title == "Details", "items": items}
