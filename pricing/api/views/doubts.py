"""``holds/`` and ``disagreements/``: what is in doubt; and the rulings of maintainers on what is held."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.db import transaction
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

from pricing import ledger
from pricing.api.doubt_filters import DisagreementFilters, HoldFilters
from pricing.api.doubt_serializers import DisagreementSerializer, HoldSerializer, RulingSerializer
from pricing.api.shapes.doubts import disagreement_shapes, hold_shapes
from pricing.locks import lock_ledger
from pricing.models import Disagreement, Hold
from tracker.api.etags import tag_of
from tracker.api.negotiation import PARAMETER as FORMAT
from tracker.api.permissions import RecordEditing
from tracker.api.problems import MEDIA_TYPE, Conflict, PreconditionFailed, PreconditionRequired
from tracker.api.schema import PROBLEM
from tracker.api.views import ListView, NumberedView

_JOINED = ("source", "offering__seller", "offering__model", "line")
HOLDS = Hold.objects.select_related(*_JOINED, "seller", "decision").order_by("-raised_at", "-pk")
DISAGREEMENTS = Disagreement.objects.select_related(*_JOINED, "believed_source").order_by("-opened_at", "-pk")


class HoldListView(ListView):
    """What sources said that does not count yet, the newest first. What was decided takes ``status=closed``."""

    queryset = HOLDS
    serializer_class = HoldSerializer
    filterset_class = HoldFilters

    def represent(self, page: Sequence[Any]) -> Sequence[dict[str, Any]]:
        return hold_shapes(page, timezone.now())


class HoldView(NumberedView):
    """One hold. Its tag is that of its bytes: it ends when the hold, or what others say of its line, is another."""

    queryset = HOLDS
    serializer_class = HoldSerializer
    follows_record = False

    def represent_one(self, row: Any) -> dict[str, Any]:
        return hold_shapes([row], timezone.now())[0]


class DisagreementListView(ListView):
    """Sources that say something else than what is believed, the newest first."""

    queryset = DISAGREEMENTS
    serializer_class = DisagreementSerializer
    filterset_class = DisagreementFilters

    def represent(self, page: Sequence[Any]) -> Sequence[dict[str, Any]]:
        return disagreement_shapes(page, timezone.now())


class DisagreementView(NumberedView):
    """One disagreement."""

    queryset = DISAGREEMENTS
    serializer_class = DisagreementSerializer
    follows_record = False

    def represent_one(self, row: Any) -> dict[str, Any]:
        return disagreement_shapes([row], timezone.now())[0]


def _described(operation: str, summary: str) -> Callable[[Any], Any]:
    held = "The ETag of the hold as it was read, or * for whatever it is now."
    return extend_schema(
        operation_id=operation,
        summary=summary,
        request=RulingSerializer,
        parameters=[
            OpenApiParameter("If-Match", OpenApiTypes.STR, OpenApiParameter.HEADER, required=True, description=held)
        ],
        responses={
            200: HoldSerializer,
            (403, MEDIA_TYPE): OpenApiResponse(PROBLEM, "The token has not the scope `write`, or its owner no right"),
            (409, MEDIA_TYPE): OpenApiResponse(PROBLEM, "It was decided already, or cannot be decided so"),
            (412, MEDIA_TYPE): OpenApiResponse(PROBLEM, "It has changed; the current tag is in ETag"),
            (413, MEDIA_TYPE): OpenApiResponse(PROBLEM, "The body is too large"),
            (415, MEDIA_TYPE): OpenApiResponse(PROBLEM, "The body is not application/json"),
            (428, MEDIA_TYPE): OpenApiResponse(PROBLEM, "No If-Match"),
        },
    )


class RulingView(HoldView):
    """What both rulings on a hold share: who may, that it is as it was read, and that it is still open."""

    http_method_names = ["post", "options"]
    permission_classes = [RecordEditing]
    right = "pricing.add_decision"

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Check also that the query asks for nothing."""
        super().initial(request, *args, **kwargs)
        if request.method == "POST":
            self._read_parameters(request)

    def parameter_names(self) -> set[str]:
        return {FORMAT}

    def decided(self, request: Request, rule: Callable[[Hold, ledger.Ruling], object]) -> HttpResponse:
        """Rule on the hold that the path names and answer with it.

        Raises NothingFound, PreconditionRequired, PreconditionFailed, Conflict and ValidationError.
        """
        with transaction.atomic():
            lock_ledger()
            hold = self.get_object()
            self._check_unchanged(request, hold)
            said = RulingSerializer(data=request.data)
            said.is_valid(raise_exception=True)
            try:
                rule(hold, ledger.Ruling(request.user, said.validated_data["note"]))  # type: ignore[arg-type]
            except ledger.LedgerError as refusal:
                raise Conflict(str(refusal)) from None
            content = self._content(self.get_object())
        headers = {"ETag": tag_of(content), "Cache-Control": "no-cache"}
        return HttpResponse(content, content_type="application/json", headers=headers)

    def _check_unchanged(self, request: Request, hold: Hold) -> None:
        """What was decided meanwhile is left for the ledger to say, since the tag would not have helped."""
        held = request.headers.get("If-Match", "").strip()
        if not held:
            raise PreconditionRequired()
        if held == "*" or not hold.is_open:
            return
        current = tag_of(self._content(hold))
        if current not in [tag.strip() for tag in held.split(",")]:
            raise PreconditionFailed(current)

    def _content(self, hold: Hold) -> bytes:
        """The hold as its own address shows it whole."""
        return JSONRenderer().render(self.represent_one(hold), "application/json", {})


class ReleaseView(RulingView):
    """Let what is held count from its own beginning, with a note that says why."""

    @_described("holds_release", "Release a hold")
    def post(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer with the hold, now closed."""
        return self.decided(request, ledger.release_hold)


class RefusalView(RulingView):
    """Rule that what is held never counts, however often its source says it, with a note that says why."""

    @_described("holds_refuse", "Refuse a hold")
    def post(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer with the hold, now closed."""
        return self.decided(request, ledger.refuse_hold)
