"""Dated documents in a folder: the leading ``YYYY-MM-DD`` of a name says when it was read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from feeds.history.versions import INSTANT, Version
from feeds.reading import from_file
from feeds.refreshing import RefreshRefused, check_moment

_DATED = re.compile(r"^(\d{4}-\d{2}-\d{2})")
_KINDS = (".json", ".json.gz", ".yaml", ".yaml.gz", ".xml", ".xml.gz")


def folder_versions(folder: Path, since: datetime | None = None) -> list[Version]:
    """The folder's documents in order of date. Raises RefreshRefused on a folder without any."""
    if not folder.is_dir():
        raise RefreshRefused(f"{folder} is not a folder; give one with files named like 2026-02-22.json.gz")
    found = []
    for path in sorted(folder.iterdir(), key=lambda path: path.name.split(".", 1)):
        dated = _DATED.match(path.name)
        if dated and path.name.endswith(_KINDS):
            found.append((path, _moment(path, dated.group(1))))
    if not found:
        raise RefreshRefused(f"{folder} holds no file whose name begins with a date, such as 2026-02-22.json.gz")
    return [version for version in _apart(found) if since is None or version.observed_at >= since]


def _apart(files: list[tuple[Path, datetime]]) -> Iterator[Version]:
    """Several documents of one day are taken in the order of their names, a microsecond apart."""
    last: datetime | None = None
    for path, dated in files:
        moment = dated if last is None else max(dated, last + INSTANT)
        yield Version(path.name, moment, lambda path=path: from_file(path).body)  # type: ignore[misc]
        last = moment


def _moment(path: Path, day: str) -> datetime:
    try:
        moment = datetime.fromisoformat(day).replace(tzinfo=UTC)
    except ValueError:
        raise RefreshRefused(f"{path.name}: {day} is not a day of the calendar") from None
    check_moment(moment)
    return moment
