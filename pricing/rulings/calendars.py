"""Taking what people say of calendars: the hours that they state or announce, and the taking back of these."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from pricing.bookkeeping import Cause
from pricing.calendar_bookkeeping import settle_calendars
from pricing.calendar_history import bare
from pricing.calendar_rules import Rules, as_json, normalised
from pricing.calendar_text import UnclearCalendar, refuse_unclear
from pricing.claims import SlotRule
from pricing.locks import lock_ledger
from pricing.models import CalendarStatement, Decision, Offering, Price, Source
from pricing.models import SlotRule as RuleRow
from pricing.rulings.decisions import Ruling, check_aware, check_open, decide, editors, lock_to_rule_on
from pricing.sheets import LedgerError, Outcome


def state_calendar(
    offering: Offering, rules: Iterable[SlotRule], ruling: Ruling, *, effective_from: datetime | None = None
) -> Outcome:
    """State the whole calendar of an offering from a moment on; it stands before every feed until it is taken back.

    A moment ahead announces it. What editors stated from the same moment on is replaced; what they stated for later
    takes over then. Raises LedgerError on a calendar that cannot be, with the reason.
    """
    check_open(offering)
    check_aware(effective_from)
    with transaction.atomic():
        lock_to_rule_on(offering)
        now = timezone.now()
        begins = effective_from or now
        stated = _checked(offering, rules, begins)
        running = _running(offering).filter(effective_from=begins)
        replaced = sorted(running.values_list("pk", flat=True))
        ended = running.update(ended_at=now)
        statement = _say(offering, stated, begins, now, ruling)
        details = {"calendar": statement.pk, "replaced": replaced}
        decision = decide(Decision.Kind.CALENDAR, offering, ruling, now, begins=begins, details=details)
        return _settled(Outcome(1, ended), offering, Cause(now, now, statement.source_id, decision_id=decision.pk))


def _say(offering: Offering, stated: Rules, begins: datetime, now: datetime, ruling: Ruling) -> CalendarStatement:
    return CalendarStatement.objects.create(
        source=editors(),
        offering=offering,
        rules=as_json(stated),
        effective_from=begins,
        first_observed_at=now,
        author=ruling.by,
        citation_url=ruling.citation_url,
        citation_title=ruling.citation_title,
        note=ruling.note,
    )


def retire_calendar(statement: CalendarStatement, ruling: Ruling) -> Outcome:
    """Take back a calendar that an editor stated, as if it had never been said. Raises LedgerError.

    What it had replaced stands again, and where nothing had, the sources' own calendars do.
    """
    if statement.source.kind != Source.Kind.EDITOR:
        raise LedgerError(f"only an editor's calendar can be taken back; this one is by {statement.source.slug}")
    with transaction.atomic():
        lock_ledger()
        statement.refresh_from_db()
        if statement.ended_at is not None:
            raise LedgerError(f"the calendar ended at {statement.ended_at.isoformat()} already")
        now, offering = timezone.now(), statement.offering
        making = offering.decisions.filter(kind=Decision.Kind.CALENDAR, details__calendar=statement.pk).first()
        details = {"calendar": statement.pk}
        undoing = decide(Decision.Kind.UNDO, offering, ruling, now, undoes=making, details=details)
        CalendarStatement.objects.filter(pk=statement.pk).update(ended_at=now)
        if making is not None:
            CalendarStatement.objects.filter(pk__in=making.details.get("replaced", [])).update(ended_at=None)
        is_ahead = statement.effective_from is not None and statement.effective_from > now
        cause = Cause(now, now, statement.source_id, decision_id=undoing.pk, ruled=not is_ahead)
        outcome = _settled(Outcome(0, 1), offering, cause)
        _refuse_left_without_hours(offering, now)
        return outcome


def _refuse_left_without_hours(offering: Offering, now: datetime) -> None:
    """Refuse to leave prices by the hour without hours: they would apply to nothing. Raises LedgerError."""
    ruled = RuleRow.objects.filter(offering=offering, known_until=None).exclude(effective_until__lte=now)
    believed = Price.objects.filter(line__offering=offering, known_until=None).exclude(effective_until__lte=now)
    priced = set(believed.exclude(line__slot="").values_list("line__slot", flat=True))
    if missing := sorted(priced - set(ruled.values_list("slot", flat=True))):
        raise LedgerError(
            f"no calendar would say when the prices of {', '.join(missing)} apply; end those prices first, or state "
            "another calendar instead"
        )


def _settled(outcome: Outcome, offering: Offering, cause: Cause) -> Outcome:
    settle_calendars([offering.pk], cause, outcome.settled)
    return outcome


def _running(offering: Offering) -> QuerySet[CalendarStatement]:
    """What editors state of an offering's calendar and have not taken back."""
    return CalendarStatement.objects.filter(offering=offering, source=editors(), ended_at=None)


def _checked(offering: Offering, rules: Iterable[SlotRule], begins: datetime) -> Rules:
    """The rules in one order, without dates of their own. Raises LedgerError."""
    stated = normalised(rules)
    if any(rule != bare(rule) for rule in stated):
        raise LedgerError("the rules of a stated calendar have no dates; state another calendar from a later moment on")
    try:
        refuse_unclear(stated, begins)
    except UnclearCalendar as unclear:
        raise LedgerError(str(unclear)) from unclear
    _refuse_other_slots(offering, {rule.slot for rule in stated}, begins)
    return stated


def _refuse_other_slots(offering: Offering, named: set[str], begins: datetime) -> None:
    """Refuse hours for a slot without a price line, and a calendar that leaves a price without hours.

    The first calendar comes before all prices by the hour, which need it.
    """
    lines = set(offering.lines.exclude(slot="").values_list("slot", flat=True))
    for slot in sorted(named - lines) if lines else ():
        known = f"its slots are {', '.join(sorted(lines))}"
        raise LedgerError(f"{offering} has no price line for the slot {slot!r}: {known}; state a price for it first")
    believed = Price.objects.filter(line__offering=offering, known_until=None).exclude(effective_until__lte=begins)
    for slot in sorted(set(believed.exclude(line__slot="").values_list("line__slot", flat=True)) - named):
        raise LedgerError(f"the calendar gives {slot!r}, which has a price, no hours; add them, or '{slot}: rest'")


def check_hours(offering: Offering, slot: str) -> None:
    """Refuse a slot that no calendar of an offering rules: its price would never apply. Raises LedgerError."""
    known = sorted(set(RuleRow.objects.filter(offering=offering, known_until=None).values_list("slot", flat=True)))
    if slot and slot not in known:
        raise LedgerError(
            f"no calendar says when the slot {slot!r} of {offering} applies; state its hours first"
            + (f", or price one of {', '.join(known)}" if known else "")
        )
