"""Reading one line of usage that somebody asks the cost of: plain values of JSON to a line, or to what is wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, NamedTuple

from pricing.likeness import misspelt
from pricing.provider_usage import MappedUsage, map_usage
from pricing.usage import UsageError

EXAMPLE_MOMENT = "2026-09-01T00:00:00Z"
LINE_FIELDS = (
    "id",
    "seller",
    "model",
    "at",
    "service_tier",
    "region",
    "variant",
    "commitment",
    "known_at",
    "assume_earliest",
    "usage",
    "provider_usage",
)
TERMS = ("service_tier", "region", "variant", "commitment")
NOTHING: Mapping[str, str] = MappingProxyType({})
_KNOWN = frozenset(LINE_FIELDS)
_IDS = (str, int, type(None))
_PLAIN_FIELDS = frozenset(("id", "seller", "model", "at", "usage"))
_LONGEST_TERM = 200

Path = tuple[str | int, ...]


class LineFault(Exception):
    """Why a line cannot be priced: the path of what is wrong within the line, what, and what would be right.

    ``status`` is that of the line's problem: 400, 404 for an unknown name, 500 where the record itself is at fault.
    """

    def __init__(self, path: Path, detail: str, choices: Sequence[str] = (), status: int = 400) -> None:
        where = ".".join(map(str, path))
        super().__init__(f"{where}: {detail}" if where else detail)
        self.path = path
        self.detail = detail
        self.choices = list(choices)
        self.status = status


class AskedLine(NamedTuple):
    """A line as it was asked: ``name`` is the seller's slug and the model's id, ``terms`` are those that were said.

    ``at`` is None for now, as ``known_at`` is.
    """

    name: tuple[str, str]
    at: datetime | None
    usage: Mapping[str, Any]
    known_at: datetime | None = None
    terms: Mapping[str, str] = NOTHING
    assume_earliest: bool = False
    provider: MappedUsage | None = None


def read_line(line: Any) -> AskedLine:
    """The line that a JSON value asks for. Raises LineFault."""
    if not isinstance(line, dict):
        raise LineFault((), f"is {_kind(line)}; an object was expected")
    get = line.get
    usage, at = get("usage"), get("at")
    name: tuple[Any, Any] = (get("seller"), get("model"))
    if type(given := get("id")) not in _IDS:
        raise LineFault(("id",), f"is {_kind(given)}; text or a whole number was expected")
    if not (type(name[0]) is type(name[1]) is str and all(name)):
        raise _unnamed(line)
    moment = None if at is None else read_moment("at", at)
    if line.keys() <= _PLAIN_FIELDS and type(usage) is dict:
        return AskedLine(name, moment, usage)
    return _read_rest(line, AskedLine(name, moment, NOTHING))


def _read_rest(line: Mapping[str, Any], read: AskedLine) -> AskedLine:
    """The line with all that most lines do not say."""
    if not line.keys() <= _KNOWN:
        raise _unknown_field(next(key for key in line if key not in _KNOWN))
    known_at, assume = line.get("known_at"), line.get("assume_earliest")
    if assume is not None and not isinstance(assume, bool):
        raise LineFault(("assume_earliest",), f"is {_kind(assume)}; true or false was expected")
    usage, provider = _usage(line)
    return read._replace(
        usage=usage,
        known_at=None if known_at is None else read_moment("known_at", known_at),
        terms=read_terms(line),
        assume_earliest=bool(assume),
        provider=provider,
    )


def read_terms(line: Mapping[str, Any]) -> dict[str, str]:
    """The terms that a line says. Raises LineFault."""
    return {term: value for term in TERMS if (value := _term(line, term)) is not None}


def read_moment(field: str, text: Any) -> datetime:
    """The moment of RFC 3339 text, in UTC. Raises LineFault, also for a naive one."""
    if not isinstance(text, str):
        raise LineFault((field,), f"is {_kind(text)}; a moment such as {EXAMPLE_MOMENT!r} was expected")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise LineFault((field,), f"{text[:60]!r} is not a moment; write it as {EXAMPLE_MOMENT}") from None
    if moment.tzinfo is UTC:
        return moment
    if moment.tzinfo is None:
        detail = f"{text[:60]!r} has no time zone; write it as {EXAMPLE_MOMENT}, or with an offset such as +02:00"
        raise LineFault((field,), detail)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise LineFault((field,), f"{text[:60]!r} lies outside the years 1 to 9999") from None


def fault_of_usage(error: UsageError, provider: MappedUsage | None = None) -> LineFault:
    """What is wrong with a usage; of a provider's body at the field that was read as what is wrong."""
    if provider is None:
        return LineFault(("usage", error.field), error.detail, error.choices)
    place = provider.places.get(error.field, "")
    return LineFault(_body_path(place), f"{error.field} {error.detail}", error.choices)


def _unnamed(line: Mapping[str, Any]) -> LineFault:
    field = next(field for field in ("seller", "model") if not (isinstance(line.get(field), str) and line[field]))
    value = line.get(field)
    return LineFault((field,), "is missing" if value in (None, "") else f"is {_kind(value)}; a name was expected")


def _term(line: Mapping[str, Any], field: str) -> str | None:
    value = line.get(field)
    if value is None or (isinstance(value, str) and len(value) <= _LONGEST_TERM):
        return value
    raise LineFault((field,), f"is {_kind(value)}; text of up to {_LONGEST_TERM} characters was expected")


def _usage(line: Mapping[str, Any]) -> tuple[Mapping[str, Any], MappedUsage | None]:
    usage, provider = line.get("usage"), line.get("provider_usage")
    if provider is None:
        if isinstance(usage, dict):
            return usage, None
        if usage is None:
            raise LineFault(("usage",), "is missing; give usage or provider_usage")
        raise LineFault(("usage",), f"is {_kind(usage)}; an object of counts by meter was expected")
    if usage is not None:
        raise LineFault(("provider_usage",), "stands beside usage; only one of them can be priced")
    mapped = _mapped(provider)
    return mapped.usage, mapped


def _mapped(provider: Any) -> MappedUsage:
    if not isinstance(provider, dict):
        raise LineFault(("provider_usage",), f'is {_kind(provider)}; {{"format": …, "body": …}} was expected')
    for field in provider:
        if field not in ("format", "body"):
            raise LineFault(("provider_usage", field), "is no field here; format and body are", ["format", "body"])
    format_name = provider.get("format")
    if not isinstance(format_name, str):
        raise LineFault(("provider_usage", "format"), f"is {_kind(format_name)}; the name of a format was expected")
    try:
        return map_usage(format_name, provider.get("body"))
    except UsageError as error:
        raise LineFault(_body_path(error.field), error.detail, error.choices) from None


def _body_path(field: str) -> Path:
    """``provider_usage.body.usage.details[0].count`` as the steps of a pointer; a bare count is the body's fault."""
    if not field.startswith("provider_usage."):
        return ("provider_usage", "body")
    return tuple(field.replace("[", ".").replace("]", "").split("."))


def _unknown_field(field: str) -> LineFault:
    likely = misspelt(field, LINE_FIELDS)
    hint = f"; did you mean {likely[0]!r}?" if likely else ""
    return LineFault((field[:100],), f"is no field of a line{hint}", LINE_FIELDS)


def _kind(value: Any) -> str:
    """What a JSON value is, in words."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    kinds: dict[type, str] = {str: "text", dict: "an object", list: "a list"}
    return kinds.get(type(value), "a number")
