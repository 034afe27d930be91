"""One line that says what changed, fit to be the subject of an alert."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from pricing.claims import LIST_LAYER, PROMO_LAYER, STANDARD_TIER, Conditions
from pricing.meters import METERS
from pricing.moves import ChangedLine, Happening
from pricing.timeline import Value
from tracker.amounts import plain

LONGEST = 300
_FIRST = ("input_tokens", "output_tokens", "subscriptions", "cache_read_tokens")
_VERBS = {
    "listed": "listed",
    "relisted": "listed again",
    "withdrawn": "withdrawn",
    "became_paid": "no longer free",
    "became_free": "now free",
    "currency_changed": "new currency",
    "promo_started": "promotion",
    "promo_extended": "promotion extended",
    "promo_ended": "promotion ended",
    "restructured": "restructured",
    "price_added": "new price",
    "price_removed": "price dropped",
    "corrected": "corrected",
    "retracted": "announced change taken back",
}


def headline(name: str, happening: Happening) -> str:
    """Such as ``DeepSeek V4 Pro: input 0.435 -> 0.66 USD per 1M tokens, +51.72%``."""
    lead = _lead(happening.lines, happening.kind)
    if happening.kind == "promo_extended":
        # What is told is the price that goes on, not that it ends.
        lead = replace(lead, old=None, new=lead.old)
    parts = [_opening(happening), _slots_sentence(lead, happening) or _sentence(lead)]
    more = len(happening.lines) - 1
    text = f"{name}: {', '.join(filter(None, parts))}" + (f" (and {more} more)" if more else "")
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _opening(happening: Happening) -> str:
    kind, at = happening.kind, happening.announced_for
    if kind in ("announced", "rescheduled") and at is not None:
        is_end = all(changed.new is None for changed in happening.lines)
        return f"{'end ' if is_end else ''}{kind} for {day_in_words(at)}"
    if kind == "promo_extended":
        return f"{_VERBS[kind]} to {day_in_words(happening.effective_at)}"
    if kind == "promo_ended" and _stays(happening):
        return "promotion made permanent"
    return _VERBS.get(kind, "")


def _stays(happening: Happening) -> bool:
    """Whether every price of the promotion that ends is the list price from then on."""
    listed = {changed.line: changed.new for changed in happening.lines}
    ended = [changed for changed in happening.lines if changed.line.layer == PROMO_LAYER and changed.new is None]
    return bool(ended) and all(listed.get(replace(c.line, layer=LIST_LAYER)) == c.old for c in ended)


def money_in_words(lines: Sequence[ChangedLine]) -> str:
    """Lines that moved together, by the one that stands for the rest: ``input 0.4 -> 1.5 USD per 1M tokens, +275%``."""
    if not lines:
        return ""
    more = len(lines) - 1
    return _sentence(_lead(lines, "")) + (f" (and {more} more)" if more else "")


def day_in_words(moment: datetime) -> str:
    """``2026-09-14`` for a midnight, else with the time in UTC."""
    midnight = not (moment.hour or moment.minute or moment.second)
    return moment.strftime("%Y-%m-%d" if midnight else "%Y-%m-%d %H:%M UTC")


def _lead(lines: Sequence[ChangedLine], kind: str) -> ChangedLine:
    """The line that stands for the rest: the plainest conditions of the best known meter among those that moved."""

    def order(changed: ChangedLine) -> tuple[bool, bool, int, bool, int, Conditions]:
        line = changed.line
        place = _FIRST.index(line.meter) if line.meter in _FIRST else len(_FIRST)
        special = bool(line.region or line.variant or line.commitment or line.layer != LIST_LAYER)
        other_tier = line.service_tier != STANDARD_TIER
        return (not _tells(changed, kind), other_tier, place, special, line.above_input_tokens, line)

    return min(lines, key=order)


def _tells(changed: ChangedLine, kind: str) -> bool:
    """Whether a line shows what its change is named for."""
    if kind == "became_paid":
        return changed.old is not None and not changed.old[0] and changed.new is not None
    if kind == "became_free":
        return changed.new is not None and not changed.new[0] and changed.old is not None
    return changed.old is not None and changed.new is not None


def _sentence(changed: ChangedLine) -> str:
    line, percent = changed.line, changed.percent
    movement = _movement(changed.old, changed.new)
    tail = f", {percent:+}%" if percent is not None else ""
    return f"{label(line)} {movement} {METERS[line.meter].unit}{tail}"


def _slots_sentence(lead: ChangedLine, happening: Happening) -> str:
    """A flat price that became several by the calendar, or the other way: ``input 0.435 -> 0.66 (off-peak), …``."""
    if happening.kind != "restructured":
        return ""
    flat = replace(lead.line, slot="")
    cells = [changed for changed in happening.lines if replace(changed.line, slot="") == flat]
    olds = sorted((c.old[0], c.old[1], c.line.slot) for c in cells if c.old is not None and c.new is None)
    news = sorted((c.new[0], c.new[1], c.line.slot) for c in cells if c.new is not None and c.old is None)
    if not olds or not news:
        return ""
    percent = ChangedLine(flat, (olds[0][0], olds[0][1], ""), (news[0][0], news[0][1], "")).percent
    tail = f", {percent:+}%" if percent is not None else ""
    unit = METERS[flat.meter].unit
    return f"{label(flat)} {_amounts(olds)} -> {_amounts(news)} {news[0][1]} {unit}{tail}"


def _amounts(cells: Sequence[tuple[Decimal, str, str]]) -> str:
    return ", ".join(f"{plain(amount)} ({slot})" if slot else plain(amount) for amount, _, slot in cells)


def _movement(old: Value | None, new: Value | None) -> str:
    if old is None or new is None:
        stated = new or old
        if stated is None:
            return "no price"
        return f"{'' if new else 'was '}{plain(stated[0])} {stated[1]}"
    if old[1] == new[1]:
        return f"{plain(old[0])} -> {plain(new[0])} {new[1]}"
    return f"{plain(old[0])} {old[1]} -> {plain(new[0])} {new[1]}"


def label(line: Conditions) -> str:
    """What a line counts and on what terms, such as ``input (batch, above 200,000 tokens)``."""
    words = line.meter.removesuffix("_tokens").replace("_", " ")
    notes = [
        *([line.service_tier] if line.service_tier != STANDARD_TIER else []),
        *filter(None, [line.region, line.variant, line.commitment, line.slot]),
        *([f"above {line.above_input_tokens:,} tokens"] if line.above_input_tokens else []),
        *([line.layer] if line.layer != LIST_LAYER else []),
    ]
    return f"{words} ({', '.join(notes)})" if notes else words
