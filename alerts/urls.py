"""The addresses of the pages that emails lead to."""

from __future__ import annotations

from django.urls import path

from alerts.pages import unsubscribe_channel, verify_channel

urlpatterns = [
    path("alerts/verify/<str:token>/", verify_channel, name="verify-channel"),
    path("alerts/unsubscribe/<str:token>/", unsubscribe_channel, name="unsubscribe-channel"),
]
