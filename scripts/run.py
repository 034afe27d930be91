"""`make run`: prepares the record, starts web, worker and beat under a supervisor, and ends them all on Ctrl-C.

Standard library and `tracker.environment` only: this process lives as long as the site and should weigh little.
"""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from functools import partial
from pathlib import Path
from typing import IO, Any

from django.core.exceptions import ImproperlyConfigured

from scripts.parent_death import end_with_parent
from scripts.supervision import PARENT_DEATH, PROJECT_ROOT, processes_of, supervisor_configuration
from tracker.environment import Environment, read_environment, with_env_file

SECONDS_TO_ANSWER = 90
BIN_DIR = Path(sys.executable).parent
say = partial(print, flush=True)


class RefusedError(Exception):
    """The site cannot start; the message is one line that says why and what helps."""


def main() -> int:
    """Run the site until a signal ends it. Return 0 after a clean end, 1 if it could not start, 2 for bad settings."""
    try:
        environment = read_environment(with_env_file(os.environ))
        lock = lock_data_dir(environment.data_dir)
        check_port_is_free(environment.host, environment.port)
    except ImproperlyConfigured as error:
        say(f"Bad setting: {error}", file=sys.stderr)
        return 2
    except RefusedError as refusal:
        say(refusal, file=sys.stderr)
        return 1
    return Run(environment, lock).until_stopped()


def lock_data_dir(data_dir: Path) -> IO[str]:
    """Lock `data_dir` for this run and return the open file that holds the lock.

    The kernel lets go of it when the last process that has the file open ends, however it ends. Raises RefusedError
    when another run holds it or the folder cannot be written.
    """
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (data_dir / "run.lock").open("a+", encoding="ascii")
    except OSError as error:
        raise RefusedError(f"The data folder {data_dir} cannot be written ({error.strerror}): set DATA_DIR.") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.seek(0)
        holder = lock.read().strip() or "unknown"
        raise RefusedError(
            f"The data folder {data_dir} is in use by another run (process {holder}): "
            "stop that one, or set DATA_DIR to another folder."
        ) from error
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock


