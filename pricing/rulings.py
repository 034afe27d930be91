"""Taking what people say: prices that they state, pins, withdrawals, and the undoing of these."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.models import User
from pricing.belief import Readings
from pricing.bookkeeping import Cause, settle
from pricing.claims import PRECISIONS, Claim
from pricing.locks import lock_ledger
from pricing.meters import METERS
from pricing.models import Decision, Offering, PriceLine, Source, Statement
from pricing.sheets import LedgerError, Outcome, all_tariffs, ensure_lines, tariffs_of
from tracker.amounts import fits

EDITORS = "editors"
_UNDOABLE = (Decision.Kind.STATE, Decision.Kind.PIN, Decision.Kind.WITHDRAW)
_CURRENCY = re.compile(r"[A-Z]{3}")


@dataclass(frozen=True, slots=True)
class Ruling:
    """Who says something, why, and where it can be read."""

    by: User | None
    note: str = ""
    citation_url: str = ""
    citation_title: str = ""


def state(
    offering: Offering,
    claim: Claim,
    ruling: Ruling,
    *,
    zero_means: str = "free",
    replaces_later: bool = False,
) -> Outcome:
    """State a price from a moment on; it stands before every feed until it is taken back.

    ``claim.effective_from`` may lie ahead: that announces it. What editors stated from the same
    moment on is replaced; what they stated for later stays, and takes over then, unless
    ``replaces_later``. Raises LedgerError on a claim that cannot be, with the reason.
    """
    _check_claim(claim)
    _check_open(offering)
    with transaction.atomic():
        lock_ledger()
        now = timezone.now()
        begins = claim.effective_from or now
        line_id = ensure_lines({(offering.pk, claim.line)})[offering.pk, claim.line]
        source = editors()
        overruled = _overruled(source, line_id, begins, claim.effective_until, replaces_later)
        replaced = sorted(overruled.values_list("pk", flat=True))
        ended = Statement.objects.filter(pk__in=replaced).update(ended_at=now)
        statement = Statement.objects.create(
            source=source,
            line_id=line_id,
            amount=claim.amount,
            currency=claim.currency,
            zero_means="" if claim.amount else zero_means,
            effective_from=begins,
            effective_until=claim.effective_until,
            precision=claim.precision if claim.effective_from else "exact",
            first_observed_at=now,
            author=ruling.by,
            citation_url=ruling.citation_url,
            citation_title=ruling.citation_title,
            note=ruling.note,
        )
        details = {"statement": statement.pk, "replaced": replaced}
        decision = _decide(Decision.Kind.STATE, offering, ruling, now, line_id=line_id, claim=claim, details=details)
        cause = Cause(now, now, source_id=source.pk, decision_id=decision.pk)
        return Outcome(1, ended, settle([(offering.pk, claim.line.tariff)], cause))


def _overruled(
    source: Source, line_id: int, begins: datetime, until: datetime | None, replaces_later: bool
) -> QuerySet[Statement]:
    """What editors stated from ``begins`` on that gives way. Raises LedgerError where only a part would."""
    later = Statement.objects.filter(source=source, line_id=line_id, ended_at__isnull=True, effective_from__gte=begins)
    gives_way = later if replaces_later else later.filter(effective_from=begins)
    if until is None:
        return gives_way
    within = later.filter(effective_from__lt=until)
    beyond = within.filter(Q(effective_until__isnull=True) | Q(effective_until__gt=until)).first()
    if beyond is not None and beyond.effective_from is not None:
        raise LedgerError(
            f"{beyond} is stated from {beyond.effective_from.isoformat()} on; "
            "end this price by then, or take that one back first"
        )
    return gives_way.filter(effective_from__lt=until)


def retire_statement(statement: Statement, ruling: Ruling) -> Outcome:
    """Take back what an editor stated, as if it had never been said. Raises LedgerError.

    What it had replaced stands again, and where nothing had, the next source in the order speaks.
    """
    if statement.source.kind != Source.Kind.EDITOR:
        raise LedgerError(f"only an editor's statement can be taken back; this one is by {statement.source.slug}")
    with transaction.atomic():
        lock_ledger()
        statement.refresh_from_db()
        if statement.ended_at is not None:
            raise LedgerError(f"the statement ended at {statement.ended_at.isoformat()} already")
        return _take_back(statement, _making(statement), ruling)


def _take_back(statement: Statement, making: Decision | None, ruling: Ruling) -> Outcome:
    """Leave a statement out of resolution; one that was to come is retracted, any other was a mistake."""
    now = timezone.now()
    offering, line_id = statement.line.offering, statement.line_id
    details = {"statement": statement.pk}
    undoing = _decide(Decision.Kind.UNDO, offering, ruling, now, line_id=line_id, undoes=making, details=details)
    ended = Statement.objects.filter(pk=statement.pk, ended_at__isnull=True).update(ended_at=now)
    if ended and making is not None:
        _say_again(making)
    is_to_come = statement.effective_from is not None and statement.effective_from > now
    cause = Cause(now, now, source_id=statement.source_id, decision_id=undoing.pk, ruled=not is_to_come)
    return Outcome(0, ended, settle([(offering.pk, statement.line.conditions.tariff)], cause))


def _making(statement: Statement) -> Decision | None:
    """The decision that made a statement."""
    stated = Decision.objects.filter(kind=Decision.Kind.STATE, line_id=statement.line_id)
    return stated.filter(details__statement=statement.pk).first()


def _say_again(making: Decision) -> None:
    """Let what a statement had replaced stand again, but for what another has replaced since."""
    for replaced in _replaced(making):
        running = Statement.objects.filter(source=replaced.source, line=replaced.line, ended_at__isnull=True)
        if not running.filter(effective_from=replaced.effective_from).exists():
            Statement.objects.filter(pk=replaced.pk).update(ended_at=None)


def _replaced(making: Decision) -> Iterator[Statement]:
    """What a statement replaced; of that, what was taken back gives way to what it had replaced itself."""
    for statement in Statement.objects.filter(pk__in=making.details.get("replaced", [])).order_by("-pk"):
        earlier = _making(statement)
        if earlier is None or not Decision.objects.filter(undoes=earlier).exists():
            yield statement
        else:
            yield from _replaced(earlier)


def pin(offering: Offering, claim: Claim, ruling: Ruling) -> Outcome:
    """Rule that a line has a price, whatever any source says, until the pin is undone. Raises LedgerError."""
    _check_claim(claim)
    _check_open(offering)
    with transaction.atomic():
        lock_ledger()
        now = timezone.now()
        line_id = ensure_lines({(offering.pk, claim.line)})[offering.pk, claim.line]
        decision = _decide(Decision.Kind.PIN, offering, ruling, now, line_id=line_id, claim=claim)
        cause = Cause(now, now, decision_id=decision.pk, ruled=True)
        return Outcome(settled=settle([(offering.pk, claim.line.tariff)], cause))


def withdraw(offering: Offering, ruling: Ruling, *, at: datetime | None = None) -> Outcome:
    """Rule that an offering is sold no more from a moment on, whatever sources say. Raises LedgerError."""
    _check_open(offering)
    _check_aware(at)
    with transaction.atomic():
        lock_ledger()
        now = timezone.now()
        standing = Decision.objects.filter(offering=offering, kind=Decision.Kind.WITHDRAW, undone_by__isnull=True)
        if standing.filter(effective_until__isnull=True).exists():
            raise LedgerError(f"{offering} is already withdrawn by a decision; relist it first")
        decision = _decide(Decision.Kind.WITHDRAW, offering, ruling, now, begins=at or now)
        cause = Cause(now, now, decision_id=decision.pk)
        return Outcome(settled=settle(all_tariffs(offering), cause))


def relist(offering: Offering, ruling: Ruling, *, at: datetime | None = None) -> Outcome:
    """End a person's withdrawal of an offering. Raises LedgerError when there is none."""
    _check_aware(at)
    with transaction.atomic():
        lock_ledger()
        now = timezone.now()
        standing = Decision.objects.filter(offering=offering, kind=Decision.Kind.WITHDRAW, undone_by__isnull=True)
        withdrawal = standing.filter(effective_until__isnull=True).first()
        if withdrawal is None:
            raise LedgerError(f"{offering} is not withdrawn by a decision, so it cannot be relisted by one")
        ends = at or now
        if withdrawal.effective_from is not None and ends <= withdrawal.effective_from:
            raise LedgerError("an offering can be relisted only after the moment of its withdrawal; undo it instead")
        decision = _decide(Decision.Kind.RELIST, offering, ruling, now, begins=ends)
        Decision.objects.filter(pk=withdrawal.pk).update(effective_until=ends)
        cause = Cause(now, now, decision_id=decision.pk)
        return Outcome(settled=settle(all_tariffs(offering), cause))


