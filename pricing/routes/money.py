"""What a route means in money: the prices that apply where an id leads, before a moment and from it on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Case, Q, QuerySet, When

from companies.models import AIModel
from pricing.belief import LINE_COLUMNS
from pricing.claims import Conditions
from pricing.models import Alias, Offering, Price
from pricing.moves import ChangedLine
from pricing.routes.targets import Target, target_of
from pricing.timeline import INSTANT, Value

MovedLine = tuple[int, ChangedLine]
_Prices = dict[Conditions, tuple[int, Value]]
_LONGEST_CHAIN = 20


def moved_lines(offering_id: int, old: Target | None, new: Target | None, at: datetime) -> list[MovedLine]:
    """What a buyer of the id pays otherwise from a moment on, line by line; nothing while its own price is in force.

    The lines are the new target's; one that only the old target has is the old one's.
    """
    if _in_force(offering_id, at):
        return []
    own = _in_force(offering_id, at - INSTANT)
    if own and new is None:
        # What ended is the id's own price, and its own change tells of it.
        return []
    before = own or _priced(offering_id, old, at - INSTANT)
    after = _priced(offering_id, new, at)
    moved = []
    for line in sorted({*before, *after}):
        row, was = before.get(line, (0, None))
        line_id, now = after.get(line, (row, None))
        if was != now:
            moved.append((line_id, ChangedLine(line, was, now)))
    return moved


def sold_of(model: AIModel | int | None, seller: int) -> QuerySet[Offering]:
    """What a seller sells of a model: priced before unpriced, the plain listing before the others."""
    rows = Offering.objects.filter(model=model, seller=seller, kind=Offering.Kind.API, merged_into__isnull=True)
    unpriced = Case(When(status=Offering.Status.UNPRICED, then=1), default=0)
    return rows.order_by(unpriced, Case(When(listing="", then=0), default=1), "pk")


def standing(offering: Offering) -> Offering:
    """The offering itself, or the one that it was merged into."""
    for _ in range(_LONGEST_CHAIN):
        if offering.merged_into is None:
            break
        offering = offering.merged_into
    return offering


def led_to(target: Target, seller: int, routed: int) -> int | None:
    """The offering that a target stands for at a seller, if it sells any; never the routed one itself."""
    if target.offering is not None:
        return standing(Offering.objects.get(pk=target.offering)).pk
    return sold_of(target.model, seller).exclude(pk=routed).values_list("pk", flat=True).first()


def _priced(offering_id: int, target: Target | None, at: datetime) -> _Prices:
    """The prices at a moment where an id leads; a target without a price of its own leads on."""
    seller = Offering.objects.values_list("seller_id", flat=True).get(pk=offering_id)
    seen = {offering_id}
    for _ in range(_LONGEST_CHAIN):
        reached = None if target is None else led_to(target, seller, offering_id)
        if reached is None or reached in seen:
            return {}
        if prices := _in_force(reached, at):
            return prices
        seen.add(reached)
        target = _target_at(reached, at)
    return {}


def _target_at(offering_id: int, at: datetime) -> Target | None:
    rows = Alias.objects.filter(_holds(at), offering=offering_id, known_until__isnull=True)
    row = rows.values_list("target_offering_id", "target_model_id").first()
    return None if row is None else target_of(*row)


def _in_force(offering_id: int, at: datetime) -> _Prices:
    rows = Price.objects.filter(_holds(at), line__offering=offering_id, known_until__isnull=True)
    columns: Sequence[str] = [f"line__{column}" for column in LINE_COLUMNS]
    return {
        Conditions(*cell): (line, (amount, currency, zero))
        for line, amount, currency, zero, *cell in rows.order_by().values_list(
            "line_id", "amount", "currency", "zero_means", *columns
        )
    }


def _holds(at: datetime) -> Q:
    return Q(effective_from__lte=at) & (Q(effective_until__isnull=True) | Q(effective_until__gt=at))
