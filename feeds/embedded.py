"""The documents that the project carries itself, and when each is to count as observed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import files as package_files
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from companies.record.reading import read_description
from feeds.adapters.curated import bundle
from feeds.adapters.genai_prices.releases import installed_version, release_moment
from feeds.adapters.genai_prices.snapshot import snapshot

PACKAGE = "genai-prices"


def genai_prices() -> tuple[bytes, datetime]:
    """The prices inside the installed package, observed when that version was released.

    A version that the table of releases does not know yet counts as observed at its installation.
    """
    return snapshot(), release_moment(installed_version()) or _installed_at()


def _installed_at() -> datetime:
    record = next((f for f in package_files(PACKAGE) or () if f.name == "METADATA"), None)
    if record is None:
        return timezone.now()
    return datetime.fromtimestamp(Path(record.locate()).stat().st_mtime, UTC)


def curated() -> tuple[bytes, datetime]:
    """The plans and dated prices of the curated record, observed on the day it was compiled."""
    folder = settings.RECORD_DIR
    day = read_description(folder).compiled_on
    return bundle(folder), datetime(day.year, day.month, day.day, tzinfo=UTC)


EMBEDDED: dict[str, Callable[[], tuple[bytes, datetime]]] = {"genai-prices": genai_prices, "curated": curated}
