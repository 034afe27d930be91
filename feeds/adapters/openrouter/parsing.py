"""From the bytes of ``GET /api/v1/models`` to a parsed document."""

from __future__ import annotations

from feeds.adapters.amounts import BadRow, check_fields, shape_name
from feeds.adapters.document import load_noting_repeats
from feeds.adapters.openrouter.rows import SELLER, read_row
from pricing.claims import ParsedDocument, Rejection, UnreadableDocument

_MOVING_NAME = "~"
_EXPECTED = "OpenRouter's list of models, an object with a list 'data', was expected"


def parse(body: bytes) -> ParsedDocument:
    """All that one list of models says.

    Raises UnreadableDocument for what is no such document. A row that cannot be taken is rejected
    with its reason, and the rest goes on.
    """
    document = ParsedDocument()
    for row in _rows(load_noting_repeats(body, document)):
        _take(document, row)
    return document


def _rows(content: object) -> list[object]:
    if not isinstance(content, dict):
        raise UnreadableDocument(f"the document is {shape_name(content)}; {_EXPECTED}")
    rows = content.get("data")
    if not isinstance(rows, list):
        raise UnreadableDocument(f"'data' is {shape_name(rows)}; {_EXPECTED}")
    if not any(isinstance(row, dict) and isinstance(row.get("pricing"), dict) for row in rows):
        raise UnreadableDocument(f"none of the {len(rows)} entries of 'data' has an object 'pricing'; {_EXPECTED}")
    return rows


def _take(document: ParsedDocument, row: object) -> None:
    model = _id(row)
    if model.startswith(_MOVING_NAME):
        # "~openai/gpt-latest" sells nothing of its own: it leads to whichever model is the latest.
        document.not_offerings[model] += 1
        return
    try:
        if not isinstance(row, dict):
            raise BadRow(f"the row is {shape_name(row)}, but a row is an object")
        check_fields(row)
        document.offerings.append(read_row(model, row, document))
    except BadRow as bad:
        document.rejected.append(Rejection(SELLER, model, str(bad)))


def _id(row: object) -> str:
    value = row.get("id") if isinstance(row, dict) else None
    return value if isinstance(value, str) else ""
