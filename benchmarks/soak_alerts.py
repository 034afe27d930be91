"""Sends many alerts to receivers of every kind while workers, beat, broker and database connections are cut off.

    python -m benchmarks.soak_alerts --deliveries 500           # embedded: SQLite, and a broker in a folder
    python -m benchmarks.soak_alerts --deliveries 20000 --postgresql postgresql://postgres@127.0.0.1:5432/postgres

With PostgreSQL it also starts a Redis of its own. Changes are written, and the workers do all the rest: fan out,
compose, send. At the end every change must have its notice for each channel, every notice be in a message, and every
message be delivered, given up, or waiting for its time; what the receivers logged must bear that out. Exit status 1
says that something was lost, not signed right, or that a worker grew too large; the last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from benchmarks.alerts_webhooks import ROOT, _on_server, receivers
from benchmarks.self_signed import self_signed_receiver
from benchmarks.worker_processes import children_of, peak_mebibytes

TICK_SECONDS = 2
# How many channels of each kind there are; the good ones stand for those that must not be delayed.
KINDS = {
    "good": 20, "flaky": 6, "slow": 4, "fail": 3, "hang": 2, "drip": 2, "endless": 2, "close": 2, "redirect": 1,
    "busy": 1, "gone": 1, "refused": 1, "tls": 1, "self-signed": 1, "apprise": 2,
}  # fmt: skip
MOST_HARMS = 60
# How often, while what is left is waited for, a look of four seconds does harm.
HARM_CHANCE = 0.4
# Whoever takes everything, in the end; the log of the receivers knows webhooks by their id.
MUST_ARRIVE = ("good", "slow", "endless", "apprise")
MOST_MEBIBYTES = 300


def main() -> None:
    """Soak, check, report."""
    options = _options()
    folder = Path(tempfile.mkdtemp(prefix="soak-"))
    name = f"soak_alerts_{os.getpid()}"
    url = urlunsplit(urlsplit(options.postgresql)._replace(path=f"/{name}")) if options.postgresql else ""
    if url:
        _on_server(options.postgresql, f'CREATE DATABASE "{name}"')
    try:
        _set_environment(folder, url)
        report = _soak(options, folder)
    finally:
        if url:
            _on_server(options.postgresql, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        if not options.keep:
            shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps(report))
    sys.exit(0 if report["ok"] else 1)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--deliveries", type=int, default=20_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--minutes", type=float, default=45, help="give up after so long")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--postgresql", default="", help="a server to make a database on")
    parser.add_argument("--keep", action="store_true", help="keep the folder with the logs")
    return parser.parse_args()


def _set_environment(folder: Path, url: str) -> None:
    redis = f"unix://{quote(str(folder / 'valkey.sock'))}?db=0" if url else ""
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "tracker.settings",
        "ENV_FILE": "",
        "DATA_DIR": str(folder),
        "DATABASE_URL": url,
        "REDIS_URL": redis,
        "SECRET_KEY": "only-for-the-soak" * 4,
        "OUTBOUND_ALLOW_NETS": "127.0.0.0/8",
        "TICK_SECONDS": str(TICK_SECONDS),
        "NETWORK_FEEDS": "none",
        "LOG_LEVEL": "WARNING",
        "ALERTS_BULK_THRESHOLD": "100000",
        "PYTHONPATH": str(ROOT),
    }


def _soak(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    import django

    random.seed(options.seed)
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from benchmarks import soak_record as record

    log = folder / "received.jsonl"
    with (
        receivers(log) as address,
        self_signed_receiver() as untrusted,
        Machinery(folder, options.workers, bool(options.postgresql)) as machinery,
    ):
        channels = record.add_channels(KINDS, address, untrusted)
        started = time.monotonic()
        rounds = max(1, options.deliveries // len(channels))
        for number in range(rounds):
            record.add_change()
            if number % max(1, rounds // 20) == 0:
                machinery.harm()
        print(f"{rounds:,} changes written in {time.monotonic() - started:.0f} s, with harm all the while")
        _wait(options, record, machinery, started)
        took = time.monotonic() - started
        time.sleep(TICK_SECONDS * 2)
        machinery.look_at_memory()
    return _report(options, record, log, machinery, took, rounds)


def _wait(options: argparse.Namespace, record: Any, machinery: Machinery, started: float) -> None:
    """Go on with harm until nothing is left to do, or the time is over."""
    while time.monotonic() - started < options.minutes * 60 and (left := record.left_to_do()):
        print(f"  {time.monotonic() - started:.0f} s: {left}", flush=True)
        if machinery.harms_done < MOST_HARMS and random.random() < HARM_CHANCE:
            machinery.harm()
        machinery.revive()
        machinery.look_at_memory()
        time.sleep(TICK_SECONDS * 2)


def _report(
    options: argparse.Namespace, record: Any, log: Path, machinery: Machinery, took: float, changes: int
) -> dict[str, Any]:
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    found = record.fate()
    arrived = Counter(line["id"] for line in lines if line["kind"] in MUST_ARRIVE)
    wrong = sum(not line["right"] for line in lines)
    lost = sorted(record.delivered_ids(MUST_ARRIVE) - set(arrived))
    disorder = record.out_of_order(_first_arrivals(lines))
    undelivered = record.not_delivered(MUST_ARRIVE)
    unnoticed = record.changes_without_notice(MUST_ARRIVE, changes)
    report = {
        "deliveries": found["messages"],
        "database": "postgresql" if options.postgresql else "sqlite",
        "seconds": round(took, 1),
        "harms": dict(machinery.harms),
        **found,
        "calls": len(lines),
        "signatures_wrong": wrong,
        "duplicates_to_good_receivers": sum(arrived.values()) - len(arrived),
        "delivered_but_never_received": len(lost),
        "out_of_order": disorder,
        "good_receivers_without": undelivered,
        "changes_without_notice": unnoticed,
        "worker_mebibytes": machinery.peak,
    }
    bad = wrong or lost or found["notices_without_message"] or found["due_but_not_sent"] or undelivered or unnoticed
    return {**report, "ok": not bad and machinery.peak < MOST_MEBIBYTES}


def _first_arrivals(lines: list[dict[str, Any]]) -> dict[str, float]:
    first: dict[str, float] = {}
    for line in lines:
        first.setdefault(line["id"], line["at"])
    return first


class Machinery:
    """Workers, beat and, beside PostgreSQL, a Redis; and the ways to harm them."""

    def __init__(self, folder: Path, workers: int, with_servers: bool) -> None:
        self.folder = folder
        self.with_servers = with_servers
        self.harms: Counter[str] = Counter()
        self.peak = 0.0
        self.log = (folder / "processes.log").open("ab")
        self.roles = ["worker"] * workers + ["beat"]
        self.processes: list[subprocess.Popen[bytes]] = []
        self.redis: subprocess.Popen[bytes] | None = None

    @property
    def harms_done(self) -> int:
        return self.harms.total()

    def __enter__(self) -> Machinery:
        if self.with_servers:
            self._start_redis()
        self.processes = [self._start(role) for role in self.roles]
        return self

    def __exit__(self, *_failure: object) -> None:
        for process in self.processes:
            _kill_group(process)
        if self.redis:
            self.redis.kill()
            self.redis.wait()
        self.log.close()

    def harm(self) -> None:
        """Do one bad thing, chosen at random, and mend it."""
        self.revive()
        self.look_at_memory()
        ways = [self._kill_one, self._kill_one, self._kill_a_child, self._stop_broker]
        ways += [self._cut_database] if self.with_servers else []
        random.choice(ways)()

    def look_at_memory(self) -> None:
        """Keep the most that any process of a worker has had."""
        workers = [process.pid for process, role in zip(self.processes, self.roles, strict=True) if role == "worker"]
        own = [pid for worker in workers for pid in (worker, *children_of(worker))]
        self.peak = max([self.peak, *map(peak_mebibytes, own)])

    def revive(self) -> None:
        """Start again what has ended, as the supervisor does."""
        for place, process in enumerate(self.processes):
            if process.poll() is not None:
                self.processes[place] = self._start(self.roles[place])
                self.harms["ended by itself and started again"] += 1

    def _kill_one(self) -> None:
        place = random.randrange(len(self.processes))
        _kill_group(self.processes[place])
        self.processes[place] = self._start(self.roles[place])
        self.harms[f"{self.roles[place]} killed"] += 1

    def _kill_a_child(self) -> None:
        """One process of a worker's pool ends, and the worker lives on."""
        if children := children_of(self.processes[0].pid):
            with suppress(ProcessLookupError):
                os.kill(random.choice(children), signal.SIGKILL)
            self.harms["child of a worker killed"] += 1

    def _stop_broker(self) -> None:
        self.harms["broker stopped"] += 1
        if self.redis:
            self.redis.kill()
            self.redis.wait()
            time.sleep(3)
            self._start_redis()
            return
        broker, away = self.folder / "broker", self.folder / "broker-away"
        broker.rename(away)
        time.sleep(3)
        shutil.rmtree(broker, ignore_errors=True)
        with suppress(OSError):
            away.rename(broker)

    def _cut_database(self) -> None:
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        self.harms["database connections cut"] += 1

    def _start(self, role: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "celery", "--quiet", "--app", "tracker.celery", role]
        worker = ["--without-gossip", "--without-mingle", "--without-heartbeat", "--concurrency", "2"]
        command += worker if role == "worker" else ["--pidfile="]
        return subprocess.Popen(
            command, cwd=ROOT, stdout=self.log, stderr=self.log, env=os.environ, start_new_session=True
        )

    def _start_redis(self) -> None:
        from scripts.servers import _start_valkey

        for left in ("valkey.sock", "valkey.pid"):
            (self.folder / left).unlink(missing_ok=True)
        self.redis = _start_valkey(self.folder)


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


if __name__ == "__main__":
    main()
