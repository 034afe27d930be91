"""A document as rows that are each read alone, so that a reading need only look at those that are new to it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Container, Hashable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec

from pricing.claims import ParsedDocument, ParsedOffering

ReferenceKey = tuple[str, str]
RowReader = Callable[[Any, object], None]
MARK_BYTES = 16
# What a row comes to is decided by this code and the tables in it: after any change of it each row is read anew.
_DECIDING = ("feeds", "pricing", "tracker")


@dataclass(slots=True)
class ReadRows:
    """What rows of a document say; ``plain`` are the marks of those that say one plain offering and nothing besides."""

    document: ParsedDocument
    plain: dict[ReferenceKey, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SplitDocument:
    """A document taken apart: its rows by key, and a mark of each that is the same only for the same key and row.

    ``aside`` holds what was noted of the document as a whole. ``reader`` makes what reads rows into a document.
    """

    rows: Mapping[Hashable, object]
    marks: Mapping[Hashable, bytes]
    aside: ParsedDocument
    reader: Callable[[ParsedDocument], RowReader]

    def read(self, but: Container[bytes] = ()) -> ReadRows:
        """What the rows say, in their order, but for those of the marks given."""
        read = ReadRows(ParsedDocument(set_aside=list(self.aside.set_aside)))
        single = ParsedDocument()
        read_row = self.reader(single)
        for key, row in self.rows.items():
            mark = self.marks.get(key)
            if mark is not None and mark in but:
                continue
            read_row(key, row)
            if mark is not None and _is_plain(single):
                offering = single.offerings[0]
                read.plain[offering.provider, offering.model] = mark
            _move(single, read.document)
        return read


def split(content: Mapping[Hashable, object], aside: ParsedDocument, reader: Callable[..., RowReader]) -> SplitDocument:
    """A document's rows with their marks; rows that no mark can be made of go without."""
    encoder = msgspec.json.Encoder(decimal_format="number")
    marks = {}
    for key, row in content.items():
        try:
            text = encoder.encode((key, row))
        except (ValueError, OverflowError, RecursionError, TypeError):
            continue
        marks[key] = hashlib.blake2b(text, digest_size=MARK_BYTES).digest()
    return SplitDocument(content, marks, aside, reader)


@lru_cache(maxsize=1)
def code_mark() -> str:
    """What is the same only for the same code of reading and reconciling."""
    root = Path(__file__).resolve().parent.parent
    mark = hashlib.sha256()
    for folder in _DECIDING:
        for file in sorted((root / folder).rglob("*.py")):
            mark.update(str(file.relative_to(root)).encode() + b"\0" + file.read_bytes() + b"\0")
    return mark.hexdigest()


def _is_plain(row: ParsedDocument) -> bool:
    if row.rejected or row.set_aside or row.unrecognised or row.not_offerings or len(row.offerings) != 1:
        return False
    return _says_prices_alone(row.offerings[0])


def _says_prices_alone(offering: ParsedOffering) -> bool:
    """Whether an offering has prices without dates and no more: calendars and routes are few, and go their own ways."""
    if offering.slots or offering.routes:
        return False
    return all(claim.effective_from is None and claim.effective_until is None for claim in offering.claims)


def _move(single: ParsedDocument, whole: ParsedDocument) -> None:
    """Add what was read of one row to the rest, and make room for the next."""
    whole.offerings += single.offerings
    single.offerings.clear()
    if single.rejected or single.set_aside or single.unrecognised or single.not_offerings:
        whole.rejected += single.rejected
        whole.set_aside += single.set_aside
        whole.unrecognised.update(single.unrecognised)
        whole.not_offerings.update(single.not_offerings)
        for each in (single.rejected, single.set_aside, single.unrecognised, single.not_offerings):
            each.clear()
