"""``costs/``: usage in, amounts out, each with the price row that it rests on."""

from __future__ import annotations

import json
import re
from typing import Any

from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import exceptions
from rest_framework.request import Request

from pricing.api.cost_serializers import EXAMPLE_ANSWER, EXAMPLE_REQUEST, CostAnswerSerializer, CostRequestSerializer
from pricing.api.shapes.cost_answer import cost_answer
from pricing.costing.garbage import without_collections
from pricing.costing.received import NoJson, find_lines, read_json, repeated_field
from pricing.currencies.recorded import current_rates, is_currency
from tracker.api.negotiation import PARAMETER as FORMAT
from tracker.api.permissions import OpenQuestions
from tracker.api.problems import MEDIA_TYPE, Fault, InvalidParameters
from tracker.api.schema import PROBLEM
from tracker.api.views import ReadView

MOST_LINES = 10_000
MOST_BYTES = 16 * 1024 * 1024
_BODY_FIELDS = ("assume_earliest", "currency", "lines")
_CURRENCY = re.compile(r"[A-Z]{3}")


class TooMuch(exceptions.APIException):
    """More than one request may hold: status 413."""

    status_code = 413


class CostView(ReadView):
    """Price up to 10,000 lines of usage, each at its moment, exactly, with the price rows cited.

    Results stand in the order of the lines. A line that cannot be priced errs alone: its ``error`` is a problem, whose
    pointer leads into the request. What has no price is listed as ``unpriced`` and is no part of the total.
    """

    http_method_names = ["post", "options"]
    permission_classes = [OpenQuestions]
    pagination_class = None
    filter_backends: Any = ()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Check also that the query asks for nothing: all that is asked stands in the body."""
        super().initial(request, *args, **kwargs)
        if request.method == "POST":
            self._read_parameters(request)

    def parameter_names(self) -> set[str]:
        return {FORMAT}

    @extend_schema(
        operation_id="costs_price",
        request=CostRequestSerializer,
        responses={
            200: CostAnswerSerializer,
            (413, MEDIA_TYPE): OpenApiResponse(PROBLEM, "More lines, or bytes, than one request may hold"),
            (415, MEDIA_TYPE): OpenApiResponse(PROBLEM, "The body is not application/json"),
        },
        auth=[{"token": []}, {}],  # type: ignore[list-item]  # security requirements, whatever the package declares
        examples=[
            OpenApiExample("Three calls", EXAMPLE_REQUEST, request_only=True),
            OpenApiExample("What they cost", EXAMPLE_ANSWER, response_only=True),
        ],
    )
    def post(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer with one result for each line."""
        with without_collections():
            parts = _answered(_received(request))
        response = StreamingHttpResponse(parts, content_type="application/json")
        response.headers["Content-Length"] = str(sum(map(len, parts)))
        response.headers["Cache-Control"] = "no-store"
        return response


def _answered(received: bytes) -> list[bytes]:
    """The body of the answer, in parts. Raises InvalidParameters and TooMuch."""
    found = find_lines(received)
    if repeated := repeated_field(received, _BODY_FIELDS, found):
        raise InvalidParameters([_fault(f"#/{repeated}", "stands more than once in the body")])
    if found is not None:
        try:
            asked = {"lines": found.lines, "currency": found.currency, "assume_earliest": found.assume_earliest}
            return cost_answer(*_checked(asked))
        except NoJson:
            # Said below, with where.
            pass
    return cost_answer(*_checked(_parsed(received)))


def _checked(body: Any) -> tuple[list[Any], str | None, bool]:
    """The lines, the currency, and whether the earliest price is assumed.

    Raises InvalidParameters with pointers, and TooMuch.
    """
    if not isinstance(body, dict):
        raise InvalidParameters([_fault("#", 'an object such as {"lines": [...]} was expected')])
    unknown = [name for name in body if name not in _BODY_FIELDS]
    faults = [_fault(f"#/{_step(name)}", "unknown field", _BODY_FIELDS) for name in unknown[:20]]
    lines, currency = body.get("lines"), body.get("currency")
    if not isinstance(lines, list):
        faults.append(_fault("#/lines", "a list of lines was expected" if "lines" in body else "is missing"))
    if currency is not None and not (isinstance(currency, str) and _CURRENCY.fullmatch(currency)):
        faults.append(_fault("#/currency", "an ISO 4217 code such as USD was expected"))
    elif currency is not None and not is_currency(currency):
        reason = f"no exchange rate of {currency} is known, and nothing is sold in it"
        faults.append(_fault("#/currency", reason, tuple(current_rates().currencies)))
    if "assume_earliest" in body and not isinstance(body["assume_earliest"], bool | None):
        faults.append(_fault("#/assume_earliest", "true or false was expected"))
    if faults or not isinstance(lines, list):
        raise InvalidParameters(faults)
    if len(lines) > MOST_LINES:
        raise TooMuch(f"{len(lines):,} lines are more than one request may hold; send at most {MOST_LINES:,}.")
    return lines, currency, bool(body.get("assume_earliest"))


def _received(request: Request) -> bytes:
    """The body as it came, read past Django's own limit, which is meant for forms."""
    kind = request.content_type.partition(";")[0].strip().lower()
    if kind and kind != "application/json" and not kind.endswith("+json"):
        raise exceptions.UnsupportedMediaType(kind, "Send the lines as application/json.")
    received: bytes = request.stream.read(MOST_BYTES + 1) if request.stream else b""
    if len(received) > MOST_BYTES:
        raise TooMuch(f"The body is larger than {MOST_BYTES // 1024**2} MiB; send fewer lines at once.")
    return received


def _parsed(received: bytes) -> Any:
    try:
        return read_json(received)
    except json.JSONDecodeError as error:
        wrong = f"{error.msg}, line {error.lineno} column {error.colno}"
    except RecursionError:
        wrong = "nested too deeply"
    except ValueError as error:
        wrong = str(error)[:200]
    raise InvalidParameters([_fault("#", f"no JSON: {wrong}")])


def _fault(pointer: str, detail: str, choices: tuple[str, ...] = ()) -> Fault:
    fault: Fault = {"pointer": pointer, "detail": detail}
    if choices:
        fault["choices"] = list(choices)
    return fault


def _step(name: str) -> str:
    return name[:100].replace("~", "~0").replace("/", "~1")
