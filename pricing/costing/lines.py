"""Pricing many lines of usage at once: names and sheets are looked up for all of them, then each is priced alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from pricing.claims import STANDARD_TIER
from pricing.cost import Cost, MixedCurrencies, PriceSheet, price
from pricing.costing.asked import NOTHING, AskedLine, LineFault, fault_of_usage
from pricing.costing.leading import Leading
from pricing.costing.memory import Memory
from pricing.costing.names import NamedOffering, Pair, Route
from pricing.costing.portions import Need, portions
from pricing.costing.sheets import BrokenSheet, History, Sheet
from pricing.costing.suggestions import Suggestions
from pricing.currencies.conversion import Conversion
from pricing.currencies.costs import in_one_currency
from pricing.identity import model_key
from pricing.provider_usage import MappedUsage
from pricing.tariffs import CostError, UnknownTerm
from pricing.usage import Quantity, UsageError

# Sheets of so many names are at hand beside those that the process keeps.
NAMES_AT_ONCE = 1000
# Of the fields of a body that were not used so many are named, and so many characters of names in one request.
UNUSED_NAMED = 20
UNUSED_TEXT = 1_000_000
_LONGEST_FIELD = 200
# What an answer's model has at its end where the call named the model alone.
_SNAPSHOT = re.compile(r"-(20\d{6}|20\d\d-\d\d-\d\d|\d{4}|\d\d-\d\d)$")
# What providers call the tier of a call that asks for none: `auto` leaves the choice to the provider, who charges the
# standard price unless the answer's own tier says otherwise.
STANDARD_NAMES = frozenset({"default", "auto"})
_ALWAYS = datetime.min.replace(tzinfo=UTC)


class CostedLine(NamedTuple):
    """What a line cost, and the alias row by which its model was found.

    ``unused`` are the fields of a provider's usage that had no part in it, ``rates`` the conversions of what is sold
    in another currency.
    """

    cost: Cost
    currency: str
    alias: Route | None = None
    notes: Sequence[str] = ()
    unused: Sequence[str] = ()
    rates: Sequence[Conversion] = ()


Asked = AskedLine | LineFault
Answer = CostedLine | LineFault


class Desk:
    """Prices the lines of one request: a part of them at a time, so that only what these need is in memory at once.

    ``now`` is the moment of the lines that name none. With a currency, what is sold in another is
    converted at the rates of the line's moment.
    """

    def __init__(self, memory: Memory, now: datetime, currency: str | None = None) -> None:
        self._memory, self._now, self._currency = memory, now, currency
        self._suggestions = Suggestions()
        self._routes = Leading()
        self._named: Mapping[Pair, NamedOffering] = {}
        self._then: Mapping[tuple[Pair, datetime], NamedOffering] = {}
        self._sheets: Mapping[int, Sheet] = {}
        self._histories: Mapping[int, History] = {}
        self._direct: dict[Pair, PriceSheet] = {}
        self._unused_left = UNUSED_TEXT

    def answers(self, lines: Sequence[Asked]) -> list[Answer]:
        """The answers to some lines in their order; a line that cannot be priced errs alone."""
        asked = [line for line in lines if isinstance(line, AskedLine)]
        self._look_up(asked)
        found = self._answered(lines)
        return found if self._currency is None else in_one_currency(self._currency, found, lines, self._now)

    def _answered(self, lines: Sequence[Asked]) -> list[Answer]:
        """The answers in order, though what is asked as known earlier waits until its history is in memory."""
        found: dict[int, Answer] = {}
        waiting: dict[int, AskedLine] = {}
        for place, line in enumerate(lines):
            if isinstance(line, LineFault):
                found[place] = line
            elif line.known_at is None:
                found[place] = self._answer(line)
            else:
                waiting[place] = line
        self._then = self._named_then(waiting.values())
        for places, histories in portions(self._memory, self._needs(waiting)):
            self._histories = histories
            found.update((place, self._answer(waiting[place])) for place in places)
            # Let go of these before the next are read.
            histories.clear()
        return [found[place] for place in range(len(lines))]

    def _named_then(self, waiting: Iterable[AskedLine]) -> Mapping[tuple[Pair, datetime], NamedOffering]:
        moments: dict[Pair, set[datetime]] = {}
        for line in waiting:
            if line.known_at is not None:
                moments.setdefault(line.name, set()).add(line.known_at)
        return self._memory.named_then(moments) if moments else {}

    def _needs(self, waiting: Mapping[int, AskedLine]) -> Iterator[Need]:
        for place, line in waiting.items():
            if line.known_at is not None:
                offerings = self._offerings_of({line.name}) | self._offerings_then(line)
                yield Need(place, tuple(sorted(offerings)), line.known_at)

    def _offerings_then(self, line: AskedLine) -> set[int]:
        own = self._own(line)
        return {own.offering} if own is not None else set()

    def _own(self, line: AskedLine) -> NamedOffering | None:
        """The offering that a line's id means, as known at its moment."""
        today = self._named.get(line.name)
        return today if line.known_at is None else self._then.get((line.name, line.known_at), today)

    def _look_up(self, asked: Sequence[AskedLine]) -> None:
        """Find what these lines need; what is found directly is remembered while there is not too much of it."""
        if len(self._direct) > NAMES_AT_ONCE:
            self._direct.clear()
        direct = self._direct
        names = {line.name for line in asked if line.name not in direct or line.known_at or line.provider}
        if not names:
            return
        self._named = self._memory.named(names)
        self._routes.read({seller for seller, _ in names} | {named.seller for named in self._named.values()})
        self._suggestions.prepare({name[0] for name in names if name not in self._named or self._leading(name)})
        self._sheets = self._memory.sheets(self._offerings_of(names))
        self._direct.update(self._plainly_named())
        self._open_tills(names)

    def _offerings_of(self, names: set[Pair]) -> set[int]:
        own = {named.offering for name in names if (named := self._named.get(name)) is not None}
        return own | {target for name in names for target in self._reachable(name)}

    def _leading(self, name: Pair) -> Sequence[Route]:
        return self._routes.of(name, self._named.get(name))

    def _reachable(self, name: Pair) -> set[int]:
        """Every offering to which an id ever leads, also by way of others."""
        found: set[int] = set()
        waiting = list(self._leading(name))
        while waiting:
            route = waiting.pop()
            if route.target is not None and route.target not in found:
                found.add(route.target)
                waiting += self._routes.beyond(route)
        return found

    def _open_tills(self, names: set[Pair]) -> None:
        """Let the process price later lines of these names by column, where nothing has to be said of the name.

        No alias leads from them in this version of the record: a new alias row makes a new one.
        """
        for name in names:
            named = self._named.get(name)
            if named is not None and not named.notes and not self._leading(name):
                sheet = self._sheets[named.offering]
                if isinstance(sheet, PriceSheet):
                    self._memory.tills.open(name, sheet, named.terms)

    def _plainly_named(self) -> list[tuple[Pair, PriceSheet]]:
        """The sheets of the names that always mean one offering, on the terms of the line alone."""
        found = []
        for name, named in self._named.items():
            sheet = self._sheets[named.offering]
            if isinstance(sheet, PriceSheet) and not (named.terms or named.notes) and not self._leading(name):
                found.append((name, sheet))
        return found

    def _answer(self, line: AskedLine) -> Answer:
        try:
            name, at, usage, known_at, terms, assume_earliest, provider = line
            sheet = self._direct.get(name)
            if sheet is None or provider is not None or known_at is not None:
                return self._found_and_priced(line)
            if not (terms or assume_earliest):
                cost = price(sheet, usage, at or self._now)
                return CostedLine(cost, self._in_currency(cost), None, cost.notes)
            cost, notes = _cost(sheet, line, at or self._now, NOTHING)
            return CostedLine(cost, self._in_currency(cost), None, (*cost.notes, *notes))
        except UsageError as error:
            return fault_of_usage(error)
        except CostError as error:
            return _fault_of_terms_or_moment(error)
        except LineFault as fault:
            return fault

    def _found_and_priced(self, line: AskedLine) -> CostedLine:
        at = line.at or self._now
        named, route = self._meant(line, at)
        cost, notes = _cost(self._sheet(named.offering, line), line, at, named.terms)
        said = (*named.notes, *cost.notes, *notes)
        if line.provider is None:
            return CostedLine(cost, self._in_currency(cost), route, said)
        unused, more = self._named_unused(line.provider.unused)
        said = (*said, *_other_model(line.name[1], line.provider.model, route), *more)
        return CostedLine(cost, self._in_currency(cost), route, said, unused)

    def _named_unused(self, fields: Sequence[str]) -> tuple[list[str], list[str]]:
        """As many of the fields that were not used as an answer may name, and a note on how many more there are."""
        named = []
        for field in fields[:UNUSED_NAMED]:
            name = field[:_LONGEST_FIELD]
            if len(name) > self._unused_left:
                break
            self._unused_left -= len(name)
            named.append(name)
        more = len(fields) - len(named)
        return named, [f"{more} more fields of the body had no part in the cost"] if more else []

    def _meant(self, line: AskedLine, at: datetime) -> tuple[NamedOffering, Route | None]:
        """The offering, and the alias row that led to it. Own price wins."""
        own, leading = self._own(line), self._leading(line.name)
        if own is not None and (not leading or _has_price(self._sheet(own.offering, line), at)):
            return own, None
        if (route := _route_then(leading, line, at)) is not None:
            return self._led(own, route, line, at), route
        # An id that is sold under no price of its own means nothing but what it leads to.
        if own is not None and not (leading and _is_empty(self._sheet(own.offering, line))):
            return own, None
        if (route := _first_route(leading, line, at)) is not None:
            return self._led(own, route, line, at), route
        raise self._suggestions.unknown(line.name, leading)

    def _led(self, own: NamedOffering | None, route: Route, line: AskedLine, at: datetime) -> NamedOffering:
        """What a route leads to, on the terms that the id itself fixes."""
        target, ways = self._followed(route, line, at)
        terms = self._fixed_there(own, target, line)
        return NamedOffering(target, route.seller, terms, tuple(_assumed_way(way) for way in ways if _begins(way) > at))

    def _fixed_there(self, own: NamedOffering | None, target: int, line: AskedLine) -> Mapping[str, str]:
        """The terms that an id fixes, as far as what it leads to is sold on them."""
        if own is None or not own.terms:
            return NOTHING
        tariffs = self._sheet(target, line).tariffs
        return {term: value for term, value in own.terms.items() if tariffs.has(term, value)}

    def _followed(self, route: Route, line: AskedLine, at: datetime) -> tuple[int, list[Route]]:
        """The offering whose prices apply where a route leads, the target or one beyond it, and the ways to it."""
        assert route.target is not None
        seen, target, ways = {route.offering, route.target}, route.target, [route]
        while not _has_price(sheet := self._sheet(target, line), at):
            onward = [way for way in self._routes.beyond(ways[-1]) if way.target not in seen]
            following = _route_then(onward, line, at)
            if following is None and _is_empty(sheet):
                following = _first_route(onward, line, at)
            if following is None or following.target is None:
                break
            target = following.target
            seen.add(target)
            ways.append(following)
        return target, ways

    def _sheet(self, offering: int, line: AskedLine) -> PriceSheet:
        sheet = self._sheets[offering] if line.known_at is None else self._histories[offering].sheet(line.known_at)
        if isinstance(sheet, BrokenSheet):
            detail = f"the record's prices of this offering contradict each other: {sheet.reason}"
            raise LineFault(("model",), detail, status=500)
        return sheet

    def _in_currency(self, cost: Cost) -> str:
        """The currency of the answer: the one asked for, which ``answers`` then sees to, or that of all prices."""
        if currency := self._currency or cost.plan.currency:
            return currency
        try:
            return cost.currency
        except MixedCurrencies as error:
            raise LineFault(("currency",), str(error)) from None