def undo(decision: Decision, ruling: Ruling) -> Outcome:
    """Undo a stated price, a pin or a withdrawal as if it had never been. Raises LedgerError."""
    if decision.kind not in _UNDOABLE or decision.offering is None:
        raise LedgerError(
            f"a decision to {decision.get_kind_display()} cannot be undone; stated prices, pins and withdrawals can"
        )
    with transaction.atomic():
        lock_ledger()
        if Decision.objects.filter(undoes=decision).exists():
            raise LedgerError("the decision is undone already")
        if decision.kind == Decision.Kind.STATE:
            return _take_back(_made_by(decision), decision, ruling)
        now = timezone.now()
        undoing = _decide(Decision.Kind.UNDO, decision.offering, ruling, now, undoes=decision)
        cause = Cause(now, now, decision_id=undoing.pk, ruled=not _is_withdrawal_ahead(decision, now))
        return Outcome(settled=settle(all_tariffs(decision.offering), cause))


def _made_by(decision: Decision) -> Statement:
    """The statement that a decision made. Raises LedgerError where the decision does not name it."""
    statement = Statement.objects.filter(pk=decision.details.get("statement")).first()
    if statement is None:
        raise LedgerError("the decision does not name what it stated; take the statement back instead")
    return statement


def _is_withdrawal_ahead(decision: Decision, now: datetime) -> bool:
    """Whether a decision announces a withdrawal that has not come: undone, that is retracted."""
    is_withdrawal = decision.kind == Decision.Kind.WITHDRAW
    return is_withdrawal and decision.effective_from is not None and decision.effective_from > now


