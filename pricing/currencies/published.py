"""What a publication of exchange rates says, whatever its format."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from pricing.claims import Rejection


class PublishedRate(NamedTuple):
    """Units of a currency for one euro on a day."""

    currency: str
    day: date
    rate: Decimal


@dataclass(slots=True)
class PublishedRates:
    """All that one document says of rates; a currency occurs once on a day.

    ``unrecognised`` counts elements and attributes that no rule reads, by name.
    """

    rates: list[PublishedRate] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)
    unrecognised: Counter[str] = field(default_factory=Counter)
