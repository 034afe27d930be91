"""The addresses of what belongs to the caller: watches, and usage profiles with their bills."""

from __future__ import annotations

from django.urls import path

from alerts.api.profile_views import ProfileBillView, ProfileImportView, ProfileListView, ProfileView
from alerts.api.watch_views import DraftPreviewView, WatchListView, WatchPreviewView, WatchView

urlpatterns = [
    path("watches/", WatchListView.as_view(), name="api-watch-list"),
    path("watches/preview/", DraftPreviewView.as_view(), name="api-watch-draft-preview"),
    path("watches/<str:id>/", WatchView.as_view(), name="api-watch-detail"),
    path("watches/<str:id>/preview/", WatchPreviewView.as_view(), name="api-watch-preview"),
    path("usage-profiles/", ProfileListView.as_view(), name="api-profile-list"),
    path("usage-profiles/<str:id>/", ProfileView.as_view(), name="api-profile-detail"),
    path("usage-profiles/<str:id>/bill/", ProfileBillView.as_view(), name="api-profile-bill"),
    path("usage-profiles/<str:id>/import/", ProfileImportView.as_view(), name="api-profile-import"),
]
