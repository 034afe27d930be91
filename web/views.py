"""The public pages."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from tracker import __version__
from web.front_page import front_page


@require_safe
def start_page(request: HttpRequest) -> HttpResponse:
    """Say what this is and what the record holds; where reading is closed, the second only to who has signed in."""
    may_read = not settings.API_REQUIRE_AUTH or request.user.is_authenticated
    page = front_page(timezone.now()) if may_read else None
    return render(request, "web/start_page.html", {"page": page, "version": __version__})
