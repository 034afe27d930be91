"""The bill of a profile at a moment: lines priced and discounted, commitments counted, cheaper sellers named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from alerts.bills.arithmetic import (
    Charge,
    Commitment,
    Discount,
    Scope,
    Settled,
    discount_of,
    discounted,
    exact_sum,
    settle,
)
from alerts.bills.lines import PricedLine, Pricing
from alerts.models import ProfileAdjustment, ProfileLine, UsageProfile
from pricing.costing.memory import current_memory
from pricing.models import Offering

CHEAPER_NAMED = 5
# Of the offerings of a model so many are compared, which is more than any model has by far.
_COMPARED = 300


@dataclass(frozen=True, slots=True)
class Cheaper:
    """An offering of the same model, and what the line would come to there, with the buyer's own discount."""

    offering: Offering
    amount: Decimal


@dataclass(frozen=True, slots=True)
class BillLine:
    """A priced line, what comes off it, and what remains."""

    priced: PricedLine
    discount: Decimal | None
    amount: Decimal
    cheaper: tuple[Cheaper, ...] = ()


@dataclass(frozen=True, slots=True)
class Bill:
    """What a month comes to at the prices of one moment.

    ``list_total`` is before discounts and commitments. What has no price is no part of either total: ``unpriced`` and
    the lines' errors name it.
    """

    profile: UsageProfile
    as_of: datetime
    known_at: datetime | None
    lines: tuple[BillLine, ...]
    list_total: Decimal
    total: Decimal
    commitments: tuple[Settled, ...]

    @property
    def is_complete(self) -> bool:
        """Whether every part of the usage has a price."""
        return all(line.priced.is_complete for line in self.lines)

    @property
    def without_price(self) -> list[str]:
        """What the totals leave out, in words."""
        found = []
        for line in self.lines:
            if line.priced.error is not None:
                found.append(f"{line.priced.offering}: {line.priced.error.detail}")
            found += [f"{line.priced.offering}: {gap.meter} has no price" for gap in line.priced.unpriced]
        return found


