"""Holding back what is too strange of a document as a whole, until its source insists or a person rules.

The references concerned are read as if the document named them without saying anything that could be taken: nothing
of them ends and nothing begins. Which readings a hold kept back stands in its details, so that releasing it tells
those readings again with nothing kept back, and what happened has its own time and nature.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from companies.models import Company
from feeds.identity import Identified
from feeds.intake import (
    UNIT,
    VANISHED,
    Listed,
    Prices,
    Suspicion,
    rescaled,
    still_rescaled,
    still_vanished,
    vanished,
)
from feeds.kept_back import take_out
from feeds.lacking import Lacking
from feeds.leases import FeedIsTaken, lease
from feeds.models import Feed
from feeds.replaying import retell
from feeds.taken_rows import GoesOn
from pricing.belief import LINE_COLUMNS
from pricing.bulk import among, read
from pricing.claims import Conditions
from pricing.documents import running_statements
from pricing.ledger import LedgerError, Outcome, Reading, Ruling
from pricing.locks import lock_ledger
from pricing.models import Decision, Hold, Observation, Reference, Source
from pricing.scruples import ceiling_of
from tracker.amounts import plain

READINGS = 3
TIME = timedelta(hours=48)


class Weighing:
    """The newest document of a source beside what the source said until then, and what is held back of it.

    Must be made and used under the ledger's lock, before anything of the document is told. ``insisted`` are the holds
    on which the source insists by now.
    """

    def __init__(self, source: Source, observed_at: datetime, refresh_id: int) -> None:
        self._source, self._observed_at, self._refresh_id = source, observed_at, refresh_id
        self._before: list[Listed] = []
        self.insisted: list[Hold] = []

    def cover(self, lacking: Lacking) -> frozenset[int]:
        """The references that the document lacks without being believed: they are as they were.

        Those without a price are no reason to suspect a document, and are covered with the rest of its part.
        """
        self._before = [*_going_on(lacking.going_on), *_standing(self._source, lacking.going_on)]
        covered: set[int] = set()
        for hold in self._open_holds(VANISHED):
            presence = lacking.presence(self._came_since(hold.observed_at), covered)
            left = still_vanished(_suspicion_of(hold), self._before, presence)
            covered |= self._go_on_with(hold, left and lacking.with_unpriced(left, self._before))
        for suspicion in vanished(self._before, lacking.presence(but=covered)):
            covered |= self._begin(lacking.with_unpriced(suspicion, self._before))
        return frozenset(covered)

    def weigh(self, identified: Identified) -> None:
        """Take out of the document what moved by one factor."""
        now: dict[int, Prices] = {
            told.reference: {claim.line: (claim.amount, claim.currency) for claim in told.claims}
            for told in identified.told
        }
        for hold in self._open_holds(UNIT):
            left = still_rescaled(_suspicion_of(hold), self._before, now)
            self._take_out(identified, now, self._go_on_with(hold, left))
        for suspicion in rescaled(self._before, now):
            self._take_out(identified, now, self._begin(suspicion))

    def _take_out(self, identified: Identified, now: dict[int, Prices], references: frozenset[int]) -> None:
        take_out(identified, references)
        for reference in references:
            now.pop(reference, None)

    def _go_on_with(self, hold: Hold, left: Suspicion | None) -> frozenset[int]:
        """Keep back what the document leaves of a hold."""
        if left is None:
            _close(hold, Hold.Outcome.LAPSED)
            return frozenset()
        _repeat(hold, left, self._observed_at)
        self.insisted += [hold] if _insists(hold) else []
        return left.references

    def _begin(self, suspicion: Suspicion) -> frozenset[int]:
        """Keep back what is suspected anew."""
        if not _was_refused(self._source, suspicion):
            _repeat(_raise(self._source, suspicion, self._observed_at, self._refresh_id), suspicion, self._observed_at)
        return suspicion.references

    def _open_holds(self, reason: str) -> Iterable[Hold]:
        return _open_holds(self._source).filter(reason=reason)

    def _came_since(self, moment: datetime) -> frozenset[int]:
        rows = Reference.objects.filter(source=self._source, first_seen_at__gte=moment)
        return frozenset(rows.order_by().values_list("pk", flat=True))


def _suspicion_of(hold: Hold) -> Suspicion:
    details = hold.details
    factor = Decimal(details["factor"]) if details["factor"] is not None else None
    references = frozenset(details["references"])
    return Suspicion(hold.reason, hold.seller_id, references, details["offerings"], details["of"], factor)


def weigh_again(source: Source, observed_at: datetime) -> list[Hold]:
    """Note that a document was read again unchanged; returns the holds on which the source insists by now."""
    holds = list(_open_holds(source))
    for hold in holds:
        _note_reading(hold, observed_at)
    return [hold for hold in holds if _insists(hold)]


def let_go(feed: Feed, holds: Iterable[Hold], reading: Reading) -> None:
    """Release holds on which their source insists by this reading. Must run under the feed's lease."""
    for hold in holds:
        _close(hold, Hold.Outcome.PERSISTENCE)
        _tell_again(feed, hold, reading)


