"""Small dated documents, the truth of them, and what the comparison makes of both."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks.against_truth.fields import Documents, dated_files
from benchmarks.against_truth.report import both_ways
from benchmarks.against_truth.rows import TruthRow, moment, read_truth
from tests.feeds.small_feeds import read

DAYS = ("2026-01-04", "2026-01-11", "2026-01-18", "2026-01-25")


def loaded(slug: str, bodies: Iterable[bytes], folder: Path) -> Documents:
    """Documents in a folder, one a day, each taken by a refresh."""
    for day, body in zip(DAYS, bodies, strict=False):
        (folder / f"{day}.json").write_bytes(body)
        read(body, moment(day), slug)
    return Documents(slug, dated_files(folder))


def truth(*rows: tuple[Any, ...], scope: str = "cost") -> list[TruthRow]:
    names = ("date_from", "date_to", "provider", "model", "field", "old", "new", "kind", "scope")
    full = [(DAYS[DAYS.index(row[0]) - 1], *row, scope) for row in rows]
    return read_truth(json.dumps(dict(zip(names, row, strict=True))) for row in full)


def labels(documents: Documents, rows: list[TruthRow]) -> dict[tuple[str, str], str]:
    """What became of each truth row, by model and day."""
    _, comparison, _ = both_ways(documents, rows)
    return {(row.model, row.date_to): account.label for row, account in comparison.accounts}


def ours(documents: Documents, rows: list[TruthRow]) -> Counter[str]:
    """What the truth says of our lines, counted."""
    _, _, told = both_ways(documents, rows)
    return Counter(one.account.label for one in told)
