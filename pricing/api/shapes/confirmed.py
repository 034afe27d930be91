"""Who has seen a pricing change, of those who could have: derived on reading, since it may be learnt later.

A source confirms a change when it states the new price of one of its lines at the move, or within 30 days after. It
could have when, in that time, it states one of the tariffs that moved, at whatever price and structure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import F, Q

from pricing.models import PricingChange, PricingChangeLine
from pricing.witnesses import confirmed_until, meets, sources_with_newest

_OF_TARIFF = "line__offering__lines__"
_SAID = f"{_OF_TARIFF}statements__"
_TARIFF = ("meter", "service_tier", "region", "variant", "commitment")


@dataclass(slots=True)
class Witnesses:
    """The slugs of the sources that confirm a change, by precedence, and the numbers behind "seen by 3 of 4"."""

    confirmed_by: list[str] = field(default_factory=list)
    seen_by: int = 0
    of: int = 0


def witnesses_of(changes: Sequence[PricingChange]) -> dict[int, Witnesses]:
    """The witnesses of each change, by two queries. A person's ruling has no source of its own: others count alone."""
    own = {change.pk: {change.source_id} - {None} for change in changes}
    stating = {pk: set(sources) for pk, sources in own.items()}
    confirming: dict[int, set[int]] = {change.pk: set() for change in changes}
    moved_at = {change.pk: change.effective_at for change in changes}
    for change_id, source, is_new_price, *said in _said_of(changes):
        if meets(tuple(said), moved_at[change_id], confirmed_until(moved_at[change_id])):
            stating[change_id].add(source)
            if is_new_price and source not in own[change_id]:
                confirming[change_id].add(source)
    slugs = [(source.pk, source.slug) for source in sources_with_newest()]
    return {
        pk: Witnesses(
            confirmed_by=[slug for source, slug in slugs if source in confirming[pk]],
            seen_by=len(confirming[pk]) + len(own[pk]),
            of=len(stating[pk]),
        )
        for pk in own
    }


def _said_of(changes: Sequence[PricingChange]) -> Iterable[tuple[Any, ...]]:
    """What was said of the tariffs of each change's lines, but for what had ended before the change."""
    same_tariff = {f"{_OF_TARIFF}{name}": F(f"line__{name}") for name in _TARIFF}
    may_meet = Q(**{f"{_SAID}ended_at": None}) | Q(**{f"{_SAID}ended_at__gt": F("change__effective_at")})
    may_meet |= Q(**{f"{_SAID}effective_from__isnull": False}) | Q(**{f"{_SAID}effective_until__isnull": False})
    rows = PricingChangeLine.objects.filter(
        may_meet, change__in=[change.pk for change in changes], **same_tariff, **{f"{_SAID}source__isnull": False}
    )
    columns = ("source_id", "amount", "currency", "effective_from", "effective_until", "first_observed_at", "ended_at")
    found = rows.order_by().values_list(
        "change_id", "line_id", "new", "currency", f"{_OF_TARIFF}id", *(f"{_SAID}{name}" for name in columns)
    )
    for change_id, line_id, new, currency, of_line, source, amount, sold_in, *said in found:
        yield change_id, source, (line_id, new, currency) == (of_line, amount, sold_in), *said
