"""Prices by the hour: LiteLLM's ``off_peak_pricing`` as calendar slots.

Its rules are those of https://docs.litellm.ai/docs/proxy/off_peak_pricing: inside a window its
price stands in place of the others, whatever the length of the input.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from feeds.adapters.litellm.readers import OFF_PEAK, FieldReader, on_line
from feeds.adapters.litellm.sheets import Quote, Sheet, put
from feeds.adapters.litellm.windows import UnknownSchedule, Weekdays, Window, read_schedule
from pricing.claims import SlotRule

_PEAK = "peak"
_OFF_PEAK = "off-peak"


def apply_off_peak(
    sheet: Sheet, value: object, reader: FieldReader, unrecognised: Counter[str]
) -> tuple[SlotRule, ...]:
    """Move the row's lines into slots, add those of the windows, and return the slots' rules.

    A schedule that cannot be read is counted, and the row keeps its prices without slots. Raises
    BadRow for a bad price.
    """
    if not isinstance(value, dict):
        unrecognised[OFF_PEAK] += 1
        return ()
    quotes = list(reader.nested_quotes(OFF_PEAK, value, unrecognised))
    try:
        windows = read_schedule(value)
    except UnknownSchedule as unknown:
        unrecognised[f"{OFF_PEAK}.{unknown.field}"] += 1
        return ()
    if not quotes:
        return ()
    inside, outside = (_PEAK, _OFF_PEAK) if _are_dearer(quotes, sheet) else (_OFF_PEAK, _PEAK)
    _into_slots(sheet, quotes, inside, outside)
    return _rules(windows, inside, outside)


def _are_dearer(quotes: list[Quote], sheet: Sheet) -> bool:
    """Whether the windows hold the dearer prices, in spite of their name."""
    pairs = [
        (quote.claim.amount, sheet[quote.claim.line].claim.amount) for quote in quotes if quote.claim.line in sheet
    ]
    return all(within >= base for within, base in pairs) and any(within > base for within, base in pairs)


def _into_slots(sheet: Sheet, quotes: list[Quote], inside: str, outside: str) -> None:
    """Give the windows' prices their slot, and the rest of their tariffs the other.

    The lines for long inputs move too: without a slot and above a threshold, they would compete
    with the window's price, which stands for any length.
    """
    tariffs = {quote.claim.line.tariff for quote in quotes}
    outer = [sheet.pop(line) for line in list(sheet) if line.tariff in tariffs]
    for slot, members in ((outside, outer), (inside, quotes)):
        for quote in members:
            put(sheet, on_line(quote, replace(quote.claim.line, slot=slot)))


def _rules(windows: Mapping[Weekdays, tuple[Window, ...]], inside: str, outside: str) -> tuple[SlotRule, ...]:
    within = [SlotRule(inside, hours, weekdays) for weekdays, hours in sorted(windows.items())]
    return (*within, SlotRule(outside, is_rest=True))
