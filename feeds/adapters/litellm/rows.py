"""All the price lines of one row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from feeds.adapters.litellm.fields import UpliftField
from feeds.adapters.litellm.off_peak import apply_off_peak
from feeds.adapters.litellm.readers import (
    GUARDRAIL,
    OFF_PEAK,
    PROVIDER_SPECIFIC,
    SEARCH_CONTEXT,
    TIERED,
    FieldReader,
    Meaning,
    PricedLine,
    count_unknown,
)
from feeds.adapters.litellm.sheets import Quote, Sheet, put
from feeds.adapters.litellm.structures import sized_quotes, tiered_quotes
from feeds.adapters.litellm.uplifts import Uplift, apply_uplifts, provider_specific_uplifts
from pricing.claims import Claim, SlotRule

Row = dict[str, object]
PriceLines = tuple[tuple[Claim, ...], tuple[SlotRule, ...]]

_NO_PRICE = Meaning.NO_PRICE


def price_lines(row: Row, reader: FieldReader, unrecognised: Counter[str]) -> PriceLines:
    """The claims of a row, each on a line of its own, and the rules of their slots.

    A field that is null says nothing. Raises BadRow for a bad price.
    """
    stated = [field for field, value in row.items() if reader[field] is not _NO_PRICE and value is not None]
    if reader.is_plain(tuple(stated)):
        return tuple([reader.quote(field, row[field]).claim for field in stated]), ()
    sheet = _gathered(row, stated, reader, unrecognised)
    slots: tuple[SlotRule, ...] = ()
    if OFF_PEAK in stated:
        slots = apply_off_peak(sheet, row[OFF_PEAK], reader, unrecognised)
    # After the windows, since a factor is on their prices too.
    apply_uplifts(sheet, _uplifts(row, stated, reader, unrecognised))
    return tuple([quote.claim for quote in sheet.values()]), slots


def _gathered(row: Row, stated: list[str], reader: FieldReader, unrecognised: Counter[str]) -> Sheet:
    sheet: Sheet = {}
    for field in stated:
        understood = reader[field]
        if isinstance(understood, PricedLine):
            put(sheet, reader.quote(field, row[field]))
        elif understood is Meaning.UNKNOWN:
            count_unknown(unrecognised, field, row[field])
        else:
            for quote in _structured(field, row[field], reader, unrecognised):
                put(sheet, quote)
    return sheet


def _structured(field: str, value: object, reader: FieldReader, unrecognised: Counter[str]) -> Iterator[Quote]:
    """What a structure says by itself; off-peak windows and factors are on what the others say."""
    if field in (SEARCH_CONTEXT, GUARDRAIL):
        yield from sized_quotes(field, value, reader, unrecognised)
    elif field == TIERED:
        yield from tiered_quotes(value, reader, unrecognised)


def _uplifts(row: Row, stated: list[str], reader: FieldReader, unrecognised: Counter[str]) -> list[Uplift]:
    found = [
        Uplift(field, row[field], region=understood.region)
        for field in stated
        if isinstance(understood := reader[field], UpliftField)
    ]
    if PROVIDER_SPECIFIC in stated:
        found += provider_specific_uplifts(row[PROVIDER_SPECIFIC], unrecognised)
    return found
