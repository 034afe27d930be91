"""The changes as anybody reads them: page by page over the REST API, and by offering, day and line."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.test import Client

from pricing.claims import Conditions
from tracker.api.pagination import LARGEST_LIMIT

LineKey = tuple[int, str, Conditions]


@dataclass(frozen=True, slots=True)
class MovedLine:
    """One line of one change: what it was and what it became, and the day it took effect."""

    change: int
    offering: int
    date: str
    line: Conditions
    old: Decimal | None
    new: Decimal | None
    kind: str
    nature: str
    initial: bool
    headline: str

    @property
    def key(self) -> LineKey:
        """Offering, day and line: where a truth row looks for its counterpart."""
        return (self.offering, self.date, self.line)


@dataclass(slots=True)
class Stream:
    """All changes of a source, and the offerings that its ids name in them."""

    changes: int = 0
    lines: list[MovedLine] = field(default_factory=list)
    offerings: dict[tuple[str, str], int] = field(default_factory=dict)
    at: dict[LineKey, list[MovedLine]] = field(default_factory=lambda: defaultdict(list))

    def add(self, change: dict[str, Any], source: str) -> None:
        """Take in one change as the API writes it."""
        self.changes += 1
        for reference in change["references"]:
            if reference["source"] == source:
                self.offerings[reference["provider"], reference["id"]] = change["offering"]
        for line in change["lines"]:
            moved = _moved(change, line)
            self.lines.append(moved)
            self.at[moved.key].append(moved)


def read_changes(source: str) -> Stream:
    """Every change of a source, the initial ones included, by following the cursor to its end."""
    stream = Stream()
    for page in _pages(f"/api/v1/changes/?initial=any&source={source}&limit={LARGEST_LIMIT}"):
        for change in page:
            stream.add(change, source)
    return stream


def _pages(address: str | None) -> Iterator[list[dict[str, Any]]]:
    client = Client()
    while address:
        answer = client.get(address)
        if answer.status_code != 200:
            raise RuntimeError(f"GET {address} answered {answer.status_code}: {answer.content[:500]!r}")
        page = answer.json()
        yield page["results"]
        address = page["next"]


def _moved(change: dict[str, Any], line: dict[str, Any]) -> MovedLine:
    return MovedLine(
        change=change["id"],
        offering=change["offering"],
        date=change["effective_at"][:10],
        line=Conditions(**{name: line[name] for name in Conditions.__dataclass_fields__}),
        old=None if line["old"] is None else Decimal(line["old"]),
        new=None if line["new"] is None else Decimal(line["new"]),
        kind=change["kind"],
        nature=change["nature"],
        initial=change["initial"],
        headline=change["headline"],
    )
