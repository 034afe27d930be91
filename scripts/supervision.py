"""Writes the configuration under which supervisord keeps the processes of the Procfile alive."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parent.parent
PARENT_DEATH = PROJECT_ROOT / "scripts" / "parent_death.py"
STOP_SECONDS = 10

# A process that ends within its first seconds is tried again after one second, then two, then three, for ever.
_PROGRAM = """
[program:{name}]
command={command}
directory={root}
autorestart=true
startsecs=5
startretries=1000000
stopwaitsecs={stop_seconds}
killasgroup=true
redirect_stderr=true
stdout_logfile=/dev/fd/1
stdout_logfile_maxbytes=0
"""


def processes_of(procfile: str) -> dict[str, list[str]]:
    """Return the command of each process that the text `procfile` names."""
    lines = [line for line in procfile.splitlines() if line.strip() and not line.startswith("#")]
    return {name.strip(): shlex.split(command) for name, _, command in (line.partition(":") for line in lines)}


def supervisor_configuration(processes: dict[str, list[str]], run_dir: Path) -> str:
    """Return supervisord's configuration for `processes`: each one that ends is started again, and all write to its
    standard output. `run_dir` takes its files.
    """
    head = [
        "[supervisord]",
        "nodaemon=true",
        "loglevel=warn",
        "logfile=/dev/null",
        "logfile_maxbytes=0",
        f"pidfile={_escaped(str(run_dir / 'supervisord.pid'))}",
        f"childlogdir={_escaped(str(run_dir))}",
    ]
    if os.geteuid() == 0:
        head.append("user=root")  # said outright, it does not warn of it
    return "\n".join(head) + "\n" + "".join(_program(name, command) for name, command in processes.items())


def _program(name: str, command: list[str]) -> str:
    wrapped = [sys.executable, "-SE", str(PARENT_DEATH), *command]
    return _PROGRAM.format(
        name=name, command=_escaped(shlex.join(wrapped)), root=_escaped(str(PROJECT_ROOT)), stop_seconds=STOP_SECONDS
    )


def _escaped(value: str) -> str:
    return value.replace("%", "%%")
