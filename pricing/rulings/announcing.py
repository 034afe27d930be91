"""What is to come: announcing prices, moving an announcement to another moment, taking it back.

An announcement may be an editor's own or another source's. Over another source's, an editor says
what its tariffs will cost instead, from the announced moment on.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from pricing.claims import Claim, Conditions, Tariff
from pricing.models import Offering, Statement
from pricing.rulings.decisions import Ruling, check_aware, check_open, lock_to_rule_on
from pricing.rulings.in_force import NEVER, Spoken, claim_of, filled, moved, overruled, rest_of, said_before, spoken_of
from pricing.rulings.stating import Saying, check_claims, operations_of, rest_made_with, say, take_back
from pricing.sheets import LedgerError, Outcome
from pricing.timeline import Segment


def announce(
    offering: Offering,
    claims: Sequence[Claim],
    ruling: Ruling,
    *,
    zero_means: str = "free",
    keeps_rest: bool = True,
) -> Outcome:
    """State prices for moments that lie ahead; those of one moment make one change.

    The other prices of the tariff go on as they are, unless ``keeps_rest`` is taken away.
    Raises LedgerError, also where a moment has passed: what is in force already is stated or corrected.
    """
    check_claims(offering, claims)
    with transaction.atomic():
        lock_to_rule_on(offering)
        now = timezone.now()
        for claim in claims:
            if claim.effective_from is None or claim.effective_from <= now:
                said = claim.effective_from.isoformat() if claim.effective_from else "no moment"
                raise LedgerError(f"an announcement is for a moment ahead, not {said}; state the price instead")
        rest = rest_of(offering, claims, now) if keeps_rest else []
        return say(offering, Saying(claims, rest=rest, keeps_rest=keeps_rest, zero_means=zero_means), ruling, now)


def reschedule(offering: Offering, at: datetime, to: datetime, ruling: Ruling) -> Outcome:
    """Move what is announced for ``at`` to another moment ahead. Raises LedgerError.

    Refused where nothing is announced for ``at``, where it is in force already, and where a price would end before
    it starts, or another announcement for the same price lies between.
    """
    check_aware(to)

    def rule(announced: Announced, now: datetime) -> Outcome:
        _check_new_moment(announced, to, now)
        ended = [*announced.own, *announced.ending]
        claims = [claim_of(each, to, each.effective_until) for each in announced.own]
        claims += [claim_of(each, each.effective_from, to) for each in announced.ending]
        return _say_moved(offering, announced, to, ended, claims, ruling, now)

    return _on_announced(offering, at, rule)


def retract(offering: Offering, at: datetime, ruling: Ruling) -> Outcome:
    """Take back what is announced for ``at``: the prices before it go on. Raises LedgerError.

    Refused where nothing is announced for ``at`` and where it is in force already.
    """

    def rule(announced: Announced, now: datetime) -> Outcome:
        goes_on = moved(announced.spoken.history, announced.tariffs, at, None)
        claims = []
        for each in announced.ending:
            ends = [s.end for s in goes_on[each.line.conditions] if s.covers(at)]
            claims.append(claim_of(each, each.effective_from, ends[0] if ends else None))
        return _say_moved(offering, announced, None, [*announced.own, *announced.ending], claims, ruling, now)

    return _on_announced(offering, at, rule)


@dataclass(frozen=True, slots=True)
class Announced:
    """What is announced for a moment: the prices that begin then, their tariffs, and what editors say of it.

    ``own`` begin then, ``ending`` end where a price does; ``rest`` is what was said only so that the tariff was said
    whole. What was said for no longer than another price, and is the price on, does not end in this sense.
    """

    at: datetime
    spoken: Spoken
    beginning: Sequence[tuple[Conditions, Segment]]
    tariffs: Collection[Tariff]
    own: Sequence[Statement]
    ending: Sequence[Statement]
    rest: Sequence[Statement]


def _say_moved(
    offering: Offering,
    announced: Announced,
    to: datetime | None,
    ended: Sequence[Statement],
    claims: Sequence[Claim],
    ruling: Ruling,
    now: datetime,
) -> Outcome:
    """Say what turns at another moment, or not at all, and the rest of its tariffs as it was said."""
    wanted = moved(announced.spoken.history, announced.tariffs, announced.at, to)
    begins = min([announced.at, to or announced.at, *(s.effective_from for s in announced.rest if s.effective_from)])
    since = max(begins, now)
    against = overruled(announced.spoken, wanted, announced.tariffs, since, ended)
    over = [each for each in {*announced.rest, *against} if (each.effective_until or NEVER) > since]
    ended = [*ended, *sorted(over, key=lambda each: each.pk)]
    kept = said_before(over, since)
    rest = [*kept, *filled(announced.spoken, wanted, announced.tariffs, since, ended, claims)]
    if claims or rest:
        return say(offering, Saying(claims, ended, rest=rest, takes_back=True), ruling, now)
    if not ended:
        raise LedgerError("nothing is sold before that moment; withdraw the offering from then on instead")
    return take_back(ended, ruling, restores=False)


def _on_announced(offering: Offering, at: datetime, rule: Callable[[Announced, datetime], Outcome]) -> Outcome:
    """Rule on what is announced for a moment, under the ledger's lock."""
    check_open(offering)
    check_aware(at)
    with transaction.atomic():
        lock_to_rule_on(offering)
        now = timezone.now()
        spoken = spoken_of(offering)
        _check_announced(spoken, at, now)
        return rule(_announced(spoken, at), now)


