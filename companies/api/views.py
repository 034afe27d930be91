"""The endpoints of the record around the prices: companies, models, events, metrics."""

from __future__ import annotations

from django.db.models import F
from django.db.models.functions import Coalesce

from companies.api.filters import CompanyFilters, EventFilters, MetricFilters, ModelFilters
from companies.api.serializers import CompanySerializer, EventSerializer, MetricSerializer, ModelSerializer
from companies.models import AIModel, BusinessMetric, Company, CompanyAlias, MonetizationEvent
from tracker.api import record
from tracker.api.views import DetailView, ListView

record.watch(Company, CompanyAlias, AIModel, MonetizationEvent, BusinessMetric)
record.watch(*(model.history.model for model in (Company, AIModel, MonetizationEvent, BusinessMetric)))


class CompanyListView(ListView):
    """Companies, by name."""

    queryset = Company.objects.select_related("parent").prefetch_related("aliases").order_by("name", "id")
    serializer_class = CompanySerializer
    filterset_class = CompanyFilters


class CompanyView(DetailView):
    """One company."""

    queryset = CompanyListView.queryset
    serializer_class = CompanySerializer


class ModelListView(ListView):
    """AI models, by name."""

    queryset = AIModel.objects.select_related("developer").order_by("name", "id")
    serializer_class = ModelSerializer
    filterset_class = ModelFilters


class ModelView(DetailView):
    """One AI model."""

    queryset = ModelListView.queryset
    serializer_class = ModelSerializer


class EventListView(ListView):
    """What companies did about money, the newest first."""

    queryset = (
        MonetizationEvent.objects.select_related("company")
        .alias(day=Coalesce("effective_on", "announced_on"))
        .order_by(F("day").desc(nulls_last=True), "id")
    )
    serializer_class = EventSerializer
    filterset_class = EventFilters


class MetricListView(ListView):
    """Reported and estimated figures of companies, the newest first."""

    queryset = BusinessMetric.objects.select_related("company").order_by("-as_of", "id")
    serializer_class = MetricSerializer
    filterset_class = MetricFilters
