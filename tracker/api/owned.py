"""The bases of endpoints for what belongs to the caller: listed, made, read, replaced, changed and deleted.

Nobody sees another's rows: their numbers name nothing. A write names by ``If-Match`` what it replaces; a creation may
carry an ``Idempotency-Key``.
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.db import transaction
from django.db.models import ProtectedError, QuerySet, RestrictedError
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.exceptions import ParseError
from rest_framework.request import Request

from tracker.api.etags import tag_of
from tracker.api.negotiation import PARAMETER as FORMAT
from tracker.api.permissions import OwnAlerts
from tracker.api.problems import MEDIA_TYPE, Conflict, PreconditionFailed, PreconditionRequired, TooLarge
from tracker.api.schema import PROBLEM
from tracker.api.twins import HEADER, answered_once
from tracker.api.views import ListView, NumberedView, ReadView

_TEXT = {"type": "string"}
KEY_PARAMETER = OpenApiParameter(
    HEADER, _TEXT, OpenApiParameter.HEADER, description="A request with the same key is done once within 24 hours."
)
MATCH_PARAMETER = OpenApiParameter(
    "If-Match", _TEXT, OpenApiParameter.HEADER, required=True, description="The ETag of what is replaced."
)
FORBIDDEN = {(403, MEDIA_TYPE): OpenApiResponse(PROBLEM, "The token has not the scope `alerts`")}
BODY_PROBLEMS = {
    (413, MEDIA_TYPE): OpenApiResponse(PROBLEM, "The body is too large"),
    (415, MEDIA_TYPE): OpenApiResponse(PROBLEM, "The body is of a kind that is not taken here"),
}
TWIN_PROBLEMS = {
    **FORBIDDEN,
    **BODY_PROBLEMS,
    (409, MEDIA_TYPE): OpenApiResponse(PROBLEM, "A request with the same Idempotency-Key is still at work"),
    (422, MEDIA_TYPE): OpenApiResponse(PROBLEM, "The Idempotency-Key was used with another request"),
}
MATCH_PROBLEMS = {
    **FORBIDDEN,
    (412, MEDIA_TYPE): OpenApiResponse(PROBLEM, "It has changed; the current tag is in ETag"),
    (428, MEDIA_TYPE): OpenApiResponse(PROBLEM, "No If-Match"),
}


class OwnedView(ReadView):
    """What the endpoints of owned rows share. ``owned`` are all rows; a view sees those of the caller."""

    permission_classes = [OwnAlerts]
    follows_record = False
    owned: QuerySet[Any]

    def get_queryset(self) -> QuerySet[Any]:
        """The caller's own rows."""
        if getattr(self, "swagger_fake_view", False):
            return self.owned.none()
        return self.owned.filter(owner=self.request.user)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Check the parameters of writes as well."""
        super().initial(request, *args, **kwargs)
        if request.method not in ("GET", "HEAD", "OPTIONS"):
            self.fields_asked = self._read_parameters(request)

    def body(self, request: Request) -> dict[str, Any]:
        """The JSON object that was sent. Raises TooLarge and ParseError."""
        self.received(request)
        if not isinstance(request.data, dict):
            raise ParseError("An object of JSON was expected.")
        return request.data

    def received(self, request: Request) -> bytes:
        """The bytes that were sent, kept for whoever parses them. Raises TooLarge above Django's own bound."""
        try:
            return request.body
        except RequestDataTooBig:
            raise TooLarge() from None

    def checked(self, request: Request, row: Any = None, *, partial: bool = False) -> Any:
        """The serializer of what was sent, which is right in itself. Raises ValidationError."""
        serializer = self.get_serializer(row, data=self.body(request), partial=partial)
        serializer.is_valid(raise_exception=True)
        return serializer

    def whole(self, row: Any) -> bytes:
        """The row as the body of a detail has it, in bytes."""
        renderer = self.request.accepted_renderer
        rendered = renderer.render(self.get_serializer(row).data, self.request.accepted_media_type, {})
        return rendered if isinstance(rendered, bytes) else rendered.encode()

    def told(self, row: Any, status: int = 200, **headers: str) -> HttpResponse:
        """The row as the answer to a write, with its tag."""
        content = self.whole(row)
        headers = {"ETag": tag_of(content), "Cache-Control": "no-cache", **headers}
        return HttpResponse(content, status=status, content_type="application/json", headers=headers)


