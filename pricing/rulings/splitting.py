"""Ruling that an offering is two: chosen references speak for another one, and all that they said goes with them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from pricing.belief import specificity_of
from pricing.bookkeeping import Cause
from pricing.identity import identity_key
from pricing.locks import lock_ledger
from pricing.models import CalendarStatement, Decision, Offering, Reference, Statement
from pricing.rulings.carrying import Evidence, carry, check_still_at, evidence_in, settle_carried
from pricing.rulings.decisions import Ruling, check_open, decide
from pricing.rulings.merging import merge
from pricing.sheets import LedgerError, Outcome
from pricing.statements import Reading

_LONGEST_KEY = 500
_SIDE_BY_SIDE = "Taken for a new name of the other, and sold beside it at another price since."


def split(offering: Offering, references: Sequence[Reference], ruling: Ruling, into: Offering | None = None) -> Outcome:
    """Take references off an offering, onto a new one or the one named. Raises LedgerError.

    The new one is sold by the same company, under the most specific of the ids.
    """
    with transaction.atomic():
        lock_ledger()
        offering.refresh_from_db()
        check_open(offering)
        _check_references(offering, references, into)
        if into is None:
            _check_something_stays(offering, references)
        else:
            into.refresh_from_db()
            _check_target(offering, into, across_sellers=False)
        return _split(offering, references, ruling, into)


def move_references(
    offering: Offering, references: Sequence[Reference], into: Offering, ruling: Ruling, operation: str
) -> Outcome:
    """Move references to an offering of another seller, since their provider id means that one. Raises LedgerError.

    An offering that would be left with nothing is merged instead, so that its id still leads somewhere.
    """
    with transaction.atomic():
        lock_ledger()
        offering.refresh_from_db()
        into.refresh_from_db()
        _check_references(offering, references, into)
        _check_target(offering, into, across_sellers=True)
        if not _stays(offering, references):
            return merge(offering, into, ruling, across_sellers=True, operation=operation)
        return _split(offering, references, ruling, into, operation)


def part(
    offering: Offering, references: Sequence[Reference], into: Offering, reading: Reading, *, made: bool
) -> Outcome:
    """Undo that references continued an offering, since a source's own document shows it beside the other.

    It is kept as a split that nobody ruled, and a person may undo it; ``made`` says that the other is new.
    """
    with transaction.atomic():
        lock_ledger()
        now = timezone.now()
        evidence = Evidence([(row.pk, row.linked_by_person) for row in references])
        details = {"into": into.pk, "made": made, **evidence.as_details(), "operation": ""}
        decision = decide(Decision.Kind.SPLIT, offering, Ruling(None, _SIDE_BY_SIDE), now, details=details)
        carry(evidence, into, by_person=False)
        moment, backfilled = reading.observed_at, reading.backfilled
        cause = Cause(moment, now, decision_id=decision.pk, backfilled=backfilled, ruled=True)
        return settle_carried(offering, into, cause)


def _split(
    offering: Offering, references: Sequence[Reference], ruling: Ruling, into: Offering | None, operation: str = ""
) -> Outcome:
    now = timezone.now()
    evidence = Evidence([(row.pk, row.linked_by_person) for row in references])
    target = into or _new_offering(offering, references)
    details = {"into": target.pk, "made": into is None, **evidence.as_details(), "operation": operation}
    decision = decide(Decision.Kind.SPLIT, offering, ruling, now, details=details)
    carry(evidence, target, by_person=True)
    return settle_carried(offering, target, Cause(now, now, decision_id=decision.pk, ruled=True))


def unsplit(decision: Decision, ruling: Ruling, now: datetime) -> Outcome:
    """Take a split back. Raises LedgerError. Must run under the ledger's lock.

    An offering that the split made, and that nothing else came to speak for, is absorbed again.
    """
    offering, evidence = decision.offering, evidence_in(decision.details)
    assert offering is not None
    target = Offering.objects.get(pk=decision.details["into"])
    for each in (offering, target):
        if each.merged_into is not None:
            raise LedgerError(f"{each} was merged into {each.merged_into} since; undo that merge first")
    check_still_at(evidence, target)
    undoing = decide(Decision.Kind.UNDO, offering, ruling, now, undoes=decision)
    carry(evidence, offering, by_person=False)
    if decision.details["made"] and not _stays(target, ()):
        target.merged_into, target.status = offering, Offering.Status.MERGED
        target.save(update_fields=["merged_into", "status", "updated_at"])
    return settle_carried(offering, target, Cause(now, now, decision_id=undoing.pk, ruled=True))


def _check_references(offering: Offering, references: Sequence[Reference], into: Offering | None) -> None:
    if not references:
        raise LedgerError("no reference was chosen; choose at least one that means another offering")
    for reference in references:
        reference.refresh_from_db()
        if reference.offering_id != offering.pk:
            raise LedgerError(f"{reference} is a reference of {reference.offering}, not of {offering}")


def _check_something_stays(offering: Offering, references: Sequence[Reference]) -> None:
    if not _stays(offering, references):
        raise LedgerError(f"nothing would be left of {offering}; leave a reference, or name the offering to move to")


def _stays(offering: Offering, leaving: Sequence[Reference]) -> bool:
    """Whether anything speaks for an offering when references leave it."""
    ids = [row.pk for row in leaving]
    others = offering.references.exclude(pk__in=ids).exists()
    by_people = Statement.objects.filter(line__offering=offering, reference=None).exists()
    hours = CalendarStatement.objects.filter(offering=offering, reference=None).exists()
    pinned = Decision.objects.filter(offering=offering, kind=Decision.Kind.PIN, undone_by=None).exists()
    return others or by_people or hours or pinned


def _check_target(offering: Offering, into: Offering, *, across_sellers: bool) -> None:
    check_open(into)
    if into.pk == offering.pk:
        raise LedgerError(f"the references are {offering}'s already; choose another offering, or none for a new one")
    if into.kind != offering.kind:
        raise LedgerError(f"{into} is of another kind: {into.get_kind_display()}, not {offering.get_kind_display()}")
    if into.seller_id != offering.seller_id and not across_sellers:
        raise LedgerError(f"{into} is sold by another company than {offering}; a seller alias moves its references")


def _new_offering(offering: Offering, references: Sequence[Reference]) -> Offering:
    specific = specificity_of([offering.pk])
    lead = max(references, key=lambda row: specific[row.pk])
    key = identity_key(lead.external_id)[:_LONGEST_KEY]
    twins = Offering.objects.filter(seller=offering.seller, kind=offering.kind, listing=offering.listing)
    if twins.filter(identity_key=key).exists():
        # No feed's id has such an end: new references find the offering that has the plain key.
        key = f"{key[: _LONGEST_KEY - 40]}#reference-{lead.pk}-{twins.count()}"
    return Offering.objects.create(
        kind=offering.kind,
        seller=offering.seller,
        listing=offering.listing,
        external_id=lead.external_id,
        identity_key=key,
        name=lead.external_id,
        mode=offering.mode,
    )
