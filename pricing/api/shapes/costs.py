"""Costs as the API writes them: straight to text, since an answer may cite tens of thousands of prices.

The text of each cited price is made once and kept in memory; quantities and amounts are written between.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from decimal import Decimal
from http import HTTPStatus
from itertools import chain
from json.encoder import encode_basestring_ascii as _quoted
from typing import Any

from pricing.api.shapes.prices import price_shapes
from pricing.cost import Unpriced
from pricing.cost_plans import Plan
from pricing.costing.asked import LineFault
from pricing.costing.lines import Answer, CostedLine
from pricing.costing.memory import Memory
from pricing.costing.names import Route
from pricing.currencies.conversion import Conversion
from pricing.currencies.shapes import conversion_text
from pricing.meters import METERS
from pricing.models import Price
from pricing.usage import Quantity
from tracker.amounts import plain
from tracker.api.moments import moment_text

_BATCH = 1000
_MOST_ENDINGS = 5000
# What a result ends with that has but items.
NOTHING_MORE = ',"unpriced":[],"notes":[],"unused":[],"rates":[],"error":null}'
BEGINNINGS = {meter: f'{{"meter":"{meter}","quantity":' for meter in METERS}

Id = str | int | None
# The text of one result in pieces, with a comma at the end.
Row = tuple[str, ...]
# What stands before and after the numbers of each item.
Frame = list[tuple[str, str]]


class ResultWriter:
    """Writes the results of one request as JSON text, in ASCII."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        # By the identity of a plan, which is held so that no other can take its place.
        self._frames: dict[int, tuple[object, Frame]] = {}
        self._endings: dict[int, str] = {}

    def written(self, answers: Sequence[Answer], ids: Sequence[Id]) -> bytes:
        """The results with commas between, to stand in a list."""
        rows = self.rows(answers, ids, range(len(answers)))
        return "".join(chain.from_iterable(rows))[:-1].encode("ascii")

    def rows(self, answers: Sequence[Answer], ids: Sequence[Id], places: Sequence[int]) -> list[Row]:
        """Each result; ``places`` are those of the lines in the request."""
        if len(self._endings) > _MOST_ENDINGS:
            self._frames.clear()
            self._endings.clear()
        self._frame(answers)
        return list(map(self._row, answers, ids, places))

    def endings(self, price_ids: Set[int]) -> Mapping[int, str]:
        """How an item that cites each of some price rows ends."""
        self._endings.update(_endings(price_ids - self._endings.keys(), self._memory))
        return self._endings

    def _frame(self, answers: Sequence[Answer]) -> None:
        """Make what stands around the quantities and amounts of each plan."""
        plans = {id(answer.cost.plan): answer.cost.plan for answer in answers if isinstance(answer, CostedLine)}
        new = {key: plan for key, plan in plans.items() if key not in self._frames}
        endings = self.endings({price.row for plan in new.values() for price in plan.prices if price.row})
        for key, plan in new.items():
            self._frames[key] = (plan, frame(plan, endings))

    def _row(self, answer: Answer, given: Id, place: int) -> Row:
        if isinstance(answer, CostedLine):
            return cost_row(answer, _id_text(given), self._frames[id(answer.cost.plan)][1])
        return _fault_text(answer, given, place), ","


def frame(plan: Plan, endings: Mapping[int, str]) -> Frame:
    """What stands before and after the quantity and the amount of each item of a plan."""
    return [(BEGINNINGS[meter], endings[price.row or 0]) for meter, price in zip(plan.meters, plan.prices, strict=True)]


def cost_row(costed: CostedLine, given: str, around: Frame) -> Row:
    """The result of a line that was priced, with the text of its id."""
    # Pieces that are joined once: the prices' texts are most of it, and each copy of them costs.
    pieces: list[str] = []
    cost, currency, route, notes, unused, rates = costed
    alias = json.dumps(alias_shape(route)) if route else "null"
    opening = (
        f'{{"id":{given},"total":"{amount_text(cost.sum_of_amounts)}","currency":{_quoted(currency)},'
        f'"alias":{alias},"items":['
    )
    # The cost's own columns: putting them together as its items would take as long as writing them.
    columns = zip(around, cost.quantities, cost.amounts, strict=True)
    for (beginning, ending), quantity, amount in columns:
        if quantity:
            pieces += (f'{opening}{beginning}{_number(quantity)},"amount":"{amount_text(amount)}', ending)
            opening = ","
    closing = "]" if opening == "," else f"{opening}]"
    if not (notes or unused or cost.unpriced or rates):
        return (*pieces, closing, NOTHING_MORE, ",")
    return (*pieces, closing, nothing_more_but(cost.unpriced, notes, unused, rates), ",")


