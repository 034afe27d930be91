"""Functions that price a usage by one plan and write the result, made for each form of plan as Python source.

What differs between plans of one form (amounts, cited rows) is given to the function; what does not (which
counts are taken from which, which are charged together) is written out, as ``dataclasses`` writes out an ``__init__``:
a loop over it would take longer than the sums. The arithmetic is that of ``pricing.cost.price``, and a test holds the
two together. All names in the source are made here, all values are numbers, or slugs from the table of meters.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from json.encoder import encode_basestring_ascii as quoted
from typing import Any, NamedTuple

from pricing.api.shapes.costs import BEGINNINGS, NOTHING_MORE, Frame, amount_text, cost_row, frame
from pricing.cost import cost_of
from pricing.cost_plans import Places, Plan
from pricing.costing.lines import CostedLine
from pricing.costing.tills import Parts, Result
from pricing.usage import MOST, Count

_CLOSING = f"]{NOTHING_MORE},"


class Form(NamedTuple):
    """What plans may have in common: the keys of the usages, and what becomes of their counts (see ``Plan``).

    ``told`` are the places at which any count above 0 has something said of it.
    """

    keys: tuple[str, ...]
    shape: tuple[Count, ...]
    merges: tuple[tuple[int, Places], ...]
    charged: Places
    meters: tuple[str, ...]
    told: Places


def result_writer(keys: tuple[str, ...], plan: Plan) -> Result:
    """The function for usages with these keys, which prices by any plan of the same form: see ``written_parts``.

    To be called where the decimal context is EXACT.
    """
    told = {gap.place for gap in plan.gaps} | {place for place, _ in plan.notes}
    return _made(Form(keys, plan.shape, plan.merges, plan.charged, plan.meters, tuple(sorted(told))))


def written_parts(plan: Plan, endings: Mapping[int, str]) -> Parts:
    """What the function needs of a plan. ``endings`` are those of items that cite the plan's price rows.

    One tuple: with thousands of plans the time goes into fetching memory.
    """
    cited = [endings[price.row or 0] for price in plan.prices]
    around = frame(plan, endings) if plan.gaps or plan.notes else []
    return (plan, around, _opening(plan.currency), *plan.unit_amounts, *cited)


@lru_cache(maxsize=256)
def _opening(currency: str) -> str:
    return f'","currency":{quoted(currency)},"alias":null,"items":['


@lru_cache(maxsize=1024)
def _made(form: Form) -> Result:
    names: dict[str, Any] = {"written": amount_text, "some_items": _some_items, "remarkable": _remarkable}
    exec(compile("\n".join(_source(form)), "<a form of plan>", "exec"), names)  # noqa: S102 - see the first words here
    result: Result = names["result"]
    return result


def _source(form: Form) -> Iterator[str]:
    items = range(len(form.charged))
    parts = ("plan", "around", "opening", *(f"unit_{item}" for item in items), *(f"ending_{item}" for item in items))
    yield "def result(given, usage, parts):"
    for line in (*_counting(form), f"{', '.join(parts)} = parts", *_told(form), *_charging(form), *_writing(form)):
        yield f"    {line}"


def _counting(form: Form) -> Iterator[str]:
    """What each count holds apart from those inside it, then with those that are charged with it."""
    named = {key: f"count_{place}" for place, key in enumerate(form.keys)}
    yield f"{', '.join(named.values())}, = usage.values()"
    yield f"if not ({' is '.join(f'{count}.__class__' for count in named.values())} is int): return None"
    inside_others = {place for _, inside in form.shape for place in inside}
    for place, (meter, inside) in enumerate(form.shape):
        yield f"held_{place} = {' - '.join([named.get(meter, '0'), *(f'held_{other}' for other in inside)])}"
        # What is inside another count is no more than that.
        too_many = "" if place in inside_others else f" or {named.get(meter, '0')} > {MOST}"
        yield f"if held_{place} < 0{too_many}: return None"
    yield f"held_{len(form.shape)} = 1"
    for place, merged in form.merges:
        yield f"held_{place} += {' + '.join(f'held_{other}' for other in merged)}"


def _told(form: Form) -> Iterator[str]:
    if form.told:
        held = ", ".join(f"held_{place}" for place in range(len(form.shape) + 1))
        told = " or ".join(f"held_{place}" for place in form.told)
        yield f"if {told}: return remarkable(given, plan, around, ({held}))"


def _charging(form: Form) -> Iterator[str]:
    for item, place in enumerate(form.charged):
        yield f"amount_{item} = unit_{item} * held_{place}"
        yield from _as_text(f"text_{item}", f"amount_{item}")
    if len(form.charged) > 1:
        yield f"sum = {' + '.join(f'amount_{item}' for item in range(len(form.charged)))}"
        yield from _as_text("total", "sum")
    else:
        yield "total = text_0"


def _as_text(name: str, amount: str) -> Iterator[str]:
    """An amount as ``plain`` writes it, without a call where there is no exponent."""
    yield f"{name} = str({amount})"
    yield f"if 'E' in {name} or '.' not in {name}: {name} = written({amount})"
    yield f"else: {name} = {name}.rstrip('0').rstrip('.')"


def _writing(form: Form) -> Iterator[str]:
    head = '{{"id":{given},"total":"{total}{opening}'
    items = [
        f'{_escaped(BEGINNINGS[meter])}{{held_{place}}},"amount":"{{text_{item}}}{{ending_{item}}}'
        for item, (meter, place) in enumerate(zip(form.meters, form.charged, strict=True))
    ]
    yield f"if {' and '.join(f'held_{place}' for place in form.charged)}:"
    yield f"    return f'{head}{','.join(items)}{_escaped(_CLOSING)}'"
    parts = (f"(held_{place}, f'{item}')" for item, place in zip(items, form.charged, strict=True))
    yield f"items = some_items({', '.join(parts)})"
    yield f"return f'{head}{{items}}{_escaped(_CLOSING)}'"


def _escaped(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _some_items(*items: tuple[int, str]) -> str:
    """The items that are charged for more than nothing."""
    return ",".join([text for quantity, text in items if quantity])


def _remarkable(given: str, plan: Plan, around: Frame, held: tuple[int, ...]) -> str:
    """The result of a usage of which something is to be said."""
    cost = cost_of(plan, held)
    return "".join(cost_row(CostedLine(cost, plan.currency, None, cost.notes), given, around))
