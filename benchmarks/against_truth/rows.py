"""The truth: what changed between consecutive documents of a feed, one row per provider, model and field."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

COST = "cost"


@dataclass(frozen=True, slots=True)
class TruthRow:
    """One field of one model that differs between two documents; amounts are in the source's own unit."""

    date_from: str
    date_to: str
    provider: str
    model: str
    field: str
    old: Decimal | None
    new: Decimal | None
    kind: str
    scope: str

    def __str__(self) -> str:
        return f"{self.date_to} {self.kind} {self.provider} {self.model} {self.field}: {self.old} -> {self.new}"


def read_truth(lines: Iterable[str], until: str = "") -> list[TruthRow]:
    """The rows up to a date, oldest first; numbers are read exactly."""
    rows = [_row(json.loads(line, parse_float=Decimal, parse_int=Decimal)) for line in lines if line.strip()]
    return sorted((row for row in rows if not until or row.date_to <= until), key=lambda row: row.date_to)


def open_truth(file: Path) -> list[str]:
    """The lines of a truth file, which may be gzipped."""
    raw = file.read_bytes()
    return (gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw).decode().splitlines()


def moment(date: str) -> datetime:
    """When the document of a date was read: midnight UTC."""
    return datetime.fromisoformat(date).replace(tzinfo=UTC)


def _row(stated: dict[str, object]) -> TruthRow:
    return TruthRow(**stated)  # type: ignore[arg-type]
