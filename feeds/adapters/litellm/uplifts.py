"""Prices that LiteLLM states as a factor on the others: requests bound to a region, and faster service."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from feeds.adapters.amounts import BadRow
from feeds.adapters.litellm.ids import GEOGRAPHIES
from feeds.adapters.litellm.readers import PROVIDER_SPECIFIC
from feeds.adapters.litellm.sheets import Quote, Sheet
from feeds.adapters.scaling import canonical_amount
from pricing.claims import STANDARD_TIER, Claim, Conditions
from pricing.meters import METERS

_SPEEDS = frozenset({"fast"})
_ONE = Decimal(1)


class Uplift(NamedTuple):
    """A factor on token prices, under a region or a service tier; ``field`` is where it was read."""

    field: str
    factor: object
    region: str = ""
    service_tier: str = ""


def provider_specific_uplifts(value: object, unrecognised: Counter[str]) -> list[Uplift]:
    """The factors among a row's provider specific entries; the entries that are no numbers are routing hints."""
    entries = value.items() if isinstance(value, dict) else ()
    numbers = {name: factor for name, factor in entries if type(factor) in (int, Decimal)}
    known = _SPEEDS | GEOGRAPHIES
    unrecognised.update(f"{PROVIDER_SPECIFIC}.{name}" for name in numbers if name not in known)
    return [_of_entry(name, factor) for name, factor in numbers.items() if name in known]


def _of_entry(name: str, factor: object) -> Uplift:
    field = f"{PROVIDER_SPECIFIC}.{name}"
    return Uplift(field, factor, service_tier=name) if name in _SPEEDS else Uplift(field, factor, region=name)


def apply_uplifts(sheet: Sheet, uplifts: Iterable[Uplift]) -> None:
    """Add the lines that follow from the factors, with what they derive from.

    Speed goes first, since a region's factor is on that too.

    A factor is on token prices only. A speed replaces the standard tier; a region's factor is on
    every tier, but not on a row whose id fixes a region. A line that the row states itself
    stays. Raises BadRow for a factor that is none, or a product that does not fit the ledger.
    """
    for uplift in sorted(uplifts, key=lambda uplift: (not uplift.service_tier, uplift.region)):
        factor = _factor(uplift)
        for line, quote in list(sheet.items()):
            derived = _derived_line(line, uplift.region, uplift.service_tier)
            if derived is not None and derived not in sheet:
                amount = canonical_amount(f"a price times {uplift.field}", quote.claim.amount, factor)
                sheet[derived] = Quote(Claim(derived, amount, derived_from=line, factor=factor), quote.rank)


def _factor(uplift: Uplift) -> Decimal:
    factor = canonical_amount(uplift.field, uplift.factor, _ONE)
    if not factor:
        raise BadRow(f"{uplift.field} is 0, but a factor on prices is above 0")
    return factor


@lru_cache(maxsize=4096)
def _derived_line(line: Conditions, region: str, service_tier: str) -> Conditions | None:
    if METERS[line.meter].noun != "tokens":
        return None
    if service_tier:
        return replace(line, service_tier=service_tier) if line.service_tier == STANDARD_TIER else None
    return None if line.region else replace(line, region=region)
