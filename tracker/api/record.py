"""What the API has to know of the record without knowing its tables: when it last changed, and how fresh it is.

The apps name their tables here (``watch``, ``watch_moments``, ``tell_freshness``), since nothing in this package may
import them. ``current`` then asks the database one cheap question.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection, models
from django.utils import timezone

Freshness = Callable[[Collection[int] | None], datetime | None]

# The newest ids of a table are summed, not just the last one taken: two writers may commit in the other order than
# they drew their ids, and the sum also moves when the lower one comes late.
_NEWEST = 20

_watched: dict[tuple[str, str], None] = {}
_moments: dict[tuple[str, str, str], None] = {}
_freshness: list[Freshness] = []


@dataclass(frozen=True, slots=True)
class RecordState:
    """The record at one moment.

    ``version`` differs from any earlier one after a write to a watched table, after each moment at which
    something begins or ends to hold, and on each day in UTC: what nobody confirms grows stale by the day.
    ``turned_at`` is the latest such moment of the second kind that has passed: what holds now holds since then.
    """

    version: str
    turned_at: datetime | None


def watch(*tables: type[models.Model]) -> None:
    """Count new rows of these tables as changes of the record. A watched table needs an ascending integer key."""
    _watched.update(dict.fromkeys((table._meta.db_table, str(table._meta.pk.column)) for table in tables))


def watch_moments(table: type[models.Model], column: str, condition: str) -> None:
    """Count the passing of each moment in ``column`` as a change. ``condition`` is SQL; both want an index."""
    _moments[(table._meta.db_table, column, condition)] = None


def tell_freshness(freshness: Freshness) -> None:
    """Set how ``record_as_of`` is found: a function of source ids (None: all) to their newest observation."""
    _freshness[:] = [freshness]


def record_as_of(sources: Collection[int] | None = None) -> datetime | None:
    """The moment of the newest successful reading among these sources (None: all)."""
    return _freshness[0](sources) if _freshness else None


def current() -> RecordState:
    """The record's state now, by one query of index look-ups."""
    moment = timezone.now()
    now = connection.ops.adapt_datetimefield_value(moment)
    with connection.cursor() as cursor:
        cursor.execute(_question(), [now] * len(_moments))
        _, *answers = cursor.fetchone()
    turned = [_moment(value) for value in answers[len(_watched) :] if value is not None]
    return RecordState(
        version="-".join(map(str, [moment.astimezone(UTC).date(), *answers])), turned_at=max(turned, default=None)
    )


def _question() -> str:
    """The names in it come from the models alone."""
    newest = [
        f"(SELECT SUM({key}) FROM (SELECT {key} FROM {table} ORDER BY {key} DESC LIMIT {_NEWEST}) t)"  # noqa: S608
        for table, key in _watched
    ]
    passed = [
        f"(SELECT {column} FROM {table} WHERE {condition} AND {column} <= %s ORDER BY {column} DESC LIMIT 1)"  # noqa: S608
        for table, column, condition in _moments
    ]
    return "SELECT " + ", ".join(["1", *newest, *passed])


def _moment(value: Any) -> datetime:
    """PostgreSQL answers with a moment, SQLite with its text in UTC."""
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
