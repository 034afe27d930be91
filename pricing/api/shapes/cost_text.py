"""Functions that price a usage by one plan and write the result, made for each form of plan as Python source.

What differs between plans of one form (amounts, cited rows) is given to the function; what does not (which
counts are taken from which, which are charged together) is written out, as ``dataclasses`` writes out an ``__init__``:
a loop over it would take longer than the sums. The arithmetic is that of ``pricing.cost.price`` in whole numbers of the
plan's smallest unit (``_Scale``), and a test holds the two together. All names in the source are made here, all values
are numbers, or slugs from the table of meters.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from json.encoder import encode_basestring_ascii as quoted
from typing import Any, NamedTuple

from pricing.api.shapes.costs import BEGINNINGS, NOTHING_MORE, nothing_more_but
from pricing.cost import remarks_of
from pricing.cost_plans import Places, Plan
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


class _Scale(NamedTuple):
    """Amounts as whole numbers: so many of their digits stand after the point.

    ``zeros`` are what an amount below 1 begins with, by the number of its digits; ``one`` is 1.
    """

    digits: int
    one: int
    zeros: tuple[str, ...]

    def written(self, amount: int) -> str:
        """Any amount as ``plain`` writes it."""
        text = str(amount).zfill(self.digits + 1)
        return f"{text[: -self.digits]}.{text[-self.digits :]}".rstrip("0").rstrip(".")


def result_writer(keys: tuple[str, ...], plan: Plan) -> Result:
    """The function for usages with these keys, which prices by any plan of the same form: see ``written_parts``."""
    told = {gap.place for gap in plan.gaps} | {place for place, _ in plan.notes}
    return _made(Form(keys, plan.shape, plan.merges, plan.charged, plan.meters, tuple(sorted(told))))


def written_parts(plan: Plan, endings: Mapping[int, str]) -> Parts:
    """What the function needs of a plan. ``endings`` are those of items that cite the plan's price rows.

    One tuple, its parts shared between plans where they are alike: with thousands of plans the time goes into
    fetching memory.
    """
    scale, amounts = _whole(plan)
    cited = [endings[price.row or 0] for price in plan.prices]
    told = [plan] if plan.gaps or plan.notes else []
    return (scale, scale.one, scale.zeros, _opening(plan.currency), *amounts, *cited, *told)


def _whole(plan: Plan) -> tuple[_Scale, tuple[int, ...]]:
    """The unit amounts of a plan as whole numbers, at the scale at which all of them are."""
    scale = _scale(max(1, *(-int(amount.as_tuple().exponent) for amount in plan.unit_amounts)))
    return scale, tuple(_shared(int(amount.scaleb(scale.digits))) for amount in plan.unit_amounts)


@lru_cache(maxsize=4096)
def _shared(number: int) -> int:
    """One object for all numbers that are alike."""
    return number


@lru_cache(maxsize=256)
def _scale(digits: int) -> _Scale:
    return _Scale(digits, 10**digits, tuple("0." + "0" * (digits - length) for length in range(digits + 1)))


@lru_cache(maxsize=256)
def _opening(currency: str) -> str:
    return f'","currency":{quoted(currency)},"alias":null,"items":['


@lru_cache(maxsize=1024)
def _made(form: Form) -> Result:
    names: dict[str, Any] = {"some_items": _some_items, "remarkable": _remarkable}
    exec(compile("\n".join(_source(form)), "<a form of plan>", "exec"), names)  # noqa: S102 - see the first words here
    result: Result = names["result"]
    return result


def _source(form: Form) -> Iterator[str]:
    items = range(len(form.charged))
    units, endings = [f"unit_{item}" for item in items], [f"ending_{item}" for item in items]
    parts = ("scale", "one", "zeros", "opening", *units, *endings, *(["plan"] if form.told else []))
    yield "def result(given, usage, parts):"
    for line in (*_counting(form), f"{', '.join(parts)} = parts", *_charging(form), *_writing(form), *_told(form)):
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


def _charging(form: Form) -> Iterator[str]:
    items = range(len(form.charged))
    for item, place in enumerate(form.charged):
        yield f"amount_{item} = unit_{item} * held_{place}"
    yield f"sum = {' + '.join(f'amount_{item}' for item in items)}"


def _writing(form: Form) -> Iterator[str]:
    """The text: without a call where all amounts are above 0 and their sum is below 1, as most are."""
    items = range(len(form.charged))
    yield f"if {' and '.join(f'amount_{item}' for item in items)} and sum < one:"
    yield "    total = str(sum)"
    for item in items:
        yield f"    digits_{item} = str(amount_{item})"
    below_one = [f"{{zeros[len(digits_{item})]}}{{digits_{item}.rstrip('0')}}" for item in items]
    total = "{zeros[len(total)]}{total.rstrip('0')}"
    told = "text = " if form.told else "return "
    yield f'    {told}f"""{_head(total)}{",".join(_items(form, below_one))}{_escaped(_CLOSING)}"""'
    yield "else:"
    yield "    written = scale.written"
    written = _items(form, [f"{{written(amount_{item})}}" for item in items])
    parts = (f'(held_{place}, f"""{item}""")' for item, place in zip(written, form.charged, strict=True))
    yield f"    items = some_items({', '.join(parts)})"
    yield f'    {told}f"""{_head("{written(sum)}")}{{items}}{_escaped(_CLOSING)}"""'


def _head(total: str) -> str:
    return f'{{{{"id":{{given}},"total":"{total}{{opening}}'


def _items(form: Form, amounts: list[str]) -> list[str]:
    return [
        f'{_escaped(BEGINNINGS[meter])}{{held_{place}}},"amount":"{amounts[item]}{{ending_{item}}}'
        for item, (meter, place) in enumerate(zip(form.meters, form.charged, strict=True))
    ]


def _told(form: Form) -> Iterator[str]:
    """What is said of a result, where anything is said of one of its counts."""
    if form.told:
        held = ", ".join(f"held_{place}" for place in range(len(form.shape) + 1))
        told = " or ".join(f"held_{place}" for place in form.told)
        yield f"return remarkable(text, plan, ({held})) if {told} else text"


def _escaped(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _some_items(*items: tuple[int, str]) -> str:
    """The items that are charged for more than nothing."""
    return ",".join([text for quantity, text in items if quantity])


def _remarkable(text: str, plan: Plan, held: tuple[int, ...]) -> str:
    """The result of a usage of which something is to be said, from that of one of which nothing is."""
    unpriced, notes = remarks_of(plan, held)
    return f"{text.removesuffix(_CLOSING)}]{nothing_more_but(unpriced, notes)},"
