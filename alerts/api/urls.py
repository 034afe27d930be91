"""The addresses of what belongs to the caller: watches, usage profiles with their bills, channels and deliveries."""

from __future__ import annotations

from django.urls import path

from alerts.api.channels import (
    ChannelListView,
    ChannelResendView,
    ChannelRotateSecretView,
    ChannelTestView,
    ChannelView,
)
from alerts.api.deliveries import DeliveryListView, DeliveryRetryView, DeliveryView
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
    path("channels/", ChannelListView.as_view(), name="api-channel-list"),
    path("channels/<str:id>/", ChannelView.as_view(), name="api-channel-detail"),
    path("channels/<str:id>/test/", ChannelTestView.as_view(), name="api-channel-test"),
    path("channels/<str:id>/rotate-secret/", ChannelRotateSecretView.as_view(), name="api-channel-rotate-secret"),
    path("channels/<str:id>/resend/", ChannelResendView.as_view(), name="api-channel-resend"),
    path("deliveries/", DeliveryListView.as_view(), name="api-delivery-list"),
    path("deliveries/<str:id>/", DeliveryView.as_view(), name="api-delivery-detail"),
    path("deliveries/<str:id>/retry/", DeliveryRetryView.as_view(), name="api-delivery-retry"),
]
