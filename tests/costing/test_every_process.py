"""A price that an editor states is used by the very next request, in every web process."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from pricing.models import Offering
from tests.costing.asking import PATH, call
from tracker.environment import PROJECT_ROOT

PATIENCE_SECONDS = 60
COMMAND = [sys.executable, "-m", "gunicorn", "--config", "python:tracker.gunicorn_settings", "tracker.wsgi"]


def database_url() -> str:
    """Where the tests' own database is."""
    settings = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{settings['NAME']}"
    user, place = quote(settings["USER"]), f"{quote(settings['HOST'], safe='')}:{settings['PORT'] or 5432}"
    return f"postgresql://{user}:{quote(settings['PASSWORD'])}@{place}/{settings['NAME']}"


@contextmanager
def web_process(folder: Path) -> Iterator[int]:
    """A web server with one process on the tests' database; its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    chosen = {"DATA_DIR": str(folder), "HOST": "127.0.0.1", "PORT": str(port), "WEB_PROCESSES": "1", "ENV_FILE": ""}
    environment = os.environ | chosen | {"DATABASE_URL": database_url(), "DJANGO_SETTINGS_MODULE": "tracker.settings"}
    process = subprocess.Popen(COMMAND, cwd=PROJECT_ROOT, env=environment)
    try:
        await_answer(port, process)
        yield port
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)


def await_answer(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        assert process.poll() is None, "the web server ended"
        assert time.monotonic() < deadline, "the web server does not answer"
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return


def total(port: int) -> Any:
    """What a million tokens cost now, as one process says."""
    asked = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
    line = call(at=timezone.now().isoformat(), usage={"input_tokens": 1_000_000})
    asked.request("POST", PATH, json.dumps({"lines": [line]}), {"Content-Type": "application/json"})
    with asked.getresponse() as response:
        return json.load(response)["results"][0]["total"]


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_price_stated_in_the_admin_is_used_at_once_by_every_web_process(chat: Offering, tmp_path: Path) -> None:
    editor = Client()
    editor.force_login(User.objects.create_superuser("editor", password="never asked for"))
    with ExitStack() as stack:
        ports = [stack.enter_context(web_process(tmp_path / name)) for name in ("one", "two")]
        # Three times, so that the line is one that the process has seen before.
        assert [total(port) for port in ports * 3] == ["0.435"] * 6
        for amount in ("0.66", "0.1", "7"):
            state_price(editor, chat, amount)
            assert [total(port) for port in ports * 3] == [amount] * 6


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_long_request_line_reaches_what_explains_errors(tmp_path: Path) -> None:
    with web_process(tmp_path) as port:
        asked = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
        asked.request("GET", f"/api/v1/prices/?search={'x' * 6_000}")
        with asked.getresponse() as response:
            assert (response.status, json.load(response)["errors"][0]["parameter"]) == (400, "search")


def state_price(editor: Client, offering: Offering, amount: str) -> None:
    form = {
        "meter": "input_tokens",
        "service_tier": "standard",
        "above_input_tokens": "0",
        "layer": "list",
        "amount": amount,
        "currency": "USD",
        "zero_means": "free",
        "citation_url": "https://example.org/prices",
        "note": "The page says so.",
    }
    answer = editor.post(reverse("admin:pricing_offering_state_price", args=[offering.pk]), form)
    assert answer.status_code == 302, answer.content
