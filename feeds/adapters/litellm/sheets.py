"""The price lines of one row as they are gathered, with the rule for two fields that name one line."""

from __future__ import annotations

from typing import NamedTuple

from pricing.claims import Claim, Conditions

# An entry of a tier list names its threshold itself: nothing is more explicit.
TIER_LIST_RANK = -1


class Quote(NamedTuple):
    """A claim, and how explicitly its field names the line: lower ranks go first."""

    claim: Claim
    rank: int = 0


Sheet = dict[Conditions, Quote]


def put(sheet: Sheet, quote: Quote) -> None:
    """Add a quote; where the line has one already, keep the better of the two.

    A price goes before a flat field's zero, since LiteLLM writes 0 where it knows nothing; then
    the more explicit field; then the lower price, so that the order of fields does not matter.
    """
    held = sheet.setdefault(quote.claim.line, quote)
    if held is not quote and _order(quote) < _order(held):
        sheet[quote.claim.line] = quote


def _order(quote: Quote) -> tuple[object, ...]:
    amount = quote.claim.amount
    is_filler = not amount and quote.rank > TIER_LIST_RANK
    return (is_filler, quote.rank, amount)