def _announced(spoken: Spoken, at: datetime) -> Announced:
    beginning = spoken.beginning(at)
    tariffs = {line.tariff for line, _ in beginning}
    within = [each for each in spoken.running if each.line.conditions.tariff in tariffs]
    begun = [each for each in within if each.effective_from == at]
    rest = rest_made_with(operations_of(begun), within)
    said = {each.pk for each in rest}
    own = [each for each in begun if each.pk not in said]
    turning = {line for line, segments in spoken.history.items() if any(s.end == at for s in segments)}
    until = [each for each in within if each.effective_until == at and each.line.conditions in turning]
    ending = [each for each in until if each.pk not in said]
    return Announced(at, spoken, beginning, tariffs, own, ending, rest)


def _check_announced(spoken: Spoken, at: datetime, now: datetime) -> None:
    if spoken.beginning(at) and at <= now:
        raise LedgerError(f"the price has been in force since {at.isoformat()}; correct it, or state another")
    if not spoken.beginning(at):
        moments = sorted({s.start for segments in spoken.history.values() for s in segments if s.start > now})
        known = ", ".join(moment.isoformat() for moment in moments)
        raise LedgerError(
            f"nothing is announced for {at.isoformat()}; "
            + (f"announced are prices for {known}" if known else "nothing is announced at all")
        )


def _check_new_moment(announced: Announced, to: datetime, now: datetime) -> None:
    at = announced.at
    if to == at:
        raise LedgerError(f"it is announced for {at.isoformat()} already")
    if to <= now:
        raise LedgerError(f"{to.isoformat()} has passed; an announcement is moved to a moment ahead, or else retracted")
    ends = [segment.end for _, segment in announced.beginning if segment.end is not None]
    if ends and min(ends) <= to:
        raise LedgerError(f"the price ends at {min(ends).isoformat()}; it cannot start at {to.isoformat()}")
    between = sorted(_turns(announced, min(at, to), max(at, to)) - {at})
    if between:
        raise LedgerError(
            f"another move is announced for {between[0].isoformat()}; move or retract that first, or stay clear of it"
        )


def _turns(announced: Announced, since: datetime, until: datetime) -> set[datetime]:
    """When the prices turn that turn at the announced moment, between two moments inclusive."""
    found: set[datetime] = set()
    for line, segments in announced.spoken.history.items():
        turns = {moment for s in segments for moment in (s.start, s.end) if moment is not None}
        if line.tariff in announced.tariffs and announced.at in turns:
            found |= {moment for moment in turns if since <= moment <= until}
    return found
