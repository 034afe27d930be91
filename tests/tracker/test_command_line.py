"""``manage.py`` whose reader goes away before the end, as ``| head`` does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tracker.environment import PROJECT_ROOT


@pytest.mark.parametrize("command", [["help"], ["diffsettings", "--all"]])
def test_a_reader_who_has_seen_enough_ends_a_command_quietly(command: list[str], tmp_path: Path) -> None:
    environment = os.environ | {"DATA_DIR": str(tmp_path), "ENV_FILE": "", "DJANGO_SETTINGS_MODULE": "tracker.settings"}
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as nobody:
        ended = subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=PROJECT_ROOT,
            env=environment,
            stdout=nobody,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert (ended.stderr, ended.returncode) == ("", 141)
