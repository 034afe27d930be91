"""The addresses of the public pages."""

from __future__ import annotations

from django.urls import path

from web.views import start_page

urlpatterns = [
    path("", start_page, name="start-page"),
]
