"""The project's own record as a source: plans and dated API prices, in one canonical JSON bundle.

The bundle is made from ``data/plans``, ``data/prices`` and ``data/routes``; it can be archived, digested and
parsed again like any feed's document. Every number in it is text.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from companies.record.fields import Citation
from companies.record.files import BadRecord, files_of
from companies.record.reading import SCHEMA, read_description
from feeds.adapters.curated.plans import plan_offering, read_plans
from feeds.adapters.curated.prices import Withdrawal, price_offering, read_prices
from feeds.adapters.curated.routes import read_routes, with_routes
from feeds.adapters.document import load_json
from pricing.claims import ParsedDocument, UnreadableDocument

_KINDS = ("plans", "prices")
# A record need not tell of routes, and older bundles do not.
_ROUTES = "routes"
_EXPECTED = "a bundle of the curated record was expected, an object with schema, compiled_on, plans and prices"
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class PlanDescription:
    """What a plan is, besides its prices; ``allowances`` are those of the first price that has no end."""

    name: str
    audience: str
    allowances: str


def bundle(folder: Path) -> bytes:
    """The plans, prices and routes of a record's folder as canonical JSON: equal files give equal bytes.

    Raises UnreadableDocument, naming the file and the entry, when any file has a mistake.
    """
    try:
        content: dict[str, object] = {"schema": SCHEMA, "compiled_on": str(read_description(folder).compiled_on)}
        for kind in _KINDS:
            content[kind] = dict(_company_files(folder, kind))
        if (folder / _ROUTES).is_dir():
            content[_ROUTES] = dict(_company_files(folder, _ROUTES))
    except BadRecord as error:
        raise UnreadableDocument(str(error)) from None
    body = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    parse(body)
    return body


def parse(body: bytes) -> ParsedDocument:
    """All plans, API prices and routes of a bundle.

    The provider of an offering is its company's slug; a plan's model is ``plan:`` and its own
    slug. Nothing is rejected by the row: a bundle with a mistake raises UnreadableDocument.
    """
    content = _content(body)
    plans = [plan_offering(plan) for plan in _items(content, "plans", read_plans)]
    prices = [price_offering(model) for model in _items(content, "prices", read_prices)]
    return ParsedDocument(offerings=with_routes([*plans, *prices], list(_items(content, _ROUTES, read_routes))))


def plan_descriptions(body: bytes) -> dict[tuple[str, str], PlanDescription]:
    """The audience and the allowances of every plan, by (company, plan slug). Raises UnreadableDocument."""
    return {
        (plan.company, plan.slug): PlanDescription(plan.name, plan.audience, plan.allowances)
        for plan in _items(_content(body), "plans", read_plans)
    }


def citations(body: bytes) -> dict[tuple[str, str], tuple[Citation, ...]]:
    """Where each offering's prices and routes were read, by (provider, model), in the order of the files, each once.

    Raises UnreadableDocument.
    """
    content = _content(body)
    found: dict[tuple[str, str], tuple[Citation, ...]] = {}
    for plan in _items(content, "plans", read_plans):
        found[plan.company, plan.model] = tuple(dict.fromkeys(price.citation for price in plan.prices))
    for model in _items(content, "prices", read_prices):
        found[model.seller, model.model] = tuple(dict.fromkeys(sheet.citation for sheet in model.sheets))
    for routed in _items(content, _ROUTES, read_routes):
        key = routed.seller, routed.model
        found[key] = tuple(dict.fromkeys((*found.get(key, ()), *routed.citations)))
    return found


def withdrawals(body: bytes) -> dict[tuple[str, str], Withdrawal]:
    """What is sold no more although feeds may still list it, by (provider, model). Raises UnreadableDocument."""
    models = _items(_content(body), "prices", read_prices)
    return {(model.seller, model.model): model.withdrawal for model in models if model.withdrawal is not None}


def _company_files(folder: Path, kind: str) -> Iterator[tuple[str, object]]:
    for place, slug, value in files_of(folder, kind):
        if not (folder / "companies" / f"{slug}.yaml").is_file():
            raise BadRecord(f"{place}: {slug} has no file in {folder.name}/companies, which every company needs")
        yield slug, value


def _content(body: bytes) -> Mapping[str, object]:
    content = load_json(body)
    if not isinstance(content, dict) or set(content) - {_ROUTES} != {"schema", "compiled_on", *_KINDS}:
        raise UnreadableDocument(_EXPECTED)
    if content["schema"] != SCHEMA:
        raise UnreadableDocument(f"the bundle's schema is {content['schema']!r}, but this version reads {SCHEMA!r}")
    return content


def _items(content: Mapping[str, object], kind: str, read: Callable[[str, str, object], list[Item]]) -> Iterator[Item]:
    files = content.get(kind, {}) if kind == _ROUTES else content[kind]
    if not isinstance(files, dict):
        raise UnreadableDocument(_EXPECTED)
    try:
        for slug, value in files.items():
            yield from read(f"{kind}/{slug}.yaml", slug, value)
    except BadRecord as error:
        raise UnreadableDocument(str(error)) from None
