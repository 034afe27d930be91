"""Writing and reading many rows at once, as fast as the database takes and gives them.

The ORM's bulk_create spends most of a refresh on building statements of at most 999 parameters;
this hands over plain rows: ``executemany`` on SQLite, ``COPY`` on PostgreSQL. No signals are sent.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import chain
from operator import attrgetter
from typing import Any

from django.db import connection, models
from django.db.models.expressions import RawSQL
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
    ids = _new_ids(model, len(prepared[0]))
    names = ["id", *(str(_field(model, name).column) for name in columns)]
    _hand_over(model._meta.db_table, names, list(zip(ids, *prepared, strict=True)))
    return ids


def among(ids: Collection[int]) -> RawSQL | list[int]:
    """Ids for ``…__in``; on SQLite as one parameter, since Django takes longer over hundreds than the query does.

    PostgreSQL plans by the ids themselves: of an array that is unnested it only guesses how many there are.
    """
    if connection.vendor == "postgresql":
        return sorted(ids)
    return RawSQL("SELECT value FROM json_each(%s)", [json.dumps(sorted(ids))])


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
    rows = list(zip(*_prepared(model, [*names, "id"], map(attrgetter(*names, "pk"), instances)), strict=True))
    quote = connection.ops.quote_name
    columns = ", ".join(f"{quote(str(_field(model, name).column))} = %s" for name in names)
    with connection.cursor() as cursor:
        cursor.executemany(
            f"UPDATE {quote(model._meta.db_table)} SET {columns} WHERE id = %s",  # noqa: S608 - own names
            rows,
        )


def read(rows: models.QuerySet[Any, Any], chunk_size: int = 2000) -> Iterator[Row]:
    """The rows of a ``values_list`` of plain columns, as ``iterator`` gives them.

    SQLite keeps amounts and moments as text, and thousands of rows hold the same few hundred: each is read once.
    """
    if connection.vendor != "sqlite":
        yield from rows.iterator(chunk_size=chunk_size)
        return
    compiler = rows.query.get_compiler(using=rows.db)
    found = compiler.execute_sql(chunked_fetch=True, chunk_size=chunk_size)
    columns = [column for column, *_ in compiler.select[: compiler.col_count]]
    readers = [(place, *_reader(*each)) for place, each in compiler.get_converters(columns).items()]
    for row in chain.from_iterable(found):
        cells = list(row)
        for place, known, convert in readers:
            cell = cells[place]
            if cell is None:
                continue
            value = known.get(cell)
            cells[place] = value if value is not None else known.setdefault(cell, convert(cell))
        yield tuple(cells)


def _reader(converters: Sequence[Callable[..., Any]], expression: Any) -> tuple[dict[Any, Any], Convert]:
    """What was read of a column so far, and how the rest is."""

    def convert(value: Any) -> Any:
        for step in converters:
            value = step(value, expression, connection)
        return value

    return {}, convert


def _prepared(model: type[models.Model], columns: Sequence[str], rows: Iterable[Row]) -> list[Sequence[Any]]:
    """The cells of each column as they are written; no columns where there are no rows."""
    by_column = zip(*rows, strict=True)
    return [_written(_field(model, name), cells) for name, cells in zip(columns, by_column, strict=False)]


def _written(field: models.Field[Any, Any], cells: Sequence[Any]) -> Sequence[Any]:
    """How a column's values are written on this database. Amounts and moments come again and again: once for each."""
    if isinstance(field, models.JSONField):
        return [None if cell is None else json.dumps(cell) for cell in cells]
    convert = _converter(field)
    if convert is None:
        return cells
    written = {None: None} | {cell: convert(cell) for cell in {*cells} - {None}}
    return list(map(written.__getitem__, cells))


def _field(model: type[models.Model], name: str) -> models.Field[Any, Any]:
    field = model._meta.get_field(name)
    assert isinstance(field, models.Field)
    return field


def _converter(field: models.Field[Any, Any]) -> Convert | None:
    """How a value is written on this database; None where it is written as it is."""
    if isinstance(field, AmountField):
        # PostgreSQL's numeric would round without a word what has too many digits; the field refuses it.
        return lambda value: field.get_db_prep_value(value, connection)
    if connection.vendor == "postgresql":
        return None
    if isinstance(field, models.DateTimeField):
        return connection.ops.adapt_datetimefield_value
    return int if isinstance(field, models.BooleanField) else None


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
