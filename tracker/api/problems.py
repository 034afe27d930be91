"""Every error of the API as a problem document (RFC 9457), ``application/problem+json``."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Any, NotRequired, TypedDict

from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.views import defaults
from rest_framework import exceptions

MEDIA_TYPE = "application/problem+json"
API_PREFIX = "/api/"
# PostgreSQL's states for serialization_failure, deadlock_detected and lock_not_available.
_BUSY_STATES = frozenset({"40001", "40P01", "55P03"})


class Fault(TypedDict):
    """One thing that is wrong: where (a query parameter, or a JSON pointer into the body), what, and what is right."""

    parameter: NotRequired[str]
    pointer: NotRequired[str]
    detail: str
    choices: NotRequired[list[str]]


def parameter_fault(parameter: str, detail: str, choices: Iterable[str] = ()) -> Fault:
    """What is wrong with a parameter; ``choices`` are the values that would be right."""
    fault: Fault = {"parameter": parameter, "detail": detail}
    listed = list(choices)
    if listed:
        fault["choices"] = listed
    return fault


class InvalidParameters(exceptions.APIException):
    """A request with parameters or values that do not exist: status 400."""

    status_code = HTTPStatus.BAD_REQUEST

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(_in_short(faults))
        self.faults = list(faults)


class PreconditionRequired(exceptions.APIException):
    """A write that does not say by ``If-Match`` what it is to replace: status 428."""

    status_code = HTTPStatus.PRECONDITION_REQUIRED
    default_detail = "Send the ETag of what you have read as If-Match, so that nobody's change is lost."


class PreconditionFailed(exceptions.APIException):
    """A write upon something that is not there any more: status 412, with the current tag."""

    status_code = HTTPStatus.PRECONDITION_FAILED

    def __init__(self, tag: str) -> None:
        super().__init__("It has changed since you read it; read it again. The current tag is in ETag.")
        self.headers = {"ETag": tag}


class Conflict(exceptions.APIException):
    """What stands in the way of a request: status 409; ``wait`` is how many seconds it may last, if known."""

    status_code = HTTPStatus.CONFLICT

    def __init__(self, detail: str, wait: float | None = None) -> None:
        super().__init__(detail)
        self.wait = wait


class TooLarge(exceptions.APIException):
    """A body above the bound: status 413."""

    status_code = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    default_detail = "The body is larger than this endpoint takes."


class Unprocessable(exceptions.APIException):
    """A request that is well formed and cannot be followed: status 422."""

    status_code = HTTPStatus.UNPROCESSABLE_ENTITY


class NothingFound(exceptions.NotFound):
    """A lookup without a match: status 404, with the nearest ids."""

    def __init__(self, detail: str, faults: Sequence[Fault] = ()) -> None:
        super().__init__(detail)
        self.faults = list(faults)


class Busy(exceptions.APIException):
    """Another write held the record for too long: status 503. What was asked was not done, and can be asked again."""

    status_code = HTTPStatus.SERVICE_UNAVAILABLE
    default_detail = "The record is being written to, and nothing of this request was done. Send it again."
    wait = 5


def problem_response(
    status: int, detail: str, faults: Sequence[Fault] = (), headers: dict[str, str] | None = None
) -> HttpResponse:
    """A problem document. Its type is ``about:blank``: the status says what kind it is, the errors where it lies."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": int(status),
        "detail": detail,
    }
    if faults:
        body["errors"] = list(faults)
    return HttpResponse(
        json.dumps(body, ensure_ascii=False), status=status, content_type=MEDIA_TYPE, headers=headers or {}
    )


def exception_handler(error: Exception, context: dict[str, Any]) -> HttpResponse | None:
    """Turn an exception of a view into its problem document; None leaves a fault of ours to Django."""
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    elif isinstance(error, OperationalError) and _is_busy(error):
        error = Busy()
    if not isinstance(error, exceptions.APIException):
        return None
    faults = getattr(error, "faults", None) or _body_faults(error)
    detail = str(error.detail) if isinstance(error.detail, str) else _in_short(faults)
    return problem_response(error.status_code, detail, faults, _headers(error))


def _is_busy(error: OperationalError) -> bool:
    """Whether a database gave up on waiting for another writer: SQLite's lock, or PostgreSQL's by its state."""
    cause = error.__cause__
    if isinstance(cause, sqlite3.OperationalError):
        return cause.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
    return getattr(cause, "sqlstate", None) in _BUSY_STATES


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500: a problem document below /api/, the plain page elsewhere."""
    if not request.path.startswith(API_PREFIX):
        return defaults.server_error(request)
    return problem_response(500, "The server failed on this request; the fault is ours and has been logged.")


def _headers(error: exceptions.APIException) -> dict[str, str]:
    headers = dict(getattr(error, "headers", {}))
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(math.ceil(wait))
    return headers


def _in_short(faults: Sequence[Fault]) -> str:
    if len(faults) == 1:
        fault = faults[0]
        where = fault.get("parameter") or fault.get("pointer") or "request"
        return f"{where}: {fault['detail']}"
    return f"{len(faults)} parts of the request are not right; see errors."


def _body_faults(error: exceptions.APIException) -> list[Fault]:
    return [] if isinstance(error.detail, str) else list(_flattened(error.detail, "#"))


def _flattened(detail: Any, pointer: str) -> Iterable[Fault]:
    if isinstance(detail, dict):
        for name, inner in detail.items():
            yield from _flattened(inner, pointer if name == "non_field_errors" else f"{pointer}/{pointer_step(name)}")
    elif isinstance(detail, list) and not all(isinstance(item, str) for item in detail):
        for index, inner in enumerate(detail):
            yield from _flattened(inner, f"{pointer}/{index}")
    else:
        texts = detail if isinstance(detail, list) else [detail]
        fault: Fault = {"pointer": pointer, "detail": " ".join(map(str, texts))}
        if choices := [choice for text in texts for choice in getattr(getattr(text, "code", None), "choices", ())]:
            fault["choices"] = choices
        yield fault


def pointer_step(name: object) -> str:
    """One step of a JSON pointer (RFC 6901)."""
    return str(name)[:100].replace("~", "~0").replace("/", "~1")
