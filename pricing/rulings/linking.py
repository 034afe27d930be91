"""Ruling which AI model is behind an offering; feeds and id rules leave the link alone from then on."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from companies.models import AIModel
from pricing.locks import lock_ledger
from pricing.models import Decision, Offering
from pricing.rulings.decisions import Ruling, check_open, decide
from pricing.sheets import LedgerError, Outcome

PERSON = "person"


def link(offering: Offering, model: AIModel | None, ruling: Ruling, *, operation: str = "") -> Outcome:
    """Rule which model an API offering sells, or that it sells none that is known. Raises LedgerError.

    ``operation`` joins rulings that are undone together.
    """
    with transaction.atomic():
        lock_ledger()
        offering.refresh_from_db()
        check_open(offering)
        if offering.kind != Offering.Kind.API:
            raise LedgerError(f"{offering} is a plan; only what is sold over an API is linked to a model")
        if offering.model_linked_by == PERSON and offering.model == model:
            raise LedgerError(f"a person has linked {offering} to {model or 'no model'} already")
        details = {
            "model": model.pk if model else None,
            "before": offering.model_id,
            "linked_before_by": offering.model_linked_by,
            "operation": operation,
        }
        decide(Decision.Kind.LINK, offering, ruling, timezone.now(), details=details)
        _set(offering, model.pk if model else None, PERSON)
        return Outcome()


def unlink(decision: Decision, ruling: Ruling, now: datetime) -> Outcome:
    """Take a link back: what was linked before, by whomever, is linked again. Under the ledger's lock."""
    offering = decision.offering
    assert offering is not None
    later = Decision.objects.filter(kind=Decision.Kind.LINK, offering=offering, undone_by=None, pk__gt=decision.pk)
    if later.exists():
        raise LedgerError(f"a later decision links {offering} to {offering.model or 'no model'}; undo that one first")
    decide(Decision.Kind.UNDO, offering, ruling, now, undoes=decision)
    _set(offering, decision.details["before"], decision.details["linked_before_by"])
    return Outcome()


def _set(offering: Offering, model_id: int | None, by: str) -> None:
    offering.model_id, offering.model_linked_by = model_id, by
    offering.save(update_fields=["model", "model_linked_by", "updated_at"])
