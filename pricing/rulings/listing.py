"""Ruling that an offering is sold no more, and that it is sold again."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from pricing.bookkeeping import Cause
from pricing.models import Decision, Offering
from pricing.routes.settling import settle_whole
from pricing.rulings.decisions import Ruling, check_aware, check_open, decide, lock_to_rule_on
from pricing.sheets import LedgerError, Outcome


def withdraw(offering: Offering, ruling: Ruling, *, at: datetime | None = None) -> Outcome:
    """Rule that an offering is sold no more from a moment on, whatever sources say. Raises LedgerError."""
    check_open(offering)
    check_aware(at)
    with transaction.atomic():
        lock_to_rule_on(offering)
        now = timezone.now()
        standing = Decision.objects.filter(offering=offering, kind=Decision.Kind.WITHDRAW, undone_by__isnull=True)
        if standing.filter(effective_until__isnull=True).exists():
            raise LedgerError(f"{offering} is already withdrawn by a decision; relist it first")
        decision = decide(Decision.Kind.WITHDRAW, offering, ruling, now, begins=at or now)
        return Outcome(settled=settle_whole(offering, Cause(now, now, decision_id=decision.pk)))


def relist(offering: Offering, ruling: Ruling, *, at: datetime | None = None) -> Outcome:
    """End a person's withdrawal of an offering. Raises LedgerError when there is none."""
    check_aware(at)
    with transaction.atomic():
        lock_to_rule_on(offering)
        now = timezone.now()
        standing = Decision.objects.filter(offering=offering, kind=Decision.Kind.WITHDRAW, undone_by__isnull=True)
        withdrawal = standing.filter(effective_until__isnull=True).first()
        if withdrawal is None:
            raise LedgerError(f"{offering} is not withdrawn by a decision, so it cannot be relisted by one")
        ends = at or now
        if withdrawal.effective_from is not None and ends <= withdrawal.effective_from:
            raise LedgerError("an offering can be relisted only after the moment of its withdrawal; undo it instead")
        decision = decide(Decision.Kind.RELIST, offering, ruling, now, begins=ends)
        Decision.objects.filter(pk=withdrawal.pk).update(effective_until=ends)
        return Outcome(settled=settle_whole(offering, Cause(now, now, decision_id=decision.pk)))
