"""A running server on loopback, and a client that may call it."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from tests.outbound.loopback_server import LOOPBACK, Server
from tracker.outbound.client import Client


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield running
        running.closing.set()
        running.shutdown()
        thread.join()


@pytest.fixture
def client() -> Iterator[Client]:
    """A client whose operator allows loopback."""
    with Client(allowed_nets=LOOPBACK) as open_client:
        yield open_client
