"""The public pages."""

from __future__ import annotations

from datetime import datetime
from hashlib import blake2b

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from tracker import __version__
from tracker.api import record, shared_cache
from web.front_page import FrontPage, front_page
from web.reporting import source_states

KEPT_SECONDS = 60


@require_safe
def start_page(request: HttpRequest) -> HttpResponse:
    """Say what this is and what the record holds; where reading is closed, the second only to who has signed in."""
    context: dict[str, object] = {"version": __version__}
    if not settings.API_REQUIRE_AUTH or request.user.is_authenticated:
        now = timezone.now()
        sources = source_states(now)
        as_of = max((source.last_reading for source in sources if source.last_reading), default=None)
        context |= {"page": _kept_front_page(now), "sources": sources, "as_of": as_of}
    return render(request, "web/start_page.html", context)


def _kept_front_page(now: datetime) -> FrontPage:
    """The page as it was made since the record last changed, or made now."""
    version = blake2b(record.current().version.encode(), digest_size=16).hexdigest()
    key = f"start-page:{__version__}:{version}"
    page: FrontPage | None = shared_cache.get(key)
    if page is None:
        page = front_page(now)
        shared_cache.put(key, page, KEPT_SECONDS)
    return page
