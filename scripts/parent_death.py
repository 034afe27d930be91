"""Runs a command that ends when the process that started it ends, even by `kill -9` (on Linux; elsewhere it just runs).

Usage: python scripts/parent_death.py [--keep-open FD] COMMAND [ARGUMENT …]

The kernel sends the command SIGTERM at its parent's death. `--keep-open` hands it the open file FD as its number 4,
which supervisord, unlike higher ones, does not close.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h
KEPT_DESCRIPTOR = 4


def end_with_parent(signal_number: int = signal.SIGTERM) -> None:
    """Ask the kernel to send this process `signal_number` when its parent ends. The wish survives exec, not fork."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal_number), 0, 0, 0)


def main(arguments: list[str]) -> None:
    """Become the command in `arguments`."""
    if arguments[0] == "--keep-open":
        os.dup2(int(arguments[1]), KEPT_DESCRIPTOR, inheritable=True)
        arguments = arguments[2:]
    end_with_parent()
    os.execvp(arguments[0], arguments)  # noqa: S606 - becoming the command is what this is for


if __name__ == "__main__":
    main(sys.argv[1:])
