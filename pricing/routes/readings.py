"""Taking where a reading says that ids lead: runs of route statements, kept and resolved as those of prices are."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.utils import timezone

from pricing.bookkeeping import Cause
from pricing.models import Observation, RouteStatement, Source
from pricing.routes.settling import add_to, settle_routes_of
from pricing.routes.targets import Target
from pricing.runs import Edits, Run, read_between, read_latest
from pricing.sheets import BATCH, Outcome


@dataclass(frozen=True, slots=True)
class ToldRoute:
    """That one reference leads to a target, said in one reading; dated where the source dates it."""

    reference: int
    offering: int
    target: Target
    effective_from: datetime | None = None
    effective_until: datetime | None = None
    precision: str = "observed"
    citation_url: str = ""
    citation_title: str = ""


class _Key(NamedTuple):
    """What makes two readings say the same of an id's route."""

    reference: int | None
    offering: int
    target_offering: int | None
    target_model: int | None
    effective_from: datetime | None
    effective_until: datetime | None
    precision: str


class _Neighbours(NamedTuple):
    previous: datetime | None
    following: datetime | None


_RUN = (
    "pk",
    "first_observed_at",
    "ended_at",
    "reference_id",
    "offering_id",
    "target_offering_id",
    "target_model_id",
    "effective_from",
    "effective_until",
    "precision",
)


def observe_routes(
    source: Source, told: Iterable[ToldRoute], cause: Cause, unreadable: Collection[int], outcome: Outcome
) -> None:
    """Take the routes of a whole reading, in the transaction that took its prices, and count them in the outcome.

    The reading is complete: a route that it leaves out counts as gone, but for the references in ``unreadable``.
    """
    said = {_key(route): route for route in told}
    if not said and not RouteStatement.objects.filter(source=source).exists():
        return
    near = _neighbours(source, cause.moment)
    edits = _edits(source, said, cause.moment, near, unreadable)
    _write(source, edits, said, cause, near)
    outcome.statements_opened += len(edits.opened)
    outcome.statements_ended += len(edits.ended)
    observe_routes_again(source, cause, outcome)


def observe_routes_again(source: Source, cause: Cause, outcome: Outcome) -> None:
    """Settle all routes of a source anew: that it was read again may end what it no longer says, or deny another."""
    spoken_of = RouteStatement.objects.filter(source=source).order_by().values_list("offering_id", flat=True)
    if offerings := set(spoken_of.distinct()):
        add_to(outcome.settled, settle_routes_of(offerings, cause))


def _key(route: ToldRoute) -> _Key:
    return _Key(
        reference=route.reference,
        offering=route.offering,
        target_offering=route.target.offering,
        target_model=route.target.model,
        effective_from=route.effective_from,
        effective_until=route.effective_until,
        precision=route.precision,
    )


def _neighbours(source: Source, at: datetime) -> _Neighbours:
    """The source's readings before and after this one."""
    moments = Observation.objects.filter(source=source).values_list("observed_at", flat=True)
    return _Neighbours(
        moments.filter(observed_at__lt=at).order_by("-observed_at").first(),
        moments.filter(observed_at__gt=at).order_by("observed_at").first(),
    )


def _edits(
    source: Source, said: Collection[_Key], at: datetime, near: _Neighbours, unreadable: Collection[int]
) -> Edits[_Key]:
    rows = RouteStatement.objects.filter(source=source).values_list(*_RUN)
    runs = [Run(pk, _Key(*key), first, ended) for pk, first, ended, *key in rows]
    runs = [run for run in runs if run.key.reference not in unreadable]
    if near.following is None:
        return read_latest([run for run in runs if run.ended_at is None], said, at, near.previous)
    return read_between(runs, said, at, near.previous, near.following)


def _write(source: Source, edits: Edits[_Key], said: dict[_Key, ToldRoute], cause: Cause, near: _Neighbours) -> None:
    at, neighbour = cause.moment, None
    if near.following is not None:
        neighbour = Observation.objects.get(source=source, observed_at=near.following)
        RouteStatement.objects.bulk_create(_continued(edits.split, at, neighbour), batch_size=BATCH)
    ended_by = neighbour.refresh_id if neighbour is not None else None
    RouteStatement.objects.bulk_create(
        (
            _statement(source, key, said[key], cause, (first, absent_before, ended), ended_by)
            for key, first, absent_before, ended in edits.opened
        ),
        batch_size=BATCH,
    )
    _update([*edits.ended, *edits.split], ended_at=at, ended_by_refresh_id=cause.refresh_id)
    _update(edits.grown, first_observed_at=at, absent_before=near.previous, refresh_id=cause.refresh_id)
    _update(edits.narrowed, absent_before=at)


def _statement(
    source: Source,
    key: _Key,
    route: ToldRoute,
    cause: Cause,
    run: tuple[datetime, datetime | None, datetime | None],
    ended_by: int | None,
) -> RouteStatement:
    first, absent_before, ended = run
    return RouteStatement(
        source=source,
        reference_id=key.reference,
        offering_id=key.offering,
        target_offering_id=key.target_offering,
        target_model_id=key.target_model,
        effective_from=key.effective_from,
        effective_until=key.effective_until,
        precision=key.precision,
        first_observed_at=first,
        absent_before=absent_before,
        ended_at=ended,
        refresh_id=cause.refresh_id,
        ended_by_refresh_id=ended_by,
        citation_url=route.citation_url,
        citation_title=route.citation_title,
        recorded_at=timezone.now(),
    )


def _continued(split: Sequence[Run[_Key]], absent_at: datetime, neighbour: Observation) -> list[RouteStatement]:
    """The second halves of runs that a reading splits: the same words, from the next reading on."""
    halves = list(RouteStatement.objects.filter(pk__in=[run.statement for run in split]).order_by("pk"))
    for half in halves:
        half.pk = None
        half._state.adding = True
        half.first_observed_at = neighbour.observed_at
        half.absent_before = absent_at
        half.refresh_id = neighbour.refresh_id
    return halves


def _update(runs: Sequence[Run[_Key]], **values: object) -> None:
    RouteStatement.objects.filter(pk__in=[run.statement for run in runs]).update(**values)