class Biller:
    """Makes the bills of one profile, at as many moments as wanted: what is read of the profile is read once."""

    def __init__(self, profile: UsageProfile, pricing: Pricing | None = None) -> None:
        self.profile = profile
        self._pricing = pricing or Pricing(current_memory(), profile.currency)
        self.lines = list(lines_of(profile))
        adjustments = sorted(profile.adjustments.select_related("offering__merged_into"), key=_is_of_absorbed)
        self._discounts = [
            Discount(_scope(each), each.percent)
            for each in adjustments
            if each.kind == ProfileAdjustment.Kind.DISCOUNT and each.percent is not None
        ]
        self._commitments = [
            Commitment(each.pk, _scope(each), each.amount)
            for each in adjustments
            if each.kind == ProfileAdjustment.Kind.COMMITMENT and each.amount is not None
        ]

    def bill(self, as_of: datetime, known_at: datetime | None = None, *, cheaper: bool = False) -> Bill:
        """The bill at the prices in force at a moment, as known at another (None: now)."""
        priced = self._pricing.priced(self.lines, as_of, known_at)
        others = self._cheaper(priced, as_of, known_at) if cheaper else {}
        return self._summed(priced, as_of, known_at, others)

    def bill_before(self, after: Bill, offerings: set[int], as_of: datetime, known_at: datetime | None = None) -> Bill:
        """The same bill at the same exchange rates, with the lines of some offerings as priced at an earlier moment."""
        chosen = [
            place for place, line in enumerate(self.lines) if not offerings.isdisjoint(self._pricing.behind(line))
        ]
        earlier = self._pricing.priced([self.lines[place] for place in chosen], as_of, known_at, rates_of=after.as_of)
        priced = [line.priced for line in after.lines]
        for place, line in zip(chosen, earlier, strict=True):
            priced[place] = line
        return self._summed(priced, as_of, known_at, {})

    @property
    def offerings(self) -> set[int]:
        """The offerings whose prices the bill may rest on: those used, and where their ids are or were routed."""
        return {offering for line in self.lines for offering in self._pricing.behind(line)}

    def _summed(
        self,
        priced: Sequence[PricedLine],
        as_of: datetime,
        known_at: datetime | None,
        cheaper: dict[int, tuple[Cheaper, ...]],
    ) -> Bill:
        lines = []
        for each in priced:
            percent = self._discount(each.offering)
            amount = discounted(each.amount, percent)
            lines.append(BillLine(each, percent, amount, cheaper.get(each.line.pk, ())))
        sold = [(line.priced.offering, line.amount) for line in lines]
        charges = [Charge(offering.seller_id, offering.pk, amount) for offering, amount in sold]
        total, settled = settle(charges, self._commitments)
        list_total = exact_sum(each.amount for each in priced)
        return Bill(self.profile, as_of, known_at, tuple(lines), list_total, total, tuple(settled))

    def _discount(self, offering: Offering) -> Decimal | None:
        return discount_of(self._discounts, offering.seller_id, offering.pk)

    def _cheaper(
        self, priced: Sequence[PricedLine], as_of: datetime, known_at: datetime | None
    ) -> dict[int, tuple[Cheaper, ...]]:
        models = {line.offering.model_id for line in priced if line.offering.model_id is not None}
        rivals: dict[int, list[Offering]] = {}
        rows = Offering.objects.filter(model__in=models, status=Offering.Status.LISTED).order_by("id")
        for offering in rows.select_related("seller", "model"):
            rivals.setdefault(offering.model_id or 0, []).append(offering)
        return {
            each.line.pk: self._cheaper_than(each, rivals.get(each.offering.model_id or 0, []), as_of, known_at)
            for each in priced
            if each.is_complete and each.amount
        }

    def _cheaper_than(
        self, priced: PricedLine, rivals: Sequence[Offering], as_of: datetime, known_at: datetime | None
    ) -> tuple[Cheaper, ...]:
        """The rivals at which the same usage has a price in every part and comes to less, the cheapest first."""
        own = priced.offering
        ours = discounted(priced.amount, self._discount(own))
        there = [_moved_to(priced.line, rival) for rival in rivals if rival.pk != own.pk and rival.kind == own.kind]
        found = [
            Cheaper(each.line.offering, amount)
            for each in self._pricing.priced(there[:_COMPARED], as_of, known_at)
            if each.is_complete and each.items and not _is_included(each)
            if (amount := discounted(each.amount, self._discount(each.line.offering))) < ours
        ]
        return tuple(sorted(found, key=lambda each: (each.amount, each.offering.pk))[:CHEAPER_NAMED])


def lines_of(profile: UsageProfile) -> Sequence[ProfileLine]:
    """The profile's lines with all that pricing and telling of them needs."""
    rows = profile.lines.select_related(
        "offering__seller", "offering__model", "offering__merged_into__seller", "offering__merged_into__model"
    )
    return list(rows.order_by("id"))


def bill_of(profile: UsageProfile, as_of: datetime, known_at: datetime | None = None, *, cheaper: bool = False) -> Bill:
    """The bill of a profile at the prices in force at a moment."""
    return Biller(profile).bill(as_of, known_at, cheaper=cheaper)


def _is_of_absorbed(adjustment: ProfileAdjustment) -> bool:
    """Of two discounts that a merge makes one offering's, the one that was given to that offering comes first."""
    return adjustment.offering is not None and adjustment.offering.merged_into is not None


def _scope(adjustment: ProfileAdjustment) -> Scope:
    if adjustment.offering is not None:
        offering = adjustment.offering.standing
        return Scope(offering.seller_id, offering.pk)
    return Scope(adjustment.seller_id)


def _moved_to(line: ProfileLine, offering: Offering) -> ProfileLine:
    """The same usage at another seller; a calendar slot is that seller's own affair."""
    return ProfileLine(
        offering=offering,
        service_tier=line.service_tier,
        region=line.region,
        variant=line.variant,
        commitment=line.commitment,
        usage=line.usage,
        requests=line.requests,
    )


def _is_included(priced: PricedLine) -> bool:
    """Whether a price is nothing only because something else is paid for."""
    return any(item.price.zero_means == "included" for item in priced.items)
