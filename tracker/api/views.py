"""The bases of every read-only endpoint: strict parameters, entity tags, pages, sparse fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.serializers import BaseSerializer

from tracker.api import record, shared_cache
from tracker.api.etags import holds_any, is_current, tag_of
from tracker.api.nearest import nearest, nearest_in
from tracker.api.negotiation import PARAMETER as FORMAT
from tracker.api.pagination import CursorPages, LimitOffset
from tracker.api.problems import Fault, InvalidParameters, NothingFound, parameter_fault
from tracker.api.rates import Allowance

FIELDS = "fields"
_KEPT_SECONDS = 300
# Larger answers are made again: a process may keep a few hundred, and stay small.
_LARGEST_KEPT = 128 * 1024


class ReadView(GenericAPIView[Any]):
    """A read-only endpoint, whose ``read`` returns what the body holds.

    With ``follows_record`` the record's version says, before anything is read, whether the reader's copy is still
    good; without it the body itself does.
    """

    http_method_names = ["get", "head", "options"]
    follows_record = True
    extra_parameters: frozenset[str] = frozenset()
    allowance: Allowance | None = None
    record_state: record.RecordState

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Check also the names of the parameters, and the fields asked for."""
        self.asked: Mapping[str, Any] = {}
        super().initial(request, *args, **kwargs)
        if request.method in ("GET", "HEAD"):
            self.fields_asked = self._read_parameters(request)

    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer with the body, or with 304 when the reader has it."""
        if not self.is_told_by_record(request):
            return self._by_digest(request)
        # The state is taken before the rows are read: a write in between makes the tag too old, never too new.
        self.record_state = record.current()
        tag = tag_of(self.version(request), request.build_absolute_uri(), request.accepted_renderer.media_type)
        if is_current(request, tag):
            return _not_modified(tag)
        response = self._kept_or_made(request, tag)
        # Only here is it certain that there is something: a star does not turn a 404 or a 301 into a 304.
        return _not_modified(tag) if _suffices(request, response) else _tagged(response, tag)

    def is_told_by_record(self, request: Request) -> bool:
        """Whether the record's version and the address together settle the body."""
        return self.follows_record

    def version(self, request: Request) -> str:
        """What settles the body besides the address: the record's version, and what else an answer depends on."""
        return self.record_state.version

    def read(self, request: Request) -> Any:
        """What the body holds, or a finished response (a redirect, a stream)."""
        raise NotImplementedError

    def finalize_response(  # type: ignore[override]
        self, request: Request, response: HttpResponseBase, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        """Add the reader's allowance."""
        finished = super().finalize_response(request, response, *args, **kwargs)  # type: ignore[arg-type]
        if self.allowance is not None:
            self.allowance.write_headers(finished)
        return finished

    def parameter_names(self) -> set[str]:
        """The names of all query parameters that the endpoint takes."""
        filterset = getattr(self, "filterset_class", None)
        paging: frozenset[str] = getattr(self.pagination_class, "parameters", frozenset())
        return {FIELDS, FORMAT, *paging, *(filterset.base_filters if filterset else ()), *self.extra_parameters}

    def field_names(self) -> Sequence[str]:
        """The names that ``fields=`` may choose from."""
        return _field_names(self.serializer_class) if self.serializer_class else ()  # type: ignore[arg-type]

    def narrowed(self, row: dict[str, Any]) -> dict[str, Any]:
        """The row with only the fields asked for."""
        return {name: row[name] for name in self.fields_asked if name in row} if self.fields_asked else row

    def _read_parameters(self, request: Request) -> list[str]:
        known = self.parameter_names()
        faults = [_unknown_parameter(name, known) for name in request.query_params if name not in known]
        fields = [field for text in request.query_params.getlist(FIELDS) for field in text.split(",")]
        allowed = self.field_names()
        faults += [
            parameter_fault(FIELDS, f"unknown field {field!r}", allowed) for field in fields if field not in allowed
        ]
        if faults:
            raise InvalidParameters(faults)
        return list(dict.fromkeys(fields))

    def _by_digest(self, request: Request) -> HttpResponseBase:
        response = self._made(request)
        if response.status_code != 200:
            return response
        if not isinstance(response, HttpResponse):
            # A stream has no digest before it is sent.
            response.headers["Cache-Control"] = "no-cache"
            return response
        tag = tag_of(response.content)
        good = is_current(request, tag) or holds_any(request)
        return _not_modified(tag) if good else _tagged(response, tag)

    def _kept_or_made(self, request: Request, tag: str) -> HttpResponseBase:
        key = f"page:{tag}"
        kept = shared_cache.get(key)
        if kept is not None:
            return HttpResponse(kept, content_type=request.accepted_renderer.media_type)
        response = self._made(request)
        plain = isinstance(response, HttpResponse) and response.status_code == 200
        if plain and len(response.content) <= _LARGEST_KEPT:  # type: ignore[attr-defined]
            shared_cache.put(key, response.content, _KEPT_SECONDS)  # type: ignore[attr-defined]
        return response

    def _made(self, request: Request) -> HttpResponseBase:
        made = self.read(request)
        if isinstance(made, HttpResponseBase):
            return made
        renderer = request.accepted_renderer
        return HttpResponse(renderer.render(made, request.accepted_media_type, {}), content_type=renderer.media_type)


class ListView(ReadView):
    """A list: filtered, cut into pages, with ``record_as_of``."""

    pagination_class: Any = LimitOffset
    is_list = True

    def read(self, request: Request) -> Any:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset())) or []
        rows = [self.narrowed(row) for row in self.represent(page)]
        return self.paginator.page_of(rows, self.record_as_of())  # type: ignore[union-attr]

    def represent(self, page: Sequence[Any]) -> Sequence[dict[str, Any]]:
        """The rows of a page as the body holds them."""
        return list(self.get_serializer(page, many=True).data)

    def record_as_of(self) -> datetime | None:
        """The newest successful reading among the sources of these rows."""
        return record.record_as_of(self.asked.get("source"))


