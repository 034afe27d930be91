"""Which format an answer takes: ``format=`` if given, else the Accept header."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from tracker.api.problems import InvalidParameters, parameter_fault

PARAMETER = "format"


class StrictNegotiation(DefaultContentNegotiation):
    """As REST framework's own, but an unknown ``format=`` is an error that names the formats there are."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[Any, Any]:
        asked = request.query_params.get(PARAMETER)
        if asked is None:
            return super().select_renderer(request, renderers, format_suffix)
        for renderer in renderers:
            if renderer.format == asked:
                return renderer, renderer.media_type
        choices = [renderer.format for renderer in renderers]
        raise InvalidParameters([parameter_fault(PARAMETER, f"unknown format {asked!r}", choices)])
