"""``changes.atom``, ``changes.jsonfeed`` and ``upcoming.ics``: what anybody can subscribe to without an account."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request

from pricing.api.filters import UpcomingFilters
from pricing.api.subscriptions import entries_of, event_of
from pricing.api.views.changes import ChangeListView
from pricing.models import Offering
from pricing.syndication import atom, json_feed
from pricing.syndication.calendar_files import MEDIA_TYPE as CALENDAR_TYPE
from pricing.syndication.calendar_files import calendar_file
from pricing.syndication.streams import Stream
from pricing.syndication.texts import lasting_id
from pricing.syndication.titles import titled
from pricing.upcoming import Scope, upcoming
from tracker.api.negotiation import PARAMETER as FORMAT
from tracker.api.pagination import CursorPages
from tracker.api.views import FIELDS, ReadView

_JSON_FEED_SCHEMA = {
    "type": "object",
    "description": "JSON Feed 1.1; `_tracker.change` of an item is the change as in `changes/`.",
    "required": ["version", "title", "items"],
    "properties": {
        "version": {"type": "string", "enum": [json_feed.VERSION]},
        "title": {"type": "string"},
        "next_url": {"type": "string", "format": "uri"},
        "items": {"type": "array", "items": {"type": "object", "required": ["id", "content_html", "_tracker"]}},
    },
}


class ByPath(BaseContentNegotiation):
    """The path names the format: whatever a feed reader says that it accepts, it gets that.

    The first renderer writes it; what OPTIONS tells of the endpoint is JSON.
    """

    def select_parser(self, request: Request, parsers: Iterable[Any]) -> Any:
        return next(iter(parsers), None)

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        document, description = renderers
        renderer = description if request.method == "OPTIONS" else document
        return renderer, str(renderer.media_type)


class AtomRenderer(BaseRenderer):
    """Writes a stream as Atom."""

    media_type = atom.MEDIA_TYPE
    format = "atom"
    charset = None

    def render(self, data: Stream, accepted_media_type: Any = None, renderer_context: Any = None) -> bytes:
        return atom.atom(data)


class JSONFeedRenderer(JSONRenderer):
    """Writes a stream as JSON Feed."""

    media_type = json_feed.MEDIA_TYPE
    format = "jsonfeed"

    def render(self, data: Stream, accepted_media_type: Any = None, renderer_context: Any = None) -> bytes:
        return super().render(json_feed.json_feed(data), self.media_type, renderer_context)


class ChangeFeedView(ChangeListView):
    """The stream of changes as feed readers take it; the formats differ only in how they are written.

    Besides what is ``initial``, what was read from old documents is left out unless ``initial`` is asked for: a
    subscription tells news.
    """

    content_negotiation_class = ByPath
    paginator: CursorPages

    def parameter_names(self) -> set[str]:
        return super().parameter_names() - {FIELDS, FORMAT}

    def field_names(self) -> Sequence[str]:
        return ()

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        filtered = super().filter_queryset(queryset)
        return filtered if self.asked.get("initial", "false") != "false" else filtered.filter(backfilled=False)

    def read(self, request: Request) -> Stream:
        page = self.paginator.paginate_queryset(self.filter_queryset(self.get_queryset()), request, self)
        asked = request.query_params
        filters = sorted((name, value) for name in asked if name != "cursor" for value in asked.getlist(name))
        home = request.build_absolute_uri("/")
        return Stream(
            id=f"urn:uuid:{lasting_id(home, 'changes', filters)}",
            title=titled("Pricing changes", dict(asked.lists())),
            address=request.build_absolute_uri(),
            home=home,
            listing=request.build_absolute_uri(reverse("api-change-list")),
            entries=entries_of(page, request),
            as_of=self.record_as_of(),
            first=self.paginator.first_link(),
            previous=self.paginator.previous_link(),
            following=self.paginator.next_link(),
        )


class AtomView(ChangeFeedView):
    """Pricing changes as Atom 1.0, the newest first, with the filters of ``changes/``.

    Ids of entries stay the same wherever the site moves. A correction is an entry of its own and says which change it
    supersedes; ``updated`` is when a change was detected. What a first reading or an old document told is left out,
    unless ``initial`` asks for it.
    """

    renderer_classes = [AtomRenderer, JSONRenderer]

    @extend_schema(operation_id="changes_atom", responses={(200, atom.MEDIA_TYPE): OpenApiTypes.STR})
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        return super().get(request, *args, **kwargs)


class JSONFeedView(ChangeFeedView):
    """Pricing changes as JSON Feed 1.1, the newest first, with the filters of ``changes/``.

    The same entries as ``changes.atom``; ``_tracker.change`` of each item is the change as in ``changes/``.
    """

    renderer_classes = [JSONFeedRenderer, JSONRenderer]

    @extend_schema(operation_id="changes_jsonfeed", responses={(200, json_feed.MEDIA_TYPE): _JSON_FEED_SCHEMA})
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        return super().get(request, *args, **kwargs)


class CalendarRenderer(BaseRenderer):
    """Makes ``text/calendar`` what the path answers with; the view writes the file itself."""

    media_type = CALENDAR_TYPE
    format = "ics"
    charset = None

    def render(self, data: bytes, accepted_media_type: Any = None, renderer_context: Any = None) -> bytes:
        return data


class UpcomingView(ReadView):
    """What is coming, as an iCalendar file: scheduled prices, promotions that end, reroutes, new hours, retirements.

    What was announced and within the last 90 days taken back or put off is there as cancelled, so that calendars which
    took it up drop it. At most the 1,000 nearest events.
    """

    queryset = Offering.objects.all()
    filterset_class = UpcomingFilters
    pagination_class = None
    content_negotiation_class = ByPath
    renderer_classes = [CalendarRenderer, JSONRenderer]

    @extend_schema(operation_id="upcoming", responses={(200, "text/calendar"): OpenApiTypes.STR})
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        return super().get(request, *args, **kwargs)

    def parameter_names(self) -> set[str]:
        return super().parameter_names() - {FIELDS, FORMAT}

    def read(self, request: Request) -> bytes:
        self.filter_queryset(self.get_queryset())
        scope = Scope(**{names: self.asked[name] for name, names in _SCOPES.items() if name in self.asked})
        events = [event_of(thing, request) for thing in upcoming(scope, timezone.now())]
        name = titled("What AI will cost", dict(request.query_params.lists()))
        return calendar_file(name, request.build_absolute_uri(), events)


_SCOPES = {
    "seller": "sellers",
    "model": "models",
    "company": "companies",
    "offering": "offerings",
    "meter": "meters",
    "kind": "kinds",
}
