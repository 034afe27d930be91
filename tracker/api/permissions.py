"""Who may use the API: reading is open unless API_REQUIRE_AUTH closes it; what is somebody's own wants a token."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

if TYPE_CHECKING:  # REST framework's views read this setting while they are being imported
    from rest_framework.views import APIView


class OpenReading(BasePermission):
    """Anybody reads; with API_REQUIRE_AUTH, whoever shows a token with the scope ``read``."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Let through also a method that the view does not have: that is a 405, not a matter of rights."""
        if request.method not in SAFE_METHODS and request.method in view.allowed_methods:
            return False
        return _may_read(request)


class OpenQuestions(BasePermission):
    """The same for what is asked by POST because it does not fit into an address, and writes nothing."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Whoever may read may ask."""
        return _may_read(request)


class OwnAlerts(BasePermission):
    """Whoever shows a token with the scope ``alerts``: 401 without a token, 403 without the scope."""

    message = "The token has not the scope 'alerts', which this takes."

    def has_permission(self, request: Request, view: APIView) -> bool:
        """The same for reading and writing: nobody else's business."""
        return "alerts" in getattr(request.auth, "scopes", ())


def _may_read(request: Request) -> bool:
    if not settings.API_REQUIRE_AUTH:
        return True
    scopes = getattr(request.auth, "scopes", None)
    return bool(request.user and request.user.is_authenticated and (scopes is None or "read" in scopes))


class RecordEditing(BasePermission):
    """Writes by whoever shows a token with the scope ``write`` and has the right that the view names in ``right``."""

    message = "This takes a token with the scope 'write', of somebody who may rule on the record."

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Let through also a method that the view does not have, as reading does."""
        if request.method in SAFE_METHODS or request.method not in view.allowed_methods:
            return _may_read(request)
        right: str = view.right  # type: ignore[attr-defined]
        return "write" in getattr(request.auth, "scopes", ()) and request.user.has_perm(right)
