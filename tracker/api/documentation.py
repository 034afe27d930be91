"""The OpenAPI document, and the page to read and try the API."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response


@lru_cache(maxsize=1)
def _document() -> dict[str, Any]:
    return dict(SchemaGenerator().get_schema(request=None, public=True))


class SchemaView(SpectacularAPIView):
    """The OpenAPI document. It is open also where reading is closed: it describes the API, not the record."""

    permission_classes = [AllowAny]

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return Response(_document())


class DocumentationView(SpectacularSwaggerSplitView):
    """The page to read and try the API; its scripts and styles come from this server."""

    permission_classes = [AllowAny]
    url_name = "api-schema"
