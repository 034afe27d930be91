"""Stating prices from a moment on, one or several together, and taking back what was stated."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from pricing.bookkeeping import Cause, settle
from pricing.claims import Claim
from pricing.locks import lock_ledger
from pricing.models import Decision, Offering, Source, Statement
from pricing.rulings.decisions import Ruling, check_claim, check_open, decide, editors, lock_to_rule_on
from pricing.rulings.in_force import claim_of, rest_of
from pricing.sheets import LedgerError, Outcome, ensure_lines, tariffs_of

# The precisions of a moment that nobody dates.
UNDATED = ("observed", "unknown")


@dataclass(frozen=True, slots=True)
class Saying:
    """What one operation of a person says: claims, and their earlier statements that no longer stand.

    ``rest`` is said only so that the tariffs are said whole, as long as the claims stand;
    ``keeps_rest`` that they are to be so although nothing of it has to be said.
    ``ruled`` makes all of its consequences corrections. ``takes_back`` says that it speaks about
    what another source announced, as that source itself would.
    """

    claims: Sequence[Claim]
    ended: Sequence[Statement] = ()
    rest: Sequence[Claim] = ()
    keeps_rest: bool = False
    zero_means: str = "free"
    replaces_later: bool = False
    ruled: bool = False
    takes_back: bool = False


def state(
    offering: Offering,
    claim: Claim,
    ruling: Ruling,
    *,
    zero_means: str = "free",
    replaces_later: bool = False,
    keeps_rest: bool = False,
) -> Outcome:
    """State a price from a moment on; it stands before every feed until it is taken back.

    ``claim.effective_from`` may lie ahead: that announces it. What editors stated from the same
    moment on is replaced; what they stated for later stays, and takes over then, unless
    ``replaces_later``. One source sets a tariff whole: other prices of the tariff that feeds state
    end, unless ``keeps_rest`` says them again as they are. Raises LedgerError on a claim that
    cannot be, with the reason.
    """
    return state_together(
        offering,
        [claim],
        ruling,
        zero_means=zero_means,
        replaces_later=replaces_later,
        keeps_rest=keeps_rest,
    )


def state_together(
    offering: Offering,
    claims: Sequence[Claim],
    ruling: Ruling,
    *,
    zero_means: str = "free",
    replaces_later: bool = False,
    keeps_rest: bool = False,
) -> Outcome:
    """State several prices of one offering at once: those of one moment make one change. Raises LedgerError."""
    check_claims(offering, claims)
    with transaction.atomic():
        lock_to_rule_on(offering)
        now = timezone.now()
        rest = rest_of(offering, claims, now) if keeps_rest else []
        saying = Saying(claims, rest=rest, keeps_rest=keeps_rest, zero_means=zero_means, replaces_later=replaces_later)
        return say(offering, saying, ruling, now)


def check_claims(offering: Offering, claims: Sequence[Claim]) -> None:
    """Refuse claims that cannot be, that say nothing, or that say two things of one line. Raises LedgerError."""
    check_open(offering)
    if not claims:
        raise LedgerError("no price was given; state at least one")
    for claim in claims:
        check_claim(claim)
        _check_dated_if_ahead(claim)
    begun = [(claim.line, claim.effective_from) for claim in claims]
    for line, moment in begun:
        if begun.count((line, moment)) > 1:
            raise LedgerError(f"two prices of {line.meter} were given from the same moment on; give one")


def _check_dated_if_ahead(claim: Claim) -> None:
    """Refuse an announcement whose moment nobody names: it would never be told. Raises LedgerError."""
    is_ahead = claim.effective_from is not None and claim.effective_from > timezone.now()
    if is_ahead and claim.precision in UNDATED:
        raise LedgerError(
            f"a price for a moment ahead has a date: its precision is exact, day, month or year, not {claim.precision}"
        )


def say(offering: Offering, saying: Saying, ruling: Ruling, now: datetime) -> Outcome:
    """Write what an operation says and settle it, as one change for each moment. Must run under the ledger's lock."""
    claims = [*saying.claims, *saying.rest]
    line_ids = ensure_lines({(offering.pk, claim.line) for claim in claims})
    source, operation = editors(), uuid4().hex
    ended = _end([statement.pk for statement in saying.ended], now)
    decisions: list[Decision] = []
    for place, claim in enumerate(claims):
        line_id = line_ids[offering.pk, claim.line]
        said = [decision.details["statement"] for decision in decisions]
        overruled = _overruled(source, line_id, claim, now, saying.replaces_later).exclude(pk__in=said)
        replaced = sorted(overruled.values_list("pk", flat=True))
        ended += _end(replaced, now)
        statement = _statement(source, line_id, claim, saying.zero_means, ruling, now)
        gone = [each.pk for each in saying.ended] if place == 0 else []
        details = {"statement": statement.pk, "replaced": [*gone, *replaced], "operation": operation}
        if gone:
            details["restates"] = gone
        if place >= len(saying.claims):
            details["rest"] = True
        elif saying.keeps_rest:
            details["keeps_rest"] = True
        decisions.append(
            decide(Decision.Kind.STATE, offering, ruling, now, line_id=line_id, claim=claim, details=details)
        )
    cause = Cause(
        now,
        now,
        source_id=source.pk,
        decision_id=decisions[0].pk,
        ruled=saying.ruled,
        takes_back=saying.takes_back,
    )
    touched = tariffs_of({*line_ids.values(), *(statement.line_id for statement in saying.ended)})
    return Outcome(len(decisions), ended, settle(touched, cause))


