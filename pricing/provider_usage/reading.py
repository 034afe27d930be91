"""Reading a usage body by a table of paths.

A path is a row of keys with dots between them: ``prompt_tokens_details.cached_tokens``. Of a list it
takes the elements that carry a value: ``promptTokensDetails[modality=AUDIO].tokenCount``, or all of them:
``candidates[].groundingMetadata``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache

from pricing.usage import MOST, Quantity, UsageError, read_usage, told, with_least_overlap
from tracker.amounts import PLACES, fits

_STEP = re.compile(r"(?P<key>[^\[]+)(?:\[(?P<name>\w*)(?:=(?P<value>\w+))?\])?")
_DEEPEST = 8
_LONGEST_TERM = 100


@dataclass(frozen=True, slots=True)
class Reading:
    """Paths of one count, of which the first that is there is read, and the meters that it adds to.

    Paths with ``+`` between them are read as one: their sum. Where what the path ``unless`` leads to is more than
    nothing, this repeats it in another way.
    """

    paths: tuple[str, ...]
    meters: tuple[str, ...]
    unless: str = ""


@dataclass(frozen=True, slots=True)
class TermReading:
    """A path whose text fixes a term of the call; what ``means`` makes of some texts may be nothing.

    Any other text is taken as it is: a tier that nobody foresaw is one still. The path starts at the
    usage; when ``in_body``, at what the usage object stands in, then at the whole body.
    """

    path: str
    term: str
    means: Mapping[str, str] = field(default_factory=dict)
    in_body: bool = False


@dataclass(frozen=True, slots=True)
class Format:
    """How one provider reports usage.

    ``roots`` are the places of the usage object in a whole answer. ``known`` are paths that repeat
    what other fields say, or what nobody charges for. ``model_paths`` start where terms ``in_body``
    do. ``defaults`` are the terms of a call that names none. What meters of ``within_request`` count,
    a fee for each request pays for where there is one. ``charged_too`` are paths in the answer of what
    is charged beside the usage and is not counted: it is named, so that nobody takes it for priced.
    """

    roots: tuple[str, ...]
    readings: tuple[Reading, ...]
    known: tuple[str, ...] = ()
    terms: tuple[TermReading, ...] = ()
    model_paths: tuple[str, ...] = ("model",)
    defaults: Mapping[str, str] = field(default_factory=dict)
    within_request: tuple[str, ...] = ()
    charged_too: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MappedUsage:
    """A usage by meter, and what else the body says.

    ``unused`` are the paths of the usage object, and of what else is charged, that had no part in it.
    ``terms`` are the service tier, region or variant that the provider says it applied; the offering
    need not tell them apart. ``places`` are the paths at which meters were first read. ``defaults`` and
    ``within_request`` are those of the format.
    """

    usage: dict[str, Quantity]
    unused: tuple[str, ...] = ()
    terms: dict[str, str] = field(default_factory=dict)
    model: str = ""
    places: dict[str, str] = field(default_factory=dict)
    defaults: Mapping[str, str] = field(default_factory=dict)
    within_request: tuple[str, ...] = ()


def read_body(form: Format, body: dict[str, object]) -> MappedUsage:
    """Map a body by its format. Raises UsageError with the path that is wrong."""
    root, usage = _usage_object(form, body)
    around = _around(root, body)
    counts: dict[str, Quantity] = {}
    places: dict[str, str] = {}
    seen: set[str] = set()
    for reading in form.readings:
        found = _first(reading.paths, usage, root, seen)
        if found is None or (reading.unless and any(value for _, value in _find(reading.unless, usage))):
            continue
        place, quantity = found
        for meter in reading.meters:
            places.setdefault(meter, _at(root, place))
            counts[meter] = counts.get(meter, 0) + quantity
    if not counts:
        expected = ", ".join(reading.paths[0] for reading in form.readings[:3])
        raise UsageError(_at(root, ""), f"has no usage; fields such as {expected} were expected")
    for path in form.known:
        seen.update([place for place, _ in _find(path, usage)])
    terms = _terms(form, around, usage, seen)
    unused = [_at(root, path) for path in _leaves(usage) if path not in seen]
    return MappedUsage(
        usage=with_least_overlap(_read(counts, places)),
        unused=(*unused, *_charged_too(form, root, body)),
        terms=terms,
        model=_model(form, around),
        places=places,
        defaults=form.defaults,
        within_request=form.within_request,
    )


def _read(counts: Mapping[str, Quantity], places: Mapping[str, str]) -> dict[str, Quantity]:
    """The counts as a usage. Raises UsageError with the path in the body at which the count was read."""
    try:
        return read_usage(counts)
    except UsageError as error:
        raise UsageError(places[error.field], error.detail, error.choices) from None


def _usage_object(form: Format, body: dict[str, object]) -> tuple[str, dict[str, object]]:
    """The place of the usage object, and the object; the body itself when it holds none."""
    for root in form.roots:
        for _, found in _find(root, body):
            if isinstance(found, dict):
                return root, found
    return "", body


def _at(root: str, path: str) -> str:
    return ".".join(filter(None, ("provider_usage.body", root, path)))


def _first(paths: Sequence[str], usage: dict[str, object], root: str, seen: set[str]) -> tuple[str, Quantity] | None:
    """The place and the sum of what the first path that is there finds; the paths after it repeat it."""
    first: tuple[str, Quantity] | None = None
    for path in paths:
        found = [each for part in path.split("+") for each in _find(part, usage)]
        seen.update([place for place, _ in found])
        numbers = [_number(root, place, value) for place, value in found if value is not None and value != {}]
        if numbers and first is None:
            first = found[0][0], sum(numbers)
    return first


def _number(root: str, place: str, value: object) -> Quantity:
    if isinstance(value, float):
        value = Decimal(repr(value))
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise UsageError(_at(root, place), f"is {value!r:.60}; a number was expected")
    if (isinstance(value, Decimal) and not value.is_finite()) or not 0 <= value <= MOST:
        raise UsageError(_at(root, place), f"is {told(value)}; a count from 0 to 10^18 was expected")
    # Before it is added to others, where a digit too many would be lost.
    if isinstance(value, Decimal) and not fits(value):
        raise UsageError(_at(root, place), f"is {told(value)}; at most {PLACES} decimals were expected")
    return value


@lru_cache(maxsize=1024)
def _steps(path: str) -> tuple[tuple[str, str | None, str | None], ...]:
    """The steps of a path: a key, and what an element of the list there has to carry."""
    steps = [_STEP.fullmatch(step) for step in path.split(".")]
    return tuple((step["key"], step["name"], step["value"]) for step in steps if step)


def _find(path: str, start: object) -> list[tuple[str, object]]:
    """What a path leads to, with the place of each: for a list, of each element that fits."""
    found = [("", start)]
    for key, name, value in _steps(path):
        reached: list[tuple[str, object]] = []
        for place, inner in found:
            if isinstance(inner, dict) and key in inner:
                here = f"{place}.{key}" if place else key
                reached += [(here, inner[key])] if name is None else _elements(here, inner[key], name, value)
        if not reached:
            return reached
        found = reached
    return found


def _elements(place: str, value: object, name: str, wanted: str | None) -> list[tuple[str, object]]:
    """The objects in a list that carry a value under a name; all of them where no name is given."""
    objects = [(n, one) for n, one in enumerate(value) if isinstance(one, dict)] if isinstance(value, list) else []
    return [(f"{place}[{n}]", one) for n, one in objects if not name or one.get(name) == wanted]


def _around(root: str, body: dict[str, object]) -> list[object]:
    """Where an answer says more of its usage: what the usage object stands in, as in an event, then the whole body."""
    inner, _, _ = root.rpartition(".")
    return [*(found for _, found in _find(inner, body) if inner), body]


def _terms(form: Format, around: list[object], usage: dict[str, object], seen: set[str]) -> dict[str, str]:
    terms: dict[str, str] = {}
    for reading in form.terms:
        if not reading.in_body:
            seen.update([place for place, text in _find(reading.path, usage) if isinstance(text, str)])
        said = _text(reading.path, around if reading.in_body else [usage])
        if meaning := reading.means.get(said, said):
            terms[reading.term] = meaning
    return terms


def _text(path: str, starts: Iterable[object]) -> str:
    """The first text that a path leads to, in small letters; empty where it leads to none."""
    found = (text for start in starts for _, text in _find(path, start) if isinstance(text, str))
    return next(filter(None, (text.strip().lower()[:_LONGEST_TERM] for text in found)), "")


def _charged_too(form: Format, root: str, body: dict[str, object]) -> list[str]:
    """Where an answer tells, beside its usage, of what is charged too."""
    answer, _, _ = root.rpartition(".")
    paths = [f"{answer}.{path}" if answer else path for path in form.charged_too]
    return [_at("", place) for path in paths for place, value in _find(path, body) if value]


def _model(form: Format, around: list[object]) -> str:
    names = (name for start in around for path in form.model_paths for _, name in _find(path, start))
    return next((name for name in names if isinstance(name, str)), "")


def _leaves(value: object, place: str = "", depth: int = 0) -> Iterator[str]:
    """The paths of all that is said, down to a bounded depth; null and empty objects say nothing."""
    if isinstance(value, dict) and depth < _DEEPEST:
        for key, inner in value.items():
            yield from _leaves(inner, f"{place}.{key}" if place else str(key), depth + 1)
    elif isinstance(value, list) and depth < _DEEPEST:
        for number, inner in enumerate(value):
            yield from _leaves(inner, f"{place}[{number}]", depth + 1)
    elif value is not None:
        yield place