class OwnedListView(OwnedView, ListView):
    """The caller's rows, and where a new one is made."""

    http_method_names = ["get", "head", "post", "options"]

    def post(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Make a row."""
        self.received(request)
        return answered_once(request, lambda: self._made_new(request))

    def _made_new(self, request: Request) -> HttpResponse:
        row = self.checked(request).save(owner=request.user)
        return self.told(self.get_queryset().get(pk=row.pk), 201, Location=f"{request.path}{row.pk}/")


class OwnedDetailView(OwnedView, NumberedView):
    """One of the caller's rows."""

    http_method_names = ["get", "head", "put", "patch", "delete", "options"]

    def put(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Replace the row; what is left out becomes as it is in a new one."""
        return self._write(request, partial=False)

    def patch(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Change what is given of the row, and leave the rest."""
        return self._write(request, partial=True)

    def delete(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Delete the row."""
        with transaction.atomic():
            row = self.matched(request)
            try:
                row.delete()
            except (ProtectedError, RestrictedError) as error:
                rows = error.protected_objects if isinstance(error, ProtectedError) else error.restricted_objects
                users = ", ".join(sorted(map(str, rows)))
                raise Conflict(f"It is still used by: {users}.") from None
        return HttpResponse(status=204, headers={"Cache-Control": "no-cache"})

    def matched(self, request: Request) -> Any:
        """The row that the path names, which must be as ``If-Match`` says; nobody else writes it meanwhile.

        Raises NothingFound, PreconditionRequired and PreconditionFailed.
        """
        row = self.get_object()
        # Its lock orders the writers on PostgreSQL; SQLite has but one at a time.
        self.owned.model._default_manager.select_for_update().get(pk=row.pk)
        row = self.get_object()
        held = request.headers.get("If-Match", "").strip()
        if not held:
            raise PreconditionRequired()
        current = tag_of(self.whole(row))
        if held != "*" and current not in [tag.strip() for tag in held.split(",")]:
            raise PreconditionFailed(current)
        return row

    def _write(self, request: Request, *, partial: bool) -> HttpResponse:
        with transaction.atomic():
            row = self.matched(request)
            self.checked(request, row, partial=partial).save()
            return self.told(self.get_object())


def described_writes(serializer: Any, singular: str, plural: str, **examples: Any) -> Any:
    """Describe the writes of a list view or a detail view in the schema."""
    request = examples.get("request", ())
    return {
        "post": extend_schema(
            operation_id=f"{plural}_create",
            summary=f"Make a {singular}",
            request=serializer,
            parameters=[KEY_PARAMETER],
            responses={201: serializer, **TWIN_PROBLEMS},
            examples=list(request),
        ),
        "put": extend_schema(
            operation_id=f"{plural}_replace",
            summary=f"Replace a {singular}",
            request=serializer,
            parameters=[MATCH_PARAMETER],
            responses={200: serializer, **MATCH_PROBLEMS, **BODY_PROBLEMS},
            examples=list(request),
        ),
        "patch": extend_schema(
            operation_id=f"{plural}_change",
            summary=f"Change parts of a {singular}",
            request=serializer(partial=True),
            parameters=[MATCH_PARAMETER],
            responses={200: serializer, **MATCH_PROBLEMS, **BODY_PROBLEMS},
        ),
        "delete": extend_schema(
            operation_id=f"{plural}_delete",
            summary=f"Delete a {singular}",
            parameters=[MATCH_PARAMETER],
            responses={204: None, **MATCH_PROBLEMS},
        ),
    }


__all__ = ["FORMAT", "OwnedDetailView", "OwnedListView", "OwnedView", "described_writes"]
