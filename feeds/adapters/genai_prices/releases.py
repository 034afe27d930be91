"""Which genai-prices release is installed, and when it came out: the wheel itself carries no date."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

import yaml

_TABLE = Path(__file__).resolve().parents[3] / "data" / "genai_prices_releases.yaml"


def installed_version() -> str:
    """The version of the installed genai-prices package. Raises PackageNotFoundError without it."""
    return version("genai-prices")


def release_moment(release: str) -> datetime | None:
    """When a release was published, in UTC; None for one that the table does not know yet."""
    return _release_moments().get(release)


@lru_cache(maxsize=1)
def _release_moments() -> dict[str, datetime]:
    table = yaml.safe_load(_TABLE.read_text(encoding="utf-8"))
    return {release: _utc(moment) for release, moment in table["releases"].items()}


def _utc(moment: str) -> datetime:
    return datetime.fromisoformat(moment).astimezone(UTC)
