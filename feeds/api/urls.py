"""The addresses of sources, feeds and refreshes."""

from __future__ import annotations

from django.urls import path

from feeds.api.views import FeedListView, FeedView, RefreshListView, RefreshView, SourceListView, SourceView

urlpatterns = [
    path("sources/", SourceListView.as_view(), name="api-source-list"),
    path("sources/<str:slug>/", SourceView.as_view(), name="api-source-detail"),
    path("feeds/", FeedListView.as_view(), name="api-feed-list"),
    path("feeds/<str:slug>/", FeedView.as_view(), name="api-feed-detail"),
    path("refreshes/", RefreshListView.as_view(), name="api-refresh-list"),
    path("refreshes/<str:id>/", RefreshView.as_view(), name="api-refresh-detail"),
]
