"""Rows as CSV and as JSON Lines, written while they are read."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from rest_framework.renderers import BaseRenderer

# A spreadsheet takes a cell that begins so for a formula (OWASP, "CSV Injection").
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


class CSVRenderer(BaseRenderer):
    """Makes ``text/csv`` and ``format=csv`` negotiable; a view streams the rows itself."""

    media_type = "text/csv"
    format = "csv"
    charset = "utf-8"


class JSONLinesRenderer(BaseRenderer):
    """Makes ``application/jsonl`` and ``format=jsonl`` negotiable; a view streams the rows itself."""

    media_type = "application/jsonl"
    format = "jsonl"
    charset = None


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


def csv_lines(rows: Iterable[dict[str, Any]], columns: Sequence[str]) -> Iterator[str]:
    """A header line, then each row as one line; a list becomes one cell, joined by spaces, and an object its JSON."""
    writer = csv.writer(_Echo())
    yield writer.writerow(columns)
    for row in rows:
        yield writer.writerow([_cell(row[column]) for column in columns])


def json_lines(rows: Iterable[dict[str, Any]], columns: Sequence[str]) -> Iterator[str]:
    """Each row as one line of JSON."""
    for row in rows:
        yield json.dumps({column: row[column] for column in columns}, ensure_ascii=False, separators=(",", ":")) + "\n"


def _cell(value: Any) -> Any:
    if isinstance(value, list):
        value = " ".join(map(str, value))
    if isinstance(value, dict):
        value = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS) and not _is_number(value):
        return "'" + value
    return value


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text.strip() == text and text[1:2].isdigit()
