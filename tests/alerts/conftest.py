"""Receivers on loopback that the outbound client may reach."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from alerts.channels.webhook import transport
from tests.alerts.receivers import Receivers
from tests.outbound.loopback_server import LOOPBACK
from tracker.outbound.limits import Limits

SHORT = Limits(total_seconds=2.0, idle_seconds=2.0, connect_seconds=2.0, body_bytes=16 * 1024, header_bytes=32 * 1024)


@pytest.fixture
def receivers(settings: Any) -> Iterator[Receivers]:
    """A running server; the operator allows loopback."""
    settings.OUTBOUND_ALLOW_NETS = list(LOOPBACK)
    with Receivers() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield running
        running.gate.set()
        running.closing.set()
        running.shutdown()
        thread.join()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Webhooks are given two seconds, so that a test of what hangs takes no longer."""
    monkeypatch.setattr(transport, "LIMITS", SHORT)
