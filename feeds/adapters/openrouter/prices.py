"""The ``pricing`` object of a row: price keys, the prices that hold under conditions, and a discount."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from feeds.adapters.amounts import BadRow, shown
from feeds.adapters.document import as_amount
from feeds.adapters.openrouter.overrides import OVERRIDES, Cell, Prices, cells, read_overrides
from feeds.adapters.scaling import canonical_amount
from pricing.claims import LIST_LAYER, PROMO_LAYER, Claim, Conditions, SlotRule
from pricing.meters import METERS

_BASIC = ("prompt", "completion")
_METERS = {
    "prompt": "input_tokens",
    "completion": "output_tokens",
    "input_cache_read": "cache_read_tokens",
    "input_cache_write": "cache_write_tokens",
    "input_cache_write_1h": "cache_write_1h_tokens",
    "internal_reasoning": "reasoning_tokens",
    "audio": "input_audio_tokens",
    "audio_output": "output_audio_tokens",
    "input_audio_cache": "cache_read_audio_tokens",
    "image_token": "input_image_tokens",
    "image": "input_images",
    "image_output": "output_images",
    "request": "requests",
    "web_search": "web_searches",
}
# The key that prices the same direction's text, and the meter where the key is priced by the token.
_PICTURES = {"image": ("prompt", "input_image_tokens"), "image_output": ("completion", "output_image_tokens")}
# A picture has hundreds of tokens. What costs less than this many tokens of text is a price per token
# under the name of a price per picture, as all of Google's have been since 2026.
_FEWEST_TOKENS_OF_A_PICTURE = 50
_DISCOUNT = "discount"
_AT_RUN_TIME = Decimal(-1)
_NUMBER = re.compile(r"-?\d{1,60}(?:\.\d{1,60})?(?:[eE][+-]?\d{1,3})?")


@dataclass(frozen=True, slots=True)
class Pricing:
    """What a ``pricing`` object says.

    ``at_run_time`` are the keys whose price is decided at run time; ``unknown`` the names that no
    rule understands.
    """

    claims: tuple[Claim, ...]
    slots: tuple[SlotRule, ...]
    at_run_time: tuple[str, ...]
    unknown: tuple[str, ...]


def read_pricing(pricing: Mapping[str, object]) -> Pricing:
    """Read a row's prices. Raises BadRow for a value that is no price."""
    stated = {key: _price(key, pricing[key]) for key in _METERS if pricing.get(key) is not None}
    open_keys = tuple(key for key, amount in stated.items() if amount == _AT_RUN_TIME)
    base = _telling({key: amount for key, amount in stated.items() if key not in open_keys})
    overrides, unknown = read_overrides(pricing.get(OVERRIDES), _METERS.keys(), _override_price)
    priced, slots = cells(base, overrides)
    factor = 1 - _discount(pricing.get(_DISCOUNT))
    claims = [claim for cell in priced for claim in _claims(cell, base, factor)]
    unknown += [key for key in pricing if key not in _METERS and key not in (OVERRIDES, _DISCOUNT)]
    return Pricing(tuple(claims), slots, open_keys, tuple(unknown))


def _price(field: str, value: object) -> Decimal:
    """A price in USD for one unit, or -1. Raises BadRow."""
    amount = _number(field, value)
    if amount < 0 and amount != _AT_RUN_TIME:
        raise BadRow(f"{field} is {shown(value)}, but a price is 0 or more, or -1 where it is decided at run time")
    return amount


def _override_price(field: str, value: object) -> Decimal:
    """A price that holds under conditions cannot be left open. Raises BadRow."""
    amount = _number(field, value)
    if amount < 0:
        raise BadRow(f"{field} is {shown(value)}, but a price is 0 or more")
    return amount


def _number(field: str, value: object) -> Decimal:
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return Decimal(value)
    try:
        return as_amount(value)
    except ValueError:
        raise BadRow(f"{field} is {shown(value)}, but a price is a decimal number, as a string") from None


def _discount(value: object) -> Decimal:
    """The part of every price that is let off, from 0 up to 1. Raises BadRow."""
    if value is None:
        return Decimal(0)
    part = _number(_DISCOUNT, value)
    if not 0 <= part <= 1:
        raise BadRow(f"{_DISCOUNT} is {shown(value)}, but it is a part of the price, from 0 to 1")
    return part


def _telling(stated: Prices) -> Prices:
    """Without the zeros that say nothing.

    The optional keys were all filled with "0" once; and where something else has a price, 0 for
    the text means that text is not what is charged for.
    """
    priced = {key: amount for key, amount in stated.items() if amount}
    if any(key not in _BASIC for key in priced):
        return priced
    return {key: amount for key, amount in stated.items() if amount or key in _BASIC}


def _claims(cell: Cell, base: Prices, factor: Decimal) -> Iterator[Claim]:
    """The claim of a cell, and what a discount leaves of it as a promotion."""
    meter = _meter(cell.key, cell.amount, base)
    times = Decimal(METERS[meter].per)
    for layer, part in ((LIST_LAYER, Decimal(1)), (PROMO_LAYER, factor)):
        if layer == LIST_LAYER or part != 1:
            line = Conditions(meter, above_input_tokens=cell.above_input_tokens, slot=cell.slot, layer=layer)
            yield Claim(line, canonical_amount(cell.key, cell.amount, times * part))


def _meter(key: str, amount: Decimal, base: Prices) -> str:
    text, by_token = _PICTURES.get(key, ("", ""))
    if by_token and amount < base.get(text, Decimal(0)) * _FEWEST_TOKENS_OF_A_PICTURE:
        return by_token
    return _METERS[key]