def _end(statement_ids: Collection[int], now: datetime) -> int:
    return Statement.objects.filter(pk__in=statement_ids, ended_at__isnull=True).update(ended_at=now)


def _statement(source: Source, line_id: int, claim: Claim, zero_means: str, ruling: Ruling, now: datetime) -> Statement:
    return Statement.objects.create(
        source=source,
        line_id=line_id,
        amount=claim.amount,
        currency=claim.currency,
        zero_means="" if claim.amount else claim.zero_means or zero_means,
        effective_from=claim.effective_from or now,
        effective_until=claim.effective_until,
        precision=claim.precision if claim.effective_from else "exact",
        first_observed_at=now,
        author=ruling.by,
        citation_url=ruling.citation_url,
        citation_title=ruling.citation_title,
        note=ruling.note,
    )


def _overruled(source: Source, line_id: int, claim: Claim, now: datetime, replaces_later: bool) -> QuerySet[Statement]:
    """What editors stated from the same moment on that gives way. Raises LedgerError where only a part would."""
    begins, until = claim.effective_from or now, claim.effective_until
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
        return take_back([statement, *_said_with_it_alone(statement)], ruling)


def _said_with_it_alone(statement: Statement) -> list[Statement]:
    """The rest of its tariff that a statement's operation said, where it is the last that this was said for."""
    tariff = statement.line.conditions.tariff
    running = Statement.objects.filter(
        source=statement.source, line__offering=statement.line.offering_id, ended_at__isnull=True
    )
    within = [each for each in running.select_related("line") if each.line.conditions.tariff == tariff]
    operations = operations_of([statement])
    rest = {each.pk: each for each in rest_made_with(operations, within)}
    others = [each for each in within if each.pk not in rest and each.pk != statement.pk]
    if statement.pk in rest or any(operations_of([each]) & operations for each in others):
        return []
    return list(rest.values())


def take_back(statements: Sequence[Statement], ruling: Ruling, *, restores: bool = True) -> Outcome:
    """Leave statements of one offering out of resolution; what was to come is retracted, all else was a mistake.

    ``restores`` says whether what they had replaced stands again.
    """
    now = timezone.now()
    offering = statements[0].line.offering
    makings = [making_of(statement) for statement in statements]
    undoings = [
        decide(
            Decision.Kind.UNDO,
            offering,
            ruling,
            now,
            line_id=statement.line_id,
            undoes=making,
            details={"statement": statement.pk},
        )
        for statement, making in zip(statements, makings, strict=True)
    ]
    running = [each for each in zip(statements, makings, strict=True) if each[0].ended_at is None]
    ended = _end([statement.pk for statement, _ in running], now)
    # Only when all have ended: one of them may stand where another's forerunner comes back.
    for _, making in running:
        if making is not None and restores:
            _say_again(making)
    _say_what_was_left_out(offering, [making for _, making in running if making is not None], ruling, now)
    begun = [each for each in statements if each.effective_from is None or each.effective_from <= now]
    source_id, decision_id = statements[0].source_id, undoings[0].pk
    cause = Cause(now, now, source_id=source_id, decision_id=decision_id, ruled=bool(begun))
    return Outcome(0, ended, settle(tariffs_of(_lines_touched(statements)), cause))


