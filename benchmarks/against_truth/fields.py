"""What a feed's adapter makes of one field of one row: the adapter itself is asked, with all other prices silent."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from feeds.adapters.document import load_json
from feeds.reading import from_file
from feeds.registry import known_feed
from pricing.claims import Conditions, ParsedDocument

Row = Mapping[str, Any]
_STEP = re.compile(r"(?P<root>[^.\[]+)(?:\[(?P<index>\d+)\])?(?:\.(?P<leaf>.+))?")
NO_PRICE_TO_ADAPTER = "the adapter takes it for no price"
_HOLE = "the price that is asked about"
_RANGES = ("range", "max_results_range")
_ANCHOR = {"litellm_provider": "anchor", "input_cost_per_token": 1}
_DOCUMENT_NAME = re.compile(r"(\d{4}-\d{2}-\d{2})\.json(\.gz)?")


@dataclass(frozen=True, slots=True)
class FieldMeaning:
    """The line and amount that one field states, or why it states none."""

    line: Conditions | None = None
    amount: Decimal | None = None
    silent_because: str = ""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a feed's documents keep a model's row, and how a row with a single price is written."""

    row: Callable[[Any, str, str], Row | None]
    alone: Callable[[Row, str, str, str], Any]
    whole: Callable[[Row, str, str], Any]
    prices: Callable[[Row], Row]


@dataclass(slots=True)
class Documents:
    """The dated documents of a feed; the last few read are kept."""

    slug: str
    files: dict[str, Path]
    _held: dict[str, Any] = field(default_factory=dict)

    def row(self, date: str, provider: str, model: str) -> Row | None:
        """A model's row in the document of a date."""
        return LAYOUTS[self.slug].row(self._content(date), provider, model)

    def meaning(self, date: str, provider: str, model: str, path: str, value: Decimal) -> FieldMeaning:
        """What the adapter makes of ``value`` in a field, in the row as it stood on that date."""
        row = self.row(date, provider, model) or {}
        body = _exact(LAYOUTS[self.slug].alone(row, provider, model, path))
        parsed = known_feed(self.slug).parse(body.replace(f'"{_HOLE}"', str(value)).encode())
        return _only_claim(parsed, provider, model)

    def value(self, date: str, provider: str, model: str, path: str) -> Decimal | None:
        """The number that a field holds in the document of a date."""
        row = self.row(date, provider, model)
        return None if row is None else dict(_numbers(LAYOUTS[self.slug].prices(row))).get(path)

    def sheet(self, date: str, provider: str, model: str) -> dict[Conditions, Decimal]:
        """All that the adapter makes of a model's whole row on a date."""
        row = self.row(date, provider, model)
        if row is None:
            return {}
        parsed = known_feed(self.slug).parse(_exact(LAYOUTS[self.slug].whole(row, provider, model)).encode())
        mine = [offering for offering in parsed.offerings if offering.model == model]
        return {claim.line: claim.amount for offering in mine for claim in offering.claims}

    def fields_of(self, date: str, provider: str, model: str, line: Conditions) -> dict[str, Decimal | None]:
        """The fields of a row that each state a line by themselves, with the amounts; none where it is derived."""
        row = self.row(date, provider, model) or {}
        prices = _numbers(LAYOUTS[self.slug].prices(row))
        meanings = {path: self.meaning(date, provider, model, path, value) for path, value in prices}
        return {path: meaning.amount for path, meaning in meanings.items() if meaning.line == line}

    def _content(self, date: str) -> Any:
        if date not in self._held:
            while len(self._held) > 2:
                del self._held[next(iter(self._held))]
            self._held[date] = load_json(from_file(self.files[date]).body)
        return self._held[date]


def dated_files(folder: Path, until: str = "") -> dict[str, Path]:
    """The documents of a folder by the date in their names, oldest first."""
    named = [(_DOCUMENT_NAME.fullmatch(file.name), file) for file in sorted(folder.iterdir())]
    return {name[1]: file for name, file in named if name and (not until or name[1] <= until)}


def _only_claim(parsed: ParsedDocument, provider: str, model: str) -> FieldMeaning:
    for rejection in parsed.rejected:
        return FieldMeaning(silent_because=f"the row is rejected: {rejection.reason}")
    for offering in parsed.offerings:
        if offering.model == model and offering.claims:
            claim = offering.claims[0]
            return FieldMeaning(claim.line, claim.amount)
    if parsed.unrecognised:
        return FieldMeaning(silent_because=f"not understood: {', '.join(parsed.unrecognised)}")
    return FieldMeaning(silent_because=NO_PRICE_TO_ADAPTER)


def _shaped(row: Row, path: str) -> tuple[str, Any]:
    """The root field of a path, holding nothing but a hole where the path leads."""
    step = _STEP.fullmatch(path)
    assert step is not None, path
    root, index, leaf = step["root"], step["index"], step["leaf"]
    if index is None:
        return root, {leaf: _HOLE} if leaf else _HOLE
    entries = row.get(root) or []
    entry = entries[int(index)] if int(index) < len(entries) else {}
    return root, [{name: entry[name] for name in _RANGES if name in entry} | {leaf: _HOLE}]


def _litellm_alone(row: Row, provider: str, model: str, path: str) -> Any:
    # The names of the silent fields stay, since what a field means can depend on which others there are.
    silent = {name: value if name in ("litellm_provider", "mode") else None for name, value in row.items()}
    root, shaped = _shaped(row, path)
    return {model: silent | {root: shaped}, "anchor": _ANCHOR}


def _models_dev_alone(row: Row, provider: str, model: str, path: str) -> Any:
    cost = path.removeprefix("cost.")
    root, shaped = _shaped(row.get("cost") or {}, cost)
    return {provider: {"models": {model: {"cost": {root: shaped}}}}}


def _models_dev_row(content: Any, provider: str, model: str) -> Row | None:
    found = content.get(provider, {}).get("models", {}).get(model)
    return found if isinstance(found, dict) else None


def _litellm_row(content: Any, provider: str, model: str) -> Row | None:
    found = content.get(model)
    return found if isinstance(found, dict) else None


LAYOUTS = {
    "models-dev": Layout(
        row=_models_dev_row,
        alone=_models_dev_alone,
        whole=lambda row, provider, model: {provider: {"models": {model: row}}},
        prices=lambda row: row.get("cost") or {},
    ),
    "litellm": Layout(
        row=_litellm_row,
        alone=_litellm_alone,
        whole=lambda row, provider, model: {model: row, "anchor": _ANCHOR},
        prices=lambda row: row,
    ),
}


def _numbers(row: Row) -> Iterator[tuple[str, Decimal]]:
    """The numbers of a row by their paths, as the truth writes paths."""
    for name, value in row.items():
        yield from _numbers_of(name, value)


def _numbers_of(path: str, value: object) -> Iterator[tuple[str, Decimal]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _numbers_of(f"{path}.{name}", inner)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _numbers_of(f"{path}[{index}]", inner)
    elif isinstance(value, int | Decimal) and not isinstance(value, bool):
        yield path, Decimal(value)


def _exact(content: Any) -> str:
    """JSON with its decimals written out, digit for digit."""
    if isinstance(content, Decimal):
        return str(content)
    if isinstance(content, dict):
        return "{" + ",".join(f"{json.dumps(name)}:{_exact(value)}" for name, value in content.items()) + "}"
    if isinstance(content, list):
        return "[" + ",".join(map(_exact, content)) + "]"
    return json.dumps(content)
