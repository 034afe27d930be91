"""How long a refresh takes: a first load, the same document again, one with a few prices moved, and old weeks.

The peer of a first load is what no program could do without: ``json.loads`` of the document, and ``executemany`` of all
the rows that we write into bare tables (no index, no constraint) of the same database, in the same process.

    python benchmarks/refresh.py                                 # made-up documents of like size
    python benchmarks/refresh.py --litellm model_prices.json.gz --models-dev folder/of/dated/documents
    python benchmarks/refresh.py --postgresql postgresql://postgres@127.0.0.1:5432/postgres

The last lines are JSON, one for each row of the result.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks import refresh_documents  # noqa: E402 - the folder has to be found first

MOVED_SHARE = 0.01
Took = dict[str, float]


def main() -> None:
    """Make the documents, load them in turn on each database, print."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="benchmark-refresh-") as folder:
        documents = _documents(Path(folder), options)
        servers = [("sqlite", "")] + ([("postgresql", options.postgresql)] if options.postgresql else [])
        rows = [row for database, url in servers for row in _measure(database, url, documents, options.rounds)]
    print()
    for row in rows:
        print(json.dumps(row))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--litellm", type=Path, help="LiteLLM's map, may be .gz; a made-up one of like size without it")
    parser.add_argument("--models-dev", type=Path, help="a folder of dated documents; made-up weeks without it")
    parser.add_argument("--rounds", type=int, default=3, help="how often each piece of work is done")
    server = os.environ.get("DATABASE_URL", "")
    parser.add_argument("--postgresql", default=server, help="a server to make databases on")
    return parser.parse_args()


def _documents(folder: Path, options: argparse.Namespace) -> tuple[Path, Path, Path]:
    first, moved = folder / "first.json", folder / "moved.json"
    first.write_bytes(refresh_documents.read(options.litellm) if options.litellm else refresh_documents.price_map())
    moved.write_bytes(refresh_documents.with_moved_prices(first.read_bytes(), MOVED_SHARE))
    weeks = options.models_dev or folder / "weeks"
    if not options.models_dev:
        weeks.mkdir()
        refresh_documents.write_weeks(weeks)
    return first, moved, weeks


def _measure(database: str, server: str, documents: tuple[Path, Path, Path], rounds: int) -> list[dict[str, Any]]:
    first, moved, weeks = documents
    loads = [_round(server, "load", first, moved) for _ in range(rounds)]
    backfill = _round(server, "weeks", weeks)
    median = {name: statistics.median(load[name] for load in loads) for name in loads[0]}
    print(
        f"{database}: {median['rows']:,.0f} rows written; peak {median['peak_after_load_mib']:.0f} MiB after the load"
    )
    return [_printed({"database": database, **row}) for row in _rows(median, backfill)]


def _rows(took: Took, backfill: Took) -> Iterator[dict[str, Any]]:
    bare = "json.loads and executemany of all the rows into bare tables"
    yield _against("first load of the LiteLLM document", bare, took["first"], took["bare"], 6)
    yield _within("the same document again", took["again"] * 1000, "ms", 50)
    yield _within("a 304", took["not_modified"] * 1000, "ms", 50)
    yield _against("1% of prices moved", "the first load", took["moved"], took["first"], 0.2)
    yield _against("1% of prices moved", "json.loads of it", took["moved"], took["json_loads_moved"], 8)
    yield _within("all models.dev weeks by backfill", backfill["weeks"], "s", 90)
    yield _within("peak memory of a first load", took["peak_after_load_mib"], "MiB", 300)
    yield _within("peak memory of the backfill", backfill["peak_mib"], "MiB", 300)


def _against(work: str, peer: str, ours: float, theirs: float, goal: float) -> dict[str, Any]:
    row = {"work": work, "peer": peer, "ours": round(ours, 3), "theirs": round(theirs, 3), "unit": "s"}
    return {**row, "ratio": round(ours / theirs, 2), "goal": goal, "ok": ours <= goal * theirs}


def _within(work: str, ours: float, unit: str, goal: float) -> dict[str, Any]:
    row = {"work": work, "peer": None, "ours": round(ours, 1), "theirs": None, "unit": unit}
    return {**row, "ratio": None, "goal": goal, "ok": ours <= goal}


def _printed(row: dict[str, Any]) -> dict[str, Any]:
    peer = f", {row['theirs']} {row['unit']} ({row['peer']}): x{row['ratio']}" if row["peer"] else ""
    mark = "met" if row["ok"] else "MISSED"
    print(f"{row['database']:11} {row['work']:36} {row['ours']} {row['unit']}{peer} (goal {row['goal']}: {mark})")
    return row


def _round(server: str, *arguments: object) -> Took:
    """One round in a fresh record; what its pieces took."""
    with _record(server) as environment:
        command = [sys.executable, "-W", "ignore", "-m", "benchmarks.refresh_work", *map(str, arguments)]
        answer = subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True)
        took: Took = json.loads(answer.stdout.splitlines()[-1])
        return took


@contextmanager
def _record(server: str) -> Iterator[dict[str, str]]:
    """An empty record in a database of its own; the environment of processes that work on it."""
    folder = tempfile.mkdtemp(prefix="refresh-")
    name = f"benchmark_refresh_{os.getpid()}"
    url = urlunsplit(urlsplit(server)._replace(path=f"/{name}")) if server else ""
    environment = os.environ | {"DATA_DIR": folder, "DATABASE_URL": url, "REDIS_URL": "", "ENV_FILE": ""}
    environment |= {"DEBUG": "0", "LOG_LEVEL": "ERROR", "DJANGO_SETTINGS_MODULE": "tracker.settings"}
    try:
        if server:
            _on_server(server, f'CREATE DATABASE "{name}"')
        migrate = [sys.executable, "-W", "ignore", "manage.py", "migrate", "-v0"]
        subprocess.run(migrate, cwd=ROOT, env=environment, check=True)
        yield environment
    finally:
        if server:
            _on_server(server, f'DROP DATABASE IF EXISTS "{name}"')
        shutil.rmtree(folder, ignore_errors=True)


def _on_server(server: str, statement: str) -> None:
    import psycopg

    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(statement.encode())


if __name__ == "__main__":
    main()
