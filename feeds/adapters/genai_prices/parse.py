"""genai-prices' documents: a list of providers with their models, priced in USD.

The canonical form of the installed package (see ``snapshot``), the repository's v2 ``data.json`` and
its forerunner v1 share this shape; v1 knows fewer keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from feeds.adapters.amounts import BadRow, check_fields, shape_name, shown
from feeds.adapters.document import load_noting_repeats
from feeds.adapters.genai_prices.entries import read_entries, read_variants
from feeds.adapters.genai_prices.schedule import schedule
from pricing.claims import ModelFacts, ParsedDocument, ParsedOffering, Rejection, UnreadableDocument

_EXPECTED = "genai-prices' data, a list of providers that each hold a list 'models', was expected"
_PRICE_FIELDS = frozenset({"prices", "price_variants", "price_comments"})


def parse(body: bytes) -> ParsedDocument:
    """All that one document says: standard prices, variants, tiers, dates and time windows.

    Raises UnreadableDocument for what is no such document. A model that cannot be taken is rejected
    and the rest goes on.
    """
    document = ParsedDocument()
    taken: set[tuple[str, str]] = set()
    for provider in _providers(load_noting_repeats(body, document)):
        _read_provider(provider, document, taken)
    return document


def _providers(content: object) -> list[Any]:
    if not isinstance(content, list):
        raise UnreadableDocument(f"the document is {shape_name(content)}; {_EXPECTED}")
    if not content:
        raise UnreadableDocument(f"the list is empty; {_EXPECTED}")
    if not any(isinstance(provider, dict) and isinstance(provider.get("models"), list) for provider in content):
        raise UnreadableDocument(f"no entry has a list 'models'; {_EXPECTED}")
    return content


def _read_provider(provider: object, document: ParsedDocument, taken: set[tuple[str, str]]) -> None:
    fields = provider if isinstance(provider, dict) else {}
    provider_id, models = _text(fields.get("id")), fields.get("models")
    if not provider_id or not isinstance(models, list):
        reason = f"the provider {shown(provider)} lacks an id or a list 'models'"
        document.rejected.append(Rejection(provider_id, "", reason))
        return
    for model in models:
        model_id = _text(model.get("id")) if isinstance(model, dict) else ""
        try:
            if (provider_id, model_id) in taken:
                raise BadRow(f"the id {model_id!r} is given twice in the document; the first counts")
            offering = _offering(provider_id, _text(fields.get("name")), model_id, model, document)
        except BadRow as error:
            document.rejected.append(Rejection(provider_id, model_id, str(error)))
        else:
            taken.add((provider_id, model_id))
            document.offerings.append(offering)


def _offering(
    provider_id: str, provider_name: str, model_id: str, model: object, document: ParsedDocument
) -> ParsedOffering:
    if not isinstance(model, dict) or not model_id:
        raise BadRow(f"the model is {shown(model)}; an object with an id was expected")
    check_fields(model, "the model")
    _count_strange_prices(model, document)
    stated = schedule(
        read_entries(model.get("prices"), document.unrecognised),
        read_variants(model.get("price_variants"), document.unrecognised),
    )
    return ParsedOffering(provider_id, model_id, stated.claims, _facts(model), stated.slots, provider_name)


def _count_strange_prices(model: Mapping[str, Any], document: ParsedDocument) -> None:
    for field in model.keys() - _PRICE_FIELDS:
        if "price" in field or "cost" in field:
            document.unrecognised[field] += 1


def _facts(model: Mapping[str, Any]) -> ModelFacts:
    """The first documents called the context window ``max_tokens``."""
    context = model.get("context_window", model.get("max_tokens"))
    return ModelFacts(
        name=_text(model.get("name")),
        context_tokens=context if isinstance(context, int) and not isinstance(context, bool) and context > 0 else None,
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
