"""The addresses that belong to no app: the directory, the schema, its page, and everything unknown."""

from __future__ import annotations

from django.urls import path, re_path

from tracker.api.directory import DirectoryView, UnknownPathView
from tracker.api.documentation import DocumentationView, SchemaView

urlpatterns = [
    path("", DirectoryView.as_view(), name="api-root"),
    path("schema/", SchemaView.as_view(), name="api-schema"),
    path("docs/", DocumentationView.as_view(), name="api-docs"),
    re_path(r"^(?P<path>.*)$", UnknownPathView.as_view(), name="api-unknown"),
]
