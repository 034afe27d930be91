"""A worker process that comes to one place in its work, says so, and stays there until it is killed.

Run as ``python -m tests.alerts.stopping_worker STEP PLACE``: both are dotted paths of functions, and the process stops
where STEP would call PLACE.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

REACHED = "reached"


def main(step: str, place: str) -> None:
    """Do the step up to the place."""
    import django
    from django.utils.module_loading import import_string

    django.setup()
    work = import_string(step)
    owner, _, name = place.rpartition(".")
    setattr(_thing_at(owner), name, _stop)
    work()
    print("done", flush=True)


def _thing_at(path: str) -> Any:
    """A module, or a class in one."""
    try:
        return import_module(path)
    except ModuleNotFoundError:
        module, _, name = path.rpartition(".")
        return getattr(import_module(module), name)


def _stop(*_arguments: Any, **_named: Any) -> None:
    print(REACHED, flush=True)
    while True:
        signal.pause()


@contextmanager
def stopped_at(step: str, place: str, database_url: str) -> Iterator[None]:
    """Run a worker up to a place; it is killed by SIGKILL at the end of the block."""
    with running(step, place, database_url) as worker:
        assert worker.stdout is not None
        assert worker.stdout.readline().strip() == REACHED
        yield


@contextmanager
def running(step: str, place: str, database_url: str) -> Iterator[subprocess.Popen[str]]:
    """Run a worker beside the test; it is killed by SIGKILL at the end of the block."""
    chosen = {"DATABASE_URL": database_url, "DJANGO_SETTINGS_MODULE": "tracker.settings", "ENV_FILE": ""}
    environment = os.environ | chosen | {"OUTBOUND_ALLOW_NETS": "127.0.0.0/8"}
    command = [sys.executable, "-W", "ignore", "-m", "tests.alerts.stopping_worker", step, place]
    worker = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        yield worker
    finally:
        assert worker.poll() is None, "it was to be killed in the midst of its work"
        worker.kill()
        assert worker.wait() == -signal.SIGKILL
        assert worker.stdout is not None
        worker.stdout.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
