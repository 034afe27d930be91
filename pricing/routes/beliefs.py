"""Reading what was said of routes and what is believed of them, in the core's own values."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime

from companies.models import Company
from pricing.belief import Readings, specificity_of, withdrawals
from pricing.models import Alias, Decision, Offering, RouteStatement
from pricing.resolution import Ruled, resolve
from pricing.routes.targets import ROUTE, target_of
from pricing.timeline import Said, Segment

_SAID = (
    "effective_from",
    "effective_until",
    "precision",
    "first_observed_at",
    "absent_before",
    "ended_at",
)


@dataclass(slots=True)
class RouteSheet:
    """One id: what was said of where it leads, the rulings on its offering, and the rows believed."""

    offering: int
    seller: int
    external_id: str
    name: str
    said: list[Said] = field(default_factory=list)
    withdrawn: list[Ruled] = field(default_factory=list)
    believed: list[Segment] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)

    def resolved(self, readings: Readings, specificity: dict[int, tuple[int, int, str]]) -> list[Segment]:
        """Where the id leads over time, resolved afresh."""
        if not self.said:
            return []
        witnesses = {s.source: readings.witness(s.source, self.seller) for s in self.said}
        return resolve(self.said, self.withdrawn, witnesses, specificity).get(ROUTE, [])

    def read_until(self, readings: Readings, moment: datetime) -> datetime:
        """The newest moment that a source of this route was read at: what lies beyond it is still to come."""
        latest = [observed[-1] for source in {s.source for s in self.said} if (observed := readings.moments(source))]
        return max([moment, *latest])


def routed_among(offering_ids: Collection[int]) -> list[int]:
    """Those of some offerings whose ids anybody ever said to lead elsewhere, or that are believed to, in order."""
    # Routes are few beside offerings, of which a refresh may touch thousands.
    said = RouteStatement.objects.order_by().values_list("offering_id", flat=True)
    believed = Alias.objects.filter(known_until=None).order_by().values_list("offering_id", flat=True)
    return sorted(set(offering_ids).intersection(said.union(believed)))


def load_route_sheets(
    offering_ids: Collection[int],
) -> tuple[dict[int, RouteSheet], dict[int, tuple[int, int, str]]]:
    """The routes of some offerings, and how specific the references on them are."""
    offerings = Offering.objects.filter(pk__in=offering_ids).select_related("seller", "model")
    sheets = {
        row.pk: RouteSheet(row.pk, row.seller_id, row.external_id, shown_name(row)) for row in offerings.order_by("pk")
    }
    _load_said(offering_ids, sheets)
    _load_withdrawn(offering_ids, sheets)
    _load_believed(offering_ids, sheets)
    return sheets, specificity_of(offering_ids)


def shown_name(offering: Offering) -> str:
    """The offering's name, with the seller where it is not a lab's own."""
    if offering.model is None:
        is_own = offering.seller.kind == Company.Kind.LAB
    else:
        is_own = offering.model.developer_id == offering.seller_id
    return offering.name if is_own else f"{offering.name} at {offering.seller.name}"


def left_out(offering_ids: Collection[int] | None = None) -> set[int]:
    """The route statements, of some offerings or of all, that people took back or put in other words.

    They stay on record and take no part in resolution, as if they had never been said.
    """
    decisions = Decision.objects.filter(kind__in=[Decision.Kind.REROUTE, Decision.Kind.UNDO])
    if offering_ids is not None:
        decisions = decisions.filter(offering__in=offering_ids)
    found: set[int] = set()
    for details in decisions.order_by("pk").values_list("details", flat=True):
        found |= set(details.get("routes_left_out", ()))
        found -= set(details.get("routes_restored", ()))
    return found


def _load_said(offering_ids: Collection[int], sheets: dict[int, RouteSheet]) -> None:
    unsaid = left_out(offering_ids)
    rows = RouteStatement.objects.filter(offering__in=offering_ids).values_list(
        "pk", "offering_id", "source_id", "reference_id", "target_offering_id", "target_model_id", *_SAID
    )
    for pk, offering, source, reference, to_offering, to_model, *said in rows:
        if pk not in unsaid:
            value = target_of(to_offering, to_model).value
            sheets[offering].said.append(Said(pk, source, reference, ROUTE, value, *said))


def _load_withdrawn(offering_ids: Collection[int], sheets: dict[int, RouteSheet]) -> None:
    rulings = Decision.objects.filter(offering__in=offering_ids, kind=Decision.Kind.WITHDRAW, undone_by__isnull=True)
    for ruling in rulings.order_by("pk"):
        begins = ruling.effective_from or ruling.made_at
        ruled = Ruled(ruling.pk, ruling.kind, None, None, begins, ruling.effective_until, ruling.precision)
        assert ruling.offering_id is not None
        sheets[ruling.offering_id].withdrawn.append(ruled)


def _load_believed(offering_ids: Collection[int], sheets: dict[int, RouteSheet]) -> None:
    ends = withdrawals(offering_ids)
    rows = Alias.objects.filter(offering__in=offering_ids, known_until__isnull=True).order_by(
        "offering_id", "effective_from"
    )
    for row in rows:
        assert row.effective_from is not None, "the ledger begins every route"
        segment = Segment(
            start=row.effective_from,
            end=row.effective_until,
            value=target_of(row.target_offering_id, row.target_model_id).value,
            precision=row.precision,
            observed_after=row.observed_after,
            source=row.source_id,
            reference=None,
            statement=row.statement_id,
            ruled_out=(row.offering_id, row.effective_until) in ends,
        )
        sheets[row.offering_id].believed.append(segment)
        sheets[row.offering_id].rows.append(row.pk)
