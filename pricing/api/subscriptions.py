"""From pages of pricing changes to what subscribers get: entries with lasting ids and addresses of this site."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import MAXYEAR, UTC, date, timedelta
from typing import Any

from django.urls import reverse
from rest_framework.request import Request

from pricing.api.shapes.changes import change_shapes
from pricing.api.shapes.superseding import supersedes
from pricing.models import PricingChange, Source
from pricing.syndication.calendar_files import Event
from pricing.syndication.contents import Fact, Speaker, content_of, speaker_of
from pricing.syndication.streams import Entry
from pricing.syndication.texts import lasting_id, one_line
from pricing.upcoming import Coming
from pricing.upcoming.things import first_moment
from tracker.moments import beginning

Absolute = Callable[[str], str]


def speakers() -> dict[str, Speaker]:
    """Every source by its slug, as readers need to know it."""
    rows = Source.objects.values_list("slug", "name", "homepage", "licence", "may_republish")
    return {slug: Speaker(name, homepage, licence, republish) for slug, name, homepage, licence, republish in rows}


def entries_of(page: Sequence[PricingChange], request: Request) -> list[Entry]:
    """The changes as entries, by a number of queries that does not grow with the page."""
    known, taken_back = speakers(), supersedes(page)
    shapes = change_shapes(page)
    return [
        _entry(change, shape, known, taken_back.get(change.pk, ()), request.build_absolute_uri)
        for change, shape in zip(page, shapes, strict=True)
    ]


def entry_id(change: PricingChange) -> str:
    """A URN of the change itself: the moment of its writing tells it from one of the same number elsewhere."""
    return f"urn:uuid:{lasting_id('change', change.pk, change.recorded_at.timestamp())}"


def _entry(
    change: PricingChange,
    shape: Mapping[str, Any],
    known: Mapping[str, Speaker],
    taken_back: Sequence[int],
    absolute: Absolute,
) -> Entry:
    related = [
        *_related(taken_back, "Supersedes", absolute),
        *_related([shape["superseded_by"]], "Superseded by", absolute),
    ]
    return Entry(
        id=entry_id(change),
        title=change.headline,
        content=content_of(shape, known, related),
        detected_at=change.detected_at,
        author=speaker_of(shape, known),
        terms=[(name, shape[name]) for name in ("kind", "nature", "seller", "model") if shape[name]],
        address=_change_address(change.pk, absolute),
        offering_address=absolute(reverse("api-offering-detail", kwargs={"id": change.offering_id})),
        timeline_address=absolute(reverse("api-company-timeline", kwargs={"slug": shape["seller"]})),
        change=shape,
    )


def _related(ids: Iterable[int | None], label: str, absolute: Absolute) -> Iterable[Fact]:
    for pk in ids:
        if pk is not None:
            yield Fact(label, f"change {pk}", _change_address(pk, absolute))


def _change_address(pk: int, absolute: Absolute) -> str:
    return absolute(reverse("api-change-detail", kwargs={"id": pk}))


def event_of(thing: Coming, request: Request) -> Event:
    """What is coming as an event of a calendar: of whole days unless the moment itself is known."""
    begins, ends = _span(thing)
    title = one_line(thing.title)
    return Event(
        uid=thing.uid,
        stamp=thing.known_at,
        sequence=thing.sequence,
        begins=begins,
        ends=ends,
        summary=f"Not to come: {title}" if thing.is_cancelled else title,
        description=_description(thing),
        address=request.build_absolute_uri(_thing_path(thing)),
        categories=[thing.kind.replace("_", " "), *filter(None, [thing.seller])],
        is_cancelled=thing.is_cancelled,
    )


def _span(thing: Coming) -> tuple[date, date | None]:
    """The moment, or the first day and the day after the last: a month whose day nobody knows is that month."""
    at = first_moment(thing.at).astimezone(UTC)
    day = at.date()
    if day.year == MAXYEAR:
        return day, None
    if thing.precision == "day":
        return day, day + timedelta(days=1)
    if thing.precision == "month":
        return day, (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    if thing.precision == "year":
        return day, date(day.year + 1, 1, 1)
    return at, None


def _description(thing: Coming) -> str:
    when = beginning(first_moment(thing.at), "exact" if thing.precision not in _WHOLE else thing.precision)
    lines = [f"{'Was expected' if thing.is_cancelled else 'Expected'}: {when}", *thing.lines]
    lines += [f"Evidence: {address}" for address in thing.evidence]
    return "\n".join(map(one_line, [*lines, *thing.terms]))


_WHOLE = ("day", "month", "year")


def _thing_path(thing: Coming) -> str:
    if thing.offering is not None:
        return reverse("api-offering-detail", kwargs={"id": thing.offering})
    return reverse("api-model-detail", kwargs={"slug": thing.model})
