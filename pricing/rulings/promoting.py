"""Promotions, a layer over the list prices: extended, ended, or made permanent.

A promotion is stated as any other price, with the layer ``promo`` and an end.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from pricing.claims import LIST_LAYER, Claim, Conditions
from pricing.models import Offering, Statement
from pricing.rulings.decisions import Ruling, check_aware, check_open, lock_to_rule_on
from pricing.rulings.in_force import NEVER, History, Spoken, cut, filled, price_of, rest_of, spoken_of
from pricing.rulings.stating import Saying, say, take_back
from pricing.sheets import LedgerError, Outcome
from pricing.timeline import Segment

Promos = Sequence[tuple[Conditions, Segment]]


def extend_promotion(offering: Offering, until: datetime, ruling: Ruling) -> Outcome:
    """Let the promotion that is in force go on until a later moment. Raises LedgerError.

    Prices of it that have no end go on without one. Refused where none is in force, where it has no end at all, where
    the new end is not later, and where another price of the promotion is announced for before it.
    """
    check_aware(until)

    def rule(spoken: Spoken, promos: Promos, now: datetime) -> Outcome:
        ending = [(line, promo) for line, promo in promos if promo.end is not None]
        ends = [promo.end for _, promo in ending if promo.end is not None]
        if not ends:
            raise LedgerError("the promotion has no known end, so it need not be extended; end it when it does end")
        if until <= max(ends):
            raise LedgerError(
                f"the promotion runs until {max(ends).isoformat()} already; give a later end, or end it earlier"
            )
        _check_followed(spoken, ending, until)
        ended, claims = _prolonged(spoken, ending, until, now)
        rest = rest_of(offering, claims, now)
        return say(offering, Saying(claims, ended, rest=rest, keeps_rest=True, takes_back=True), ruling, now)

    return _on_promotion(offering, None, rule)


def end_promotion(offering: Offering, ruling: Ruling, *, at: datetime | None = None) -> Outcome:
    """End the promotion that is in force, now or at a moment ahead: list prices hold from then on.

    Raises LedgerError, also where no list price is known to go back to.
    """

    def rule(spoken: Spoken, promos: Promos, now: datetime) -> Outcome:
        ends = at or now
        _check_end(promos, at)
        over = _ends(spoken, promos)
        missing = {line.tariff for line in over} - _listed(spoken, ends)
        if missing:
            meters = ", ".join(sorted(tariff[0] for tariff in missing))
            raise LedgerError(f"no list price of {meters} is known for the time after the promotion; state it first")
        return _say_without(offering, spoken, over, ends, [], ruling, now)

    return _on_promotion(offering, at, rule)


def make_permanent(offering: Offering, ruling: Ruling, *, at: datetime | None = None) -> Outcome:
    """Make the amounts of the promotion in force the list prices, from now or from a moment ahead.

    The promotion ends there; both are one change. List prices announced for later are superseded, and so are those
    by the hour or above a threshold that the promotion went before. Raises LedgerError.
    """

    def rule(spoken: Spoken, promos: Promos, now: datetime) -> Outcome:
        begins = at or now
        _check_end(promos, at, may_equal=True)
        permanent = [price_of(replace(line, layer=LIST_LAYER), promo.value, begins, None) for line, promo in promos]
        superseded = {
            line: NEVER
            for line in {*spoken.history, *(claim.line for claim in permanent)}
            if any(_goes_before(promo, line) for promo, _ in promos)
        }
        over = {**_ends(spoken, promos), **superseded}
        return _say_without(offering, spoken, over, begins, permanent, ruling, now)

    return _on_promotion(offering, at, rule)


def _on_promotion(
    offering: Offering, at: datetime | None, rule: Callable[[Spoken, Promos, datetime], Outcome]
) -> Outcome:
    """Rule on the promotion in force now, under the ledger's lock."""
    check_open(offering)
    check_aware(at)
    with transaction.atomic():
        lock_to_rule_on(offering)
        now = timezone.now()
        if at is not None and at < now:
            raise LedgerError(f"{at.isoformat()} has passed; correct what the promotion's end was instead")
        spoken = spoken_of(offering)
        promos = spoken.promotions(now)
        if not promos:
            raise LedgerError(f"no promotion of {offering} is in force; state one with the layer promo and an end")
        return rule(spoken, promos, now)