def release_document(hold: Hold, ruling: Ruling) -> None:
    """Let what a hold kept back of documents count, from its own time on. Raises LedgerError, FeedIsTaken."""
    feed = Feed.objects.select_related("source").get(source=hold.source_id)
    with lease(feed), transaction.atomic():
        lock_ledger()
        _rule(hold, Decision.Kind.RELEASE, ruling, Hold.Outcome.PERSON)
        _tell_again(feed, hold)


def refuse_document(hold: Hold, ruling: Ruling) -> None:
    """Rule that what a hold keeps back never counts, however often it is read. Raises LedgerError."""
    with transaction.atomic():
        lock_ledger()
        _rule(hold, Decision.Kind.REFUSE, ruling, Hold.Outcome.REFUSED)


def rule_on_document(hold: Hold, kind: Decision.Kind, ruling: Ruling) -> Outcome:
    """What the ledger hands on when a person rules on a hold of a document. Raises LedgerError."""
    try:
        (release_document if kind == Decision.Kind.RELEASE else refuse_document)(hold, ruling)
    except FeedIsTaken as taken:
        raise LedgerError(str(taken)) from None
    except Feed.DoesNotExist:
        raise LedgerError(f"{hold.source} has no feed, so that its documents cannot be read again") from None
    return Outcome()


def _rule(hold: Hold, kind: Decision.Kind, ruling: Ruling, outcome: Hold.Outcome) -> None:
    hold.refresh_from_db()
    if hold.closed_at is not None:
        raise LedgerError(f"this was decided at {hold.closed_at.isoformat()} already: {hold.get_outcome_display()}")
    hold.decision = Decision.objects.create(
        kind=kind,
        made_by=ruling.by,
        made_at=timezone.now(),
        note=ruling.note,
        citation_url=ruling.citation_url,
        details={"hold": hold.pk, "source": hold.source_id},
    )
    _close(hold, outcome)


def _tell_again(feed: Feed, hold: Hold, seen_by: Reading | None = None) -> None:
    moments = [datetime.fromisoformat(moment) for moment in hold.details["readings"]]
    readings = Observation.objects.filter(source=feed.source, observed_at__in=moments).order_by("observed_at")
    retell(feed, list(readings), as_correction=False, seen_by=seen_by)
    if hold.reason == VANISHED:
        _date_absence(hold)


def _date_absence(hold: Hold) -> None:
    """What a hold kept back is missing since the first of its readings that lacked it, and not since it was let go."""
    since: dict[str, list[int]] = {}
    for reference in hold.details["references"]:
        first = hold.details.get("joined", {}).get(str(reference), hold.details["readings"][0])
        since.setdefault(first, []).append(reference)
    for moment, references in since.items():
        first_missed = datetime.fromisoformat(moment)
        missing = Reference.objects.filter(pk__in=among(references), absent_since__gt=first_missed)
        missing.update(absent_since=first_missed)


