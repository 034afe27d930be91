"""``watches/``: what somebody wants to hear about, and what that would have been lately."""

from __future__ import annotations

from typing import Any

from django.http.response import HttpResponseBase, JsonResponse
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.request import Request

from alerts.api.watch_serializers import BILL_EXAMPLE, EXAMPLE, PreviewSerializer, WatchSerializer
from alerts.models import Watch
from alerts.previews import DEFAULT_DAYS, MOST_DAYS, Named, preview
from alerts.summaries import in_words
from pricing.api.shapes.changes import change_shapes
from tracker.api.moments import moment_text
from tracker.api.owned import BODY_PROBLEMS, FORBIDDEN, OwnedDetailView, OwnedListView, OwnedView, described_writes
from tracker.api.problems import InvalidParameters, parameter_fault
from tracker.api.views import NumberedView

WATCHES = Watch.objects.select_related("owner", "profile").prefetch_related(
    "companies", "models", "offerings__seller", "channels"
)
_WRITES = described_writes(
    WatchSerializer,
    "watch",
    "watches",
    request=[
        OpenApiExample("Dearer models", EXAMPLE, request_only=True),
        OpenApiExample("A bill", BILL_EXAMPLE, request_only=True),
    ],
)
_DAYS = OpenApiParameter(
    "days",
    {"type": "integer", "minimum": 1, "maximum": MOST_DAYS, "default": DEFAULT_DAYS},
    description="How far to look back.",
)


@extend_schema_view(post=_WRITES["post"], get=extend_schema(responses={200: WatchSerializer, **FORBIDDEN}))
class WatchListView(OwnedListView):
    """The caller's watches."""

    owned = WATCHES.order_by("id")
    serializer_class = WatchSerializer


@extend_schema_view(
    put=_WRITES["put"],
    patch=_WRITES["patch"],
    delete=_WRITES["delete"],
    get=extend_schema(responses={200: WatchSerializer, **FORBIDDEN}),
)
class WatchView(OwnedDetailView):
    """One of the caller's watches."""

    owned = WATCHES
    serializer_class = WatchSerializer


class _Previewing(OwnedView):
    """What the two previews share."""

    owned = WATCHES
    serializer_class = WatchSerializer
    pagination_class = None
    filter_backends: Any = ()
    extra_parameters = frozenset({"days"})

    def field_names(self) -> tuple[str, ...]:
        return ()

    def previewed(self, request: Request, named: Named) -> dict[str, Any]:
        """What the watch would have told."""
        days, now = _days(request), timezone.now()
        found = preview(named, now, days)
        return {
            "summary": in_words(named.words, now),
            "days": days,
            "since": moment_text(found.since),
            "fired": found.fired,
            "changes": change_shapes(found.changes),
            "bills": [{"at": moment_text(at), **money} for at, money in found.bills],
        }


class DraftPreviewView(_Previewing):
    """What a watch would have told lately, before it is made: nothing is saved."""

    http_method_names = ["post", "options"]

    @extend_schema(
        operation_id="watches_preview_draft",
        request=WatchSerializer,
        parameters=[_DAYS],
        responses={200: PreviewSerializer, **FORBIDDEN, **BODY_PROBLEMS},
        examples=[OpenApiExample("Dearer models", EXAMPLE, request_only=True)],
    )
    def post(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Match the watch that was sent."""
        found = self.previewed(request, self.checked(request).named())
        return JsonResponse(found, headers={"Cache-Control": "no-store"})


class WatchPreviewView(_Previewing, NumberedView):
    """What one of the caller's watches would have told lately."""

    http_method_names = ["get", "head", "options"]

    @extend_schema(operation_id="watches_preview", parameters=[_DAYS], responses={200: PreviewSerializer, **FORBIDDEN})
    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Match the watch as it is."""
        return super().get(request, *args, **kwargs)

    def read(self, request: Request) -> dict[str, Any]:
        return self.previewed(request, Named.of(self.get_object()))


def _days(request: Request) -> int:
    texts = request.query_params.getlist("days") or [str(DEFAULT_DAYS)]
    if len(texts) > 1 or not (texts[0].isascii() and texts[0].isdigit() and 1 <= int(texts[0][:9]) <= MOST_DAYS):
        fault = parameter_fault("days", f"{', '.join(texts)[:60]!r} is not a whole number from 1 to {MOST_DAYS}")
        raise InvalidParameters([fault])
    return int(texts[0])
