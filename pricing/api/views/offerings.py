"""``offerings/`` with each one's history, ``plans/``, and the sellers of a model side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from rest_framework.request import Request

from companies.models import AIModel
from pricing.api.filters import ComparisonFilters, HistoryFilters, OfferingFilters, PlanFilters
from pricing.api.freshness import is_past_belief_now
from pricing.api.serializers import (
    OfferingDetailSerializer,
    OfferingSerializer,
    PlanSerializer,
    PriceVersionSerializer,
)
from pricing.api.shapes.aliases import alias_history
from pricing.api.shapes.calendars import CALENDAR_HISTORY_SCHEMA, calendar_history_shapes
from pricing.api.shapes.history import history_shapes
from pricing.api.shapes.offerings import OFFERING_FIELDS, PLAN_FIELDS, offering_shapes
from pricing.models import Offering, Price
from tracker.api.nearest import nearest_in
from tracker.api.pagination import LimitOffset
from tracker.api.problems import NothingFound, parameter_fault
from tracker.api.views import ListView, NumberedView, row_named

OFFERINGS = Offering.objects.select_related("seller", "model").order_by("pk")
# How often one offering may have been merged into another that was then merged itself.
_LONGEST_MERGE_CHAIN = 50


class HistoryPages(LimitOffset):
    """Pages of price rows, each with the ``calendar`` of the offering and its ``aliases``, where the ids led."""

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        page = super().get_paginated_response_schema(schema)
        rows = {"type": "array", "items": {"$ref": "#/components/schemas/Alias"}}
        described = "Every row of where its id led, superseded ones included."
        aliases = {**rows, "description": described, "example": []}
        besides = {"calendar": CALENDAR_HISTORY_SCHEMA, "aliases": aliases}
        return {**page, "properties": {**page["properties"], **besides}}


class OfferingListView(ListView):
    """Offerings with their references and the prices now in force."""

    queryset = OFFERINGS
    serializer_class = OfferingSerializer
    filterset_class = OfferingFilters

    def represent(self, page: Sequence[Any]) -> Sequence[dict[str, Any]]:
        return [_only(shape, OFFERING_FIELDS) for shape in offering_shapes(page, timezone.now())]


class PlanListView(ListView):
    """Subscription plans with their audience, allowances and the prices now in force."""

    queryset = OFFERINGS.filter(kind=Offering.Kind.PLAN).exclude(status=Offering.Status.MERGED)
    serializer_class = PlanSerializer
    filterset_class = PlanFilters

    def represent(self, page: Sequence[Any]) -> Sequence[dict[str, Any]]:
        return [_only(shape, PLAN_FIELDS) for shape in offering_shapes(page, timezone.now())]


class OfferingView(NumberedView):
    """One offering. One that was absorbed by another answers 301 with ``merged_into``."""

    queryset = OFFERINGS
    serializer_class = OfferingDetailSerializer

    def read(self, request: Request) -> Any:
        offering = self.get_object()
        return moved_permanently(offering, "api-offering-detail") or self.narrowed(self.represent_one(offering))

    def represent_one(self, row: Any) -> dict[str, Any]:
        shape = _only(offering_shapes([row], timezone.now())[0], OFFERING_FIELDS)
        return {
            **shape,
            "holds": row.holds.filter(closed_at=None).count(),
            "disagreements": row.disagreements.filter(closed_at=None).count(),
        }

    def nothing_numbered(self, queryset: Any, wanted: str, number: int | None) -> NothingFound:
        """Somebody who gives a model id instead of a number is told the numbers of the offerings that have it."""
        if number is not None:
            return super().nothing_numbered(queryset, wanted, number)
        return NothingFound(f"There is no offering {wanted[:100]!r}: its id is a number.", [_numbers_of(wanted)])


class OfferingHistoryView(ListView):
    """Every price row of every line of an offering, superseded ones included: its whole history on both axes.

    The rows of offerings that it absorbed are among them. Each page has the rules of the calendar as well, and
    under ``aliases`` where the ids led, on both axes; of the filters ``as_of`` and ``known_at`` apply to them.
    """

    pagination_class = HistoryPages

    serializer_class = PriceVersionSerializer
    filterset_class = HistoryFilters
    queryset = Price.objects.order_by("line_id", "effective_from", "known_from", "pk")

    def read(self, request: Request) -> Any:
        offering = _found(self.kwargs["id"])
        moved = moved_permanently(offering, "api-offering-history")
        if moved:
            return moved
        self.offering_ids = [offering.pk, *_absorbed_by(offering.pk)]
        page = super().read(request)
        asked = (self.asked.get("as_of"), self.asked.get("known_at"))
        calendar, aliases = (shapes(self.offering_ids, *asked) for shapes in (calendar_history_shapes, alias_history))
        return {**page, "calendar": calendar, "aliases": aliases}

    def get_queryset(self) -> QuerySet[Price]:
        return super().get_queryset().filter(line__offering__in=getattr(self, "offering_ids", []))

    def represent(self, page: Sequence[Any]) -> Sequence[dict[str, Any]]:
        return history_shapes([price.pk for price in page])


class ComparisonView(ListView):
    """Every seller of a model side by side, with the prices in force at ``as_of``."""

    serializer_class = OfferingSerializer
    filterset_class = ComparisonFilters
    queryset = OFFERINGS.exclude(status=Offering.Status.MERGED)

    def is_told_by_record(self, request: Request) -> bool:
        return not is_past_belief_now(request)

    def get_queryset(self) -> QuerySet[Offering]:
        model = row_named(AIModel.objects.all(), "slug", self.kwargs["slug"])
        return super().get_queryset().filter(model=model).order_by("seller__slug", "pk")

    def represent(self, page: Sequence[Any]) -> Sequence[dict[str, Any]]:
        lookups = {f"{name}__in": self.asked[name] for name in ("meter", "service_tier") if name in self.asked}
        shapes = offering_shapes(
            page,
            self.asked.get("as_of") or timezone.now(),
            self.asked.get("known_at"),
            choose=lambda lines: lines.filter(**lookups),
        )
        return [_only(shape, OFFERING_FIELDS) for shape in shapes]


def moved_permanently(offering: Offering, view: str) -> HttpResponse | None:
    """The 301 of an offering that was absorbed, to the one that stands for it now; None for one that stands."""
    target = offering
    for _ in range(_LONGEST_MERGE_CHAIN):
        if target.merged_into is None:
            break
        target = target.merged_into
    if target is offering:
        return None
    body = f'{{"id": {offering.pk}, "merged_into": {target.pk}}}'
    location = reverse(view, kwargs={"id": target.pk})
    return HttpResponse(body, status=301, content_type="application/json", headers={"Location": location})


def _found(wanted: str) -> Offering:
    view = OfferingView()
    view.kwargs = {"id": wanted}
    found: Offering = view.get_object()
    return found


def _absorbed_by(offering_id: int) -> list[int]:
    """The offerings that were merged into one, also by way of others."""
    found: list[int] = []
    latest = [offering_id]
    while latest:
        latest = list(
            Offering.objects.filter(merged_into__in=latest).exclude(pk__in=found).values_list("pk", flat=True)
        )
        found += latest
    return found


def _numbers_of(model_id: str) -> Any:
    model_id = model_id[:500].replace("\0", "")
    named = Q(external_id=model_id) | Q(references__external_id=model_id)
    ids = Offering.objects.filter(named).order_by("pk").values_list("pk", flat=True).distinct()
    if numbers := list(map(str, ids[:20])):
        return parameter_fault("id", f"these offerings have the model id {model_id!r}", numbers)
    alike = nearest_in(Offering.objects.all(), "external_id", model_id)
    return parameter_fault("id", "no number; filter offerings/ by external_id, of which the nearest are", alike)


def _only(shape: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: shape[name] for name in names}
