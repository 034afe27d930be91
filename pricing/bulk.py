"""Writing many rows of one table at once, as fast as the database takes them.

The ORM's bulk_create spends most of a refresh on building statements of at most 999 parameters;
this hands over plain rows: ``executemany`` on SQLite, ``COPY`` on PostgreSQL. No signals are sent.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import Any

from django.db import connection, models
from django.utils import timezone

from tracker.fields import AmountField

Row = tuple[Any, ...]
Convert = Callable[[Any], Any]


def insert(model: type[models.Model], columns: Sequence[str], rows: Iterable[Row]) -> list[int]:
    """Insert rows given as values of ``columns`` (attribute names); returns their new ids, in order.

    Must run inside a transaction that keeps other writers of the table out, as the ledger's lock
    does. Columns left out take their default from the database: name all that have none there.
    """
    prepared = _prepared(model, columns, rows)
    if not prepared:
        return []
    ids = _new_ids(model, len(prepared))
    names = ["id", *(str(_field(model, name).column) for name in columns)]
    complete = [(pk, *row) for pk, row in zip(ids, prepared, strict=True)]
    _hand_over(model._meta.db_table, names, complete)
    return ids


def save_new(instances: Sequence[models.Model]) -> None:
    """Insert new model instances of one class, as bulk_create does; they know their ids afterwards."""
    if not instances:
        return
    model = type(instances[0])
    now = timezone.now()
    fields = [field for field in model._meta.concrete_fields if not field.primary_key]
    clocks = [f.attname for f in fields if isinstance(f, models.DateTimeField) and (f.auto_now or f.auto_now_add)]
    for instance in instances:
        for name in clocks:
            setattr(instance, name, now)
    names = [field.attname for field in fields]
    ids = insert(model, names, map(attrgetter(*names), instances))
    for instance, pk in zip(instances, ids, strict=True):
        instance.pk = pk
        instance._state.adding, instance._state.db = False, connection.alias


def save_changes(instances: Sequence[models.Model], names: Sequence[str]) -> None:
    """Write some columns of instances of one class that are stored already, as bulk_update does.

    That spends its time on one long CASE for each column; this is one plain UPDATE, many times.
    """
    if not instances:
        return
    model = type(instances[0])
    rows = _prepared(model, [*names, "id"], map(attrgetter(*names, "pk"), instances))
    quote = connection.ops.quote_name
    columns = ", ".join(f"{quote(str(_field(model, name).column))} = %s" for name in names)
    with connection.cursor() as cursor:
        cursor.executemany(
            f"UPDATE {quote(model._meta.db_table)} SET {columns} WHERE id = %s",  # noqa: S608 - own names
            rows,
        )


def _prepared(model: type[models.Model], columns: Sequence[str], rows: Iterable[Row]) -> list[Row]:
    converters = [(place, convert) for place, name in enumerate(columns) if (convert := _converter(model, name))]
    prepared = []
    for row in rows:
        cells = list(row)
        for place, convert in converters:
            if cells[place] is not None:
                cells[place] = convert(cells[place])
        prepared.append(tuple(cells))
    return prepared


def _field(model: type[models.Model], name: str) -> models.Field[Any, Any]:
    field = model._meta.get_field(name)
    assert isinstance(field, models.Field)
    return field


def _converter(model: type[models.Model], name: str) -> Convert | None:
    """How a column's values are written on this database; None where they are written as they are."""
    field = _field(model, name)
    if isinstance(field, models.JSONField):
        return json.dumps
    if isinstance(field, AmountField):
        # PostgreSQL's numeric would round without a word what has too many digits; the field refuses it.
        return _remembering(lambda value: field.get_db_prep_value(value, connection))
    if connection.vendor == "postgresql":
        return None
    if isinstance(field, models.DateTimeField):
        return _remembering(connection.ops.adapt_datetimefield_value)
    if isinstance(field, models.BooleanField):
        return int
    return None


def _remembering(convert: Convert) -> Convert:
    """The same conversion, made once for each value of one call: amounts and moments come again and again."""
    known: dict[Any, Any] = {}

    def remembered(value: Any) -> Any:
        if value not in known:
            known[value] = convert(value)
        return known[value]

    return remembered


def _new_ids(model: type[models.Model], count: int) -> list[int]:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)",
                [model._meta.db_table, count],
            )
            return [pk for (pk,) in cursor.fetchall()]
        cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [model._meta.db_table])
        row = cursor.fetchone()
    first = (row[0] if row else 0) + 1
    return list(range(first, first + count))


def _hand_over(table: str, names: Sequence[str], rows: Sequence[Row]) -> None:
    quoted = ", ".join(map(connection.ops.quote_name, names))
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.cursor.copy(f"COPY {connection.ops.quote_name(table)} ({quoted}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
            return
        marks = ", ".join(["%s"] * len(names))
        cursor.executemany(
            f"INSERT INTO {connection.ops.quote_name(table)} ({quoted}) VALUES ({marks})",  # noqa: S608 - own names
            rows,
        )
