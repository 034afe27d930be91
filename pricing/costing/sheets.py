"""Loading the price sheets of offerings, as believed now or as known at an earlier moment.

A price's slot follows the rules of the source that set the price. Where that source gives no rules for the slot (a
person stated a peak price), the first source in the order of precedence that does speaks. A calendar that editors
state goes before all of them from its moment on. A price that was announced and that no source has confirmed says so.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from pricing import claims
from pricing.calendar_belief import RULE_COLUMNS, rule_of
from pricing.claims import Conditions
from pricing.cost import PriceSheet, compile_sheet
from pricing.costing.rules import BelievedRule, SourceRules, calendars_as_known
from pricing.models import Price, SlotRule, Source
from pricing.tariffs import SheetPrice
from pricing.witnesses import unconfirmed_among

# A query may name only so many values.
_BATCH = 1000
_SHEETS_OF_A_HISTORY = 16
_NO_SOURCE = 0
_UNCONFIRMED = "announced, and seen by no source since it took effect"
_AHEAD = "announced, and not in effect yet"
_COLUMNS = (
    "line__offering_id",
    "line__meter",
    "line__service_tier",
    "line__region",
    "line__variant",
    "line__commitment",
    "line__above_input_tokens",
    "line__slot",
    "line__layer",
    "amount",
    "currency",
    "id",
    "effective_from",
    "effective_until",
    "zero_means",
    "source_id",
    "known_from",
    "known_until",
)


class BrokenSheet(NamedTuple):
    """An offering whose rows make no sheet, and why."""

    reason: str


Sheet = PriceSheet | BrokenSheet


class BelievedPrice(NamedTuple):
    """A price row with its two time axes."""

    line: Conditions
    amount: Decimal
    currency: str
    row: int
    effective_from: datetime
    effective_until: datetime | None
    zero_means: str
    source: int
    known_from: datetime
    known_until: datetime | None
    remark: str


class History:
    """All that was ever believed of an offering's prices, and the sheets asked for so far."""

    __slots__ = ("_edges", "_prices", "_rules", "_sheets")

    def __init__(self, prices: Sequence[BelievedPrice], rules: Sequence[SourceRules]) -> None:
        self._prices, self._rules = prices, rules
        known = [(each.known_from, each.known_until) for each in prices]
        known += [(each.known_from, each.known_until) for source in rules for each in source.believed]
        self._edges = sorted({moment for pair in known for moment in pair if moment is not None})
        self._sheets: dict[int, Sheet] = {}

    def __len__(self) -> int:
        return len(self._prices)

    def sheet(self, known_at: datetime) -> Sheet:
        """The sheet as it was known at a moment."""
        place = bisect_right(self._edges, known_at)
        if (kept := self._sheets.get(place)) is not None:
            return kept
        if len(self._sheets) >= _SHEETS_OF_A_HISTORY:
            self._sheets.clear()
        prices = [
            price
            for price in self._prices
            if price.known_from <= known_at and (price.known_until is None or known_at < price.known_until)
        ]
        self._sheets[place] = sheet = _compiled(prices, self._rules, known_at)
        return sheet


def believed_sheets(offering_ids: Collection[int]) -> dict[int, tuple[Sheet, int]]:
    """The sheet of each offering as believed now, with its number of price rows; by at most five queries a batch."""
    prices = _prices_of(offering_ids, Price.objects.filter(known_until=None))
    rules = rules_of({offering for offering, rows in prices.items() if _has_slots(rows)})
    return {
        offering: (_compiled(prices.get(offering, ()), rules.get(offering, ()), None), len(prices.get(offering, ())))
        for offering in offering_ids
    }


def histories(offering_ids: Collection[int], between: tuple[datetime, datetime] | None = None) -> dict[int, History]:
    """Everything that was believed of each offering, or from one moment to another; by at most five queries a batch."""
    prices = _prices_of(offering_ids, Price.objects.all() if between is None else _known_between(*between))
    rules = rules_of({offering for offering, rows in prices.items() if _has_slots(rows)})
    return {offering: History(prices.get(offering, ()), rules.get(offering, ())) for offering in offering_ids}


def rows_by_offering(offering_ids: Collection[int], between: tuple[datetime, datetime] | None = None) -> dict[int, int]:
    """How many price rows ``histories`` would read of each offering; by a query a batch."""
    rows = Price.objects.all() if between is None else _known_between(*between)
    found = dict.fromkeys(offering_ids, 0)
    for ids in _batches(offering_ids):
        counted = rows.filter(line__offering__in=ids).order_by().values_list("line__offering").annotate(Count("pk"))
        found.update(counted)
    return found


