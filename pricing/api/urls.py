"""The addresses of offerings, prices, changes, plans, costs, timelines and comparisons."""

from __future__ import annotations

from django.urls import path

from pricing.api.views.changes import ChangeListView, ChangeView
from pricing.api.views.costs import CostView
from pricing.api.views.doubts import (
    DisagreementListView,
    DisagreementView,
    HoldListView,
    HoldView,
    RefusalView,
    ReleaseView,
)
from pricing.api.views.offerings import (
    ComparisonView,
    OfferingHistoryView,
    OfferingListView,
    OfferingView,
    PlanListView,
)
from pricing.api.views.prices import PriceListView
from pricing.api.views.rates import RateListView
from pricing.api.views.subscriptions import AtomView, JSONFeedView, UpcomingView
from pricing.api.views.timeline import TimelineView

urlpatterns = [
    path("offerings/", OfferingListView.as_view(), name="api-offering-list"),
    path("offerings/<str:id>/", OfferingView.as_view(), name="api-offering-detail"),
    path("offerings/<str:id>/history/", OfferingHistoryView.as_view(), name="api-offering-history"),
    path("prices/", PriceListView.as_view(), name="api-price-list"),
    path("rates/", RateListView.as_view(), name="api-rate-list"),
    path("changes/", ChangeListView.as_view(), name="api-change-list"),
    path("changes/<str:id>/", ChangeView.as_view(), name="api-change-detail"),
    path("changes.atom", AtomView.as_view(), name="api-change-atom"),
    path("changes.jsonfeed", JSONFeedView.as_view(), name="api-change-jsonfeed"),
    path("upcoming.ics", UpcomingView.as_view(), name="api-upcoming"),
    path("holds/", HoldListView.as_view(), name="api-hold-list"),
    path("holds/<str:id>/", HoldView.as_view(), name="api-hold-detail"),
    path("holds/<str:id>/release/", ReleaseView.as_view(), name="api-hold-release"),
    path("holds/<str:id>/refuse/", RefusalView.as_view(), name="api-hold-refuse"),
    path("disagreements/", DisagreementListView.as_view(), name="api-disagreement-list"),
    path("disagreements/<str:id>/", DisagreementView.as_view(), name="api-disagreement-detail"),
    path("plans/", PlanListView.as_view(), name="api-plan-list"),
    path("costs/", CostView.as_view(), name="api-costs"),
    path("companies/<str:slug>/timeline/", TimelineView.as_view(), name="api-company-timeline"),
    path("models/<str:slug>/compare/", ComparisonView.as_view(), name="api-model-compare"),
]
