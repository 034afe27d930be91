#!/usr/bin/env python
"""Django's command line for this project."""

from __future__ import annotations

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db.utils import OperationalError, ProgrammingError

COULD_NOT_REACH = 1
# As a shell tells of a process that ended by SIGPIPE.
READER_GONE = 141


def main(arguments: list[str]) -> None:
    """Run a command; a setting that cannot be, or a database that is not there, is one line and no traceback."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tracker.settings")
    try:
        _run(arguments)
    except BrokenPipeError:
        # Who read it has seen enough, as ``head`` has. What is still buffered must not be written at the exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(READER_GONE)
    except ImproperlyConfigured as error:
        sys.exit(_said(str(error)))
    except (OperationalError, ProgrammingError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        missing = "no such table" in reason or "does not exist" in reason
        advice = "prepare it with: manage.py migrate" if missing else "see DATABASE_URL and DATA_DIR"
        sys.exit(_said(f"The database cannot be used: {reason}; {advice}"))


def _run(arguments: list[str]) -> None:
    try:
        execute_from_command_line(arguments)
    finally:
        sys.stdout.flush()


def _said(line: str) -> int:
    sys.stderr.write(f"{line}\n")
    return COULD_NOT_REACH


if __name__ == "__main__":
    main(sys.argv)
