"""Answers that hold a secret once, and the problems of what is done with channels and deliveries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiResponse
from rest_framework.request import Request

from tracker.api.owned import TWIN_PROBLEMS
from tracker.api.problems import MEDIA_TYPE
from tracker.api.schema import PROBLEM
from tracker.api.twins import AnswerGivenOnce

ACTION_PROBLEMS = {
    **TWIN_PROBLEMS,
    (409, MEDIA_TYPE): OpenApiResponse(PROBLEM, "It cannot be done as things stand, or its twin is still at work"),
}


def action_answer(request: Request, body: Mapping[str, Any], status: int = 200, **headers: str) -> HttpResponse:
    """The body as JSON, in no cache. A twin of the request is answered without the secret in it."""
    content = _rendered(request, body)
    # Kept answers lie in the database in clear.
    kept = _rendered(request, {**body, "secret": None}) if body.get("secret") else content
    headers = {"Cache-Control": "no-store", **headers}
    return AnswerGivenOnce(content, kept, status=status, content_type="application/json", headers=headers)


def created_answer(request: Request, body: Mapping[str, Any], *, tag: str, location: str) -> HttpResponse:
    """The answer to a creation."""
    return action_answer(request, body, 201, ETag=tag, Location=location)


def _rendered(request: Request, body: Mapping[str, Any]) -> bytes:
    renderer: Any = request.accepted_renderer
    return bytes(renderer.render(dict(body), request.accepted_media_type, {}))
