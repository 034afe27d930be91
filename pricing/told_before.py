"""What the market did is told once, whatever the record believed in between.

A late reading may take from the record what stood before a move, and a later one bring it back: the move that was told
then is no second move, but a correction.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from pricing.bulk import among
from pricing.claims import Conditions
from pricing.models import PricingChange, PricingChangeLine
from pricing.moves import ChangedLine, Happening

# Changes that tell of what is to come.
OF_THE_FUTURE = ("announced", "rescheduled", "retracted", "promo_extended")
# A line, when it moved, and from what to what.
Known = tuple[int, datetime, Decimal | None, str, Decimal | None, str]


def told_once(happened: Sequence[Happening], lines: Mapping[Conditions, int], moment: datetime) -> list[Happening]:
    """What happened to one offering, without the moves before a moment that were told as the market's already.

    ``lines`` are the ids of its lines. What comes back stands among the corrections.
    """
    asked = [each for each in happened if _may_be_known(each, moment)]
    known = _known({lines[c.line] for each in asked for c in each.lines}) if asked else set[Known]()
    if not known:
        return list(happened)
    again: list[tuple[ChangedLine, datetime]] = []
    found = []
    for each in happened:
        told = [c for c in each.lines if each in asked and _told(c, lines[c.line], each.effective_at) in known]
        left = tuple(c for c in each.lines if c not in told)
        again += [(c, each.effective_at) for c in told]
        if left:
            found.append(replace(each, lines=left))
    return list(_with_corrections(found, again)) if again else found


def _may_be_known(happening: Happening, moment: datetime) -> bool:
    is_move = happening.nature == PricingChange.Nature.MARKET and happening.announced_for is None
    return is_move and happening.effective_at < moment and any(c.old is not None for c in happening.lines)


def _known(line_ids: Collection[int]) -> set[Known]:
    rows = PricingChangeLine.objects.filter(
        line__in=among(line_ids), change__nature=PricingChange.Nature.MARKET, old__isnull=False
    ).exclude(change__kind__in=OF_THE_FUTURE)
    return set(rows.values_list("line_id", "change__effective_at", "old", "old_currency", "new", "currency"))


def _told(changed: ChangedLine, line_id: int, at: datetime) -> Known:
    old, new = changed.old or (None, "", ""), changed.new or (None, "", "")
    return (line_id, at, old[0], old[1], new[0], new[1] or old[1])


def _with_corrections(
    happened: Sequence[Happening], again: Sequence[tuple[ChangedLine, datetime]]
) -> Iterator[Happening]:
    """All corrections of one cause are one; what stands in it of a line says more than the move that came back."""
    corrections = [each for each in happened if each.kind == "corrected"]
    corrected = {c.line for each in corrections for c in each.lines}
    more = {changed.line: (changed, at) for changed, at in again if changed.line not in corrected}
    yield from (each for each in happened if each.kind != "corrected")
    if not more:
        yield from corrections
        return
    lines = (*(c for each in corrections for c in each.lines), *(changed for changed, _ in more.values()))
    at = max([*(each.effective_at for each in corrections), *(at for _, at in more.values())])
    yield Happening("corrected", PricingChange.Nature.CORRECTION, at, "observed", None, None, lines)