def check_port_is_free(host: str, port: int) -> None:
    """Raise RefusedError when nothing could listen on `host` and `port` now."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise RefusedError(
            f"Port {port} on {host} cannot be used ({error.strerror}): "
            "stop what listens there, or set PORT to another number."
        ) from error


class Run:
    """One run of the site: its current child process, and whether it was told to stop."""

    def __init__(self, environment: Environment, lock: IO[str]) -> None:
        self._environment = environment
        self._lock = lock
        self._child: subprocess.Popen[str] | None = None
        self._stopping = False

    def until_stopped(self) -> int:
        """Bootstrap, start the processes, say where they are, and wait. Return the exit status."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._stop)
        started = time.monotonic()
        status = self._bootstrap()
        if status == 0 and not self._stopping:
            status = self._serve(started)
        if self._stopping:
            say("Stopped.")
        return 0 if self._stopping else status

    def _stop(self, _number: int, _frame: Any) -> None:
        if not self._stopping:
            say("\nStopping …")
        self._stopping = True
        if self._child is not None and self._child.poll() is None:
            self._child.terminate()

    def _bootstrap(self) -> int:
        """Migrate and load what a first start needs; return the command's exit status."""
        self._child = self._start([sys.executable, "manage.py", "bootstrap"])
        return self._child.wait()

    def _serve(self, started: float) -> int:
        """Run the supervisor to its end; return 1 when the site never answered or the supervisor gave up."""
        configuration = self._write_configuration()
        supervisord = [str(BIN_DIR / "supervisord"), "--configuration", str(configuration)]
        lock = str(self._lock.fileno())
        self._child = self._start(
            [sys.executable, "-SE", str(PARENT_DEATH), "--keep-open", lock, *supervisord],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=(self._lock.fileno(),),
        )
        if self._stopping:  # the signal came while the child was being made
            self._child.terminate()
        lines = threading.Thread(target=_copy_lines, args=(self._child.stdout,), daemon=True)
        lines.start()
        if self._wait_for_answer():
            self._say_where(time.monotonic() - started)
        elif not self._stopping:
            say(f"The site did not answer within {SECONDS_TO_ANSWER} s; see the lines above.", file=sys.stderr)
            self._child.terminate()
        self._child.wait()
        lines.join(timeout=5)
        return 1

    def _write_configuration(self) -> Path:
        run_dir = self._environment.data_dir / "run"
        run_dir.mkdir(exist_ok=True)
        processes = processes_of((PROJECT_ROOT / "Procfile").read_text(encoding="utf-8"))
        configuration = run_dir / "supervisord.conf"
        configuration.write_text(supervisor_configuration(processes, run_dir), encoding="utf-8")
        return configuration

    def _start(self, command: list[str], **options: Any) -> subprocess.Popen[str]:
        """Start `command` in a process group of its own, so that Ctrl-C reaches it through this process alone."""
        return subprocess.Popen(
            command,
            cwd=PROJECT_ROOT,
            env=_children_environment(),
            process_group=0,
            preexec_fn=end_with_parent,  # noqa: PLW1509 - no thread runs yet
            text=True,
            **options,
        )

    def _wait_for_answer(self) -> bool:
        """Return True once the site answers; False when it is told to stop, ends, or takes too long."""
        deadline = time.monotonic() + SECONDS_TO_ANSWER
        while time.monotonic() < deadline and not self._stopping and self._child and self._child.poll() is None:
            if _answers(f"{self._address()}/healthz"):
                return True
            time.sleep(0.1)
        return False

    def _address(self) -> str:
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self._environment.host, self._environment.host)  # noqa: S104
        return f"http://{f'[{host}]' if ':' in host and host[0] != '[' else host}:{self._environment.port}"

    def _say_where(self, seconds: float) -> None:
        address = self._address()
        say(f"\nThe AI monetization tracker is up ({seconds:.1f} s after the start).")
        say(f"  Site    {address}/")
        say(f"  API     {address}/api/v1/")
        say(f"  Docs    {address}/api/v1/docs/")
        say(f"  Admin   {address}/admin/  {self._how_to_sign_in()}")
        say(f"  Record  {self._environment.data_dir}")
        say("Press Ctrl-C to stop.\n")

    def _how_to_sign_in(self) -> str:
        name = self._environment.superuser_username
        kept = self._environment.data_dir / "admin-password.txt"
        if self._environment.superuser_password:
            return f"(sign in as {name} with the password in DJANGO_SUPERUSER_PASSWORD)"
        if kept.exists():
            return f"(sign in as {name}; the first password is in {kept})"
        return "(sign in as you did before)"


def _children_environment() -> dict[str, str]:
    """Return the children's environment: the virtual environment's commands first, and log lines as people read them
    when this process writes to a terminal (they write to a pipe and cannot know).
    """
    environment = dict(os.environ, PYTHONUNBUFFERED="1")
    environment["PATH"] = f"{BIN_DIR}{os.pathsep}{environment.get('PATH', os.defpath)}"
    # Running as root in a container or on a spare machine is the operator's choice; Celery's warning repeats it.
    environment.setdefault("PYTHONWARNINGS", "ignore:You're running the worker with superuser")
    if sys.stdout.isatty() and "LOG_FORMAT" not in with_env_file(os.environ):
        environment["LOG_FORMAT"] = "text"
    return environment


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=2):  # noqa: S310 - this process made the address
            return True
    except urllib.error.HTTPError as error:
        return error.code < 500  # a refused Host header is an answer too
    except OSError:
        return False


def _copy_lines(lines: IO[str] | None) -> None:
    """Pass the children's lines on. A reader that went away must not stop them, so this goes on reading."""
    for line in lines or ():
        try:
            sys.stdout.write(line)
            sys.stdout.flush()
        except (OSError, ValueError):
            continue


if __name__ == "__main__":
    sys.exit(main())
