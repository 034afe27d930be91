"""Correcting the record: what was believed of some prices was wrong, and the market did not move."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from pricing.claims import Claim
from pricing.locks import lock_ledger
from pricing.models import Offering, Price
from pricing.rulings.decisions import Ruling
from pricing.rulings.in_force import rest_of
from pricing.rulings.stating import Saying, check_claims, say
from pricing.sheets import LedgerError, Outcome


def correct(offering: Offering, claims: Sequence[Claim], ruling: Ruling, *, zero_means: str = "free") -> Outcome:
    """Say what prices were in truth over their intervals; all of it is one correction, and no news of the market.

    The other prices of the same tariffs stay as they are.
    Raises LedgerError, also where nothing is believed of a line in its interval: that price is stated instead.
    """
    check_claims(offering, claims)
    with transaction.atomic():
        lock_ledger()
        now = timezone.now()
        for claim in claims:
            _check_believed(offering, claim, now)
        rest = rest_of(offering, claims, now)
        return say(offering, Saying(claims, rest=rest, zero_means=zero_means, ruled=True), ruling, now)


def _check_believed(offering: Offering, claim: Claim, now: datetime) -> None:
    line = claim.line
    begins = claim.effective_from or now
    lasts = Q(effective_until__isnull=True) | Q(effective_until__gt=begins)
    rows = Price.objects.filter(
        lasts,
        known_until__isnull=True,
        line__offering=offering,
        line__meter=line.meter,
        line__service_tier=line.service_tier,
        line__region=line.region,
        line__variant=line.variant,
        line__commitment=line.commitment,
        line__above_input_tokens=line.above_input_tokens,
        line__slot=line.slot,
        line__layer=line.layer,
    )
    if claim.effective_until is not None:
        rows = rows.filter(effective_from__lt=claim.effective_until)
    if not rows.exists():
        raise LedgerError(
            f"no price of {line.meter} is believed for that time, so there is none to correct; state it instead"
        )
