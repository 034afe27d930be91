"""``manage.py price``: the price sheet of a model as it is in force at a moment, and what usage costs by it."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation, localcontext
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from pricing.api.shapes.costs import ResultWriter
from pricing.api.shapes.prices import in_force, shapes_by_offering
from pricing.claims import LIST_LAYER, STANDARD_TIER
from pricing.cost import MixedCurrencies, price
from pricing.cost_plans import EXACT
from pricing.costing.asked import AskedLine, LineFault, read_moment
from pricing.costing.finding import NothingCalledSo, offerings_called
from pricing.costing.lines import CostedLine, Desk
from pricing.costing.memory import Memory
from pricing.costing.names import NamedOffering, Pair, Route
from pricing.costing.sheets import BrokenSheet, Sheet
from pricing.currencies.costs import costed_in
from pricing.currencies.recorded import current_rates
from pricing.currencies.shapes import PriceConverter
from pricing.meters import METERS
from pricing.models import Offering, PriceLine
from pricing.usage import Quantity, UsageError, apart, read_usage
from tracker.moments import beginning, utc

BAD_INPUT = 2
_QUALIFIERS = ("region", "variant", "commitment", "slot")
_PLACE_OF_METER = {meter: place for place, meter in enumerate(METERS)}


class Command(BaseCommand):
    """Exit status 0 done, 2 bad input: an unknown name (the nearest are named), a naive time, a wrong count."""

    requires_system_checks = ()
    help = "Print the prices of a model in force at a moment, at every seller or at one, and what usage costs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("model", metavar="MODEL", help="a model's slug, or an id by which it is sold")
        parser.add_argument("--seller", metavar="S", help="slug of one seller; without it, all that sell the model")
        parser.add_argument("--at", metavar="T", help="a moment such as 2026-09-01T00:00:00Z; now if left out")
        parser.add_argument("--usage", nargs="+", metavar="METER=COUNT", default=[], help="price this usage as well")
        parser.add_argument("--currency", metavar="C", help="convert all amounts at the rates of that moment")
        parser.add_argument("--json", action="store_true", help="print one JSON object for each seller's offering")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            at = read_moment("--at", options["at"]) if options["at"] else timezone.now()
            usage = _read_counts(options["usage"])
            converter = _converter(options["currency"], at)
            apart(usage)
            found = offerings_called(options["model"], options["seller"], at)
        except (LineFault, UsageError, NothingCalledSo) as error:
            raise CommandError(str(error), returncode=BAD_INPUT) from error
        offerings = [offering for offering, _ in found]
        shapes = shapes_by_offering(in_force(PriceLine.objects.filter(offering__in=offerings), at, None))
        costs = self._costs(options["model"], found, usage, at, converter) if usage else {}
        for offering, route in found:
            write = self._write_json if options["json"] else self._write_sheet
            prices = [converter.row(shape) if converter else shape for shape in shapes.get(offering.pk, ())]
            write(offering, route, at, prices, costs.get(offering.pk))

    def _costs(
        self,
        model: str,
        found: Sequence[tuple[Offering, Route | None]],
        usage: Mapping[str, Quantity],
        at: datetime,
        converter: PriceConverter | None,
    ) -> dict[int, dict[str, Any]]:
        """The result of each offering, as ``costs/`` writes it."""
        memory = Memory()
        with localcontext(EXACT):
            answers = _answers(memory, model, found, AskedLine(("", ""), at, usage), converter)
        results = json.loads(b"[%s]" % ResultWriter(memory).written(answers, [None] * len(answers)))
        return {offering.pk: result for (offering, _), result in zip(found, results, strict=True)}

    def _write_json(
        self, offering: Offering, route: Route | None, at: datetime, prices: Sequence[Any], cost: dict[str, Any] | None
    ) -> None:
        said = {
            "offering": offering.pk,
            "name": offering.name,
            "seller": offering.seller.slug,
            "external_id": offering.external_id,
            "alias": route.external_id if route else None,
            "at": at.isoformat().replace("+00:00", "Z"),
            "prices": prices,
        }
        self.stdout.write(json.dumps(said | ({"cost": cost} if cost else {}), ensure_ascii=False))

    def _write_sheet(
        self, offering: Offering, route: Route | None, at: datetime, prices: Sequence[Any], cost: dict[str, Any] | None
    ) -> None:
        led = f", to which {route.external_id} leads" if route else ""
        self.stdout.write(f"{offering.name} at {offering.seller.name} ({offering.external_id}{led}), {utc(at)}")
        if not prices:
            self.stdout.write("  no price is known at this moment")
        for row in (*_table([_row(shape) for shape in sorted(prices, key=_place)]), *_rates_of(prices)):
            self.stdout.write(f"  {row}")
        for line in _cost_lines(cost) if cost else ():
            self.stdout.write(f"  {line}")
        self.stdout.write("")


def _read_counts(given: Sequence[str]) -> dict[str, Quantity]:
    """``input_tokens=1000`` and the like as a usage. Raises UsageError."""
    counts: dict[str, object] = {}
    for text in given:
        meter, _, count = text.partition("=")
        try:
            counts[meter] = Decimal(count)
        except InvalidOperation:
            raise UsageError("--usage", f"{text!r} is no METER=COUNT, such as input_tokens=1000") from None
    return read_usage(counts)


def _converter(currency: str | None, at: datetime) -> PriceConverter | None:
    """What converts to a currency, if one is asked for. Raises LineFault on one without rates."""
    if currency is None:
        return None
    rates = current_rates()
    if currency not in rates.currencies:
        known = ", ".join(rates.currencies)
        raise LineFault(("--currency",), f"no exchange rate of {currency!r} is known; choose from {known}")
    return PriceConverter(currency, rates, at)


def _answers(
    memory: Memory,
    model: str,
    found: Sequence[tuple[Offering, Route | None]],
    line: AskedLine,
    converter: PriceConverter | None,
) -> list[CostedLine | LineFault]:
    """What usage costs at each offering, as ``costs/`` says it where an id means just that offering there."""
    at = line.at or timezone.now()
    named = memory.named(
        {(offering.seller.slug, name) for offering, _ in found for name in (model, offering.external_id)}
    )
    names = [_name(model, offering, route, named) for offering, route in found]
    desk = Desk(memory, at, converter.currency if converter else None)
    told = iter(desk.answers([line._replace(name=name) for name in names if name is not None]))
    answers = [next(told) if name is not None else None for name in names]
    sheets = memory.sheets([offering.pk for offering, _ in found])
    return [
        answer
        if answer is not None and _is_by(answer, route)
        else _cost(sheets[offering.pk], line.usage, at, route, converter)
        for answer, (offering, route) in zip(answers, found, strict=True)
    ]


def _name(model: str, offering: Offering, route: Route | None, named: Mapping[Pair, NamedOffering]) -> Pair | None:
    """The seller and the id by which ``costs/`` is asked for an offering, if there is one."""
    if route is not None:
        return route.seller, model
    names = [(offering.seller.slug, name) for name in (model, offering.external_id)]
    return next((name for name in names if name in named and named[name].offering == offering.pk), None)


def _is_by(answer: CostedLine | LineFault, route: Route | None) -> bool:
    """Whether an answer is by the alias that led to an offering: an id may be routed by several at once."""
    return route is None or (
        isinstance(answer, CostedLine) and answer.alias is not None and answer.alias.id == route.id
    )


def _cost(
    sheet: Sheet,
    usage: Mapping[str, Quantity],
    at: datetime,
    route: Route | None,
    converter: PriceConverter | None,
) -> CostedLine | LineFault:
    if isinstance(sheet, BrokenSheet):
        return LineFault(("model",), sheet.reason, status=500)
    try:
        cost = price(sheet, usage, at)
        if converter is None:
            return CostedLine(cost, cost.currency, route, cost.notes)
        costed = CostedLine(cost, converter.currency, route, cost.notes)
        return costed_in(converter.currency, costed, at, None, converter.rates)
    except UsageError as error:
        return LineFault(("usage", error.field), error.detail, error.choices)
    except MixedCurrencies as error:
        return LineFault(("currency",), str(error))


def _row(shape: Mapping[str, Any]) -> list[str]:
    began = beginning(
        datetime.fromisoformat(shape["effective_from"]),
        shape["precision"],
        datetime.fromisoformat(shape["observed_after"]) if shape["observed_after"] else None,
    )
    until = f" until {utc(datetime.fromisoformat(shape['effective_until']))}" if shape["effective_until"] else ""
    since = f"{'begun' if began.startswith(('by', 'between')) else 'since'} {began}{until}"
    return [
        _line_name(shape),
        _amount(shape),
        shape["unit"],
        since,
        ", ".join(shape["sources"]),
    ]


def _amount(shape: Mapping[str, Any]) -> str:
    """The amount; a converted one with the price as sold."""
    sold = shape.get("sold") or shape
    if shape["amount"] is None:
        return f"{sold['amount']} {sold['currency']} ({shape['not_converted']})"
    as_sold = f" ({sold['amount']} {sold['currency']})" if shape.get("rate") else ""
    return f"{shape['amount']} {shape['currency']}{as_sold}"


def _rates_of(prices: Sequence[Mapping[str, Any]]) -> list[str]:
    """Each rate that amounts were converted at, with its day and source."""
    rates = {rate["from"]: rate for shape in prices if (rate := shape.get("rate"))}
    return [
        f"1 {rate['from']} = {rate['rate']} {rate['to']} on {rate['date']} ({rate['source']})"
        + (f", the last known before {rate['for_date']}" if rate["stands_in"] else "")
        for rate in rates.values()
    ]


def _place(shape: Mapping[str, Any]) -> tuple[Any, ...]:
    """Meters in the order of their table, of one meter the plain line first."""
    plain = (shape["service_tier"] != STANDARD_TIER, *(shape[name] for name in _QUALIFIERS))
    return _PLACE_OF_METER.get(shape["meter"], len(METERS)), *plain, shape["above_input_tokens"], shape["layer"]


def _line_name(shape: Mapping[str, Any]) -> str:
    above = shape["above_input_tokens"]
    return " ".join(
        filter(
            None,
            [
                shape["meter"],
                shape["service_tier"] if shape["service_tier"] != STANDARD_TIER else "",
                *(shape[name] for name in _QUALIFIERS),
                f"above {above:,} input tokens" if above else "",
                shape["layer"] if shape["layer"] != LIST_LAYER else "",
            ],
        )
    )


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows with their columns one below the other."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _cost_lines(cost: Mapping[str, Any]) -> list[str]:
    if cost["error"]:
        return [f"cost: {cost['error']['detail']}"]
    items = [[item["meter"], str(item["quantity"]), item["amount"]] for item in cost["items"]]
    return [
        f"cost: {cost['total']} {cost['currency']}",
        *(f"  {row}" for row in _table(items)),
        *(f"  {gap['meter']} {gap['quantity']}: no price is known" for gap in cost["unpriced"]),
        *(f"  {note}" for note in cost["notes"]),
    ]