def _route_then(leading: Sequence[Route], line: AskedLine, at: datetime) -> Route | None:
    """The route in force at a moment."""
    return next((route for route in leading if route.target is not None and route.holds(at, line.known_at)), None)


def _first_route(leading: Sequence[Route], line: AskedLine, at: datetime) -> Route | None:
    """The earliest route, where the moment is before it and a line assumes the earliest."""
    if not line.assume_earliest:
        return None
    known = [route for route in leading if route.is_known(line.known_at)]
    first = min(known, key=_begins, default=None)
    return first if first is not None and first.target is not None and _begins(first) > at else None


def _begins(route: Route) -> datetime:
    return route.effective_from or _ALWAYS


def _assumed_way(route: Route) -> str:
    begins = _begins(route).astimezone(UTC).isoformat().replace("+00:00", "Z")
    return (
        f"{route.external_id} is not known to lead anywhere before {begins}: taken to lead to {route.target_id} already"
    )


def _cost(sheet: PriceSheet, line: AskedLine, at: datetime, fixed: Mapping[str, str]) -> tuple[Cost, Sequence[str]]:
    """The cost, and notes on terms that do not apply or go by another name.

    What the line says of the terms goes before what its id fixes, and that before what the provider's body reports:
    which counts only where the sheet has it.
    """
    reported, notes = _reported(sheet, line, {**fixed, **line.terms})
    terms = {**reported, **fixed, **line.terms}
    notes += _assumed(sheet, line, terms)
    tier = terms.get("service_tier", STANDARD_TIER)
    if tier in STANDARD_NAMES and not sheet.tariffs.has("service_tier", tier):
        terms["service_tier"] = STANDARD_TIER
        notes.append(f"service_tier {tier} is priced as {STANDARD_TIER}")
    usage = line.usage if line.provider is None else _without_what_requests_pay(sheet, line.provider)
    try:
        return price(sheet, usage, at, assume_earliest=line.assume_earliest, **terms), notes
    except UsageError as error:
        raise fault_of_usage(error, line.provider) from None


