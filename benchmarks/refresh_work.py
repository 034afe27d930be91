"""One round of the benchmark of refreshing, in a process and a database of its own: what each piece of work took."""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

MOMENT = datetime(2026, 10, 1, tzinfo=UTC)


def measure(arguments: list[str]) -> None:
    """Do the work named first and print what it took, as JSON."""
    import django

    django.setup()
    work, *rest = arguments
    took = _load(*map(Path, rest)) if work == "load" else _weeks(Path(rest[0]))
    took["peak_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sys.stdout.write(json.dumps(took) + "\n")


def _seconds(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _load(first: Path, moved: Path) -> dict[str, float]:
    from feeds.enrolment import feed_named
    from feeds.reading import Document, Unchanged
    from feeds.refreshing import refresh

    import_module("feeds.adapters.litellm")  # its modules are not what is measured
    body, moved_body = first.read_bytes(), moved.read_bytes()
    days = [MOMENT + timedelta(days=number) for number in range(9)]

    def read(content: bytes, day: int) -> Callable[[], Any]:
        return lambda: refresh(feed_named("litellm"), document=Document(content, days[day]), trigger="file")

    took = {"first": _seconds(read(body, 0))}
    took["peak_after_load_mib"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    took["again"] = min(_seconds(read(body, day)) for day in (1, 2, 3))
    unchanged = Unchanged(days[4])
    took["not_modified"] = _seconds(lambda: refresh(feed_named("litellm"), document=unchanged))
    took["moved"] = _seconds(read(moved_body, 5))
    took["json_loads_moved"] = min(_seconds(lambda: json.loads(moved_body)) for _ in range(5))
    tables = _written()
    took["bare"] = _seconds(lambda: (json.loads(body), _insert_bare(tables)))
    took["rows"] = sum(len(rows) for _, rows in tables.values())
    return took


def _written() -> dict[str, tuple[list[str], list[tuple[Any, ...]]]]:
    """Every row that loading writes, by table: what the bare tables take as well."""
    from django.db import connection

    from companies.models import AIModel, Company
    from feeds.models import Payload, Refresh
    from pricing import models

    written = [Company, AIModel, models.Offering, models.Reference, models.PriceLine, models.Statement, models.Price]
    written += [models.PricingChange, models.PricingChangeLine, models.Observation, Payload, Refresh]
    found = {}
    with connection.cursor() as cursor:
        for model in written:
            table = model._meta.db_table
            cursor.execute(f"CREATE TABLE bare_{table} AS SELECT * FROM {table} WHERE 1 = 0")
            cursor.execute(f"SELECT * FROM {table}")
            columns = [column[0] for column in cursor.description]
            found[table] = (columns, [tuple(map(_plain, row)) for row in cursor.fetchall()])
    return found


def _plain(value: Any) -> Any:
    """Documents in columns go in as the text that they are."""
    return json.dumps(value) if isinstance(value, dict | list) else value


def _insert_bare(tables: dict[str, tuple[list[str], list[tuple[Any, ...]]]]) -> None:
    from django.db import connection, transaction

    with transaction.atomic(), connection.cursor() as cursor:
        for table, (columns, rows) in tables.items():
            marks = ", ".join(["%s"] * len(columns))
            cursor.executemany(f"INSERT INTO bare_{table} VALUES ({marks})", rows)


def _weeks(folder: Path) -> dict[str, float]:
    from django.core.management import call_command

    return {"weeks": _seconds(lambda: call_command("backfill", "models-dev", dir=folder, stdout=sys.stderr))}


if __name__ == "__main__":
    measure(sys.argv[1:])
