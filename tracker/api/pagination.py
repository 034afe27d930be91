"""Pages: by limit and offset with a count, or by cursor where rows keep arriving."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from rest_framework.pagination import BasePagination, LimitOffsetPagination
from rest_framework.request import Request
from rest_framework.utils.urls import remove_query_param, replace_query_param

from tracker.api.moments import moment_text
from tracker.api.problems import InvalidParameters, parameter_fault

DEFAULT_LIMIT = 100
LARGEST_LIMIT = 1000
_LARGEST_OFFSET = 10**9
_LINK = {"type": ["string", "null"], "format": "uri", "example": None}
_AS_OF = {
    "type": ["string", "null"],
    "format": "date-time",
    "example": "2026-11-20T06:00:00Z",
    "description": "The moment of the newest successful reading among the sources of these rows.",
}
_LIMIT_PARAMETER = {
    "name": "limit",
    "in": "query",
    "description": "Rows on a page.",
    "schema": {"type": "integer", "minimum": 1, "maximum": LARGEST_LIMIT, "default": DEFAULT_LIMIT},
}


def read_limit(request: Request) -> int:
    """Rows on a page as the request wants them. Raises InvalidParameters outside 1 to 1,000."""
    return _whole(request, "limit", lowest=1, highest=LARGEST_LIMIT, default=DEFAULT_LIMIT)


def _whole(request: Request, name: str, *, lowest: int, highest: int, default: int) -> int:
    texts = request.query_params.getlist(name)
    if not texts:
        return default
    right = f"a whole number from {lowest} to {highest}"
    text = texts[0]
    if len(texts) > 1 or not re.fullmatch(r"[0-9]{1,10}", text) or not lowest <= int(text) <= highest:
        raise InvalidParameters([parameter_fault(name, f"{', '.join(texts)!r} is not {right}")])
    return int(text)


class LimitOffset(LimitOffsetPagination):
    """``{"count", "next", "previous", "record_as_of", "results"}``."""

    default_limit = DEFAULT_LIMIT
    max_limit = LARGEST_LIMIT
    parameters = frozenset({"limit", "offset"})

    def get_limit(self, request: Request) -> int:
        return read_limit(request)

    def get_offset(self, request: Request) -> int:
        return _whole(request, "offset", lowest=0, highest=_LARGEST_OFFSET, default=0)

    def page_of(self, rows: Sequence[Any], as_of: datetime | None) -> dict[str, Any]:
        """The page that was cut last, around its rows."""
        return {
            "count": self.count,
            "next": self.get_next_link(),
            "previous": self.get_previous_link(),
            "record_as_of": moment_text(as_of),
            "results": list(rows),
        }

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        return _page_schema({"count": {"type": "integer", "description": "Rows on all pages.", "example": 1}}, schema)

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        skipped = {"type": "integer", "minimum": 0, "default": 0}
        return [
            _LIMIT_PARAMETER,
            {"name": "offset", "in": "query", "description": "Rows to skip.", "schema": skipped},
        ]


class CursorPages(BasePagination):
    """``{"next", "previous", "record_as_of", "results"}``, in the order of a unique ascending integer of the rows.

    A cursor is a place between two rows, so rows that arrive or vanish elsewhere neither repeat nor hide others. The
    view names the integer in ``cursor_key``, and in ``newest_first`` whether the largest comes first.
    """

    parameters = frozenset({"limit", "cursor"})

    def __init__(self) -> None:
        self.pinned: dict[str, str] = {}

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        self.request = request
        self.key = view.cursor_key
        self.limit = read_limit(request)
        back, position = _read_cursor(request)
        rising = view.newest_first == back
        if position is not None:
            queryset = queryset.filter(**{f"{self.key}__{'gt' if rising else 'lt'}": position})
        rows = list(queryset.order_by(self.key if rising else f"-{self.key}")[: self.limit + 1])
        more = len(rows) > self.limit
        self.rows = rows[: self.limit][::-1] if back else rows[: self.limit]
        self.goes_on = bool(self.rows) and (more or back)
        self.began_before = bool(self.rows) and (more if back else position is not None)
        return self.rows

    def page_of(self, rows: Sequence[Any], as_of: datetime | None) -> dict[str, Any]:
        """The page that was cut last, around its rows."""
        return {
            "next": self.next_link(),
            "previous": self.previous_link(),
            "record_as_of": moment_text(as_of),
            "results": list(rows),
        }

    def first_link(self) -> str:
        """The address of the first page."""
        return str(remove_query_param(self.request.build_absolute_uri(), "cursor"))

    def previous_link(self) -> str | None:
        """The address of the page before, or None on the first."""
        return self._link("b", self.rows[0]) if self.began_before else None

    def next_link(self) -> str | None:
        """The address of the following page, or None on the last."""
        return self._link("f", self.rows[-1]) if self.goes_on else None

    def pin(self, parameter: str, value: str) -> None:
        """Let the links carry a value that the request left open, so that all pages show the same moment."""
        self.pinned[parameter] = value

    def _link(self, direction: str, row: Any) -> str:
        token = base64.urlsafe_b64encode(f"{direction}{getattr(row, self.key)}".encode()).decode().rstrip("=")
        url = remove_query_param(self.request.build_absolute_uri(), "cursor")
        for parameter, value in self.pinned.items():
            url = replace_query_param(url, parameter, value)
        return str(replace_query_param(url, "cursor", token))

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        return _page_schema({}, schema)

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        described = "The place to go on from, as `next` and `previous` give it."
        return [
            _LIMIT_PARAMETER,
            {"name": "cursor", "in": "query", "description": described, "schema": {"type": "string"}},
        ]


def _read_cursor(request: Request) -> tuple[bool, int | None]:
    """Whether the page lies before the place, and the place; None is the beginning."""
    tokens = request.query_params.getlist("cursor")
    if not tokens:
        return False, None
    try:
        text = base64.b64decode(tokens[0] + "=" * (-len(tokens[0]) % 4), altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        text = ""
    if len(tokens) > 1 or not re.fullmatch(r"[fb][0-9]{1,18}", text):
        raise InvalidParameters([parameter_fault("cursor", "is not one that a page of this list gave")])
    return text[0] == "b", int(text[1:])


def _page_schema(first: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    properties = {**first, "next": _LINK, "previous": _LINK, "record_as_of": _AS_OF, "results": schema}
    return {"type": "object", "required": list(properties), "properties": properties}