def _reported(sheet: PriceSheet, line: AskedLine, said: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """The terms of a provider's body that nobody else says and the sheet has, and notes on those that it has not."""
    terms = {} if line.provider is None else line.provider.terms
    asked = {field: value for field, value in terms.items() if field not in said}
    known = {field: value for field, value in asked.items() if sheet.tariffs.has(field, value)}
    if (tier := asked.get("service_tier")) in STANDARD_NAMES:
        known["service_tier"] = tier
    return known, [
        f"the body says {field} {value}, for which this offering has no prices of its own: charged {_otherwise(field)}"
        for field, value in asked.items()
        if field not in known
    ]


def _assumed(sheet: PriceSheet, line: AskedLine, said: Mapping[str, str]) -> list[str]:
    """Notes on the terms that a provider's calls have by default and nobody says: the plain price is theirs."""
    defaults = {} if line.provider is None else line.provider.defaults
    unsaid = [(term, value) for term, value in defaults.items() if term not in said and sheet.tariffs.has(term, value)]
    return [f"the body says no {term}: priced as {value}, the provider's default" for term, value in unsaid]


def _without_what_requests_pay(sheet: PriceSheet, provider: MappedUsage) -> Mapping[str, Quantity]:
    """The usage but for counts that the sheet charges with each request, and has no price of their own for."""
    sold = {each.line.meter for each in sheet.tariffs} if provider.within_request else ()
    if "requests" not in sold:
        return provider.usage
    paid = {meter for meter in provider.within_request if meter not in sold}
    return {meter: quantity for meter, quantity in provider.usage.items() if meter not in paid}


def _otherwise(field: str) -> str:
    return f"as {STANDARD_TIER}" if field == "service_tier" else f"without a {field}"


def _other_model(asked: str, answered: str, route: Route | None) -> list[str]:
    """That a body is the answer of another model than the line's, whatever the spelling or the date at its end."""
    key = model_key(answered)
    names = (asked, route.target_id or "") if route is not None else (asked,)
    if not answered or any(_is_snapshot(key, model_key(name)) for name in names):
        return []
    return [f"the body is of model {answered[:_LONGEST_FIELD]}, and is priced as {asked[:_LONGEST_FIELD]}"]


def _is_snapshot(one: str, other: str) -> bool:
    """Whether two keys are one, or one of them with a date at its end."""
    return one == other or _SNAPSHOT.sub("", one) == other or one == _SNAPSHOT.sub("", other)


def _fault_of_terms_or_moment(error: CostError) -> LineFault:
    field, choices = (error.field, error.choices) if isinstance(error, UnknownTerm) else ("at", ())
    return LineFault((field,), str(error).removeprefix(f"{field}: "), choices)


def _is_empty(sheet: PriceSheet) -> bool:
    return next(iter(sheet.tariffs), None) is None


def _has_price(sheet: PriceSheet, at: datetime) -> bool:
    return any(each.in_force(at) for each in sheet.tariffs)
