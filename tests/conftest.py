"""What every test has: a cache that no other test has written to."""

from __future__ import annotations

import uuid

import pytest
from django.core.cache import caches

from pricing.costing.memory import forget


@pytest.fixture(autouse=True)
def fresh_cache() -> None:
    """Give each test keys of its own, which on a server that others use is kinder than emptying it."""
    caches["default"].key_prefix = f"test-{uuid.uuid4().hex}"
    # A database that was rolled back gives the same numbers to other rows, which no running record does.
    forget()
