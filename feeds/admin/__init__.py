"""The admin of feeds and their refreshes, and the admin's first page."""

from __future__ import annotations

from django.contrib import admin

from feeds.admin import feeds, refreshes, sellers

admin.site.index_template = "admin/feeds/dashboard.html"

__all__ = ["feeds", "refreshes", "sellers"]
