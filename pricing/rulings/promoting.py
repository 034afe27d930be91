"""Promotions, a layer over the list prices: extended, ended, or made permanent.

A promotion is stated as any other price, with the layer ``promo`` and an end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from pricing.claims import LIST_LAYER, PROMO_LAYER, Claim
from pricing.locks import lock_ledger
from pricing.models import Offering, Price, Statement
from pricing.rulings.decisions import Ruling, check_aware, check_open
from pricing.rulings.in_force import believed_at, claimed, is_editors, restated, shortened, tariffs_among
from pricing.rulings.stating import Saying, say
from pricing.sheets import LedgerError, Outcome


def extend_promotion(offering: Offering, until: datetime, ruling: Ruling) -> Outcome:
    """Let the promotion that is in force go on until a later moment. Raises LedgerError.

    Refused where none is in force, where it has no end, and where the new end is not later.
    """
    check_aware(until)

    def rule(promos: Sequence[Price], now: datetime) -> Outcome:
        ends = [row.effective_until for row in promos if row.effective_until is not None]
        if not ends:
            raise LedgerError("the promotion has no known end, so it need not be extended; end it when it does end")
        if until <= max(ends):
            raise LedgerError(
                f"the promotion runs until {max(ends).isoformat()} already; give a later end, or end it earlier"
            )
        ended, claims = _prolonged(offering, promos, until, now)
        return say(offering, Saying(claims, ended, takes_back=True), ruling, now)

    return _on_promotion(offering, None, rule)


def end_promotion(offering: Offering, ruling: Ruling, *, at: datetime | None = None) -> Outcome:
    """End the promotion that is in force, now or at a moment ahead: list prices hold from then on.

    Raises LedgerError, also where no list price is known to go back to.
    """

    def rule(promos: Sequence[Price], now: datetime) -> Outcome:
        ends = at or now
        tariffs = tariffs_among(promos)
        ended, kept = shortened(offering, tariffs, ends)
        lists = _list_prices(offering, promos, ends)
        missing = tariffs - {claim.line.tariff for claim in lists}
        if missing:
            meters = ", ".join(sorted(tariff[0] for tariff in missing))
            raise LedgerError(f"no list price of {meters} is known for the time after the promotion; state it first")
        return say(offering, Saying([*kept, *lists], ended, takes_back=True), ruling, now)

    return _on_promotion(offering, at, rule)


def make_permanent(offering: Offering, ruling: Ruling, *, at: datetime | None = None) -> Outcome:
    """Make the amounts of the promotion in force the list prices, from now or from a moment ahead.

    The promotion ends there; both are one change. Raises LedgerError.
    """

    def rule(promos: Sequence[Price], now: datetime) -> Outcome:
        begins = at or now
        ended, kept = shortened(offering, tariffs_among(promos), begins)
        permanent = [_as_list(claimed(row, begins, None)) for row in promos]
        lines = {claim.line for claim in permanent}
        others = [claim for claim in _list_prices(offering, promos, begins) if claim.line not in lines]
        return say(offering, Saying([*kept, *permanent, *others], ended, takes_back=True), ruling, now)

    return _on_promotion(offering, at, rule)


def _on_promotion(
    offering: Offering, at: datetime | None, rule: Callable[[Sequence[Price], datetime], Outcome]
) -> Outcome:
    """Rule on the promotion in force at a moment (None: now), under the ledger's lock."""
    check_open(offering)
    check_aware(at)
    with transaction.atomic():
        lock_ledger()
        now = timezone.now()
        if at is not None and at < now:
            raise LedgerError(f"{at.isoformat()} has passed; correct what the promotion's end was instead")
        promos = [row for row in believed_at(offering, now) if row.line.layer == PROMO_LAYER]
        if not promos:
            raise LedgerError(f"no promotion of {offering} is in force; state one with the layer promo and an end")
        begun_later = [row for row in promos if at is not None and row.effective_from >= at]
        if begun_later:
            raise LedgerError("a promotion would end before it starts; retract it instead")
        return rule(promos, now)


def _prolonged(
    offering: Offering, promos: Sequence[Price], until: datetime, now: datetime
) -> tuple[list[Statement], list[Claim]]:
    """The promotion's prices with a later end; beside another source's, the rest of the tariffs said again."""
    ended, claims = [], []
    for row in promos:
        own = is_editors(row) and row.statement is not None and row.statement.effective_until == row.effective_until
        if own and row.statement is not None:
            ended.append(row.statement)
        begins = row.statement.effective_from if own and row.statement is not None else now
        claims.append(claimed(row, begins or now, until))
    others = tariffs_among(row for row in promos if not is_editors(row))
    lines = {claim.line for claim in claims}
    return ended, claims + [c for c in restated(offering, others, now, None, now) if c.line not in lines]


def _list_prices(offering: Offering, promos: Sequence[Price], moment: datetime) -> list[Claim]:
    """The list prices of the promotion's tariffs, said again from a moment on."""
    claims = restated(offering, tariffs_among(promos), moment, None, moment)
    return [claim for claim in claims if claim.line.layer == LIST_LAYER]


def _as_list(claim: Claim) -> Claim:
    return replace(claim, line=replace(claim.line, layer=LIST_LAYER))
