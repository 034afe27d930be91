"""10,000 lines of usage in one ``POST costs/`` over HTTP against a loop over ``genai_prices.calc_price``, in turn.

A server of its own is started as in production (gunicorn, one process) with a fresh record of the installed
genai-prices data, on SQLite, and on PostgreSQL where DATABASE_URL names a server. Each round sends the same lines once
and runs the loop once. The time is the client's: from sending the first byte to having read the last.

    python benchmarks/costs_over_http.py [--rounds 7] [--postgresql postgresql://postgres@127.0.0.1:5432/postgres]

The last lines are JSON, one for each database. It measures and does not judge: the exit status is 0 whatever it finds.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit, urlunsplit

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.cost_peers import genai_peer  # noqa: E402
from benchmarks.cost_peers.genai_lines import Line  # noqa: E402
from benchmarks.cost_peers.sheets import genai_prices_sheets  # noqa: E402

WORK = "price 10,000 usage lines in one POST costs/ over HTTP"
GOAL = 5
LINES = 10_000
MODELS = 100
_NAMES = """
import json
from pricing.models import Reference
rows = Reference.objects.filter(source__slug="genai-prices").values_list(
    "provider", "external_id", "offering__seller__slug", "offering__listing"
)
print(json.dumps([(provider, model, provider if listing else seller) for provider, model, seller, listing in rows]))
"""


def main() -> None:
    """Measure, print."""
    options = _options()
    found = rows(options.rounds, options.postgresql)
    print()
    for row in found:
        print(json.dumps(row))


def rows(rounds: int, postgresql: str) -> list[dict[str, Any]]:
    """Serve and measure on SQLite, and on a PostgreSQL server if one is named; one row each."""
    servers = [("sqlite", "")] + ([("postgresql", postgresql)] if postgresql else [])
    return [_measured(database, url, rounds) for database, url in servers]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument(
        "--postgresql", default=os.environ.get("DATABASE_URL", ""), help="a server to make a database on"
    )
    return parser.parse_args()


def _measured(database: str, url: str, rounds: int) -> dict[str, Any]:
    with served(url, _read_genai_prices) as (port, environment):
        _one_bill(database, "every model", None, rounds, port, environment)
        ours, theirs = _one_bill(database, f"{MODELS} models", MODELS, rounds, port, environment)
    ratio = theirs / ours
    return {
        "work": WORK,
        "peer": genai_peer.NAME,
        "database": database,
        "ours": round(1000 * ours, 1),
        "theirs": round(1000 * theirs, 1),
        "unit": "ms",
        "ratio": round(ratio, 2),
        "goal": GOAL,
        "ok": ratio >= GOAL,
    }


def _one_bill(
    database: str, on: str, models: int | None, rounds: int, port: int, environment: dict[str, str]
) -> tuple[float, float]:
    """The median seconds of ours and theirs."""
    lines = genai_peer.timed_lines(genai_prices_sheets(), LINES, models)
    body = _body(lines, environment)
    _compare(lines, json.loads(post(port, body))["results"])
    # The second request finds the prices in memory, and learns how they are written.
    post(port, body)
    ours, theirs = _in_turn(lambda: post(port, body), genai_peer.their_loop(lines), rounds)
    times = f"{1000 * ours:.0f} ms for the request, {1000 * theirs:.0f} ms for the loop: x{theirs / ours:.1f}"
    print(f"{database}, {LINES:,} lines on {on}: {times}")
    return ours, theirs


def _in_turn(ours: Callable[[], object], theirs: Callable[[], object], rounds: int) -> tuple[float, float]:
    """The median seconds of each, after one round that does not count."""
    taken: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds + 1):
        for run, seconds in zip((ours, theirs), taken, strict=True):
            gc.collect()
            started = time.perf_counter()
            run()
            seconds.append(time.perf_counter() - started)
    return median(taken[0][1:]), median(taken[1][1:])


def _body(lines: Sequence[Line], environment: dict[str, str]) -> bytes:
    listed = manage(environment, "shell", "--no-imports", "-c", _NAMES).splitlines()[-1]
    sellers = {(provider, model): seller for provider, model, seller in json.loads(listed)}
    asked = [
        {
            "id": str(number),
            "seller": sellers[line.provider, line.model],
            "model": line.model,
            "at": line.at.isoformat(),
            "usage": dict(line.usage),
        }
        for number, line in enumerate(lines)
    ]
    return json.dumps({"lines": asked}).encode()


def post(port: int, body: bytes) -> bytes:
    connection = HTTPConnection("127.0.0.1", port, timeout=120)
    connection.request("POST", "/api/v1/costs/", body, {"Content-Type": "application/json"})
    response = connection.getresponse()
    received = response.read()
    connection.close()
    assert response.status == 200, received[:500]
    return received


def _compare(lines: Sequence[Line], answer: Sequence[dict[str, Any]]) -> None:
    """Say how many totals are the peer's, and name some of the others."""
    differ = []
    for line, result in zip(lines, answer, strict=True):
        theirs = genai_peer._their_total(line)
        if result["error"] or Decimal(result["total"]) != theirs:
            differ.append(f"{line.provider}/{line.model}: {result['total']}, theirs {theirs} {result['error'] or ''}")
    print(f"{len(lines) - len(differ):,} of {len(lines):,} totals equal the peer's")
    for difference in sorted(set(differ))[:10]:
        print(f"  {difference[:200]}")


@contextmanager
def served(url: str, fill: Callable[[dict[str, str]], object]) -> Iterator[tuple[int, dict[str, str]]]:
    """An empty record, filled and served; the port, and the environment of the project's commands."""
    folder = tempfile.mkdtemp(prefix="costs-over-http-")
    name = f"benchmark_costs_{os.getpid()}"
    port = _free_port()
    environment = os.environ | {"DATA_DIR": folder, "ENV_FILE": "", "REDIS_URL": "", "DEBUG": "0", "LOG_LEVEL": "ERROR"}
    environment |= {"API_RATE_LIMIT_ANON": "0", "HOST": "127.0.0.1", "PORT": str(port), "WEB_PROCESSES": "1"}
    environment["DATABASE_URL"] = urlunsplit(urlsplit(url)._replace(path=f"/{name}")) if url else ""
    process: subprocess.Popen[bytes] | None = None
    try:
        if url:
            _on_server(url, f'CREATE DATABASE "{name}"')
        manage(environment, "migrate", "-v0")
        fill(environment)
        arguments = ["--config", "python:tracker.gunicorn_settings", "tracker.wsgi"]
        process = subprocess.Popen([sys.executable, "-m", "gunicorn", *arguments], cwd=ROOT, env=environment)
        _await(port)
        yield port, environment
    finally:
        if process is not None:
            process.terminate()
            process.wait(30)
        if url:
            _on_server(url, f'DROP DATABASE IF EXISTS "{name}"')
        shutil.rmtree(folder, ignore_errors=True)


def _read_genai_prices(environment: dict[str, str]) -> None:
    manage(environment, "refresh", "genai-prices")


def manage(environment: dict[str, str], *arguments: str) -> str:
    command = [sys.executable, "-W", "ignore", "manage.py", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await(port: int, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(f"no server came up at port {port}")


def _on_server(server: str, statement: str) -> None:
    import psycopg

    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(statement.encode())


if __name__ == "__main__":
    main()
