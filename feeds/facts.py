"""Filling in what nobody has said yet of models and offerings, from the newest document."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from companies.models import AIModel, Company
from pricing.bulk import save_changes
from pricing.claims import ModelFacts, ParsedOffering
from pricing.models import Offering

_OFFERING_FACTS = ("mode", "context_tokens", "deprecated_on", "retired_on")
_MODEL_FACTS = (
    "family",
    "input_modalities",
    "output_modalities",
    "open_weights",
    "context_tokens",
    "max_output_tokens",
    "released_on",
    "deprecated_on",
    "retired_on",
)


def fill_in(rows: Sequence[tuple[ParsedOffering, Offering]]) -> None:
    """Give models and offerings the facts that they lack; what is there, or a person edited, stays.

    A lab's own listing is heard before a reseller's.
    """
    rows = sorted(rows, key=lambda pair: pair[1].seller.kind != Company.Kind.LAB)
    save_changes(_filled(rows), _OFFERING_FACTS)
    known = AIModel.objects.in_bulk({o.model_id for _, o in rows if o.model_id is not None})
    linked = [(row, known[o.model_id]) for row, o in rows if o.model_id in known]
    changed = {model.pk: model for row, model in linked if not model.edited and _fill(model, _MODEL_FACTS, row.facts)}
    save_changes(list(changed.values()), (*_MODEL_FACTS, "release_precision"))


def _filled(rows: Iterable[tuple[ParsedOffering, Offering]]) -> list[Offering]:
    changed = {o.pk: o for row, o in rows if _fill(o, _OFFERING_FACTS, row.facts)}
    return list(changed.values())


def _fill(row: Any, names: Iterable[str], facts: ModelFacts) -> bool:
    """Set the facts that a row lacks; whether there were any."""
    filled = False
    for name in names:
        fact = getattr(facts, name)
        if fact in (None, "", ()) or getattr(row, name) not in (None, "", []):
            continue
        limit = row._meta.get_field(name).max_length
        setattr(row, name, list(fact) if isinstance(fact, tuple) else fact[:limit] if limit else fact)
        if name == "released_on":
            row.release_precision = facts.release_precision
        filled = True
    return filled
