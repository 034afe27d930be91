"""From the bytes of ``model_prices_and_context_window.json`` to a parsed document."""

from __future__ import annotations

from collections.abc import Callable

from feeds.adapters.amounts import BadRow, check_fields, shape_name
from feeds.adapters.document import load_noting_repeats
from feeds.adapters.litellm.facts import model_facts
from feeds.adapters.litellm.fields import looks_like_price
from feeds.adapters.litellm.ids import split_id
from feeds.adapters.litellm.readers import FieldReader, reader_for
from feeds.adapters.litellm.rows import Row, price_lines
from feeds.adapters.litellm.search_fees import by_request, charges_by_request
from feeds.adapters.litellm.stems import billing_of
from pricing.claims import ParsedDocument, ParsedOffering, Rejection, UnreadableDocument

_EXAMPLES = frozenset({"sample_spec"})
_PROVIDER = "litellm_provider"
_EXPECTED = f"LiteLLM's price map, an object of model rows with {_PROVIDER}, was expected"


def parse(body: bytes) -> ParsedDocument:
    """All that one price map says.

    Raises UnreadableDocument for what is no such document. A row that cannot be taken is rejected
    with its reason, and the rest goes on.
    """
    document = ParsedDocument()
    read_row = row_reader(document)
    for key, row in rows_of(load_noting_repeats(body, document)).items():
        read_row(key, row)
    return document


def row_reader(document: ParsedDocument) -> Callable[[str, object], None]:
    """What adds all that one row says to a document; a row says the same whatever stands beside it."""

    def read_row(key: str, row: object) -> None:
        if key in _EXAMPLES or (isinstance(row, dict) and _says_nothing_of_a_sale(row)):
            document.not_offerings[key] += 1
        else:
            _take(document, key, row)

    return read_row


def rows_of(content: object) -> dict[str, object]:
    """The rows of a price map by key. Raises UnreadableDocument for what is no such document."""
    if not isinstance(content, dict):
        raise UnreadableDocument(f"the document is {shape_name(content)}; {_EXPECTED}")
    if not any(isinstance(row, dict) and _is_priced_model(row) for row in content.values()):
        raise UnreadableDocument(f"none of the {len(content)} entries has a provider and a price; {_EXPECTED}")
    return content


def _is_priced_model(row: Row) -> bool:
    return isinstance(row.get(_PROVIDER), str) and any(looks_like_price(field) for field in row)


def _says_nothing_of_a_sale(row: Row) -> bool:
    """Whether a row names no provider and no price: settings that live among the models."""
    return row.get(_PROVIDER) is None and not any(looks_like_price(field) for field in row)


def _take(document: ParsedDocument, key: str, row: object) -> None:
    """Add a row's offering to the document, or its rejection."""
    provider = ""
    try:
        if not isinstance(row, dict):
            raise BadRow(f"the row is {shape_name(row)}, but a row is an object")
        check_fields(row)
        provider = _provider(key, row)
        document.offerings.append(_offering(document, provider, key, row))
    except BadRow as bad:
        document.rejected.append(Rejection(provider, key, str(bad)))


def _offering(document: ParsedDocument, provider: str, key: str, row: Row) -> ParsedOffering:
    stated_mode = row.get("mode")
    mode = stated_mode if isinstance(stated_mode, str) else ""
    claims, slots = price_lines(row, _reader(provider, key, mode, row), document.unrecognised)
    if charges_by_request(provider, key):
        claims = by_request(claims)
    return ParsedOffering(provider, key, claims, model_facts(row, mode), slots)


def _reader(provider: str, key: str, mode: str, row: Row) -> FieldReader:
    return reader_for(billing_of(mode, row), split_id(key, provider).without_model)


def _provider(key: str, row: Row) -> str:
    provider = row.get(_PROVIDER)
    if isinstance(provider, str) and provider.strip():
        return provider
    if provider is not None and not isinstance(provider, str):
        raise BadRow(f"{_PROVIDER} is {shape_name(provider)}, but it is the seller's id")
    seller, slash, _ = key.partition("/")
    if not slash:
        raise BadRow(f"the row has no {_PROVIDER}, and its id has no part before a slash to stand for it")
    return seller
