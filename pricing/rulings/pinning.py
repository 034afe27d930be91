"""Pinning a price against every source, and settling anew what a general ruling touches."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone

from pricing.belief import Readings
from pricing.bookkeeping import Cause, settle
from pricing.claims import Claim
from pricing.locks import lock_ledger
from pricing.models import Decision, Offering, PriceLine
from pricing.routes.settling import add_to, settle_routes_of
from pricing.rulings.decisions import Ruling, check_claim, check_open, decide, lock_to_rule_on
from pricing.sheets import Outcome, ensure_lines, tariffs_of


def pin(offering: Offering, claim: Claim, ruling: Ruling) -> Outcome:
    """Rule that a line has a price, whatever any source says, until the pin is undone. Raises LedgerError."""
    check_claim(claim)
    check_open(offering)
    with transaction.atomic():
        lock_to_rule_on(offering)
        now = timezone.now()
        line_id = ensure_lines({(offering.pk, claim.line)})[offering.pk, claim.line]
        details = {} if claim.amount else {"zero_means": claim.zero_means or "free"}
        decision = decide(Decision.Kind.PIN, offering, ruling, now, line_id=line_id, claim=claim, details=details)
        cause = Cause(now, now, decision_id=decision.pk, ruled=True)
        return Outcome(settled=settle([(offering.pk, claim.line.tariff)], cause))


def resolve_again(offering_ids: Iterable[int], decision: Decision) -> Outcome:
    """Settle offerings anew after a ruling that changes how they are resolved; all of it corrects."""
    with transaction.atomic():
        lock_ledger()
        now, ids = timezone.now(), list(offering_ids)
        lines = PriceLine.objects.filter(offering_id__in=ids).values_list("pk", flat=True)
        cause = Cause(now, now, decision_id=decision.pk, ruled=True)
        settled = settle(tariffs_of(set(lines)), cause, Readings.load())
        add_to(settled, settle_routes_of(ids, cause))
        return Outcome(settled=settled)
