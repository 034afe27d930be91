"""The engine against ``genai_prices.calc_price``, on every model of the installed package."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from random import Random

from genai_prices import calc_price
from genai_prices.types import StartDateConstraint, TimeOfDateConstraint

from benchmarks.cost_peers.differences import UNEXPLAINED, Comparison, Difference, Reason
from benchmarks.cost_peers.genai_lines import TODAY, USAGES, Line, all_lines
from benchmarks.cost_peers.sheets import Sheets
from pricing.cost import price
from pricing.tariffs import CostError
from pricing.usage import UsageError

NAME = "genai_prices.calc_price"
_MINIMUM_SECONDS = 10
_ROUNDING = Decimal("1e-12")

HOURLY = Reason(
    "a price per hour has no finite decimal per second: the ledger keeps 18 decimals, calc_price divides at the end; "
    "apart by less than 1e-12 USD",
    "theirs",
)
MINIMUM = Reason("Groq bills Whisper for at least 10 seconds: a rule of calc_price's code, no price", "theirs")
UNDATED = Reason(
    "an undated window counts from the nearest dated entry before it; calc_price lets it reach back before that date",
    "ours",
)
EMPTY = Reason(
    "the context names a variant without any price of its own: calc_price charges the standard prices. The engine "
    "refuses a tier that it has no price for; a caller names what is standard as standard",
    "theirs for a default, ours for a tier that is not sold",
)


def compare(sheets: Sheets) -> Comparison:
    """Price every line of the grid both ways."""
    comparison = Comparison(NAME)
    for line in all_lines():
        ours, theirs = _our_total(line, sheets), _their_total(line)
        if ours == theirs:
            comparison.equal += 1
        else:
            asked = f"{dict(line.usage)} at {line.at.isoformat()} {dict(line.context) or ''}"
            model = f"{line.provider}/{line.model}"
            comparison.differences.append(Difference(model, asked, ours, theirs, _reason(line, ours, theirs)))
    return comparison


def _our_total(line: Line, sheets: Sheets) -> Decimal | str:
    try:
        return price(sheets[line.provider, line.model], line.usage, line.at, **line.terms).total
    except (CostError, UsageError) as error:
        return str(error)


def _their_total(line: Line) -> Decimal | str:
    provider, model = line.peer
    try:
        return model.calc_price(
            line.theirs, provider, genai_request_timestamp=line.at, price_context=line.context or None
        ).total_price
    except ValueError as error:
        return str(error)


def _reason(line: Line, ours: Decimal | str, theirs: Decimal | str) -> Reason:
    if isinstance(ours, str) and line.context and not _context_has_prices(line):
        return EMPTY
    if isinstance(ours, str) or isinstance(theirs, str):
        return UNEXPLAINED
    if line.provider == "groq" and 0 < line.usage.get("input_audio_seconds", 0) < _MINIMUM_SECONDS:
        return MINIMUM
    if any("seconds" in key for key in line.usage) and abs(ours - theirs) < _ROUNDING:
        return HOURLY
    return UNDATED if _is_before_its_window(line) else UNEXPLAINED


def _context_has_prices(line: Line) -> bool:
    variants = line.peer[1].price_variants or ()
    return any(vars(variant.prices) for variant in variants if variant.when == line.context)


def _is_before_its_window(line: Line) -> bool:
    """Whether a window stands after a dated entry that has not begun."""
    prices = line.peer[1].prices
    dates = []
    for entry in prices if isinstance(prices, list) else []:
        if isinstance(entry.constraint, StartDateConstraint):
            dates.append(entry.constraint.start_date)
        if isinstance(entry.constraint, TimeOfDateConstraint) and dates and line.at.date() < dates[-1]:
            return True
    return False


def timed_lines(sheets: Sheets, count: int, models: int | None = None) -> list[Line]:
    """Lines of today to take the time of: chat calls with and without a cache, whose totals are equal and not 0.

    They are drawn from so many models, or from all.
    """
    chat = [line for line in all_lines() if line.at == TODAY and not line.context and line.usage in USAGES[:3]]
    same = [line for line in chat if _our_total(line, sheets) == _public_total(line) != 0]
    known = sorted({(line.provider, line.model) for line in same})
    chosen = set(Random(0).sample(known, min(models or len(known), len(known))))
    return Random(0).choices([line for line in same if (line.provider, line.model) in chosen], k=count)


def _public_total(line: Line) -> Decimal | None:
    try:
        return calc_price(
            line.theirs, line.model, provider_id=line.provider, genai_request_timestamp=line.at
        ).total_price
    except (LookupError, ValueError):
        return None


def our_loop(lines: Sequence[Line], sheets: Sheets) -> Callable[[], None]:
    """Price the lines by the engine, finding each sheet by its ids."""
    asked = [(line.provider, line.model, line.usage, line.at) for line in lines]

    def run() -> None:
        for provider, model, usage, at in asked:
            price(sheets[provider, model], usage, at)

    return run


def their_loop(lines: Iterable[Line]) -> Callable[[], None]:
    """Price the lines by the package's public function."""
    asked = [(line.theirs, line.model, line.provider, line.at) for line in lines]

    def run() -> None:
        for usage, model, provider, at in asked:
            calc_price(usage, model, provider_id=provider, genai_request_timestamp=at)

    return run
