"""Every address of the site."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

import accounts.api.schema  # noqa: F401 - drf-spectacular knows only the extensions that were imported

urlpatterns = [
    path("", include("web.urls")),
    path("", include("alerts.urls")),
    path("admin/", admin.site.urls),
    path("", include("tracker.health.urls")),
    path("api/v1/", include("companies.api.urls")),
    path("api/v1/", include("pricing.api.urls")),
    path("api/v1/", include("feeds.api.urls")),
    path("api/v1/", include("alerts.api.urls")),
    path("api/v1/", include("tracker.api.urls")),
]
handler500 = "tracker.api.problems.server_error"
