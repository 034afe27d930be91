"""Price sheets for the engine, made of what an adapter reads in a document, without a database."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count

from feeds.adapters.genai_prices import parse as parse_genai_prices
from feeds.adapters.genai_prices.snapshot import snapshot
from feeds.adapters.litellm import parse as parse_litellm
from pricing.claims import ParsedOffering
from pricing.cost import PriceSheet, compile_sheet
from pricing.tariffs import SheetPrice

Sheets = dict[tuple[str, str], PriceSheet]


def genai_prices_sheets() -> Sheets:
    """A sheet for every model of the installed genai-prices package, by (provider, model)."""
    return _sheets(parse_genai_prices(snapshot()).offerings)


def litellm_sheets(document: bytes) -> Sheets:
    """A sheet for every model of a LiteLLM document, by (provider, key)."""
    return _sheets(parse_litellm(document).offerings)


def _sheets(offerings: Iterable[ParsedOffering]) -> Sheets:
    rows = count(1)
    return {(offering.provider, offering.model): _sheet(offering, rows) for offering in offerings}


def _sheet(offering: ParsedOffering, rows: Iterable[int]) -> PriceSheet:
    """Each claim stands for a price row of its own number."""
    prices = [
        SheetPrice(
            claim.line,
            claim.amount,
            claim.currency,
            row,
            claim.effective_from,
            claim.effective_until,
        )
        for claim, row in zip(offering.claims, rows, strict=False)
    ]
    return compile_sheet(prices, {0: offering.slots})
