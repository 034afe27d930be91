from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.db import connection

from tracker.environment import PROJECT_ROOT

pytestmark = pytest.mark.slow
COMMAND = [sys.executable, "-m", "scripts.run"]
PATIENCE_SECONDS = 150


class Site:
    """A real run of the site, and what can be asked of it from outside."""

    def __init__(self, data_dir: Path, port: int, output: Path, variables: dict[str, str]) -> None:
        self.data_dir, self.port, self._output, self.variables = data_dir, port, output, variables
        with output.open("wb") as lines:
            self.process = subprocess.Popen(COMMAND, cwd=PROJECT_ROOT, env=variables, stdout=lines, stderr=lines)

    @property
    def output(self) -> str:
        return self._output.read_text()

    def processes(self) -> dict[str, int]:
        """Return the process ids of supervisord and of what it runs, by the word that tells them apart."""
        found = by_word(children_of(self.process.pid), ["supervisord"])
        return found | by_word(children_of(found.get("supervisord", 0)), ["gunicorn", " worker", " beat"])

    def answer(self, path: str) -> tuple[int, dict[str, object]]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)
        except OSError:
            return 0, {}

    def last_tick(self) -> str:
        part = self.answer("/readyz")[1].get("tick", {})
        return str(part.get("last_seen", "")) if isinstance(part, dict) else ""

    def is_up(self) -> bool:
        assert self.process.poll() is None, self.output
        return "Press Ctrl-C to stop" in self.output

    def everything_ended(self, pids: list[int]) -> bool:
        return not any(Path(f"/proc/{pid}").exists() for pid in pids) and self.answer("/healthz")[0] == 0


def children_of(pid: int) -> dict[int, str]:
    listed = subprocess.check_output(["ps", "-A", "-ww", "-o", "ppid=,pid=,args="], text=True)
    rows = (line.split(None, 2) for line in listed.splitlines())
    return {int(row[1]): row[2] for row in rows if int(row[0]) == pid}


def by_word(commands: dict[int, str], words: list[str]) -> dict[str, int]:
    return {word: pid for word in words for pid, command in commands.items() if word in command}


def wait_until(holds: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, f"not within {PATIENCE_SECONDS} s: {what}"
        time.sleep(0.05)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def variables(tmp_path: Path, django_db_blocker) -> Iterator[dict[str, str]]:
    """The environment of a site with a data folder of its own and, where the tests use PostgreSQL, its own database."""
    chosen = {"DATA_DIR": str(tmp_path / "record"), "PORT": str(free_port()), "TICK_SECONDS": "1"}
    chosen |= {"DJANGO_SETTINGS_MODULE": "tests.tracker.bare_settings", "SECRET_KEY": "", "LOG_FORMAT": "text"}
    url = os.environ.get("DATABASE_URL", "")
    if not url:
        yield os.environ | chosen
        return
    name = f"tracker_run_{os.getpid()}"
    with django_db_blocker.unblock(), connection._nodb_cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
    yield os.environ | chosen | {"DATABASE_URL": urlunsplit(urlsplit(url)._replace(path=f"/{name}"))}
    with django_db_blocker.unblock(), connection._nodb_cursor() as cursor:
        cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def running(variables: dict[str, str], output: Path) -> Iterator[Site]:
    site = Site(Path(variables["DATA_DIR"]), int(variables["PORT"]), output, variables)
    try:
        wait_until(site.is_up, "the site is up")
        yield site
    finally:
        if site.process.poll() is None:
            site.process.terminate()
            site.process.wait(timeout=PATIENCE_SECONDS)


def run_to_its_end(variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        COMMAND, cwd=PROJECT_ROOT, env=variables, capture_output=True, text=True, timeout=30, check=False
    )


def refused(variables: dict[str, str]) -> str:
    done = run_to_its_end(variables)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    return done.stderr


def test_a_killed_process_is_started_again_and_work_goes_on(variables: dict[str, str], tmp_path: Path) -> None:
    with running(variables, tmp_path / "output.txt") as site:
        wait_until(lambda: site.answer("/readyz")[0] == 200, "ready, a tick seen included")
        before = site.processes()
        assert set(before) == {"supervisord", "gunicorn", " worker", " beat"}

        for name in ("gunicorn", " worker", " beat"):
            os.kill(before[name], signal.SIGKILL)
        wait_until(lambda: len(set(site.processes().values()) - set(before.values())) == 3, "three new processes")
        wait_until(lambda: site.answer("/healthz")[0] == 200, "the new web process answers")
        seen = site.last_tick()
        wait_until(lambda: site.last_tick() > seen, "the new worker sees a tick of the new beat")


def test_a_second_run_in_the_same_place_is_refused_in_one_line(variables: dict[str, str], tmp_path: Path) -> None:
    with running(variables, tmp_path / "output.txt") as site:
        said = refused(variables)
        assert f"{site.data_dir} is in use" in said
        assert str(site.process.pid) in said

        said = refused(variables | {"DATA_DIR": str(tmp_path / "elsewhere")})
        assert f"Port {site.port}" in said
        assert "PORT" in said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_everything_cleanly(variables: dict[str, str], tmp_path: Path, number: signal.Signals) -> None:
    with running(variables, tmp_path / "output.txt") as site:
        pids = list(site.processes().values())

        site.process.send_signal(number)

        assert site.process.wait(timeout=PATIENCE_SECONDS) == 0
        assert site.everything_ended(pids)
        assert site.output.rstrip().endswith("Stopped.")
        assert "Traceback" not in site.output


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
def test_nothing_outlives_a_run_that_was_killed(variables: dict[str, str], tmp_path: Path) -> None:
    with running(variables, tmp_path / "output.txt") as site:
        pids = list(site.processes().values())

        site.process.kill()

        wait_until(lambda: site.everything_ended(pids), "all processes are gone")
    with running(variables, tmp_path / "output.txt") as site:
        assert site.answer("/healthz")[0] == 200


def test_a_second_start_makes_no_second_account(variables: dict[str, str], tmp_path: Path) -> None:
    with running(variables, tmp_path / "output.txt") as site:
        first = site.output
        password = (site.data_dir / "admin-password.txt").read_text().strip()
    with running(variables, tmp_path / "output.txt") as site:
        second = site.output

    assert password in first
    assert password not in second
    assert "Made the account" not in second


def test_a_bad_setting_is_refused_in_one_line() -> None:
    done = run_to_its_end(os.environ | {"PORT": "eighty"})

    assert done.returncode == 2
    assert "PORT is 'eighty'" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_data_folder_that_cannot_be_made_is_refused_in_one_line(variables: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("not a folder")

    assert "cannot be written" in refused(variables | {"DATA_DIR": str(file / "record")})
