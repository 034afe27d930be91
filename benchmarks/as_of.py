"""How the latency of ``prices/?as_of=`` grows with the record: as many lines wider, and 100 versions deep.

Three records of the same kind are made in bulk, each in a database of its own: a small one, one with many more lines,
and one with few lines and a long history (every move leaves a superseded row behind, as the ledger does). Then the
three are asked the same questions in turn, several times, each time for another moment so that no answer is kept.

    python benchmarks/as_of.py                        # SQLite, and PostgreSQL where DATABASE_URL names a server
    python benchmarks/as_of.py --large 5000000
    python benchmarks/as_of.py --postgresql postgresql://postgres@127.0.0.1:5432/postgres

The last lines are JSON, one for each question.
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
import time
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit, urlunsplit

ROOT = Path(__file__).resolve().parent.parent
GOALS = {"wide": 1.5, "deep": 3.0}
DESCRIPTIONS = {"wide": "lines wider", "deep": "versions deep"}


def main() -> None:
    """Make the records, ask, print."""
    options = _options()
    if options.serve:
        from benchmarks.as_of_record import serve

        serve(options)
        return
    servers = [("sqlite", "")] + ([("postgresql", options.postgresql)] if options.postgresql else [])
    rows = [row for database, url in servers for row in _compare(database, url, options)]
    print()
    for row in rows:
        print(json.dumps(row))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--small", type=int, default=50_000, help="price rows of the small record")
    parser.add_argument("--large", type=int, default=1_000_000, help="price rows of the large records")
    parser.add_argument("--depth", type=int, default=100, help="versions of each line of the deep record")
    parser.add_argument("--rounds", type=int, default=5, help="how often each record is asked, in turn")
    parser.add_argument("--requests", type=int, default=20, help="requests in each round")
    server = os.environ.get("DATABASE_URL", "")
    parser.add_argument("--postgresql", default=server, help="a server to make databases on")
    parser.add_argument("--plans", action="store_true", help="also print how each database finds the page")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    parser.add_argument("--lines", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--versions", type=int, help=argparse.SUPPRESS)
    return parser.parse_args()


class Record:
    """A process with one record in a database of its own, that answers with latencies."""

    def __init__(self, name: str, database: str, server: str, lines: int, versions: int, plans: bool) -> None:
        self.name = name
        self.server = server
        self.folder = tempfile.mkdtemp(prefix="as-of-")
        self.database = f"benchmark_as_of_{name}_{os.getpid()}"
        url = urlunsplit(urlsplit(server)._replace(path=f"/{self.database}")) if server else ""
        if server:
            _on_server(server, f'CREATE DATABASE "{self.database}"')
        environment = {**os.environ, "DATA_DIR": self.folder, "DATABASE_URL": url, "REDIS_URL": "", "ENV_FILE": ""}
        environment |= {"API_RATE_LIMIT_ANON": "0", "DEBUG": "0", "LOG_LEVEL": "ERROR", "PYTHONPATH": str(ROOT)}
        arguments = ["--serve", name, "--lines", str(lines), "--versions", str(versions), *(["--plans"] * plans)]
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", __file__, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**environment, "ALLOWED_HOSTS": "testserver"},
            cwd=ROOT,
        )

    def ask(self, requests: int) -> dict[str, list[float]]:
        """Milliseconds of each request, by question."""
        asked, answered = _pipes(self.process)
        asked.write(f"{requests}\n")
        asked.flush()
        latencies: dict[str, list[float]] = json.loads(answered.readline())
        return latencies

    def ready(self) -> dict[str, Any]:
        """Wait until the record is made; what was made."""
        made: dict[str, Any] = json.loads(_pipes(self.process)[1].readline())
        return made

    def close(self) -> None:
        """End the process and drop its database."""
        _pipes(self.process)[0].close()
        self.process.wait(30)
        if self.server:
            _on_server(self.server, f'DROP DATABASE IF EXISTS "{self.database}"')
        shutil.rmtree(self.folder, ignore_errors=True)


def _compare(database: str, server: str, options: argparse.Namespace) -> list[dict[str, Any]]:
    deep_lines = options.large // (2 * options.depth - 1)
    shapes = {"small": (options.small, 1), "wide": (options.large, 1), "deep": (deep_lines, options.depth)}
    records: list[Record] = []
    try:
        for name, (lines, versions) in shapes.items():
            record = Record(name, database, server, lines, versions, options.plans)
            records.append(record)
            made = record.ready()
            size = f"{made['prices']:,} prices, {made['statements']:,} statements on {lines:,} lines"
            print(f"{database}, {name}: {size}")
            print("".join(f"  {line}\n" for line in made["plan"]), end="")
        measured = _measure(records, options)
    finally:
        for record in records:
            record.close()
    return _report(database, measured, options)


def _measure(records: list[Record], options: argparse.Namespace) -> dict[str, dict[str, list[float]]]:
    """Latencies by record and question, the records asked in turn."""
    measured: dict[str, dict[str, list[float]]] = {record.name: {} for record in records}
    for record in records:
        record.ask(3)
    for _ in range(options.rounds):
        for record in records:
            for question, latencies in record.ask(options.requests).items():
                measured[record.name].setdefault(question, []).extend(latencies)
    return measured


def _report(
    database: str, measured: dict[str, dict[str, list[float]]], options: argparse.Namespace
) -> list[dict[str, Any]]:
    rows = []
    for question, small in measured["small"].items():
        theirs = statistics.median(small)
        for name, goal in GOALS.items():
            ours = statistics.median(measured[name][question])
            row = {
                "work": f"{question}, {options.large:,} rows, {DESCRIPTIONS[name]}",
                "peer": f"the same at {options.small:,} rows",
                "database": database,
                "ours": round(ours, 2),
                "theirs": round(theirs, 2),
                "unit": "ms",
                "ratio": round(ours / theirs, 2),
                "goal": goal,
                "ok": ours <= goal * theirs,
            }
            mark = "met" if row["ok"] else "MISSED"
            print(f"{database:11} {row['work']:75} {ours:8.2f} ms, {theirs:8.2f} ms: x{row['ratio']} (x{goal} {mark})")
            rows.append(row)
    return rows


def _on_server(server: str, statement: str) -> None:
    import psycopg

    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(statement.encode())


def _pipes(process: subprocess.Popen[str]) -> tuple[IO[str], IO[str]]:
    assert process.stdin is not None and process.stdout is not None
    return process.stdin, process.stdout


if __name__ == "__main__":
    started = time.monotonic()
    main()
    if "--serve" not in sys.argv:
        print(f"{time.monotonic() - started:.0f} s in all", file=sys.stderr)
