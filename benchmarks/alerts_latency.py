"""The time from a price being written to its webhook arriving, with a worker at its side.

    python -m benchmarks.alerts_latency                                              # embedded: broker in a folder
    python -m benchmarks.alerts_latency --postgresql postgresql://postgres@127.0.0.1:5432/postgres    # and a Redis

The last line is JSON: ``ours`` is the 99th percentile in seconds. The goal is below 2 s with Redis, below a tick and a
second without.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from benchmarks.alerts_webhooks import ROOT, _on_server, receivers
from benchmarks.soak_alerts import Machinery, _set_environment

TICK_SECONDS = 30


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--changes", type=int, default=100)
    parser.add_argument("--postgresql", default="", help="a server to make a database on")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="latency-"))
    name = f"alerts_latency_{os.getpid()}"
    url = urlunsplit(urlsplit(options.postgresql)._replace(path=f"/{name}")) if options.postgresql else ""
    if url:
        _on_server(options.postgresql, f'CREATE DATABASE "{name}"')
    try:
        _set_environment(folder, url)
        os.environ["TICK_SECONDS"] = str(TICK_SECONDS)
        print(json.dumps(_measured(options, folder)))
    finally:
        if url:
            _on_server(options.postgresql, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        shutil.rmtree(folder, ignore_errors=True)


def rows(postgresql: str = "") -> list[dict[str, Any]]:
    """The row of the embedded default, and that of PostgreSQL with Redis where a server is named."""
    return [_in_a_process(server) for server in ("", *filter(None, [postgresql]))]


def _in_a_process(server: str) -> dict[str, Any]:
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.alerts_latency", "--postgresql", server]
    printed = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    row: dict[str, Any] = json.loads(printed.splitlines()[-1])
    place = "PostgreSQL and Redis" if server else "the embedded default"
    print(f"a price to its webhook, with {place}: p50 {row['p50']:.2f} s, p99 {row['ours']:.2f} s")
    return row


def _measured(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    log = folder / "received.jsonl"
    with receivers(log) as address, Machinery(folder, 1, bool(options.postgresql)):
        read = _record(address)
        time.sleep(8)  # until the worker is up
        written = [_write(read, number) for number in range(options.changes)]
        arrived = _arrivals(log, options.changes)
    waits = sorted(at - begun for begun, at in zip(written, arrived, strict=False))
    goal = 2.0 if options.postgresql else TICK_SECONDS + 1.0
    p50, p99 = (round(waits[int(len(waits) * share)], 3) for share in (0.5, 0.99))
    database = "postgresql and redis" if options.postgresql else "sqlite"
    return {
        "work": "a price written to its webhook arriving, p99",
        "peer": None,
        "database": database,
        "ours": p99,
        "theirs": None,
        "unit": "s",
        "ratio": None,
        "goal": goal,
        "ok": p99 < goal and len(waits) == options.changes,
        "p50": p50,
        "worst": round(waits[-1], 3),
        "changes": len(waits),
    }


def _record(address: str) -> Any:
    """A source, an offering and somebody who watches everything; returns what reads a price from the source."""
    from accounts.models import User
    from alerts.encryption import encrypted
    from alerts.models import Channel, Watch
    from alerts.signing import new_secret
    from companies.models import Company
    from pricing import ledger
    from pricing.claims import Claim, Conditions
    from pricing.ledger import Reading, Told
    from pricing.models import Offering, Reference, Source

    seller = Company.objects.create(slug="acme", name="Acme", kind="lab")
    offering = Offering.objects.create(seller=seller, external_id="m-1", identity_key="m-1", name="M 1")
    source = Source.objects.create(slug="latency", name="Latency", precedence=1)
    begun = datetime.now(UTC) - timedelta(days=300)
    reference = Reference.objects.create(
        source=source, provider="acme", external_id="m-1", offering=offering, first_seen_at=begun
    )

    def read(number: int) -> None:
        claim = Claim(Conditions("input_tokens"), Decimal(100 + number))
        told = [Told(reference.pk, offering.pk, [claim])]
        ledger.observe(Reading(source, begun + timedelta(days=2 * number), f"document {number}"), told)

    read(0)
    owner = User.objects.create(username="latency")
    secret = new_secret()
    channel = Channel.objects.create(
        owner=owner,
        kind="webhook",
        name="Latency",
        address=encrypted(f"{address}/good/{quote(secret, safe='')}"),
        secret=encrypted(secret),
        verified_at=datetime.now(UTC),
    )
    watch = Watch.objects.create(owner=owner, name="everything", nature="")
    watch.channels.add(channel)
    return read


def _write(read: Any, number: int) -> float:
    read(number + 1)
    written = time.time()
    time.sleep(0.2)
    return written


def _arrivals(log: Path, expected: int) -> list[float]:
    until = time.monotonic() + TICK_SECONDS * 3
    while time.monotonic() < until:
        lines = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
        if len(lines) >= expected:
            break
        time.sleep(0.5)
    return sorted({line["id"]: line["at"] for line in lines}.values())


if __name__ == "__main__":
    main()
