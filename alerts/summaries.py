"""A watch in one sentence of plain words: what it catches, when it tells, and whom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from decimal import Decimal

from alerts.cadence import DAILY, INSTANT
from tracker.amounts import plain
from tracker.moments import utc

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_NAMED = 5
_MOVES = {"": "changes", "up": "increases", "down": "decreases"}


@dataclass(frozen=True, slots=True)
class Words:
    """What a watch is made of, by name. ``profile`` is empty without one."""

    companies: Sequence[str] = ()
    models: Sequence[str] = ()
    offerings: Sequence[str] = ()
    meters: Sequence[str] = ()
    kinds: Sequence[str] = ()
    nature: str = "market"
    direction: str = ""
    min_percent: Decimal | None = None
    confirmed_only: bool = False
    profile: str = ""
    currency: str = ""
    bill_percent: Decimal | None = None
    bill_amount: Decimal | None = None
    cadence: str = INSTANT
    digest_hour: int = 8
    digest_weekday: int = 1
    quiet_from: time | None = None
    quiet_until: time | None = None
    time_zone: str = "UTC"
    paused_until: datetime | None = None
    channels: Sequence[str] = ()


def in_words(words: Words, now: datetime) -> str:
    """Such as ``Price increases of at least 5% on any offering of DeepSeek or OpenAI, at once, to Ops room``."""
    caught = _bill(words) if words.bill_percent is not None or words.bill_amount is not None else _changes(words)
    told = [caught, _cadence(words), f"to {_listed(words.channels, 'and')}" if words.channels else "to no channel yet"]
    return ", ".join(told) + "".join(f"; {aside}" for aside in _asides(words, now))


def _changes(words: Words) -> str:
    percent = f" of at least {plain(words.min_percent)}%" if words.min_percent is not None else ""
    meters = f" in {_listed([_spelt(meter) for meter in words.meters])}" if words.meters else ""
    confirmed = ", once a second source confirms them" if words.confirmed_only else ""
    return f"{_what(words)}{percent}{meters} on {_whose(words)}{confirmed}"


def _what(words: Words) -> str:
    moves = _MOVES[words.direction]
    if words.nature == "correction":
        named = "Corrections of prices" + (f" ({moves})" if words.direction else "")
    else:
        named = f"Price {moves}" + ("" if words.nature else " and corrections")
    return f"{named} ({_listed([_spelt(kind) for kind in words.kinds])})" if words.kinds else named


def _whose(words: Words) -> str:
    if words.offerings:
        found = _listed(words.offerings)
        found += f" of {_listed(words.models)}" if words.models else ""
    elif words.models:
        found = _listed(words.models) + ("" if words.companies else " at any seller")
    else:
        return f"any offering of {_listed(words.companies)}" if words.companies else "anything"
    return found + (f", sold or made by {_listed(words.companies)}" if words.companies else "")


def _bill(words: Words) -> str:
    percent = [f"{plain(words.bill_percent)}%"] if words.bill_percent is not None else []
    amount = [f"{plain(words.bill_amount)} {words.currency}".strip()] if words.bill_amount is not None else []
    return f"The monthly bill of {words.profile} moving by at least {_listed([*percent, *amount])}"


def _cadence(words: Words) -> str:
    if words.cadence == INSTANT:
        return "at once"
    if words.cadence == DAILY:
        return f"in a daily digest at {words.digest_hour:02}:00"
    return f"in a weekly digest on {_WEEKDAYS[words.digest_weekday - 1]} at {words.digest_hour:02}:00"


def _asides(words: Words, now: datetime) -> list[str]:
    found = []
    if words.quiet_from is not None and words.quiet_until is not None:
        found.append(f"quiet {words.quiet_from:%H:%M}-{words.quiet_until:%H:%M} {words.time_zone}")
    elif words.cadence != INSTANT:
        found.append(f"times of {words.time_zone}")
    if words.profile and words.bill_percent is None and words.bill_amount is None:
        found.append(f"with what it means for {words.profile}")
    if words.paused_until is not None and words.paused_until > now:
        found.append(f"paused until {utc(words.paused_until)}")
    return found


def _listed(names: Sequence[str], word: str = "or") -> str:
    shown = list(names[:_NAMED])
    if len(names) > _NAMED:
        shown.append(f"{len(names) - _NAMED} more")
    return f" {word} ".join(filter(None, [", ".join(shown[:-1]), shown[-1]]))


def _spelt(slug: str) -> str:
    return slug.replace("_", " ")
