"""Two worker processes at two feeds at once, one of them killed: the record is whole, and the work is done once."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection

from tests.feeds.small_feeds import Origin, catalogue, origin, price_map
from tracker.environment import PROJECT_ROOT

PATIENCE = 60
MODELS_DEV = catalogue(**{f"model_{number}": {"input": number + 1, "output": number + 2} for number in range(40)})
LITELLM = price_map(
    **{
        f"deepseek__model_{number}": {"litellm_provider": "deepseek", "input_cost_per_token": (number + 1) / 1e6}
        for number in range(40)
    }
)


class Installation:
    """A record of its own in a real database, worked on by processes of its own."""

    def __init__(self, folder: Path) -> None:
        self.is_postgresql = connection.vendor == "postgresql"
        self.name = f"two_workers_{uuid.uuid4().hex[:12]}"
        self.folder = folder
        self.workers: list[subprocess.Popen[str]] = []
        if self.is_postgresql:
            self._on_server(f'CREATE DATABASE "{self.name}"')
        self.manage("migrate", "-v0")

    def environment(self) -> dict[str, str]:
        own = {"DATA_DIR": str(self.folder), "DATABASE_URL": self._url(), "REDIS_URL": "", "ENV_FILE": ""}
        own |= {"NETWORK_FEEDS": "models-dev,litellm", "OUTBOUND_ALLOW_NETS": "127.0.0.0/8"}
        return os.environ | own | {"DJANGO_SETTINGS_MODULE": "tracker.settings"}

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-W", "ignore", "manage.py", *arguments]
        pipe = subprocess.PIPE
        worker = subprocess.Popen(
            command, cwd=PROJECT_ROOT, env=self.environment(), stdout=pipe, stderr=pipe, text=True
        )
        self.workers.append(worker)
        return worker

    def manage(self, *arguments: str) -> tuple[int, str]:
        worker = self.start(*arguments)
        out, err = worker.communicate(timeout=PATIENCE)
        return worker.returncode, out + err

    @contextmanager
    def connected(self) -> Iterator[Any]:
        link: Any
        if self.is_postgresql:
            link = psycopg.connect(**self._server(), dbname=self.name)
        else:
            link = sqlite3.connect(self.folder / "tracker.sqlite3")
        try:
            yield link
            link.commit()
        finally:
            link.close()

    def ask(self, question: str) -> list[tuple[Any, ...]]:
        with self.connected() as link:
            return list(link.execute(question).fetchall())

    def serve(self, slug: str, address: str) -> None:
        with self.connected() as link:
            source = f"(SELECT id FROM pricing_source WHERE slug = '{slug}')"
            link.execute(f"UPDATE feeds_feed SET address = '{address}' WHERE source_id = {source}")

    def readings(self) -> dict[str, int]:
        return dict(
            self.ask(
                "SELECT s.slug, COUNT(*) FROM pricing_observation o JOIN pricing_source s ON s.id = o.source_id"
                " GROUP BY s.slug"
            )
        )

    def close(self) -> None:
        for worker in self.workers:
            if worker.poll() is None:
                worker.kill()
            worker.communicate()
        if self.is_postgresql:
            self._on_server(f'DROP DATABASE IF EXISTS "{self.name}" WITH (FORCE)')

    def _server(self) -> dict[str, Any]:
        known = connection.settings_dict
        given = {"host": known["HOST"], "port": known["PORT"], "user": known["USER"], "password": known["PASSWORD"]}
        return {name: value for name, value in given.items() if value}

    def _url(self) -> str:
        if not self.is_postgresql:
            return ""
        server = self._server()
        password = f":{server['password']}" if "password" in server else ""
        host = str(server.get("host", "localhost")).replace("/", "%2F")
        port = f":{server['port']}" if "port" in server else ""
        return f"postgresql://{server.get('user', 'postgres')}{password}@{host}{port}/{self.name}"

    def _on_server(self, statement: str) -> None:
        with psycopg.connect(**self._server(), dbname="postgres", autocommit=True) as link:
            link.execute(statement.encode())


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    made = Installation(tmp_path)
    yield made
    made.close()


@pytest.fixture
def origins(installation: Installation) -> Iterator[dict[str, Origin]]:
    """The two feeds' servers on loopback."""
    with origin(MODELS_DEV) as models_dev, origin(LITELLM) as litellm:
        installation.serve("models-dev", models_dev.address)
        installation.serve("litellm", litellm.address)
        yield {"models-dev": models_dev, "litellm": litellm}


def wait_until(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until, "what was waited for did not come"
        time.sleep(0.05)


def finish(installation: Installation, killed: subprocess.Popen[str], other: subprocess.Popen[str]) -> None:
    """Kill one worker, let the other end, free the dead one's lease, do its work, and look at everything."""
    killed.send_signal(signal.SIGKILL)
    killed.wait(PATIENCE)
    assert other.wait(PATIENCE) == 0
    assert installation.readings() == {"litellm": 1}
    status, said = installation.manage("refresh", "models-dev")
    assert (status, "is being refreshed by" in said) == (1, True)
    assert "the lease is free; it was held by" in installation.manage("feeds", "--release", "models-dev")[1]
    assert installation.manage("refresh", "models-dev")[0] == 0
    assert installation.readings() == {"litellm": 1, "models-dev": 1}
    assert installation.ask("SELECT COUNT(*), COUNT(DISTINCT identity_key) FROM pricing_offering") == [(40, 40)]
    assert installation.ask("SELECT COUNT(*) FROM pricing_price WHERE known_until IS NULL") == [(80,)]
    assert installation.manage("verify_ledger")[0] == 0


def test_a_worker_killed_while_it_reads_leaves_nothing_but_its_lease(
    installation: Installation, origins: dict[str, Origin]
) -> None:
    with origins["models-dev"].stalled():
        killed = installation.start("refresh", "models-dev")
        wait_until(lambda: bool(origins["models-dev"].requests))
        other = installation.start("refresh", "litellm")
        wait_until(lambda: installation.readings() == {"litellm": 1})
        killed.send_signal(signal.SIGKILL)
        killed.wait(PATIENCE)
    finish(installation, killed, other)


def test_a_worker_killed_while_it_writes_leaves_nothing_of_what_it_wrote(
    installation: Installation, origins: dict[str, Origin]
) -> None:
    if not installation.is_postgresql:
        pytest.skip("SQLite has one lock for all: nobody can stop a writer half-way; PostgreSQL runs this")
    with installation.connected() as holder:
        holder.execute("LOCK TABLE pricing_pricingchange IN EXCLUSIVE MODE")
        killed = installation.start("refresh", "models-dev")
        wait_until(lambda: _waiting(installation, "relation"))
        other = installation.start("refresh", "litellm")
        wait_until(lambda: _waiting(installation, "advisory"))
        killed.send_signal(signal.SIGKILL)
        killed.wait(PATIENCE)
    finish(installation, killed, other)


def _waiting(installation: Installation, kind: str) -> bool:
    """Whether some worker waits for a lock of a kind in this database."""
    rows = installation.ask(
        "SELECT COUNT(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database"
        f" WHERE NOT l.granted AND l.locktype = '{kind}' AND d.datname = '{installation.name}'"
    )
    return bool(rows[0][0])
