"""Carrying evidence from one offering to another: what references say, and what people said, with its rulings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from django.db.models import Q

from pricing.bookkeeping import Cause
from pricing.calendar_bookkeeping import settle_calendars
from pricing.models import CalendarStatement, Decision, Hold, Offering, PriceLine, Reference, RouteStatement, Statement
from pricing.routes.settling import settle_whole
from pricing.sheets import LedgerError, Outcome, ensure_lines

# Rulings on the offering itself (a withdrawal, a link) stay with it.
_ON_LINES = (Decision.Kind.STATE, Decision.Kind.PIN, Decision.Kind.RELEASE, Decision.Kind.REFUSE, Decision.Kind.UNDO)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What goes from one offering to another, by ids, as a decision keeps it so that its undoing finds it.

    ``references`` are (reference, whether a person had linked it before); all that these ever said goes with them.
    The rest is people's: statements, calendars, pins and routes.
    """

    references: list[tuple[int, bool]]
    statements: list[int] = field(default_factory=list)
    calendars: list[int] = field(default_factory=list)
    pins: list[int] = field(default_factory=list)
    routes: list[int] = field(default_factory=list)

    def as_details(self) -> dict[str, object]:
        """In JSON's values."""
        return {
            "references": [list(pair) for pair in self.references],
            "statements": self.statements,
            "calendars": self.calendars,
            "pins": self.pins,
            "routes": self.routes,
        }

    @property
    def reference_ids(self) -> list[int]:
        """The references alone."""
        return [pk for pk, _ in self.references]


def evidence_in(details: dict[str, Any]) -> Evidence:
    """What a decision kept of the evidence that it carried."""
    references = [(pk, by_person) for pk, by_person in details["references"]]
    # Decisions of before routes were carried name none.
    return Evidence(references, details["statements"], details["calendars"], details["pins"], details.get("routes", []))


def whole_evidence(offering: Offering) -> Evidence:
    """All that stands for an offering: its references, and what people said and pinned."""
    statements = Statement.objects.filter(line__offering=offering, reference=None)
    calendars = CalendarStatement.objects.filter(offering=offering, reference=None)
    pins = Decision.objects.filter(offering=offering, kind=Decision.Kind.PIN)
    routes = RouteStatement.objects.filter(offering=offering, reference=None)
    return Evidence(
        [(row.pk, row.linked_by_person) for row in offering.references.order_by("pk")],
        *(sorted(rows.values_list("pk", flat=True)) for rows in (statements, calendars, pins, routes)),
    )


def carry(evidence: Evidence, to: Offering, *, by_person: bool) -> None:
    """Let evidence speak for another offering. Must run under the ledger's lock; nothing is settled.

    ``by_person`` marks the references as linked by a person; else they get back what they were before.
    """
    for reference in Reference.objects.filter(pk__in=evidence.reference_ids):
        reference.offering = to
        reference.linked_by_person = by_person or dict(evidence.references)[reference.pk]
        reference.save(update_fields=["offering", "linked_by_person"])
    spoken = Q(reference__in=evidence.reference_ids)
    _carry_calendars(spoken | Q(pk__in=evidence.calendars), to)
    _carry_routes(spoken | Q(pk__in=evidence.routes), to)
    _carry_statements(spoken | Q(pk__in=evidence.statements), evidence, to)


def check_still_at(evidence: Evidence, offering: Offering) -> None:
    """Raise LedgerError where a later decision has carried a reference on."""
    gone = Reference.objects.filter(pk__in=evidence.reference_ids).exclude(offering=offering).first()
    if gone is not None:
        raise LedgerError(f"{gone} is at {gone.offering} by a later decision; undo that one first")


def settle_carried(first: Offering, second: Offering, cause: Cause) -> Outcome:
    """Resolve both offerings again. It is one change: of the first, or where nothing moves there, of the second."""
    outcome = Outcome()
    for offering in (first, second):
        told = replace(cause, is_told=cause.is_told and not outcome.settled.changes)
        outcome.settled.add(settle_whole(offering, told))
        settle_calendars([offering.pk], told, outcome.settled)
    return outcome


def _carry_calendars(which: Q, to: Offering) -> None:
    moved = CalendarStatement.objects.filter(which).exclude(offering=to)
    ids = set(moved.values_list("pk", flat=True))
    origins = set(moved.values_list("offering_id", flat=True))
    rulings = Decision.objects.filter(kind__in=[Decision.Kind.CALENDAR, Decision.Kind.UNDO], offering__in=origins)
    ruled = [pk for pk, details in rulings.values_list("pk", "details") if details.get("calendar") in ids]
    moved.update(offering=to)
    Decision.objects.filter(pk__in=ruled).update(offering=to)


def _carry_routes(which: Q, to: Offering) -> None:
    """Give what is said of where an id leads, but for what leads to the other offering: that is no route any more."""
    moved = RouteStatement.objects.filter(which).exclude(offering=to)
    ids = set(moved.exclude(target_offering=to).values_list("pk", flat=True))
    origins = set(moved.values_list("offering_id", flat=True))
    rulings = Decision.objects.filter(kind__in=[Decision.Kind.REROUTE, Decision.Kind.UNDO], offering__in=origins)
    ruled = [pk for pk, details in rulings.values_list("pk", "details") if details.get("route") in ids]
    RouteStatement.objects.filter(pk__in=ids).update(offering=to)
    Decision.objects.filter(pk__in=ruled).update(offering=to)


def _carry_statements(which: Q, evidence: Evidence, to: Offering) -> None:
    """Give statements, what holds them back, and what people ruled on them the equal lines of another offering."""
    elsewhere = Statement.objects.filter(which).exclude(line__offering=to)
    pinned = Decision.objects.filter(pk__in=evidence.pins).exclude(offering=to)
    lines = {line for pair in elsewhere.values_list("line_id", "derived_from_id").distinct() for line in pair if line}
    lines |= {line for line in pinned.values_list("line_id", flat=True) if line}
    moved = Statement.objects.filter(which)
    for old, new in _equal_lines(lines, to):
        rulings = _rulings_on(old, evidence)
        Decision.objects.filter(pk__in=rulings).update(line=new, offering=to)
        Hold.objects.filter(line=old, statement__in=moved).update(line=new, offering=to)
        moved.filter(derived_from=old).update(derived_from=new)
        moved.filter(line=old).update(line=new)


def _rulings_on(line: int, evidence: Evidence) -> list[int]:
    """What people ruled on a line about the evidence that leaves it."""
    rows = Decision.objects.filter(line=line, kind__in=_ON_LINES).values_list("pk", "details")
    references, statements, pins = set(evidence.reference_ids), set(evidence.statements), set(evidence.pins)
    return [
        pk
        for pk, details in rows
        if pk in pins or details.get("statement") in statements or details.get("reference") in references
    ]


def _equal_lines(lines: Iterable[int], of: Offering) -> Iterator[tuple[int, int]]:
    """Each line with its equal at an offering, which is made where it is missing."""
    conditions = {line.pk: line.conditions for line in PriceLine.objects.filter(pk__in=list(lines))}
    found = ensure_lines({(of.pk, line) for line in conditions.values()})
    return ((pk, found[of.pk, line]) for pk, line in sorted(conditions.items()))
