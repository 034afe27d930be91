"""What `/api/v1/` says: its endpoints, and for every other path which ones are near."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

from django.http import HttpResponsePermanentRedirect
from django.http.response import HttpResponseBase
from django.urls import URLPattern, URLResolver, get_resolver
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from tracker.api.nearest import nearest
from tracker.api.problems import NothingFound, parameter_fault
from tracker.api.views import ReadView

ROOT = "api/v1/"
_CONVERTER = re.compile(r"<(?:\w+:)?(\w+)>")


@lru_cache(maxsize=1)
def endpoints() -> tuple[str, ...]:
    """The paths below the root, with ``{slug}`` or ``{id}`` for what a path names."""
    routes = (_CONVERTER.sub(r"{\1}", route) for route in _routes(get_resolver().url_patterns, ""))
    return tuple(sorted(route.removeprefix(ROOT) for route in routes if route.startswith(ROOT) and route != ROOT))


def _routes(patterns: Iterable[Any], prefix: str) -> Iterator[str]:
    for pattern in patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _routes(pattern.url_patterns, route)
        elif isinstance(pattern, URLPattern) and pattern.name != "api-unknown":
            yield route


class DirectoryView(ReadView):
    """The endpoints of this API, by path."""

    pagination_class = None
    filter_backends: Any = ()
    follows_record = False

    @extend_schema(operation_id="root", responses={200: {"type": "object", "additionalProperties": {"type": "string"}}})
    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """List the endpoints with their addresses."""
        return super().get(request)

    def read(self, request: Request) -> dict[str, str]:
        root = request.build_absolute_uri(request.path)
        return {path: root + path for path in endpoints()}


class UnknownPathView(ReadView):
    """Every other path: a problem that names the nearest endpoints."""

    http_method_names = ["get", "head", "options", "post", "put", "patch", "delete"]
    pagination_class = None
    filter_backends: Any = ()
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Say that there is nothing, whatever the method; mend a missing slash as Django would."""
        path = self.kwargs["path"]
        if any(re.fullmatch(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(known)), path + "/") for known in endpoints()):
            raise _SlashMissing()
        choices = nearest(path.rstrip("/") + "/", endpoints())
        raise NothingFound(
            f"There is nothing at {request.path}; /{ROOT} lists the endpoints.",
            [parameter_fault("path", "unknown path", choices)],
        )

    def handle_exception(self, error: Exception) -> Any:
        if isinstance(error, _SlashMissing):
            query = self.request.META.get("QUERY_STRING", "")
            return HttpResponsePermanentRedirect(f"{self.request.path}/{'?' + query if query else ''}")
        return super().handle_exception(error)


class _SlashMissing(Exception):
    """The path would be right with a slash at its end."""
