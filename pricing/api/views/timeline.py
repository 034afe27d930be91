"""A company's timeline: what it did about money and how its prices moved, merged."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, time
from typing import Any

from django.db.models import Q, QuerySet
from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema
from rest_framework.request import Request

from companies.api.serializers import EventSerializer
from companies.models import Company, MonetizationEvent
from pricing.api.filters import TimelineFilters
from pricing.api.serializers import TimelineChangeSerializer, TimelineEventSerializer
from pricing.api.shapes.changes import change_shapes
from pricing.api.views.changes import CHANGES
from pricing.models import PricingChange
from tracker.api.moments import moment_text
from tracker.api.pagination import LimitOffset
from tracker.api.views import ListView, row_named

EVENT = "event"
CHANGE = "pricing_change"
# Rows that only say what was there when a source was first read; dated moves from before that are history, and stay.
_BARE_LISTINGS = Q(initial=True, kind__in=["listed", "price_added"])

# When, the type, and the id: enough to merge and cut a page.
Key = tuple[datetime, str, int]


class TimelinePages(LimitOffset):
    """Pages over two tables at once."""

    def cut(self, request: Request, count: int, newest: Any) -> list[Any]:
        """The page of rows that ``newest(n)``, the first n in order, ends with."""
        self.request, self.count = request, count
        self.limit, self.offset = self.get_limit(request), self.get_offset(request)
        return [] if self.offset >= count else newest(self.offset + self.limit)[self.offset :]


class TimelineView(ListView):
    """Events and pricing changes of a company, the newest first.

    Changes are those of what the company itself sells. What was merely there when a source was first read is left
    out, unless ``initial`` asks for it.
    """

    queryset = Company.objects.all()
    serializer_class = TimelineChangeSerializer
    filterset_class = TimelineFilters
    pagination_class = TimelinePages
    paginator: TimelinePages

    @extend_schema(
        responses=PolymorphicProxySerializer(
            component_name="TimelineItem",
            serializers={EVENT: TimelineEventSerializer, CHANGE: TimelineChangeSerializer},
            resource_type_field_name="type",
        )
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        return super().get(request, *args, **kwargs)

    def read(self, request: Request) -> Any:
        company = row_named(self.get_queryset(), "slug", self.kwargs["slug"])
        self.filter_queryset(self.get_queryset())
        events = self._events(company)
        changes = self._changes(company)
        page = self.paginator.cut(request, len(events) + changes.count(), lambda count: _newest(events, changes, count))
        return self.paginator.page_of([self.narrowed(item) for item in _items(page)], self.record_as_of())

    def field_names(self) -> Sequence[str]:
        both = [name for each in (TimelineEventSerializer, TimelineChangeSerializer) for name in each().get_fields()]
        return list(dict.fromkeys(both))

    def _events(self, company: Company) -> list[Key]:
        """A company has few events, and their moments come from three columns: sort them here."""
        if not self._wants(EVENT):
            return []
        events = MonetizationEvent.objects.filter(company=company)
        keys = [(at, EVENT, event.pk) for event in events if (at := moment_of(event)) is not None]
        after, before = self.asked.get("effective_after"), self.asked.get("effective_before")
        return [key for key in keys if (not after or key[0] >= after) and (not before or key[0] < before)]

    def _changes(self, company: Company) -> QuerySet[PricingChange]:
        changes = PricingChange.objects.filter(offering__seller=company)
        if not self._wants(CHANGE):
            return changes.none()
        if self.asked.get("initial", "false") == "false":
            changes = changes.exclude(_BARE_LISTINGS)
        lookups = {
            "nature": "nature__in",
            "effective_after": "effective_at__gte",
            "effective_before": "effective_at__lt",
        }
        return changes.filter(**{lookup: self.asked[name] for name, lookup in lookups.items() if name in self.asked})

    def _wants(self, type_: str) -> bool:
        return type_ in self.asked.get("type", (EVENT, CHANGE))


def moment_of(event: MonetizationEvent) -> datetime | None:
    """When an event took effect, else when it was announced; a day stands for its 00:00 UTC."""
    if event.effective_at is not None:
        return event.effective_at
    day = event.effective_on or event.announced_on
    return None if day is None else datetime.combine(day, time.min, UTC)


def _newest(events: Iterable[Key], changes: QuerySet[PricingChange], count: int) -> list[Key]:
    moves = changes.order_by("-effective_at", "-pk").values_list("effective_at", "pk")[:count]
    merged = [*events, *((at, CHANGE, pk) for at, pk in moves)]
    return sorted(merged, reverse=True)[:count]


def _items(page: Sequence[Key]) -> list[dict[str, Any]]:
    """The rows of a page, each under its type."""
    events = MonetizationEvent.objects.select_related("company").filter(pk__in=_ids(page, EVENT))
    changes = list(CHANGES.filter(pk__in=_ids(page, CHANGE)))
    shapes = {(EVENT, event["id"]): event for event in EventSerializer(events, many=True).data}
    shapes |= {(CHANGE, change["id"]): change for change in change_shapes(changes)}
    return [_item(at, type_, shapes[type_, pk]) for at, type_, pk in page if (type_, pk) in shapes]


def _ids(page: Sequence[Key], type_: str) -> list[int]:
    return [pk for _, of, pk in page if of == type_]


def _item(at: datetime, type_: str, shape: dict[str, Any]) -> dict[str, Any]:
    """A change that has a better time by now shows it, in the place that it has by its first one."""
    shown = shape["effective_at"] if type_ == CHANGE else moment_text(at)
    return {"at": shown, "precision": shape["precision"], "type": type_, **shape}