def resolve_again(offering_ids: Iterable[int], decision: Decision) -> Outcome:
    """Settle offerings anew after a ruling that changes how they are resolved; all of it corrects."""
    with transaction.atomic():
        lock_ledger()
        now = timezone.now()
        lines = PriceLine.objects.filter(offering_id__in=list(offering_ids)).values_list("pk", flat=True)
        cause = Cause(now, now, decision_id=decision.pk, ruled=True)
        return Outcome(settled=settle(tariffs_of(set(lines)), cause, Readings.load()))


def editors() -> Source:
    """The source under whose name people state prices."""
    source, _ = Source.objects.get_or_create(
        slug=EDITORS,
        defaults={"name": "Editors", "kind": Source.Kind.EDITOR, "precedence": 5, "may_republish": True},
    )
    return source


def _decide(
    kind: Decision.Kind,
    offering: Offering,
    ruling: Ruling,
    now: datetime,
    *,
    line_id: int | None = None,
    claim: Claim | None = None,
    begins: datetime | None = None,
    undoes: Decision | None = None,
    details: Mapping[str, object] | None = None,
) -> Decision:
    return Decision.objects.create(
        kind=kind,
        offering=offering,
        line_id=line_id,
        amount=claim.amount if claim else None,
        currency=claim.currency if claim else "",
        effective_from=begins or (claim.effective_from if claim else None) or now,
        effective_until=claim.effective_until if claim else None,
        precision=claim.precision if claim and claim.effective_from else "exact",
        undoes=undoes,
        details=dict(details or {}),
        made_by=ruling.by,
        made_at=now,
        note=ruling.note,
        citation_url=ruling.citation_url,
    )


def _check_open(offering: Offering) -> None:
    if offering.merged_into_id is not None:
        raise LedgerError(f"{offering} was merged into {offering.merged_into}; state the price there")


def _check_aware(moment: datetime | None) -> None:
    if moment is not None and moment.tzinfo is None:
        raise LedgerError(f"{moment.isoformat()} has no time zone; give one, such as {moment.isoformat()}Z")


def _check_claim(claim: Claim) -> None:
    if claim.line.meter not in METERS:
        raise LedgerError(f"unknown meter {claim.line.meter!r}; choose one of {', '.join(METERS)}")
    if not claim.amount.is_finite():
        raise LedgerError(f"a price must be a number, such as 0.435, and not {claim.amount}")
    if claim.amount < 0:
        raise LedgerError(f"a price cannot be negative: {claim.amount}")
    if not fits(claim.amount):
        raise LedgerError(f"{claim.amount} has more digits than the ledger keeps (20 before the point, 18 after it)")
    if not _CURRENCY.fullmatch(claim.currency):
        raise LedgerError(f"{claim.currency!r} is not a currency; use its ISO 4217 code, such as USD or CNY")
    if claim.precision not in PRECISIONS:
        raise LedgerError(f"unknown precision {claim.precision!r}; choose one of {', '.join(PRECISIONS)}")
    _check_aware(claim.effective_from)
    _check_aware(claim.effective_until)
    if claim.effective_until is not None and claim.effective_until <= (claim.effective_from or timezone.now()):
        raise LedgerError("a price must end after it starts")