def nothing_more_but(
    unpriced: Sequence[Unpriced], notes: Sequence[str], unused: Sequence[str] = (), rates: Sequence[Conversion] = ()
) -> str:
    """``NOTHING_MORE`` of a result of which something is to be said."""
    gaps = ",".join(map(_unpriced_text, unpriced))
    cited = ",".join(map(conversion_text, rates))
    said = f'"notes":{json.dumps(notes)},"unused":{json.dumps(unused)},"rates":[{cited}]'
    return f',"unpriced":[{gaps}],{said},"error":null}}'


def problem_shape(fault: LineFault, number: int) -> dict[str, Any]:
    """The problem of one line; its pointer leads into the request's body."""
    wrong: dict[str, Any] = {"pointer": _pointer("lines", number, *fault.path), "detail": fault.detail}
    if fault.path == ("currency",):
        wrong["pointer"] = _pointer("currency")
    if fault.choices:
        wrong["choices"] = fault.choices
    return {
        "type": "about:blank",
        "title": HTTPStatus(fault.status).phrase,
        "status": fault.status,
        "detail": str(fault),
        "errors": [wrong],
    }


def alias_shape(route: Route) -> dict[str, Any]:
    """The alias row by which a model was found."""
    return {
        "id": route.id,
        "seller": route.seller,
        "external_id": route.external_id,
        "offering": route.target,
        "target": route.target_id,
        "model": route.target_model,
        "effective_from": moment_text(route.effective_from),
        "effective_until": moment_text(route.effective_until),
        "precision": route.precision,
        "source": route.source,
        "citation_url": route.citation_url,
    }


def _fault_text(fault: LineFault, given: Id, number: int) -> str:
    nothing: dict[str, Any] = {"total": None, "currency": None, "alias": None, "items": [], "unpriced": []}
    return json.dumps(
        {"id": given, **nothing, "notes": [], "unused": [], "rates": [], "error": problem_shape(fault, number)}
    )


def _unpriced_text(unpriced: Unpriced) -> str:
    known_from = json.dumps(moment_text(unpriced.known_from))
    return f'{{"meter":"{unpriced.meter}","quantity":{_number(unpriced.quantity)},"known_from":{known_from}}}'


def _id_text(given: Id) -> str:
    return _quoted(given) if isinstance(given, str) else json.dumps(given)


def _number(quantity: Quantity) -> Quantity | str:
    """A quantity as JSON writes numbers, exactly."""
    return quantity if type(quantity) is int else plain(Decimal(quantity))


def amount_text(amount: Decimal) -> str:
    """The same as ``plain``, for the many amounts that need no rewriting of an exponent."""
    text = str(amount)
    if "E" in text:
        return plain(amount)
    return text.rstrip("0").rstrip(".") if "." in text else text


def _pointer(*steps: str | int) -> str:
    """A JSON pointer (RFC 6901) as a URI fragment."""
    return "#/" + "/".join(str(step).replace("~", "~0").replace("/", "~1") for step in steps)


def _endings(price_ids: Collection[int], memory: Memory) -> Mapping[int, str]:
    """How an item that cites each price row ends: with the row as ``prices/`` has it, and the source that set it."""
    found = {price_id: kept for price_id in price_ids if (kept := memory.citations.get(price_id)) is not None}
    missing = sorted(price_id for price_id in price_ids if price_id not in found)
    for start in range(0, len(missing), _BATCH):
        for price_id, text in _read_endings(missing[start : start + _BATCH]):
            memory.citations.put(price_id, text)
            found[price_id] = text
    return found


def _read_endings(price_ids: Sequence[int]) -> Iterator[tuple[int, str]]:
    sources = dict(Price.objects.filter(pk__in=price_ids).order_by().values_list("id", "source__slug"))
    for shape in price_shapes(price_ids):
        shape["source"] = sources[shape["id"]]
        yield shape["id"], f'","price":{json.dumps(shape, separators=(",", ":"))}}}'
