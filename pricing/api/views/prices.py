"""``prices/``: one row for each line in force at a moment, as pages of JSON or as one stream of CSV or JSON Lines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

from pricing.api.filters import PriceFilters
from pricing.api.freshness import is_past_belief_now
from pricing.api.rate_serializers import ListedPriceSerializer
from pricing.api.shapes.prices import PRICE_FIELDS, among_begun, in_force, price_shapes
from pricing.api.views.rates import today, version_with_rates
from pricing.currencies.recorded import current_rates
from pricing.currencies.shapes import CONVERTED_FIELDS, PriceConverter, flat, flat_columns
from pricing.models import PriceLine
from tracker.api.moments import moment_text
from tracker.api.pagination import CursorPages
from tracker.api.tables import CSVRenderer, JSONLinesRenderer, csv_lines, json_lines
from tracker.api.views import StreamView

_BATCH = 1000
_WRITERS: dict[str, Callable[..., Iterator[str]]] = {"csv": csv_lines, "jsonl": json_lines}
_PAGING = ("limit", "cursor")
_CURRENCY = "currency"


class PriceListView(StreamView):
    """Prices in force at ``as_of``, as believed at ``known_at``; both are now if left out.

    With ``currency`` each amount is converted at the rate of ``as_of``, ``sold`` is the price as it is sold, and
    ``rate`` the rate with its day and source. A price without a rate has no amount, and ``not_converted`` says why.
    The links of a page fix ``as_of``, so that a walk over all pages shows one moment. CSV and JSON Lines hold all rows
    at once, unless ``limit`` or ``cursor`` asks for a page; its ``Link`` header then leads on.
    """

    queryset = PriceLine.objects.all()
    serializer_class = ListedPriceSerializer
    filterset_class = PriceFilters
    renderer_classes = [JSONRenderer, CSVRenderer, JSONLinesRenderer]
    paginator: CursorPages
    converter: PriceConverter | None = None

    @extend_schema(
        responses={
            (200, "application/json"): ListedPriceSerializer,
            (200, "text/csv"): OpenApiTypes.STR,
            (200, "application/jsonl"): OpenApiTypes.STR,
        }
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        return super().get(request, *args, **kwargs)

    def is_told_by_record(self, request: Request) -> bool:
        return not is_past_belief_now(request)

    def version(self, request: Request) -> str:
        """Without ``as_of`` a conversion turns with each day, and always with the rates that the project carries."""
        version = super().version(request)
        return version_with_rates(version) if _CURRENCY in request.query_params else version

    def read(self, request: Request) -> Any:
        lines = self._lines_in_force(request)
        write = _WRITERS.get(request.accepted_renderer.format)
        if write is None:
            page = self.paginator.paginate_queryset(lines, request, self)
            return self.paginator.page_of(self._rows(page), self.record_as_of())
        return self._stream(lines, request, write)

    def field_names(self) -> Sequence[str]:
        return (*PRICE_FIELDS, *CONVERTED_FIELDS) if _CURRENCY in self.request.query_params else PRICE_FIELDS

    def _lines_in_force(self, request: Request) -> QuerySet[Any]:
        lines = self.filter_queryset(self.get_queryset())
        as_of, known_at = self.asked.get("as_of"), self.asked.get("known_at")
        if as_of is None:
            as_of = self._now(known_at)
        elif known_at is None:
            lines = among_begun(lines, as_of)
        if currency := self.asked.get(_CURRENCY):
            self.converter = PriceConverter(currency, current_rates(), as_of, known_at)
        found = in_force(lines, as_of, known_at, self.asked.get("sold_in", ()))
        return found.order_by("pk").values_list("id", "price_id", named=True)

    def _now(self, known_at: datetime | None) -> datetime:
        """Now, named by the last moment at which a price began or ended: the same page then has the same links.

        A conversion turns with the day besides. What was believed once had other beginnings and ends: for it now is
        now.
        """
        turned_at = self.record_state.turned_at if known_at is None else None
        now = turned_at or timezone.now()
        if turned_at is not None and _CURRENCY in self.asked:
            now = max(turned_at, today())
        self.paginator.pin("as_of", str(moment_text(now)))
        return now

    def _rows(self, page: Sequence[Any]) -> list[dict[str, Any]]:
        shapes: Iterable[dict[str, Any]] = price_shapes([line.price_id for line in page])
        if self.converter is not None:
            shapes = map(self.converter.row, shapes)
        return [self.narrowed(row) for row in shapes]

    def _stream(
        self, lines: QuerySet[Any], request: Request, write: Callable[..., Iterator[str]]
    ) -> StreamingHttpResponse:
        headers = {}
        rows: Iterator[dict[str, Any]]
        if request.method == "HEAD":
            rows = iter(())
        elif any(name in request.query_params for name in _PAGING):
            rows = iter(self._rows(self.paginator.paginate_queryset(lines, request, self)))
            if following := self.paginator.next_link():
                headers["Link"] = f'<{following}>; rel="next"'
        else:
            rows = self._all_rows(lines)
        columns = self.fields_asked or self.field_names()
        if self.converter is not None and write is csv_lines:
            rows, columns = flat(rows), flat_columns(columns)
        written = write(rows, columns)
        media_type = request.accepted_renderer.media_type
        response = StreamingHttpResponse(written, content_type=f"{media_type}; charset=utf-8", headers=headers)
        response.headers["Content-Disposition"] = f'inline; filename="prices.{request.accepted_renderer.format}"'
        return response

    def _all_rows(self, lines: QuerySet[Any]) -> Iterator[dict[str, Any]]:
        """Every row, a batch at a time, so that a large answer takes little memory and holds no long read open."""
        last = 0
        while batch := list(lines.filter(pk__gt=last)[:_BATCH]):
            yield from self._rows(batch)
            last = batch[-1].id
