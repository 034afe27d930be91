"""Reading price fields by their names, each name worked out once for all rows that are alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from typing import NamedTuple

from feeds.adapters.litellm.fields import (
    PriceField,
    UpliftField,
    is_duplicate,
    join_variants,
    looks_like_price,
    understand,
)
from feeds.adapters.litellm.ids import SplitId
from feeds.adapters.litellm.sheets import Quote
from feeds.adapters.scaling import canonical_amount
from pricing.claims import STANDARD_TIER, Claim, Conditions

SEARCH_CONTEXT = "search_context_cost_per_query"
GUARDRAIL = "guardrail_cost_per_unit"
TIERED = "tiered_pricing"
OFF_PEAK = "off_peak_pricing"
PROVIDER_SPECIFIC = "provider_specific_entry"
_STRUCTURES = frozenset({SEARCH_CONTEXT, GUARDRAIL, TIERED, OFF_PEAK, PROVIDER_SPECIFIC})

# What one reader remembers at most; a real document has some 250 fields and 7,000 quotes in all.
_REMEMBERED_FIELDS = 2_000
_REMEMBERED_QUOTES = 20_000


class Meaning(Enum):
    """What a field is when it is neither a flat price nor an uplift."""

    NO_PRICE = "no price"
    STRUCTURE = "an object or list with prices in it"
    UNKNOWN = "a price that no rule understands"


class PricedLine(NamedTuple):
    """The line that a field is the price of, the factor that makes its amount canonical, and its rank."""

    line: Conditions
    times: Decimal
    rank: int


Understood = PricedLine | UpliftField | Meaning


@lru_cache(maxsize=512)
def reader_for(billing: str, fixed: SplitId) -> FieldReader:
    """The one reader for rows billed alike whose ids fix the same conditions; ``fixed.model`` is empty.

    It lives on from document to document, since the next one says nearly the same.
    """
    return FieldReader(billing, fixed)


class FieldReader(dict[str, Understood]):
    """What each field means in rows that are billed alike and whose ids fix the same conditions.

    Looking up a name learns it. A name with a dot is one inside a structure.
    """

    def __init__(self, billing: str, fixed: SplitId) -> None:
        super().__init__()
        self._billing = billing
        self._fixed = fixed
        self._quotes: dict[tuple[str, int | Decimal], Quote] = {}
        self._plain: dict[tuple[str, ...], bool] = {}

    def __missing__(self, field: str) -> Understood:
        if len(self) >= _REMEMBERED_FIELDS:
            self.clear()
        self[field] = understood = self._work_out(field)
        return understood

    def quote(self, field: str, value: object) -> Quote:
        """What a field that names a line says. Raises BadRow when its value is no price."""
        if not (type(value) is int or type(value) is Decimal):
            return self._new_quote(field, value)
        key = (field, value)
        known = self._quotes.get(key)
        if known is None:
            if len(self._quotes) >= _REMEMBERED_QUOTES:
                self._quotes.clear()
            known = self._quotes[key] = self._new_quote(field, value)
        return known

    def nested_quotes(
        self, structure: str, fields: Mapping[str, object], unrecognised: Counter[str]
    ) -> Iterator[Quote]:
        """What the flat fields inside a structure say; what else looks like a price is counted.

        Raises BadRow for a value that is no price.
        """
        for field, value in fields.items():
            understood = self[field]
            if understood is Meaning.NO_PRICE or value is None:
                continue
            if isinstance(understood, PricedLine):
                amount = canonical_amount(f"{structure}.{field}", value, understood.times)
                yield Quote(Claim(understood.line, amount), understood.rank)
            else:
                count_unknown(unrecognised, f"{structure}.{field}", value)

    def is_plain(self, fields: tuple[str, ...]) -> bool:
        """Whether the fields are all flat prices, each of a line of its own."""
        known = self._plain.get(fields)
        if known is None:
            if len(self._plain) >= _REMEMBERED_FIELDS:
                self._plain.clear()
            known = self._plain[fields] = self._are_plain(fields)
        return known

    def _are_plain(self, fields: tuple[str, ...]) -> bool:
        lines = [understood.line for field in fields if isinstance(understood := self[field], PricedLine)]
        return len(set(lines)) == len(fields)

    def _new_quote(self, field: str, value: object) -> Quote:
        priced = self[field]
        if not isinstance(priced, PricedLine):
            raise TypeError(f"{field} names no line")
        return Quote(Claim(priced.line, canonical_amount(field, value, priced.times)), priced.rank)

    def _work_out(self, field: str) -> Understood:
        if field in _STRUCTURES:
            return Meaning.STRUCTURE
        if is_duplicate(field) or not looks_like_price(field):
            return Meaning.NO_PRICE
        price = understand(field, self._billing)
        if isinstance(price, PriceField):
            return PricedLine(self._line(price), price.times, price.rank)
        return price or Meaning.UNKNOWN

    def _line(self, price: PriceField) -> Conditions:
        fixed = self._fixed
        return Conditions(
            meter=price.meter,
            service_tier=fixed.service_tier if price.service_tier == STANDARD_TIER else price.service_tier,
            region=fixed.region,
            variant=join_variants(fixed.variant, price.variant),
            commitment=fixed.commitment,
            above_input_tokens=price.above_input_tokens,
        )


def on_line(quote: Quote, line: Conditions) -> Quote:
    """The same price on another line."""
    return quote._replace(claim=replace(quote.claim, line=line))


def count_unknown(unrecognised: Counter[str], field: str, value: object) -> None:
    """Count a field that no rule understands; an object is counted by the names in it."""
    if isinstance(value, dict) and value:
        unrecognised.update(f"{field}.{name}" for name in value)
    else:
        unrecognised[field] += 1