def _say_what_was_left_out(offering: Offering, taken: Sequence[Decision], ruling: Ruling, now: datetime) -> None:
    """Let later operations say what they left out of their tariffs, since what is taken back said it anyway."""
    if not taken:
        return
    lines = {making.line.conditions for making in taken if making.line is not None}
    later = Decision.objects.filter(
        kind=Decision.Kind.STATE,
        offering=offering,
        undone_by=None,
        pk__gt=min(making.pk for making in taken),
        details__keeps_rest=True,
    )
    tariffs = {line.tariff for line in lines}
    for operation, claims in _claims_by_operation(later.order_by("pk")).items():
        about = [claim for claim in claims if claim.line.tariff in tariffs]
        for claim in rest_of(offering, about, now, are_said=True) if about else ():
            if claim.line in lines:
                _say_rest(offering, claim, operation, ruling, now)


def _claims_by_operation(makings: Iterable[Decision]) -> dict[str, list[Claim]]:
    """What operations state and nobody ended since."""
    found: dict[str, list[Claim]] = {}
    for making in makings:
        running = Statement.objects.filter(pk=making.details["statement"], ended_at__isnull=True)
        for statement in running.select_related("line"):
            claim = claim_of(statement, statement.effective_from, statement.effective_until)
            found.setdefault(making.details["operation"], []).append(claim)
    return found


def _say_rest(offering: Offering, claim: Claim, operation: str, ruling: Ruling, now: datetime) -> None:
    line_id = ensure_lines({(offering.pk, claim.line)})[offering.pk, claim.line]
    statement = _statement(editors(), line_id, claim, "free", ruling, now)
    details = {"statement": statement.pk, "replaced": [], "operation": operation, "rest": True}
    decide(Decision.Kind.STATE, offering, ruling, now, line_id=line_id, claim=claim, details=details)


def _lines_touched(statements: Sequence[Statement]) -> set[int]:
    """The lines of some statements, and of what they had replaced."""
    makings = [making for statement in statements if (making := making_of(statement)) is not None]
    replaced = {pk for making in makings for pk in making.details.get("replaced", [])}
    others = Statement.objects.filter(pk__in=replaced).values_list("line_id", flat=True)
    return {*(statement.line_id for statement in statements), *others}


def making_of(statement: Statement) -> Decision | None:
    """The decision that made a statement."""
    stated = Decision.objects.filter(kind=Decision.Kind.STATE, line_id=statement.line_id)
    return stated.filter(details__statement=statement.pk).first()


def operations_of(statements: Sequence[Statement]) -> set[str]:
    """The operations that made some statements."""
    makings = (making_of(statement) for statement in statements)
    return {making.details["operation"] for making in makings if making is not None and "operation" in making.details}


def rest_made_with(operations: Collection[str], statements: Sequence[Statement]) -> list[Statement]:
    """Those of some statements that operations made only so that the tariffs were said whole."""
    found = []
    for statement in statements:
        making = making_of(statement)
        if making is not None and making.details.get("rest") and making.details["operation"] in operations:
            found.append(statement)
    return found


def _say_again(making: Decision) -> None:
    """Let what a statement had replaced stand again, but for what another has replaced since."""
    for replaced in _replaced(making):
        running = Statement.objects.filter(source=replaced.source, line=replaced.line, ended_at__isnull=True)
        if not running.filter(effective_from=replaced.effective_from).exists():
            Statement.objects.filter(pk=replaced.pk).update(ended_at=None)


def _replaced(making: Decision) -> Iterator[Statement]:
    """What a statement replaced; of that, what was taken back gives way to what it had replaced itself."""
    for statement in Statement.objects.filter(pk__in=making.details.get("replaced", [])).order_by("-pk"):
        earlier = making_of(statement)
        if earlier is None or not Decision.objects.filter(undoes=earlier).exists():
            yield statement
        else:
            yield from _replaced(earlier)
