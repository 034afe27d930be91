"""Deciding what is held: releasing it, so that it counts from its own beginning, or refusing it for good."""

from __future__ import annotations

from collections.abc import Callable

from django.db import transaction
from django.utils import timezone

from pricing.bookkeeping import Cause, settle
from pricing.locks import lock_ledger
from pricing.models import Decision, Hold
from pricing.rulings.decisions import Ruling, decide
from pricing.sheets import LedgerError, Outcome, tariffs_of

DocumentRuling = Callable[[Hold, Decision.Kind, Ruling], Outcome]
_document_rulings: list[DocumentRuling] = []


def tell_document_ruling(ruling: DocumentRuling) -> None:
    """Set who rules on holds of whole documents: those who read documents, which nothing in this app does.

    It is called under the ledger's lock, with a hold that is open, and has to close it.
    """
    _document_rulings[:] = [ruling]


def release_hold(hold: Hold, ruling: Ruling) -> Outcome:
    """Let a held statement count; the move that was held gets the nature it had. Raises LedgerError."""
    return _rule(hold, Decision.Kind.RELEASE, ruling)


def refuse_hold(hold: Hold, ruling: Ruling) -> Outcome:
    """Rule that what is held never counts, however often its source says it. Raises LedgerError."""
    return _rule(hold, Decision.Kind.REFUSE, ruling)


def _rule(hold: Hold, kind: Decision.Kind, ruling: Ruling) -> Outcome:
    with transaction.atomic():
        lock_ledger()
        hold.refresh_from_db()
        _check_undecided(hold)
        statement = hold.statement
        if statement is None or hold.offering is None:
            return _rule_on_document(hold, kind, ruling)
        now = timezone.now()
        details = {"source": hold.source_id, "reference": statement.reference_id, "hold": hold.pk}
        decision = decide(kind, hold.offering, ruling, now, line_id=hold.line_id, details=details)
        Decision.objects.filter(pk=decision.pk).update(amount=hold.amount, currency=hold.currency)
        Hold.objects.filter(pk=hold.pk).update(decision=decision)
        if kind == Decision.Kind.REFUSE:
            Hold.objects.filter(pk=hold.pk).update(closed_at=now, outcome=Hold.Outcome.REFUSED)
        cause = Cause(now, now, source_id=hold.source_id, decision_id=decision.pk)
        return Outcome(settled=settle(tariffs_of({statement.line_id}), cause))


def _rule_on_document(hold: Hold, kind: Decision.Kind, ruling: Ruling) -> Outcome:
    if not _document_rulings:
        raise LedgerError("what is held is a document and no single statement, and nobody here can rule on documents")
    return _document_rulings[0](hold, kind, ruling)


def _check_undecided(hold: Hold) -> None:
    if hold.closed_at is not None:
        raise LedgerError(f"this was decided at {hold.closed_at.isoformat()} already: {hold.get_outcome_display()}")
