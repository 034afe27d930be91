"""Undoing what a person ruled, as if it had never been; the ruling and its undoing stay on record."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from pricing.bookkeeping import Cause
from pricing.locks import lock_ledger
from pricing.models import Decision, Statement
from pricing.routes.settling import settle_whole
from pricing.rulings.decisions import Ruling, decide
from pricing.rulings.linking import unlink
from pricing.rulings.merging import unmerge
from pricing.rulings.splitting import unsplit
from pricing.rulings.stating import take_back
from pricing.sheets import LedgerError, Outcome

UNDOABLE = (
    Decision.Kind.STATE,
    Decision.Kind.PIN,
    Decision.Kind.WITHDRAW,
    Decision.Kind.RELEASE,
    Decision.Kind.REFUSE,
    Decision.Kind.MERGE,
    Decision.Kind.SPLIT,
    Decision.Kind.LINK,
)
_IDENTITY = {Decision.Kind.MERGE: unmerge, Decision.Kind.SPLIT: unsplit, Decision.Kind.LINK: unlink}


def undo(decision: Decision, ruling: Ruling) -> Outcome:
    """Undo a price stated, a pin, a withdrawal, a ruling on a hold, a merge, split or link, as if it had never been.

    What was ruled together is taken back together. Raises LedgerError.
    """
    if decision.kind not in UNDOABLE or decision.offering is None:
        raise LedgerError(
            f"a decision to {decision.get_kind_display()} cannot be undone; stated prices, pins, withdrawals, "
            "reroutes, merges, splits, links and what was ruled on holds can"
        )
    with transaction.atomic():
        lock_ledger()
        if Decision.objects.filter(undoes=decision).exists():
            raise LedgerError("the decision is undone already")
        if decision.kind == Decision.Kind.STATE:
            made = _made_by(decision)
            _check_not_restated(made, decision)
            return take_back(made, ruling)
        now = timezone.now()
        if decision.kind in _IDENTITY:
            return _take_apart(decision, ruling, now)
        undoing = decide(Decision.Kind.UNDO, decision.offering, ruling, now, undoes=decision)
        cause = Cause(now, now, decision_id=undoing.pk, ruled=not _is_withdrawal_ahead(decision, now))
        return Outcome(settled=settle_whole(decision.offering, cause))


def _take_apart(decision: Decision, ruling: Ruling, now: datetime) -> Outcome:
    """Undo a ruling on what is one offering, and those made in one operation with it, the last one first."""
    outcome = Outcome()
    operation = decision.details.get("operation")
    made = (
        Decision.objects.filter(details__operation=operation) if operation else Decision.objects.filter(pk=decision.pk)
    )
    for each in made.filter(kind__in=_IDENTITY, undone_by=None).order_by("-pk"):
        outcome.settled.add(_IDENTITY[Decision.Kind(each.kind)](each, ruling, now).settled)
    return outcome


def _made_by(decision: Decision) -> list[Statement]:
    """What a decision and those made with it stated, but for what was taken back since.

    Raises LedgerError where the decision does not name it.
    """
    operation = decision.details.get("operation")
    made = Decision.objects.filter(pk=decision.pk)
    if operation:
        made = Decision.objects.filter(offering=decision.offering_id, details__operation=operation)
    ids = [each.details.get("statement") for each in made.filter(undone_by__isnull=True)]
    statements = list(Statement.objects.filter(pk__in=[pk for pk in ids if pk]).order_by("pk"))
    if not statements:
        raise LedgerError("the decision does not name what it stated; take the statement back instead")
    return statements


def _check_not_restated(statements: Sequence[Statement], decision: Decision) -> None:
    """Raise LedgerError where a later ruling said again, for other moments, what is to be as if never said."""
    ended = {each.pk for each in statements if each.ended_at is not None}
    later = Decision.objects.filter(
        kind=Decision.Kind.STATE, offering=decision.offering_id, pk__gt=decision.pk, undone_by=None
    )
    for each in later.order_by("-pk"):
        if ended & set(each.details.get("restates", [])):
            raise LedgerError(
                f"a later ruling, decision {each.pk} of {each.made_at:%Y-%m-%d %H:%M} UTC, moved or ended what this "
                "one said and says the rest of it itself; undo that one first"
            )


def _is_withdrawal_ahead(decision: Decision, now: datetime) -> bool:
    """Whether a decision announces a withdrawal that has not come: undone, that is retracted."""
    is_withdrawal = decision.kind == Decision.Kind.WITHDRAW
    return is_withdrawal and decision.effective_from is not None and decision.effective_from > now
