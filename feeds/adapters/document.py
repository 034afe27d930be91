"""Reading a JSON document exactly: numbers as Decimal, and a clear refusal of what is no document."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from pricing.claims import ParsedDocument, Rejection, UnreadableDocument

# What keeps a worker within 300 MiB. The largest document that any feed has published has 3 MB, 12,500 objects with
# 72,000 members, and 5,000 rows; each bound leaves room for several times as much.
LARGEST_JSON = 32 * 1024 * 1024
MOST_OBJECTS = 150_000
MOST_MEMBERS = 600_000
MOST_ROWS = 15_000


def _refuse_constant(name: str) -> Any:
    raise UnreadableDocument(f"the document holds {name}, which is not a JSON number")


def load_json(body: bytes) -> Any:
    """Parse a UTF-8 JSON document with exact decimals.

    Raises UnreadableDocument when it is empty, cut short, nested beyond reason or not JSON.
    """
    return _load(body, None)


def load_noting_repeats(body: bytes, document: ParsedDocument) -> Any:
    """The same content as ``load_json`` gives; a key that one object repeats is told of in ``document``.

    The last one counts, as for any parser of JSON. Raises UnreadableDocument.
    """
    repeated: Counter[str] = Counter()

    def as_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        content = dict(pairs)
        if len(content) < len(pairs):
            repeated.update(_surplus(pairs))
        return content

    content = _load(body, as_object)
    document.set_aside += [_repeat(key, count) for key, count in repeated.items()]
    return content


def _surplus(pairs: list[tuple[str, Any]]) -> Counter[str]:
    counts = Counter(key for key, _ in pairs)
    return Counter({key: count - 1 for key, count in counts.items() if count > 1})


def _repeat(key: str, surplus: int) -> Rejection:
    times = "once more" if surplus == 1 else f"{surplus} times more"
    return Rejection("", key, f"the key stands {times} in the same object; the last one is taken")


def check_row_count(count: int) -> None:
    """Refuse a document of more rows than any price list has. Raises UnreadableDocument."""
    if count > MOST_ROWS:
        raise UnreadableDocument(f"the document has {count:,} rows; a price list has {MOST_ROWS:,} at most")


def _check_size(body: bytes) -> None:
    """Refuse what could fill the memory before any of it is unpacked: braces and colons are counted in the raw bytes.

    Those within texts count, too; there are few.
    """
    if len(body) > LARGEST_JSON:
        raise UnreadableDocument(
            f"the document has {len(body):,} bytes; a price list has {LARGEST_JSON // 1024**2} MiB at most"
        )
    for mark, what, most in ((b"{", "objects", MOST_OBJECTS), (b":", "members of objects", MOST_MEMBERS)):
        count = body.count(mark)
        if count > most:
            raise UnreadableDocument(f"the document has some {count:,} {what}; a price list has {most:,} at most")


def _load(body: bytes, as_object: Callable[[list[tuple[str, Any]]], dict[str, Any]] | None) -> Any:
    if not body.strip():
        raise UnreadableDocument("the document is empty; a JSON document was expected")
    _check_size(body)
    try:
        return json.loads(
            body.decode("utf-8"),
            parse_float=Decimal,
            parse_constant=_refuse_constant,
            object_pairs_hook=as_object,
        )
    except UnicodeDecodeError as error:
        raise UnreadableDocument(f"the document is not UTF-8 text ({error})") from None
    except RecursionError:
        raise UnreadableDocument("the document is nested too deeply to be a price list") from None
    except json.JSONDecodeError as error:
        raise UnreadableDocument(
            f"the document is not complete JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        ) from None
    except (ValueError, InvalidOperation) as error:
        if isinstance(error, UnreadableDocument):
            raise
        raise UnreadableDocument(f"the document holds a number that cannot be read: {error}") from None


def as_amount(value: object) -> Decimal:
    """A JSON number as an exact Decimal. Raises ValueError for anything else, booleans included."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError(f"{value!r} is not a number")
    amount = Decimal(value)
    if not amount.is_finite():
        raise ValueError(f"{value!r} is not a finite number")
    return amount
