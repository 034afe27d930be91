"""Correcting the record: what was believed of some prices was wrong, and the market did not move."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from pricing.claims import Claim
from pricing.models import Offering, Price, PriceLine, Statement
from pricing.rulings.decisions import Ruling, editors, lock_to_rule_on
from pricing.rulings.in_force import rest_of
from pricing.rulings.stating import Saying, check_claims, say
from pricing.sheets import LedgerError, Outcome
from tracker.amounts import plain


def correct(
    offering: Offering,
    claims: Sequence[Claim],
    ruling: Ruling,
    *,
    zero_means: str = "free",
    replaces_later: bool = False,
) -> Outcome:
    """Say what prices were in truth over their intervals; all of it is one correction, and no news of the market.

    The other prices of the same tariffs stay as they are, and so does what editors announced for later, unless
    ``replaces_later``. Raises LedgerError, also where nothing is believed of a line in its interval: that price is
    stated instead; and where another price of editors came in force within it, which has to be replaced with it.
    """
    check_claims(offering, claims)
    with transaction.atomic():
        lock_to_rule_on(offering)
        now = timezone.now()
        for claim in claims:
            _check_believed(offering, claim, now)
            if not replaces_later:
                _check_covers(offering, claim, now)
        rest = rest_of(offering, claims, now)
        return say(
            offering,
            Saying(
                claims, rest=rest, keeps_rest=True, zero_means=zero_means, replaces_later=replaces_later, ruled=True
            ),
            ruling,
            now,
        )


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


def _check_covers(offering: Offering, claim: Claim, now: datetime) -> None:
    """What editors said to be in force since a later moment lies over the correction, which would not correct it."""
    begins, lines = claim.effective_from or now, PriceLine.objects.filter(offering=offering)
    line = next((each for each in lines if each.conditions == claim.line), None)
    said = Statement.objects.filter(
        source=editors(), line=line, ended_at=None, effective_from__gt=begins, effective_from__lte=now
    )
    if claim.effective_until is not None:
        said = said.filter(effective_from__lt=claim.effective_until)
    over = said.order_by("effective_from").first()
    if over is not None and over.effective_from is not None:
        raise LedgerError(
            f"editors stated {plain(over.amount)} {over.currency} from {over.effective_from.isoformat()} on, which "
            "would stand over the correction; correct until then, or replace what they stated for later"
        )
