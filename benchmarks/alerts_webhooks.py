"""2,000 webhooks to a local server: ours, claimed and logged in the database, beside bare httpx, same concurrency.

    python -m benchmarks.alerts_webhooks              # SQLite, and PostgreSQL where DATABASE_URL names a server
    python -m benchmarks.alerts_webhooks --webhooks 2000 --concurrency 50 --channels 500

Bare httpx posts the same bytes from threads and by its asynchronous client; the faster of the two is the peer.
The last lines are JSON, one for each database.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

ROOT = Path(__file__).resolve().parent.parent
GOAL = 0.6


def main() -> None:
    """Measure on each database, print."""
    options = _options()
    if options.measure:
        measure(options)
        return
    told = rows(options.rounds, options.postgresql, sys.argv[1:])
    print()
    for row in told:
        print(json.dumps(row))


def rows(rounds: int, postgresql: str = "", arguments: Sequence[str] = ()) -> list[dict[str, Any]]:
    """The rows of all databases, each measured in a process of its own."""
    servers = [("sqlite", "")] + ([("postgresql", postgresql)] if postgresql else [])
    given = [*arguments, "--rounds", str(rounds)]
    return [_in_a_process(database, server, given) for database, server in servers]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--webhooks", type=int, default=2000)
    parser.add_argument("--channels", type=int, default=500, help="receivers that share the webhooks")
    parser.add_argument("--concurrency", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--postgresql", default=os.environ.get("DATABASE_URL", ""), help="a server to make a database on"
    )
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    return parser.parse_args()


def _in_a_process(database: str, server: str, arguments: list[str]) -> dict[str, Any]:
    folder = tempfile.mkdtemp(prefix="webhooks-")
    name = f"benchmark_webhooks_{os.getpid()}"
    url = urlunsplit(urlsplit(server)._replace(path=f"/{name}")) if server else ""
    environment = {**os.environ, "DATA_DIR": folder, "DATABASE_URL": url, "REDIS_URL": "", "ENV_FILE": ""}
    environment |= {"OUTBOUND_ALLOW_NETS": "127.0.0.0/8", "LOG_LEVEL": "ERROR", "PYTHONPATH": str(ROOT)}
    try:
        if server:
            _on_server(server, f'CREATE DATABASE "{name}"')
        command = [
            sys.executable,
            "-W",
            "ignore",
            "-m",
            "benchmarks.alerts_webhooks",
            "--measure",
            database,
            *arguments,
        ]
        printed = subprocess.run(
            command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, text=True
        ).stdout
        *told, last = printed.splitlines()
        print("\n".join(told))
        row: dict[str, Any] = json.loads(last)
        return row
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if server:
            _on_server(server, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _on_server(server: str, statement: str) -> None:
    import psycopg

    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(statement.encode())


def measure(options: argparse.Namespace) -> None:
    """In a process of its own: make the database, send by both in turn, print the row."""
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = "tracker.settings"
    os.environ["ALERTS_CONCURRENCY"] = str(options.concurrency)
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    with receivers() as address:
        _add_channels(options.channels, address)
        rounds = [_round(options, address) for _ in range(options.rounds)]
    ours, theirs = (statistics.median(rates) for rates in zip(*rounds, strict=True))
    ratio = round(ours / theirs, 3)
    print(f"{options.measure}: {ours:,.0f} a second, bare httpx {theirs:,.0f} a second")
    row = {"work": f"{options.webhooks:,} webhooks to a local server", "peer": "bare httpx, same concurrency"}
    row |= {"database": options.measure, "ours": round(ours, 1), "theirs": round(theirs, 1), "unit": "webhooks/s"}  # type: ignore[dict-item]
    print(json.dumps(row | {"ratio": ratio, "goal": GOAL, "ok": ratio >= GOAL}))


@contextlib.contextmanager
def receivers(log: Path | None = None, port: int = 0) -> Iterator[str]:
    """Run receivers of every kind; gives their address."""
    if not port:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
    command = [sys.executable, "-m", "benchmarks.webhook_receivers", str(port), *([str(log)] if log else [])]
    server = subprocess.Popen(command, cwd=ROOT)
    try:
        for _ in range(100):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.kill()
        server.wait()


def _add_channels(count: int, address: str) -> None:
    from django.utils import timezone

    from accounts.models import User
    from alerts.encryption import encrypted
    from alerts.models import Channel
    from alerts.signing import new_secret

    owner = User.objects.create(username="benchmark")
    Channel.objects.bulk_create(
        Channel(
            owner=owner,
            kind="webhook",
            name=f"Receiver {number}",
            address=encrypted(f"{address}/good/{number}"),
            secret=encrypted(new_secret()),
            verified_at=timezone.now(),
        )
        for number in range(count)
    )


def _round(options: argparse.Namespace, address: str) -> tuple[float, float]:
    from alerts.channels.webhook.transport import content_of
    from alerts.models import Delivery
    from alerts.sending import send_due

    _add_deliveries(options.webhooks)
    started = time.perf_counter()
    send_due(600)
    ours = options.webhooks / (time.perf_counter() - started)
    left = Delivery.objects.exclude(status="delivered").count()
    assert not left, f"{left} were not delivered"
    content = content_of(BODY)
    urls = [f"{address}/good/{number % options.channels}" for number in range(options.webhooks)]
    theirs = max(_by_threads(urls, content, options.concurrency), _asynchronously(urls, content, options.concurrency))
    print(f"  ours {ours:,.0f} a second, bare httpx {theirs:,.0f} a second")
    return ours, theirs


LINE = {"meter": "input_tokens", "unit": "per 1M tokens", "old": "0.435", "new": "0.66", "percent": "+51.72"}
BODY = {
    "type": "pricing.change",
    "timestamp": "2026-11-20T12:00:00Z",
    "data": {
        "id": 1,
        "headline": "DeepSeek V4 Pro: input 0.435 -> 0.66 USD per 1M tokens, +51.72%",
        "lines": [LINE] * 6,
    },
}


def _add_deliveries(count: int) -> None:
    from alerts.models import Channel, Delivery

    channels = list(Channel.objects.values_list("pk", flat=True))
    Delivery.objects.bulk_create(
        Delivery(channel_id=channels[number % len(channels)], kind="change", subject="A price moved", body=BODY)
        for number in range(count)
    )


def _by_threads(urls: list[str], content: bytes, concurrency: int) -> float:
    import httpx

    headers = {"Content-Type": "application/json"}
    started = time.perf_counter()
    with httpx.Client() as client, ThreadPoolExecutor(concurrency) as threads:
        for answer in threads.map(lambda url: client.post(url, content=content, headers=headers), urls):
            answer.raise_for_status()
    return len(urls) / (time.perf_counter() - started)


def _asynchronously(urls: list[str], content: bytes, concurrency: int) -> float:
    import httpx

    async def post_all() -> None:
        left = iter(urls)
        async with httpx.AsyncClient() as client:

            async def post_some() -> None:
                for url in left:
                    (
                        await client.post(url, content=content, headers={"Content-Type": "application/json"})
                    ).raise_for_status()

            await asyncio.gather(*(post_some() for _ in range(concurrency)))

    started = time.perf_counter()
    asyncio.run(post_all())
    return len(urls) / (time.perf_counter() - started)


if __name__ == "__main__":
    main()
