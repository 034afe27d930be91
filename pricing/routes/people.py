"""Taking what people say of routes: reroutes that they state or announce, postpone, take back and undo."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from companies.models import AIModel, Company
from pricing.bookkeeping import Cause
from pricing.identity import identity_key
from pricing.locks import lock_ledger
from pricing.models import Decision, Offering, RouteStatement, Source
from pricing.routes.money import standing
from pricing.routes.refusals import check_interval, check_routable, check_target
from pricing.routes.settling import settle_routes_of
from pricing.routes.targets import target_of
from pricing.rulings.decisions import Ruling, editors
from pricing.sheets import LedgerError, Outcome

_LONGEST_ID = 500


def id_to_route(seller: Company, external_id: str) -> Offering:
    """The offering of an id that a seller routes, made without prices where there is none. Raises LedgerError."""
    key = identity_key(external_id)
    if not key or len(external_id) > _LONGEST_ID:
        raise LedgerError(f"{external_id[:100]!r} is no model id; give one of 1 to {_LONGEST_ID} characters")
    offering, _ = Offering.objects.get_or_create(
        seller=seller,
        kind=Offering.Kind.API,
        listing="",
        identity_key=key,
        defaults={"external_id": external_id, "name": external_id},
    )
    return standing(offering)


def reroute(
    offering: Offering,
    target: Offering | AIModel,
    ruling: Ruling,
    *,
    at: datetime | None = None,
    until: datetime | None = None,
    precision: str = "exact",
    replaces_later: bool = False,
) -> Outcome:
    """State that a seller routes an id to another of its offerings, or to an AI model, from a moment on.

    Without ``at`` from now; a moment that lies ahead announces it. What editors said from the same
    moment on is replaced; what they said for later stays, and takes over then, unless
    ``replaces_later``. Raises LedgerError on a route that cannot be, with the reason.
    """
    check_interval(at, until, precision)
    with transaction.atomic():
        lock_ledger()
        now = timezone.now()
        begins = at or now
        to = standing(target) if isinstance(target, Offering) else target
        check_routable(offering)
        check_target(offering, to, begins, until)
        replaced = sorted(_overruled(offering, begins, until, replaces_later).values_list("pk", flat=True))
        _end(replaced, now)
        stated = _stated(offering, to, ruling, now, begins, until, precision)
        details = {"route": stated.pk, "replaced": replaced}
        decision = _decide(Decision.Kind.REROUTE, stated, ruling, now, details)
        return _settled(offering, decision, stated, ended=len(replaced), opened=1)


def reschedule_route(
    statement: RouteStatement, ruling: Ruling, *, at: datetime, until: datetime | None = None, precision: str = "exact"
) -> Outcome:
    """Put what an editor said of a route off to another moment, or bring it forward. Raises LedgerError.

    Without ``until`` it ends as it was to end. One that has begun already is corrected.
    """
    check_interval(at, until or statement.effective_until, precision)
    with transaction.atomic():
        lock_ledger()
        _check_running(statement)
        offering, now = statement.offering, timezone.now()
        ends = until or statement.effective_until
        to = _target(statement)
        check_routable(offering)
        check_target(offering, to, at, ends)
        overruled = _overruled(offering, at, ends, replaces_later=False, besides=statement)
        replaced = sorted(overruled.values_list("pk", flat=True))
        _end([*replaced, statement.pk], now)
        stated = _stated(offering, to, ruling, now, at, ends, precision)
        details = {"route": stated.pk, "replaced": replaced, "moved": statement.pk, "routes_left_out": [statement.pk]}
        decision = _decide(Decision.Kind.REROUTE, stated, ruling, now, details)
        return _settled(offering, decision, statement, ended=len(replaced) + 1, opened=1)


def retire_route(statement: RouteStatement, ruling: Ruling) -> Outcome:
    """Take back what an editor said of a route, as if it had never been said. Raises LedgerError.

    One that was to come is retracted; any other was a mistake, and is corrected. What it had replaced
    stands again, but not what it had postponed.
    """
    with transaction.atomic():
        lock_ledger()
        _check_running(statement)
        return _take_back(statement, _making(statement), ruling, with_moved=False)


def undo_route(decision: Decision, ruling: Ruling) -> Outcome:
    """Undo a reroute, or a postponement of one, as if it had never been ruled. Raises LedgerError."""
    with transaction.atomic():
        lock_ledger()
        if Decision.objects.filter(undoes=decision).exists():
            raise LedgerError("the decision is undone already")
        statement = RouteStatement.objects.filter(pk=decision.details.get("route", 0)).first()
        if statement is None:
            raise LedgerError("the decision does not name the route that it stated; take that back instead")
        return _take_back(statement, decision, ruling, with_moved=True)


def _take_back(statement: RouteStatement, making: Decision | None, ruling: Ruling, with_moved: bool) -> Outcome:
    now = timezone.now()
    details: dict[str, Any] = {"routes_left_out": [statement.pk]}
    moved: list[int] = [making.details["moved"]] if making and with_moved and "moved" in making.details else []
    details["routes_restored"] = moved
    undoing = _decide(Decision.Kind.UNDO, statement, ruling, now, details, undoes=making)
    ended = _end([statement.pk], now)
    if ended and making is not None:
        _say_again([*_replaced(making), *RouteStatement.objects.filter(pk__in=moved)])
    return _settled(statement.offering, undoing, statement, ended=ended, opened=0)


def _settled(offering: Offering, decision: Decision, told_by: RouteStatement, *, ended: int, opened: int) -> Outcome:
    """Settle the route. What concerns a moment that has passed, or takes back one, corrects the record."""
    now = decision.made_at
    has_begun = told_by.effective_from is None or told_by.effective_from <= now
    takes_back = bool(decision.details.get("routes_left_out"))
    cause = Cause(now, now, source_id=told_by.source_id, decision_id=decision.pk, ruled=takes_back and has_begun)
    return Outcome(opened, ended, settle_routes_of([offering.pk], cause))


def _stated(
    offering: Offering,
    to: Offering | AIModel,
    ruling: Ruling,
    now: datetime,
    begins: datetime,
    until: datetime | None,
    precision: str,
) -> RouteStatement:
    return RouteStatement.objects.create(
        source=editors(),
        offering=offering,
        target_offering=to if isinstance(to, Offering) else None,
        target_model=to if isinstance(to, AIModel) else None,
        effective_from=begins,
        effective_until=until,
        precision=precision,
        first_observed_at=now,
        author=ruling.by,
        citation_url=ruling.citation_url,
        citation_title=ruling.citation_title,
        note=ruling.note,
    )


def _target(statement: RouteStatement) -> Offering | AIModel:
    if statement.target_offering is not None:
        return standing(statement.target_offering)
    assert statement.target_model is not None
    return statement.target_model


def _overruled(
    offering: Offering,
    begins: datetime,
    until: datetime | None,
    replaces_later: bool,
    besides: RouteStatement | None = None,
) -> QuerySet[RouteStatement]:
    """What editors said from ``begins`` on that gives way. Raises LedgerError where only a part would."""
    running = RouteStatement.objects.filter(offering=offering, source=editors(), ended_at__isnull=True)
    if besides is not None:
        running = running.exclude(pk=besides.pk)
    later = running.filter(effective_from__gte=begins)
    gives_way = later if replaces_later else later.filter(effective_from=begins)
    if until is None:
        return gives_way
    within = later.filter(effective_from__lt=until)
    beyond = within.filter(Q(effective_until__isnull=True) | Q(effective_until__gt=until)).first()
    if beyond is not None and beyond.effective_from is not None:
        raise LedgerError(
            f"{beyond} is said from {beyond.effective_from.isoformat()} on; end this route by then, "
            "or take that one back first"
        )
    return gives_way.filter(effective_from__lt=until)


def _end(statements: Sequence[int], now: datetime) -> int:
    rows = RouteStatement.objects.filter(pk__in=statements, ended_at__isnull=True)
    return rows.update(ended_at=now)


def _check_running(statement: RouteStatement) -> None:
    statement.refresh_from_db()
    if statement.source.kind != Source.Kind.EDITOR:
        raise LedgerError(f"only what an editor said can be taken back or put off; this is by {statement.source.slug}")
    if statement.ended_at is not None:
        raise LedgerError(f"that was replaced or taken back at {statement.ended_at.isoformat()} already")


def _making(statement: RouteStatement) -> Decision | None:
    """The decision by which a route was said."""
    return Decision.objects.filter(kind=Decision.Kind.REROUTE, details__route=statement.pk).first()


def _replaced(making: Decision) -> Iterator[RouteStatement]:
    """What a route replaced; of that, what was taken back gives way to what it had replaced itself."""
    for statement in RouteStatement.objects.filter(pk__in=making.details.get("replaced", [])).order_by("-pk"):
        earlier = _making(statement)
        if earlier is None or not Decision.objects.filter(undoes=earlier).exists():
            yield statement
        else:
            yield from _replaced(earlier)


def _say_again(statements: Sequence[RouteStatement]) -> None:
    """Let routes stand again, but for those that another has replaced since."""
    for statement in statements:
        running = RouteStatement.objects.filter(
            source=statement.source, offering=statement.offering, ended_at__isnull=True
        )
        if not running.filter(effective_from=statement.effective_from).exists():
            RouteStatement.objects.filter(pk=statement.pk).update(ended_at=None)


def _decide(
    kind: Decision.Kind,
    statement: RouteStatement,
    ruling: Ruling,
    now: datetime,
    details: dict[str, Any],
    undoes: Decision | None = None,
) -> Decision:
    target = target_of(statement.target_offering_id, statement.target_model_id)
    return Decision.objects.create(
        kind=kind,
        offering=statement.offering,
        effective_from=statement.effective_from,
        effective_until=statement.effective_until,
        precision=statement.precision,
        undoes=undoes,
        details={**details, "target": f"{target.kind} {target.id}"},
        made_by=ruling.by,
        made_at=now,
        note=ruling.note,
        citation_url=ruling.citation_url,
    )
