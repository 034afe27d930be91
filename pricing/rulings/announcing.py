"""What is to come: announcing prices, moving an announcement to another moment, taking it back.

An announcement may be an editor's own or another source's. Over another source's, an editor says
what its tariffs will cost instead, from the announced moment on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from pricing.claims import Claim
from pricing.locks import lock_ledger
from pricing.models import Offering, Price, Source, Statement
from pricing.rulings.decisions import Ruling, check_aware, check_open
from pricing.rulings.in_force import (
    beginning_at,
    is_editors,
    just_before,
    rest_of,
    restated,
    tariffs_among,
)
from pricing.rulings.stating import Saying, check_claims, say, take_back
from pricing.sheets import LedgerError, Outcome


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
        lock_ledger()
        now = timezone.now()
        for claim in claims:
            if claim.effective_from is None or claim.effective_from <= now:
                said = claim.effective_from.isoformat() if claim.effective_from else "no moment"
                raise LedgerError(f"an announcement is for a moment ahead, not {said}; state the price instead")
        rest = rest_of(offering, claims, now) if keeps_rest else []
        return say(offering, Saying([*claims, *rest], zero_means=zero_means), ruling, now)


def reschedule(offering: Offering, at: datetime, to: datetime, ruling: Ruling) -> Outcome:
    """Move what is announced for ``at`` to another moment ahead. Raises LedgerError.

    Refused where nothing is announced for ``at``, where it is in force already, and where a price would end before
    it starts.
    """
    check_aware(to)

    def rule(rows: Sequence[Price], now: datetime) -> Outcome:
        _check_new_moment(rows, at, to, now)
        ended, claims = _own_moved(offering, rows, at, to)
        others = tariffs_among(row for row in rows if not is_editors(row))
        if others:
            if to > at:
                claims += restated(offering, others, at, to, just_before(at))
            claims += restated(offering, others, to, None, at)
        return say(offering, Saying(claims, ended, takes_back=True), ruling, now)

    return _on_announced(offering, at, rule)


def retract(offering: Offering, at: datetime, ruling: Ruling) -> Outcome:
    """Take back what is announced for ``at``: the prices before it go on. Raises LedgerError.

    Refused where nothing is announced for ``at`` and where it is in force already.
    """

    def rule(rows: Sequence[Price], now: datetime) -> Outcome:
        own = _own_statements(offering, rows, at)
        others = tariffs_among(row for row in rows if not is_editors(row))
        before = _ending_at(own, at)
        if not others and not before:
            return take_back(own, ruling, restores=False)
        claims = restated(offering, others, at, None, just_before(at))
        claims += [_claim_of(each, each.effective_from, None) for each in before]
        own += before
        if not claims:
            raise LedgerError("nothing is sold before that moment; withdraw the offering from then on instead")
        return say(offering, Saying(claims, own, takes_back=True), ruling, now)

    return _on_announced(offering, at, rule)


def _on_announced(offering: Offering, at: datetime, rule: Callable[[Sequence[Price], datetime], Outcome]) -> Outcome:
    """Rule on what is announced for a moment, under the ledger's lock."""
    check_open(offering)
    check_aware(at)
    with transaction.atomic():
        lock_ledger()
        now = timezone.now()
        rows = beginning_at(offering, at)
        _check_announced(offering, at, rows, now)
        return rule(rows, now)


def _check_announced(offering: Offering, at: datetime, rows: Sequence[Price], now: datetime) -> None:
    if rows and at <= now:
        raise LedgerError(f"the price has been in force since {at.isoformat()}; correct it, or state another")
    if not rows:
        ahead = Price.objects.filter(line__offering=offering, known_until__isnull=True, effective_from__gt=now)
        moments = sorted(set(ahead.values_list("effective_from", flat=True)))
        known = ", ".join(moment.isoformat() for moment in moments)
        raise LedgerError(
            f"nothing is announced for {at.isoformat()}; "
            + (f"announced are prices for {known}" if known else "nothing is announced at all")
        )


def _check_new_moment(rows: Sequence[Price], at: datetime, to: datetime, now: datetime) -> None:
    if to == at:
        raise LedgerError(f"it is announced for {at.isoformat()} already")
    if to <= now:
        raise LedgerError(f"{to.isoformat()} has passed; an announcement is moved to a moment ahead, or else retracted")
    ends = [row.effective_until for row in rows if row.effective_until is not None]
    if ends and min(ends) <= to:
        raise LedgerError(f"the price ends at {min(ends).isoformat()}; it cannot start at {to.isoformat()}")


def _own_statements(offering: Offering, rows: Sequence[Price], at: datetime) -> list[Statement]:
    """What editors state from a moment on in the tariffs of their own rows: those that move, and the rest with them."""
    tariffs = tariffs_among(row for row in rows if is_editors(row))
    running = Statement.objects.filter(
        source__kind=Source.Kind.EDITOR, line__offering=offering, ended_at__isnull=True, effective_from=at
    )
    return [each for each in running.select_related("line") if each.line.conditions.tariff in tariffs]


def _own_moved(
    offering: Offering, rows: Sequence[Price], at: datetime, to: datetime
) -> tuple[list[Statement], list[Claim]]:
    """Editors' own statements that begin, or end, at a moment, and what they say once it is moved."""
    beginning = _own_statements(offering, rows, at)
    ending = _ending_at(beginning, at)
    claims = [_claim_of(each, to, each.effective_until) for each in beginning]
    claims += [_claim_of(each, each.effective_from, to) for each in ending]
    return [*beginning, *ending], claims


def _ending_at(statements: Sequence[Statement], at: datetime) -> list[Statement]:
    """What editors state of the same lines until a moment."""
    running = Statement.objects.filter(
        source__kind=Source.Kind.EDITOR, line__in={s.line_id for s in statements}, ended_at__isnull=True
    )
    return list(running.filter(effective_until=at).select_related("line"))


def _claim_of(statement: Statement, begins: datetime | None, until: datetime | None) -> Claim:
    line, precision = statement.line.conditions, statement.precision
    return Claim(line, statement.amount, statement.currency, begins, until, precision)
