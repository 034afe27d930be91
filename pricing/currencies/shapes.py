"""Exchange rates as the API cites them, and price rows in the currency that was asked for."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from pricing.currencies.conversion import Conversion, NoRate, Quote, Rates
from tracker.amounts import plain
from tracker.api.moments import moment_text

CONVERTED_FIELDS = ("sold", "rate", "not_converted")
_SOLD_FIELDS = ("amount", "currency")
_CITED_FIELDS = ("from", "to", "rate", "date", "for_date", "stands_in", "source")


@lru_cache(maxsize=1024)
def conversion_text(conversion: Conversion) -> str:
    """A rate with the quotes that it rests on, as JSON in ASCII. The rows of an answer share a few."""
    return json.dumps(conversion_shape(conversion))


@lru_cache(maxsize=1024)
def conversion_shape(conversion: Conversion) -> Mapping[str, Any]:
    """A rate with the quotes that it rests on; shared by all rows of that rate."""
    return {
        "from": conversion.sold_in,
        "to": conversion.asked_in,
        "rate": plain(conversion.rate),
        "date": conversion.day.isoformat(),
        "for_date": conversion.for_day.isoformat(),
        "stands_in": conversion.stands_in,
        "source": conversion.source,
        "legs": [quote_shape(leg) for leg in conversion.legs],
    }


def quote_shape(quote: Quote) -> dict[str, Any]:
    """Units of a currency for one euro on a day, and who says so."""
    return {
        "currency": quote.currency,
        "per_euro": plain(quote.rate),
        "date": quote.day.isoformat(),
        "source": quote.source,
        "carried_by": quote.carried_by or None,
        "known_from": moment_text(quote.known_from),
    }


@dataclass(frozen=True, slots=True)
class PriceConverter:
    """Writes price rows in one currency, at the rates of one moment as known at another."""

    currency: str
    rates: Rates
    at: datetime
    known_at: datetime | None = None

    def row(self, shape: dict[str, Any]) -> dict[str, Any]:
        """The row with its amount converted, as it is sold, and with the rate.

        Without a rate the amount is None rather than in the wrong currency, and ``not_converted`` says why.
        """
        sold = {name: shape[name] for name in _SOLD_FIELDS}
        amount: str | None = None
        rate = reason = None
        try:
            converted = self.rates.convert(
                Decimal(sold["amount"]), sold["currency"], self.currency, self.at, self.known_at
            )
        except NoRate as error:
            reason = str(error)
        else:
            amount = plain(converted.amount)
            rate = converted.conversion and conversion_shape(converted.conversion)
        return {
            **shape,
            "amount": amount,
            "currency": self.currency,
            "sold": sold,
            "rate": rate,
            "not_converted": reason,
        }


def flat_columns(fields: Sequence[str]) -> list[str]:
    """The columns of a table for these fields: those of an object are named ``rate.date`` and the like."""
    inner = {"sold": _SOLD_FIELDS, "rate": _CITED_FIELDS}
    return [
        column
        for name in fields
        for column in ([f"{name}.{each}" for each in inner[name]] if name in inner else [name])
    ]


def flat(rows: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Rows with the columns of ``flat_columns`` beside their fields."""
    for row in rows:
        sold, rate = row.get("sold") or {}, row.get("rate") or {}
        cells = {f"sold.{name}": sold.get(name) for name in _SOLD_FIELDS}
        cells |= {f"rate.{name}": rate.get(name) for name in _CITED_FIELDS}
        yield {**row, **cells, "rate.stands_in": str(rate["stands_in"]).lower() if rate else None}
