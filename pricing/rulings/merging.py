"""Ruling that two offerings are one: the evidence of one speaks for the other, which stands for both."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from pricing.bookkeeping import Cause
from pricing.locks import lock_ledger
from pricing.models import Decision, Offering, Reference
from pricing.rulings.carrying import carry, check_still_at, evidence_in, settle_carried, whole_evidence
from pricing.rulings.decisions import Ruling, decide
from pricing.sheets import LedgerError, Outcome


def merge(
    offering: Offering, into: Offering, ruling: Ruling, *, across_sellers: bool = False, operation: str = ""
) -> Outcome:
    """Rule that an offering is another one under a second id. Raises LedgerError.

    What its references and people said of it speaks for the other; its own prices are believed no more, and stay on
    record. Its withdrawal by a person, if any, does not go with it. ``across_sellers`` says that the sellers, too,
    are one. ``operation`` joins rulings that are undone together.
    """
    with transaction.atomic():
        lock_ledger()
        offering.refresh_from_db()
        into.refresh_from_db()
        check_one(offering, into, across_sellers)
        now, evidence = timezone.now(), whole_evidence(offering)
        details = {"into": into.pk, **evidence.as_details(), "operation": operation}
        decision = decide(Decision.Kind.MERGE, offering, ruling, now, details=details)
        carry(evidence, into, by_person=True)
        _absorb(offering, into)
        return settle_carried(into, offering, Cause(now, now, decision_id=decision.pk, ruled=True))


def check_one(offering: Offering, into: Offering, across_sellers: bool) -> None:
    """Raise LedgerError where two offerings cannot be one, with what would be right."""
    if offering.pk == into.pk:
        raise LedgerError(f"{offering} cannot be merged into itself; choose another offering")
    if into.standing.pk == offering.pk:
        raise LedgerError(f"{into} was merged into {offering}: merging back would go in a circle; undo that merge")
    for each in (offering, into):
        if each.merged_into is not None:
            raise LedgerError(f"{each} was merged into {each.merged_into} already; choose {each.standing}")
    if offering.kind != into.kind:
        kinds = f"one is of kind {offering.get_kind_display()}, the other of kind {into.get_kind_display()}"
        raise LedgerError(f"{kinds}; only two of one kind can be one offering")
    if offering.seller_id != into.seller_id and not across_sellers:
        raise LedgerError(
            f"{offering.seller} and {into.seller} are two sellers, who may sell one model at two prices; "
            "say that the sellers are one if they are"
        )


def unmerge(decision: Decision, ruling: Ruling, now: datetime) -> Outcome:
    """Take a merge back: each offering has again what was its own. Raises LedgerError. Under the ledger's lock."""
    offering = _ruled_on(decision)
    into = Offering.objects.get(pk=decision.details["into"])
    evidence = evidence_in(decision.details)
    if into.merged_into is not None:
        raise LedgerError(f"{into} was merged into {into.merged_into} since; undo that merge first")
    check_still_at(evidence, into)
    undoing = _undone(decision, ruling, now)
    carry(evidence, offering, by_person=False)
    release(offering)
    return settle_carried(into, offering, Cause(now, now, decision_id=undoing.pk, ruled=True))


def joins_absorbed(references: list[tuple[Reference, Offering]]) -> None:
    """Keep with a merge that references came under the absorbed id since: its undoing has to take them along."""
    for reference, absorbed in references:
        merges = Decision.objects.filter(kind=Decision.Kind.MERGE, offering=absorbed, undone_by=None)
        decision = merges.order_by("-pk").first()
        if decision is not None:
            decision.details["references"].append([reference.pk, False])
            decision.save(update_fields=["details"])


def _absorb(offering: Offering, into: Offering) -> None:
    offering.merged_into, offering.status = into, Offering.Status.MERGED
    offering.save(update_fields=["merged_into", "status", "updated_at"])


def release(offering: Offering) -> None:
    """Let an absorbed offering stand by itself again; settling says whether it is sold."""
    offering.merged_into, offering.status = None, Offering.Status.UNPRICED
    offering.save(update_fields=["merged_into", "status", "updated_at"])


def _ruled_on(decision: Decision) -> Offering:
    assert decision.offering is not None
    return decision.offering


def _undone(decision: Decision, ruling: Ruling, now: datetime) -> Decision:
    return decide(Decision.Kind.UNDO, _ruled_on(decision), ruling, now, undoes=decision)