def _check_end(promos: Promos, at: datetime | None, *, may_equal: bool = False) -> None:
    """Refuse a moment at which part of the promotion has ended by itself. Raises LedgerError."""
    first = min((promo.end for _, promo in promos if promo.end is not None), default=None)
    if first is not None and at is not None and (at > first or (at == first and not may_equal)):
        raise LedgerError(f"the promotion ends at {first.isoformat()} already; extend it first, or give an earlier end")


def _check_followed(spoken: Spoken, promos: Promos, until: datetime) -> None:
    """Refuse to go over what is announced of the same promotion. Raises LedgerError."""
    for line, promo in promos:
        later = [s.start for s in spoken.history[line] if promo.end is not None and promo.end <= s.start < until]
        if later:
            raise LedgerError(
                f"another price of the promotion is announced for {later[0].isoformat()}; "
                "retract that first, or extend the promotion when it is in force"
            )


def _ends(spoken: Spoken, promos: Promos) -> dict[Conditions, datetime]:
    """Until when each line's promotion would go on, with every step of it that follows without a pause."""
    ends = {}
    for line, promo in promos:
        reached = promo.end or NEVER
        for segment in spoken.history[line]:
            reached = (segment.end or NEVER) if segment.start == reached else reached
        ends[line] = reached
    return ends


def _listed(spoken: Spoken, moment: datetime) -> set[tuple[str, ...]]:
    """The tariffs that have a list price at a moment."""
    found = spoken.history.items()
    return {line.tariff for line, rows in found if line.layer == LIST_LAYER and any(s.covers(moment) for s in rows)}


def _goes_before(promo: Conditions, line: Conditions) -> bool:
    """Whether a promotion's price is charged wherever a list price would be."""
    if line.layer != LIST_LAYER or line.tariff != promo.tariff:
        return False
    return promo.slot in ("", line.slot) and promo.above_input_tokens <= line.above_input_tokens


def _say_without(
    offering: Offering,
    spoken: Spoken,
    over: Mapping[Conditions, datetime],
    at: datetime,
    claims: Sequence[Claim],
    ruling: Ruling,
    now: datetime,
) -> Outcome:
    """Say claims, and that lines have no other price from a moment on until the one given; all else stays."""
    ended, kept = cut(spoken, over, at)
    wanted = _blank(spoken.history, over, at)
    for claim in claims:
        begun = _segment(claim, at)
        wanted[claim.line] = [*wanted.get(claim.line, []), begun]
    tariffs = {line.tariff for line in over}
    claims = [*kept, *claims]
    rest = filled(spoken, wanted, tariffs, at, ended, claims)
    if not claims and not rest:
        return take_back(ended, ruling, restores=False)
    return say(offering, Saying(claims, ended, rest=rest, takes_back=True), ruling, now)


def _blank(history: History, over: Mapping[Conditions, datetime], at: datetime) -> dict[Conditions, list[Segment]]:
    """A history without the prices of some lines from a moment on until the one given for each."""
    found: dict[Conditions, list[Segment]] = {line: list(segments) for line, segments in history.items()}
    for line, until in over.items():
        before = [replace(s, end=min(s.end or NEVER, at)) for s in found.get(line, []) if s.start < at]
        found[line] = before + [s for s in found.get(line, []) if s.start >= max(until, at)]
    return found


def _segment(claim: Claim, begins: datetime) -> Segment:
    value = (claim.amount, claim.currency, claim.zero_means)
    return Segment(begins, claim.effective_until, value, claim.precision, None, None, None, None)


def _prolonged(spoken: Spoken, promos: Promos, until: datetime, now: datetime) -> tuple[list[Statement], list[Claim]]:
    """The promotion's prices with a later end, in the place of what editors said of the time until then."""
    lines = dict.fromkeys((line for line, _ in promos), until)
    ended, kept = cut(spoken, lines, now)
    return ended, [*kept, *(price_of(line, promo.value, now, until) for line, promo in promos)]