class StreamView(ListView):
    """A list to which rows keep being added, paged by cursor."""

    pagination_class = CursorPages
    cursor_key = "id"
    newest_first = False


class DetailView(ReadView):
    """One row by its ``lookup_field``; an id without a match names the nearest ones."""

    pagination_class = None
    filter_backends: Any = ()
    lookup_field = "slug"
    # Where the row's column has another name than the path's variable.
    lookup_column = ""

    def read(self, request: Request) -> Any:
        return self.narrowed(self.represent_one(self.get_object()))

    def represent_one(self, row: Any) -> dict[str, Any]:
        """The row as the body holds it."""
        return dict(self.get_serializer(row).data)

    def get_object(self) -> Any:
        """The row that the path names. Raises NothingFound."""
        return row_named(self.get_queryset(), self.lookup_column or self.lookup_field, self.kwargs[self.lookup_field])


class NumberedView(DetailView):
    """One row by its number."""

    lookup_field = "id"

    def get_object(self) -> Any:
        """The row of that number. Raises NothingFound, with the numbers on either side."""
        queryset = self.get_queryset()
        wanted = self.kwargs[self.lookup_field]
        number = int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) <= 18 else None
        row = None if number is None else queryset.filter(pk=number).first()
        if row is None:
            raise self.nothing_numbered(queryset, wanted, number)
        return row

    def nothing_numbered(self, queryset: Any, wanted: str, number: int | None) -> NothingFound:
        """The error for a number without a row, or for what is no number."""
        name = str(queryset.model._meta.verbose_name)
        ids = queryset.order_by("pk").values_list("pk", flat=True)
        around: list[int] = []
        if number is not None:
            below, above = ids.reverse().filter(pk__lt=number)[:2], ids.filter(pk__gt=number)[:2]
            around = [*list(below)[::-1], *above]
        fault = parameter_fault(self.lookup_field, f"no {name}", map(str, around))
        return NothingFound(f"There is no {name} {wanted[:100]!r}.", [fault])


def row_named(queryset: Any, column: str, wanted: str) -> Any:
    """The row of a name in a column. Raises NothingFound, with the nearest names there."""
    row = None if "\0" in wanted else queryset.filter(**{column: wanted}).first()
    if row is not None:
        return row
    choices = nearest_in(queryset, column, wanted)
    name = str(queryset.model._meta.verbose_name)
    hint = f"; the nearest: {', '.join(choices)}" if choices else ""
    fault = parameter_fault(column.rpartition("__")[2], f"no {name}", choices)
    raise NothingFound(f"There is no {name} {wanted[:100]!r}{hint}.", [fault])


def _unknown_parameter(name: str, known: set[str]) -> Fault:
    likely = nearest(name, known, count=1)
    hint = f"; did you mean {likely[0]!r}?" if likely else ""
    return parameter_fault(name, f"unknown parameter{hint}", sorted(known))


def _suffices(request: Request, response: HttpResponseBase) -> bool:
    return response.status_code == 200 and holds_any(request)


def _not_modified(tag: str) -> HttpResponseBase:
    response = HttpResponse(status=304)
    del response.headers["Content-Type"]
    return _tagged(response, tag)


def _tagged(response: HttpResponseBase, tag: str) -> HttpResponseBase:
    response.headers["ETag"] = tag
    # A copy may be kept, and must be checked before each use: prices change when they change.
    response.headers["Cache-Control"] = "no-cache"
    return response


@cache
def _field_names(serializer: type[BaseSerializer[Any]]) -> tuple[str, ...]:
    return tuple(serializer().get_fields())  # type: ignore[attr-defined]