def _going_on(references: Mapping[int, GoesOn]) -> list[Listed]:
    """What goes on as it was: it is there, and none of its prices moves by any factor."""
    return [Listed(pk, on.offering, on.seller, {}) for pk, on in references.items() if on.is_priced]


def _standing(source: Source, going_on: Collection[int]) -> list[Listed]:
    """What the source says until now under each of its other ids; a dated price is there, and moves by its dates alone.

    A price that was never believed may be mended by any factor.
    """
    running = running_statements(source, going_on).filter(reference__isnull=False)
    rows = running.values_list(
        "reference_id",
        "line__offering_id",
        "line__offering__seller_id",
        "amount",
        "currency",
        "effective_from",
        "effective_until",
        *(f"line__{name}" for name in LINE_COLUMNS),
    )
    found: dict[int, Listed] = {}
    for reference, offering, seller, amount, currency, begins, ends, *line in read(rows):
        listed = found.setdefault(reference, Listed(reference, offering, seller, {}))
        is_absurd = amount > ceiling_of(line[0], currency)
        if begins is None and ends is None and not is_absurd:
            listed.prices[Conditions(*line)] = (amount, currency)  # type: ignore[index]
    return list(found.values())


def _open_holds(source: Source) -> QuerySet[Hold]:
    return Hold.objects.filter(source=source, statement__isnull=True, closed_at__isnull=True)


def _was_refused(source: Source, suspicion: Suspicion) -> bool:
    """Whether a person refused the like of it, of no other references."""
    refused = Hold.objects.filter(
        source=source,
        statement__isnull=True,
        reason=suspicion.reason,
        seller_id=suspicion.seller,
        outcome=Hold.Outcome.REFUSED,
    )
    return any(suspicion.references <= set(hold.details["references"]) for hold in refused)


def _raise(source: Source, suspicion: Suspicion, observed_at: datetime, refresh_id: int) -> Hold:
    seller = Company.objects.get(pk=suspicion.seller) if suspicion.seller is not None else None
    details: dict[str, object] = {
        "offerings": suspicion.count,
        "of": suspicion.total,
        "factor": plain(suspicion.factor) if suspicion.factor is not None else None,
        "references": [],
        "readings": [],
    }
    return Hold.objects.create(
        source=source,
        reason=suspicion.reason,
        seller=seller,
        details=details,
        observed_at=observed_at,
        refresh_id=refresh_id,
        raised_at=timezone.now(),
    )


def _repeat(hold: Hold, suspicion: Suspicion, observed_at: datetime) -> None:
    """Note what a document leaves of a hold, what of it has come back, and what joined it."""
    details, moment = hold.details, observed_at.isoformat()
    before, now = set(details["references"]), suspicion.references
    returned, joined = details.get("returned", {}), details.get("joined", {})
    again = {str(reference) for reference in now - before} & returned.keys()
    if details["readings"]:
        joined |= {str(reference): moment for reference in sorted(now - before) if str(reference) not in again}
        returned |= {str(reference): moment for reference in sorted(before - now)}
    details["returned"] = {reference: back for reference, back in returned.items() if reference not in again}
    details["joined"] = joined
    details["offerings"] = suspicion.count
    details["references"] = sorted(suspicion.references)
    _note_reading(hold, observed_at)


def _note_reading(hold: Hold, observed_at: datetime) -> None:
    hold.details["readings"] = [*hold.details["readings"], observed_at.isoformat()]
    hold.save(update_fields=["details"])


def _insists(hold: Hold) -> bool:
    """Whether the source repeated it for three readings over two days; half of a document never goes by itself."""
    details = hold.details
    if hold.reason == VANISHED and hold.seller_id is None and 2 * details["offerings"] > details["of"]:
        return False
    moments = [datetime.fromisoformat(moment) for moment in details["readings"]]
    return len(moments) >= READINGS and moments[-1] - moments[0] >= TIME


def _close(hold: Hold, outcome: str) -> None:
    hold.closed_at, hold.outcome = timezone.now(), outcome
    hold.save(update_fields=["closed_at", "outcome", "decision"])
