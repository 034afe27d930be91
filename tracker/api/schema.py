"""How the API describes itself: OpenAPI 3.1 with the conventions that every endpoint shares."""

from __future__ import annotations

import inspect
from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter

from tracker.api.problems import MEDIA_TYPE

_TEXT = {"type": "string"}
PROBLEM = {
    "type": "object",
    "description": "A problem document (RFC 9457).",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": _TEXT,
        "title": _TEXT,
        "status": {"type": "integer"},
        "detail": _TEXT,
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["detail"],
                "properties": {
                    "parameter": {**_TEXT, "description": "The query parameter or path part that is wrong."},
                    "pointer": {**_TEXT, "description": "JSON pointer to what is wrong in the body."},
                    "detail": _TEXT,
                    "choices": {"type": "array", "items": _TEXT, "description": "What would be right."},
                },
            },
        },
    },
    "example": {
        "type": "about:blank",
        "title": "Bad Request",
        "status": 400,
        "detail": "seller: no company 'deepsek'",
        "errors": [{"parameter": "seller", "detail": "no company 'deepsek'", "choices": ["deepseek"]}],
    },
}
_STATUSES = {
    "400": "An unknown parameter or value",
    "401": "No valid token where one is needed",
    "404": "Nothing there; the nearest ids are named",
    "406": "No such format",
    "429": "Too many requests",
}


class EndpointSchema(AutoSchema):
    """Views say themselves whether they are lists; ``fields`` is taken everywhere."""

    def _is_list_view(self, serializer: Any = None) -> bool:
        return self.method == "GET" and bool(getattr(self.view, "is_list", False))

    def get_summary(self) -> str:
        """The first sentence of the view's own description."""
        return self.get_description().replace("\n", " ").partition(". ")[0].rstrip(".").replace("``", "")

    def get_description(self) -> str:  # type: ignore[override]
        """What the view says of itself, not what its base says of methods."""
        return (inspect.getdoc(type(self.view)) or "").replace("``", "`")

    def get_tags(self) -> list[str]:
        """Group by the first part of the path below the root."""
        return self._tokenize_path()[:1] or ["root"]

    def get_auth(self) -> list[dict[str, Any]]:
        """A token is taken everywhere, and reading does without one unless an installation is closed."""
        return [*super().get_auth(), *([{}] if self.method == "GET" else [])]

    def get_override_parameters(self) -> list[Any]:
        """Describe ``fields`` with the names that the endpoint has."""
        names = self.view.field_names() if hasattr(self.view, "field_names") else ()
        if not names:
            return []
        described = "Only these fields, with commas between: " + ", ".join(names) + "."
        return [OpenApiParameter("fields", str, OpenApiParameter.QUERY, description=described)]


def add_problems(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """A drf-spectacular hook: say of every operation how it errs, and that it takes a tag."""
    result.setdefault("components", {}).setdefault("schemas", {})["Problem"] = PROBLEM
    body = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    held = {
        "name": "If-None-Match",
        "in": "header",
        "description": "The ETag of the reader's copy; answered by 304 while it is good.",
        "schema": _TEXT,
    }
    for methods in result["paths"].values():
        for method, operation in methods.items():
            for status, description in _STATUSES.items():
                operation["responses"].setdefault(status, {"description": description, "content": body})
            if method == "get":
                operation["responses"]["304"] = {"description": "The reader's copy is still good"}
                operation.setdefault("parameters", []).append(held)
    return result
