"""Writing what people say they use: lines checked against what can be, and profiles replaced whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db import transaction
from django.utils import timezone

from alerts.bills.lines import LineError, Pricing
from alerts.bills.watching import begin_watching
from alerts.models import ProfileAdjustment, ProfileLine, UsageProfile
from companies.models import Company
from pricing.costing.memory import Memory, current_memory
from pricing.costing.names import Pair, Route, routes
from pricing.identity import identity_key
from pricing.models import Offering
from pricing.usage import Quantity, UsageError, apart, read_usage
from tracker.amounts import plain
from tracker.api.nearest import nearest_in

MOST_LINES = 500
TERMS = ("service_tier", "region", "variant", "commitment")
_CHECKED = (*TERMS, "slot")


class WrongLine(ValueError):
    """A line that cannot be: which field is wrong, what, and what would be right."""

    def __init__(self, field: str, detail: str, choices: Sequence[str] = ()) -> None:
        super().__init__(f"{field}: {detail}")
        self.field, self.detail, self.choices = field, detail, tuple(choices)


@dataclass
class Finder:
    """Finds offerings by seller and model as ``costs/`` does: any id that the seller or a source has for it."""

    memory: Memory = field(default_factory=current_memory)
    _routes: dict[Pair, list[Route]] = field(default_factory=dict)
    _read: set[str] = field(default_factory=set)

    def find(self, seller: str, model: str) -> tuple[Offering, Mapping[str, str]]:
        """The offering, and the terms that the id itself fixes. Raises WrongLine with the nearest names."""
        named = self.memory.named([(seller, model)]).get((seller, model))
        number = named.offering if named is not None else self._routed(seller, model)
        if number is not None:
            return Offering.objects.select_related("seller", "model").get(pk=number), named.terms if named else {}
        if not Company.objects.filter(slug=seller[:200].replace("\0", "")).exists():
            choices = nearest_in(Company.objects.all(), "slug", seller)
            raise WrongLine("seller", f"there is no company {seller[:100]!r}", choices)
        sold = Offering.objects.filter(seller__slug=seller).exclude(status=Offering.Status.MERGED)
        raise WrongLine(
            "model", f"{seller} sells nothing called {model[:100]!r}", nearest_in(sold, "external_id", model)
        )

    def _routed(self, seller: str, model: str) -> int | None:
        if seller not in self._read:
            self._read.add(seller)
            self._routes.update(routes([seller]))
        now = timezone.now()
        leading = self._routes.get((seller, identity_key(model)), ())
        return next((route.target for route in leading if route.target is not None and route.holds(now, None)), None)


def checked_usage(usage: Mapping[str, Any]) -> dict[str, str]:
    """The counts of a month as they are kept. Raises UsageError for usage that cannot be."""
    counted = read_usage({key: _number(key, value) for key, value in usage.items()})
    apart(counted)
    return {key: _text(quantity) for key, quantity in counted.items()}


def _number(key: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return Decimal(value)
    except InvalidOperation:
        raise UsageError(key, f"is {value[:60]!r}; a number was expected") from None


def _text(quantity: Quantity) -> str:
    return plain(Decimal(quantity))


def check_terms(lines: Sequence[ProfileLine], profile: UsageProfile) -> dict[int, LineError]:
    """The lines, by place, whose terms their offering has never had. One without any prices may have any terms."""
    priced = Pricing(current_memory(), profile.currency).priced(lines, timezone.now())
    errors = ((place, each.error) for place, each in enumerate(priced))
    return {place: error for place, error in errors if error and error.field in _CHECKED and error.choices}


def replace_lines(profile: UsageProfile, lines: Sequence[ProfileLine]) -> None:
    """Let the profile have these lines and no others."""
    with transaction.atomic():
        profile.lines.all().delete()
        for line in lines:
            line.profile = profile
        ProfileLine.objects.bulk_create(lines)
        after_edit(profile)


def replace_adjustments(profile: UsageProfile, adjustments: Sequence[ProfileAdjustment]) -> None:
    """Let the profile have these discounts and commitments and no others."""
    with transaction.atomic():
        profile.adjustments.all().delete()
        for adjustment in adjustments:
            adjustment.profile = profile
        ProfileAdjustment.objects.bulk_create(adjustments)
        after_edit(profile)


def after_edit(profile: UsageProfile) -> None:
    """What the owner edits moves no bill: watches go on from the bill of the new profile."""
    UsageProfile.objects.filter(pk=profile.pk).update(updated_at=timezone.now())
    begin_watching(profile.watches.select_related("profile"))
