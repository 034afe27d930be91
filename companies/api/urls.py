"""The addresses of companies, models, events and metrics."""

from __future__ import annotations

from django.urls import path

from companies.api.views import (
    CompanyListView,
    CompanyView,
    EventListView,
    MetricListView,
    ModelListView,
    ModelView,
)

urlpatterns = [
    path("companies/", CompanyListView.as_view(), name="api-company-list"),
    path("companies/<str:slug>/", CompanyView.as_view(), name="api-company-detail"),
    path("models/", ModelListView.as_view(), name="api-model-list"),
    path("models/<str:slug>/", ModelView.as_view(), name="api-model-detail"),
    path("events/", EventListView.as_view(), name="api-event-list"),
    path("metrics/", MetricListView.as_view(), name="api-metric-list"),
]
