from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tracker.environment import PROJECT_ROOT

SEND = """
import django, time
django.setup()
from kombu.exceptions import OperationalError
from tracker.tasks import tick
started = time.monotonic()
try:
    tick.delay()
except OperationalError:
    print(f"gave up after {time.monotonic() - started:.1f} s")
"""
COUNT_WAITING = """
import django
django.setup()
from pathlib import Path
from django.conf import settings
from tracker.tasks import tick
tick.delay()
print(len(list(Path(settings.CELERY_BROKER_TRANSPORT_OPTIONS["data_folder_out"]).iterdir())))
"""


def python(code: str, **variables: str) -> str:
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "tracker.settings"} | variables
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, cwd=PROJECT_ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_a_redis_that_hangs_holds_a_sender_for_seconds_only() -> None:
    with socket.socket() as hung:
        hung.bind(("127.0.0.1", 0))
        hung.listen(20)  # it takes connections and never answers
        started = time.monotonic()
        said = python(SEND, REDIS_URL=f"redis://127.0.0.1:{hung.getsockname()[1]}/0")

    assert said.startswith("gave up after")
    assert time.monotonic() - started < 20


@pytest.mark.slow
def test_a_redis_that_is_down_is_reported_to_the_sender() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused
        said = python(SEND, REDIS_URL=f"redis://127.0.0.1:{closed.getsockname()[1]}/0")

    assert said.startswith("gave up after")


@pytest.mark.slow
def test_the_embedded_broker_keeps_a_message_in_the_data_folder(tmp_path: Path) -> None:
    assert python(COUNT_WAITING, REDIS_URL="", DATABASE_URL="", DATA_DIR=str(tmp_path)).strip() == "1"