def _known_between(first: datetime, last: datetime) -> QuerySet[Price]:
    return Price.objects.filter(Q(known_until=None) | Q(known_until__gt=first), known_from__lte=last)


def _compiled(prices: Sequence[BelievedPrice], rules: Sequence[SourceRules], known_at: datetime | None) -> Sheet:
    calendars = calendars_as_known(rules, known_at)
    calendar_of = _calendar_chooser(calendars)
    try:
        return compile_sheet([_sheet_price(price, calendar_of) for price in prices], calendars)
    except ValueError as error:
        return BrokenSheet(str(error))


def _calendar_chooser(calendars: Mapping[int, Sequence[claims.SlotRule]]) -> Callable[[int, str], int]:
    """Whose rules a slot follows, by the source that set the price; ``calendars`` are in the order of precedence."""
    named = {source: {rule.slot for rule in rules} for source, rules in calendars.items()}

    def calendar_of(source: int, slot: str) -> int:
        if not slot or slot in named.get(source, ()):
            return source
        return next((other for other, slots in named.items() if slot in slots), source)

    return calendar_of


def _sheet_price(price: BelievedPrice, calendar_of: Callable[[int, str], int]) -> SheetPrice:
    return SheetPrice(
        price.line,
        price.amount,
        price.currency,
        price.row,
        price.effective_from,
        price.effective_until,
        price.zero_means,
        calendar_of(price.source, price.line.slot),
        price.remark,
    )


def _has_slots(prices: Iterable[BelievedPrice]) -> bool:
    return any(price.line.slot for price in prices)


def _prices_of(offering_ids: Collection[int], rows: QuerySet[Price]) -> dict[int, list[BelievedPrice]]:
    found: dict[int, list[BelievedPrice]] = {}
    now = timezone.now()
    for ids in _batches(offering_ids):
        asked = rows.filter(line__offering__in=ids).order_by()
        remarks = {price: _AHEAD if begins > now else _UNCONFIRMED for price, begins in unconfirmed_among(asked)}
        for row in asked.values_list(*_COLUMNS).iterator(_BATCH):
            found.setdefault(row[0], []).append(_believed_price(row, remarks))
    return found


def _believed_price(row: tuple[Any, ...], remarks: Mapping[int, str]) -> BelievedPrice:
    amount, currency, price_id, begins, ends, zero_means, source, known_from, known_until = row[9:]
    return BelievedPrice(
        _conditions(*row[1:9]),
        amount,
        currency,
        price_id,
        begins,
        ends,
        zero_means,
        source or _NO_SOURCE,
        known_from,
        known_until,
        remarks.get(price_id, ""),
    )


@lru_cache(maxsize=8192)
def _conditions(
    meter: str,
    service_tier: str,
    region: str,
    variant: str,
    commitment: str,
    above_input_tokens: int,
    slot: str,
    layer: str,
) -> Conditions:
    """One object for all lines alike, of which a sheet of thousands of offerings has few."""
    return Conditions(meter, service_tier, region, variant, commitment, above_input_tokens, slot, layer)


def rules_of(offering_ids: Collection[int]) -> dict[int, list[SourceRules]]:
    """The calendar rules of each offering by source, in the order of precedence."""
    by_source: dict[tuple[int, int], SourceRules] = {}
    columns = ("offering_id", "source_id", "source__kind", "known_from", "known_until", *RULE_COLUMNS)
    for ids in _batches(offering_ids):
        rows = SlotRule.objects.filter(offering__in=ids).order_by("source__precedence", "source__slug", "id")
        for offering, source, kind, known_from, known_until, *rule in rows.values_list(*columns):
            kept = by_source.setdefault((offering, source), SourceRules(source, kind == Source.Kind.EDITOR, []))
            kept.believed.append(BelievedRule(rule_of(*rule), known_from, known_until))
    found: dict[int, list[SourceRules]] = {}
    for (offering, _), rules in by_source.items():
        found.setdefault(offering, []).append(rules)
    return found


def _batches(ids: Collection[int]) -> Iterable[list[int]]:
    ordered = sorted(ids)
    return (ordered[start : start + _BATCH] for start in range(0, len(ordered), _BATCH))
