"""What cannot be a route, and why."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q
from django.utils import timezone

from companies.models import AIModel
from pricing.claims import PRECISIONS
from pricing.models import Alias, Offering
from pricing.routes.money import led_to
from pricing.routes.targets import target_of
from pricing.rulings.decisions import check_aware
from pricing.sheets import LedgerError

_Interval = tuple[datetime, datetime | None]


def check_interval(at: datetime | None, until: datetime | None, precision: str) -> None:
    """Refuse naive moments, an end that is not after the beginning, and a precision that there is not."""
    check_aware(at)
    check_aware(until)
    if until is not None and until <= (at or timezone.now()):
        raise LedgerError("a route must end after it starts")
    if precision not in PRECISIONS:
        raise LedgerError(f"unknown precision {precision!r}; choose one of {', '.join(PRECISIONS)}")


def check_routable(offering: Offering) -> None:
    """Refuse to route a plan, and what was merged away."""
    if offering.kind == Offering.Kind.PLAN:
        raise LedgerError(f"{offering} is a plan; only the ids of an API are routed")
    if offering.merged_into_id is not None:
        raise LedgerError(f"{offering} was merged into {offering.merged_into}; route that one")


def check_target(offering: Offering, target: Offering | AIModel, begins: datetime, until: datetime | None) -> None:
    """Refuse a target that is the id itself, a plan, somebody else's, or leads back to the id meanwhile."""
    if isinstance(target, Offering):
        if target.pk == offering.pk:
            raise LedgerError(f"{offering} cannot be routed to itself")
        if target.kind == Offering.Kind.PLAN:
            raise LedgerError(f"{target} is a plan; route to an offering of the API or to an AI model")
        if target.seller_id != offering.seller_id:
            raise LedgerError(
                f"{offering.seller} does not sell {target}; route to what {offering.seller} sells, or to an AI model"
            )
    first = target_of(*((target.pk, None) if isinstance(target, Offering) else (None, target.pk)))
    reached = led_to(first, offering.seller_id, offering.pk)
    if reached is not None:
        _refuse_circle(offering, reached, (begins, until), [offering.pk])


def _refuse_circle(offering: Offering, reached: int, during: _Interval, path: list[int]) -> None:
    """Follow the routes that are believed for some time; raise LedgerError where one comes back to the offering."""
    if reached in path:
        return
    begins, until = during
    rows = Alias.objects.filter(offering=reached, known_until__isnull=True)
    rows = rows.filter(Q(effective_until__isnull=True) | Q(effective_until__gt=begins))
    if until is not None:
        rows = rows.filter(effective_from__lt=until)
    for row in rows.select_related("offering"):
        target = target_of(row.target_offering_id, row.target_model_id)
        following = led_to(target, row.seller_id, row.offering_id)
        if following == offering.pk:
            assert row.effective_from is not None
            moment = max(begins, row.effective_from).isoformat()
            raise LedgerError(f"{row.offering} leads back to {offering} from {moment} on; that would be a circle")
        if following is not None:
            _refuse_circle(offering, following, _overlap(during, row), [*path, reached])


def _overlap(during: _Interval, row: Alias) -> _Interval:
    begins, until = during
    assert row.effective_from is not None
    ends = [moment for moment in (until, row.effective_until) if moment is not None]
    return max(begins, row.effective_from), min(ends, default=None)
