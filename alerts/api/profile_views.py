"""``usage-profiles/``: what somebody uses in a month, typed in or uploaded, and what it comes to."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema, extend_schema_view
from rest_framework.parsers import BaseParser, MultiPartParser
from rest_framework.request import Request

from alerts.api.bill_shapes import BillSerializer, bill_shape
from alerts.api.profile_serializers import EXAMPLE, ProfileSerializer
from alerts.bills.billing import bill_of
from alerts.bills.usage_files import MOST_BYTES, RowError, UnreadableUsage, read_usage_file
from alerts.bills.writing import replace_lines
from alerts.models import UsageProfile
from tracker.api.moments import UnreadableMoment, parse_moment
from tracker.api.owned import (
    FORBIDDEN,
    KEY_PARAMETER,
    TWIN_PROBLEMS,
    OwnedDetailView,
    OwnedListView,
    OwnedView,
    described_writes,
)
from tracker.api.problems import Fault, InvalidParameters, TooLarge, parameter_fault
from tracker.api.twins import answered_once
from tracker.api.views import NumberedView

_ERRORS_SHOWN = 100
PROFILES = UsageProfile.objects.prefetch_related(
    "lines__offering__seller", "lines__offering__model", "adjustments__seller", "adjustments__offering"
)
_WRITES = described_writes(
    ProfileSerializer,
    "usage profile",
    "usage_profiles",
    request=[OpenApiExample("A month in production", EXAMPLE, request_only=True)],
)
_MOMENT = {"type": "string", "format": "date-time"}
_CSV_EXAMPLE = (
    "date,seller,model,requests,input_tokens,output_tokens\n2026-11-01,deepseek,deepseek-chat,9000,40000000,3000000\n"
)


@extend_schema_view(post=_WRITES["post"], get=extend_schema(responses={200: ProfileSerializer, **FORBIDDEN}))
class ProfileListView(OwnedListView):
    """The caller's usage profiles."""

    owned = PROFILES.order_by("id")
    serializer_class = ProfileSerializer


@extend_schema_view(
    put=_WRITES["put"],
    patch=_WRITES["patch"],
    delete=_WRITES["delete"],
    get=extend_schema(responses={200: ProfileSerializer, **FORBIDDEN}),
)
class ProfileView(OwnedDetailView):
    """One of the caller's usage profiles."""

    owned = PROFILES
    serializer_class = ProfileSerializer


class ProfileBillView(OwnedView, NumberedView):
    """What a month of the profile comes to at the prices of any moment, with the price rows cited.

    Cheaper sellers of the same model are named beside each line. What has no price is named, and is no part of a total.
    """

    http_method_names = ["get", "head", "options"]
    owned = UsageProfile.objects.all()
    serializer_class = BillSerializer
    extra_parameters = frozenset({"as_of", "known_at"})

    @extend_schema(
        operation_id="usage_profiles_bill",
        parameters=[
            OpenApiParameter("as_of", _MOMENT, description="The moment of the prices; now when left out."),
            OpenApiParameter("known_at", _MOMENT, description="By what was known then; now when left out."),
        ],
        responses={200: BillSerializer, **FORBIDDEN},
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Price the month."""
        return super().get(request, *args, **kwargs)

    def represent_one(self, row: Any) -> dict[str, Any]:
        as_of, known_at = (_moment(self.request, name) for name in ("as_of", "known_at"))
        return bill_shape(bill_of(row, as_of or timezone.now(), known_at, cheaper=True))


def _moment(request: Request, name: str) -> datetime | None:
    texts = request.query_params.getlist(name)
    if not texts:
        return None
    try:
        if len(texts) > 1:
            raise UnreadableMoment("is given more than once")
        return parse_moment(texts[0])
    except UnreadableMoment as error:
        raise InvalidParameters([parameter_fault(name, str(error))]) from None


class CSVParser(BaseParser):
    """Takes the body as it is; the view reads it."""

    media_type = "text/csv"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        return bytes(stream.read())


_TOO_LARGE = f"The file is larger than {MOST_BYTES // 1024**2} MiB; sum the usage up, for example by day."


class ProfileImportView(OwnedView, NumberedView):
    """Replace the profile's lines by those of a CSV file of usage.

    Columns: `seller`, `model`; if wanted `service_tier`, `region`, `variant`, `commitment`, `slot`, `requests` (the
    number of calls) and `date`; and a column for each usage key, or `meter` and `quantity`. With dates the file is
    averaged to a month. Nothing is saved when any row is bad: each bad row is an error, whose pointer is its line.
    """

    http_method_names = ["post", "options"]
    owned = PROFILES
    serializer_class = ProfileSerializer
    parser_classes = [CSVParser, MultiPartParser]

    @extend_schema(
        operation_id="usage_profiles_import",
        request={
            "text/csv": {"type": "string", "example": _CSV_EXAMPLE},
            "multipart/form-data": {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}},
        },
        parameters=[KEY_PARAMETER],
        responses={
            200: ProfileSerializer,
            **TWIN_PROBLEMS,
        },
    )
    def post(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Read the file."""
        profile = self.get_object()
        self.received(request)
        return answered_once(request, lambda: self._imported(request, profile))

    def _imported(self, request: Request, profile: UsageProfile) -> HttpResponse:
        content = _content(request)
        try:
            lines = read_usage_file(content)
        except UnreadableUsage as unreadable:
            raise InvalidParameters([_fault(error) for error in unreadable.errors[:_ERRORS_SHOWN]]) from None
        with transaction.atomic():
            replace_lines(profile, lines)
        return self.told(self.get_object())


def _content(request: Request) -> bytes:
    sent = request.data
    if isinstance(sent, bytes):
        content = sent
    else:
        uploaded = request.FILES.get("file")
        if uploaded is None:
            raise InvalidParameters([{"pointer": "#/file", "detail": "is missing; send the CSV as the form's file"}])
        content = uploaded.read()
    if len(content) > MOST_BYTES:
        raise TooLarge(_TOO_LARGE)
    return content


def _fault(error: RowError) -> Fault:
    fault: Fault = {"pointer": f"#/{error.line}", "detail": f"line {error.line}: {error.detail}"}
    if error.choices:
        fault["choices"] = list(error.choices)
    return fault
