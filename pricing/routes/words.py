"""A change of a route in one line, fit to be the subject of an alert."""

from __future__ import annotations

from collections.abc import Sequence

from pricing.headlines import LONGEST, day_in_words, money_in_words
from pricing.moves import ChangedLine
from pricing.routes.targets import RouteMove


def route_headline(name: str, move: RouteMove, old: str, new: str, lines: Sequence[ChangedLine]) -> str:
    """Such as ``DeepSeek V4 Pro: rerouted to DeepSeek V4 Flash from 2026-09-14 04:00 UTC``.

    ``old`` and ``new`` name the targets, empty where there is none.
    """
    money = money_in_words(lines)
    text = f"{name}: {_what(move, old, new)}" + (f", {money}" if money else "")
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _what(move: RouteMove, old: str, new: str) -> str:
    where = f"rerouted to {new}" if new else f"no longer routed to {old}"
    noun = f"reroute to {new}" if new else f"end of the route to {old}"
    day = day_in_words(move.announced_for) if move.announced_for else ""
    if move.kind == "announced":
        return f"{where} from {day}"
    if move.kind == "rescheduled":
        return f"{noun} rescheduled for {day}"
    if move.kind == "retracted":
        return f"{noun} announced for {day} taken back"
    if move.kind == "corrected":
        return f"route corrected, {old or 'none'} -> {new or 'none'}"
    if move.kind == "withdrawn":
        return f"withdrawn, {where}"
    return f"rerouted from {old} to {new}" if old and new else where
