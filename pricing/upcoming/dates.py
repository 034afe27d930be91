"""Days on which offerings and AI models are deprecated or retire, and days that were given for it and hold no more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from django.db.models import Model, Q, QuerySet

from companies.models import AIModel
from pricing.models import Offering
from pricing.syndication.texts import lasting_id
from pricing.upcoming.things import DEPRECATION, RETIREMENT, Coming, Scope, called, told_since

_COLUMNS = {DEPRECATION: "deprecated_on", RETIREMENT: "retired_on"}
_VERBS = {DEPRECATION: "deprecated", RETIREMENT: "retires"}


@dataclass(frozen=True, slots=True)
class Dropped:
    """A day that a row once gave: how often it was changed to another, and when last."""

    times: int
    last: datetime


# By row, the kinds and days that it gives no more.
Droppings = dict[int, dict[tuple[str, date], Dropped]]


def coming_dates(scope: Scope, now: datetime) -> list[Coming]:
    """Offerings and models whose day is today or later; by four queries.

    Only what people and the curated record changed has a history: a day that a feed filled in leaves no trace when
    it is replaced.
    """
    found: list[Coming] = []
    if not scope.wants(*_COLUMNS):
        return found
    offerings = Offering.objects.filter(scope.of_offerings()).exclude(status=Offering.Status.MERGED)
    found += _of_table(offerings.select_related("seller"), Offering, now)
    return found + _of_table(AIModel.objects.filter(scope.of_models()).select_related("developer"), AIModel, now)


def _of_table(rows: QuerySet[Any], table: type[Model], now: datetime) -> list[Coming]:
    since = told_since(now)
    ahead = Q(*((f"{column}__gte", now.astimezone(UTC).date()) for column in _COLUMNS.values()), _connector=Q.OR)
    lately = Q(*((f"{column}__gte", since.date()) for column in _COLUMNS.values()), _connector=Q.OR)
    history: Any = table.history.model.objects  # type: ignore[attr-defined]
    dated = history.filter(lately).order_by().values("id")
    dropped = _dropped(history.filter(id__in=dated).order_by("id", "history_date", "history_id"))
    things = []
    for row in rows.filter(ahead | Q(pk__in=dropped.keys())).order_by("pk"):
        things += list(_of_row(row, dropped.get(row.pk, {}), now, since))
    return things


def _dropped(versions: Iterable[Any]) -> Droppings:
    """The days that were changed to another or to none before they came, from the versions of rows in order."""
    found: Droppings = {}
    before: Any = None
    for version in versions:
        for kind, column in _COLUMNS.items() if before is not None and before.id == version.id else ():
            day = getattr(before, column)
            if day is None or day == getattr(version, column) or day < version.history_date.date():
                continue
            days = found.setdefault(version.id, {})
            known = days.get((kind, day))
            days[kind, day] = Dropped((known.times if known else 0) + 1, version.history_date)
        before = version
    return found


def _of_row(row: Any, dropped: Mapping[tuple[str, date], Dropped], now: datetime, since: datetime) -> Iterable[Coming]:
    today = now.astimezone(UTC).date()
    for kind, column in _COLUMNS.items():
        day = getattr(row, column)
        if day is not None and day >= today:
            gone = dropped.get((kind, day))
            known_at = max(filter(None, (row.updated_at, gone.last if gone else None)))
            yield _thing(row, kind, day, known_at, 2 * gone.times if gone else 0)
    for (kind, once), gone in dropped.items():
        if once != getattr(row, _COLUMNS[kind]) and gone.last >= since:
            yield _thing(row, kind, once, gone.last, 2 * gone.times - 1, is_cancelled=True)


def _thing(row: Any, kind: str, day: date, known_at: datetime, sequence: int, *, is_cancelled: bool = False) -> Coming:
    is_offering = isinstance(row, Offering)
    maker = row.seller.name if is_offering else row.developer.name if row.developer else ""
    name = called(row) if is_offering else f"{row.name} of {maker}" if maker else row.name
    return Coming(
        kind=kind,
        uid=lasting_id(kind, "offering" if is_offering else "model", row.pk, row.created_at.timestamp(), day),
        at=day,
        precision="day",
        known_at=known_at,
        sequence=sequence,
        title=f"{name}: {_VERBS[kind]}",
        seller=maker,
        offering=row.pk if is_offering else None,
        model=None if is_offering else row.slug,
        is_cancelled=is_cancelled,
    )
